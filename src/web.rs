//! The only place that knows JavaScript. Every function hands over to the core and turns its answer into plain
//! objects and typed arrays; errors become `Error` objects with a stable `code`.

mod boxes;
mod convert;
mod device;
pub mod file;
mod files;
mod measure;
mod session;
mod stages;
mod tune;

use wasm_bindgen::prelude::*;

// For its export, `initThreadPool`: starts the threads that share the work, each in a worker.
#[cfg(all(feature = "threads", target_arch = "wasm32"))]
use wasm_bindgen_rayon as _;

/// Runs once when the module is loaded: panics become messages on the console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}
