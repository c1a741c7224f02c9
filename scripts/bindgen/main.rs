//! `bindgen WASM FOLDER`: writes WASM as a module for the web, with its JavaScript, into FOLDER as `insitu_seg`.
//!
//! The command `wasm-bindgen` is this and a server for tests, whose crates take longer to build than all of the page.

use std::env::args;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = args().skip(1).collect();
    let [wasm, folder] = arguments.as_slice() else {
        eprintln!("expected a module and a folder, found {} arguments", arguments.len());
        return ExitCode::FAILURE;
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("insitu_seg").typescript(false).omit_default_module_path(false);
    match bindgen.web(true).and_then(|bindgen| bindgen.generate(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{wasm}: {error:?}");
            ExitCode::FAILURE
        }
    }
}
