//! What the integration tests share.
#![allow(dead_code, reason = "every test uses a part of it")]

#[cfg(not(target_arch = "wasm32"))]
pub mod hostile;
pub mod nifti;
pub mod orient;

use std::path::{Path, PathBuf};

/// A file or folder of the data beside the checkout; without it, says so and returns `None`.
pub fn shared(path: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let found = data.join(path);
    if found.exists() {
        return Some(found);
    }
    let missing = if data.exists() { format!("../shared/data/{path}") } else { "../shared/data".into() };
    eprintln!("not run: {missing} is not here");
    None
}

/// A Python that has these modules: the checkout's own or the machine's. Without one, says so.
pub fn python(modules: &[&str]) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let import = format!("import {}", modules.join(", "));
    let has = |python: &PathBuf| {
        let run = std::process::Command::new(python).args(["-c", &import]).output();
        run.is_ok_and(|output| output.status.success())
    };
    let found = [own, PathBuf::from("python3")].into_iter().find(has);
    if found.is_none() {
        eprintln!("not run: no Python with {}", modules.join(" and "));
    }
    found
}
