//! One flag of the browser's module. A dependency registers things before `main`, and a module has no `main`: unless
//! the constructors are exported, to be called once, the linker has *every* exported function call them first,
//! which took 50 ms each time.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo:rustc-link-arg-cdylib=--export=__wasm_call_ctors");
    }
}
