//! One flag of the browser's modules with burn (`burn`, `burn-gpu`). burn registers things before `main`, and a module has
//! no `main`: unless the constructors are exported, to be called once, the linker has *every* exported function call
//! them first, which took 50 ms each time. Our own modules have no constructors.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let wasm = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32");
    let has = |feature| std::env::var_os(feature).is_some();
    if wasm && (has("CARGO_FEATURE_BURN") || has("CARGO_FEATURE_BURN_GPU")) {
        println!("cargo:rustc-link-arg=--export=__wasm_call_ctors");
    }
}
