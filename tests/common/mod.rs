//! What the integration tests share.
#![allow(dead_code, reason = "every test uses a part of it")]

#[cfg(feature = "cli")]
pub mod balls;
#[cfg(feature = "cli")]
pub mod command;
#[cfg(not(target_arch = "wasm32"))]
pub mod hostile;
pub mod mgh;
pub mod nifti;
pub mod not_run;
pub mod orient;
#[cfg(feature = "cli")]
pub mod sample;

use insitu_seg::file::{DataType, write_values};
use insitu_seg::grid::Grid;
use insitu_seg::{Limits, Volume, read_volume};
use not_run::{Need, not_run};
use std::path::{Path, PathBuf};

/// The data beside the checkout, or where `INSITU_DATA` says.
fn data() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    std::env::var_os("INSITU_DATA").map_or_else(beside, PathBuf::from)
}

/// A file or folder of the data beside the checkout; without it the test is not run.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = data().join(path);
    if found.exists() {
        return Some(found);
    }
    let missing = if data().exists() { format!("../shared/data/{path}") } else { "../shared/data".into() };
    not_run(Need::Data, &format_args!("there is no {missing}"));
    None
}

/// What was opened on a GPU; where this machine has no adapter the test is not run.
pub fn on_gpu<T>(opened: insitu_seg::Result<T>) -> Option<T> {
    match opened {
        Ok(opened) => Some(opened),
        Err(error) if error.expected.starts_with("an adapter") => {
            not_run(Need::Gpu, &"this machine has no GPU adapter, not even one in software");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A Python that has these modules: the checkout's own or the machine's. Without one the test is not run.
pub fn python(modules: &[&str]) -> Option<PathBuf> {
    let own = ["bin/python", "Scripts/python.exe"];
    let own = own.map(|path| Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv").join(path));
    let import = format!("import {}", modules.join(", "));
    let has = |python: &PathBuf| {
        let run = std::process::Command::new(python).args(["-c", &import]).output();
        run.is_ok_and(|output| output.status.success())
    };
    let found = own.into_iter().chain([PathBuf::from("python3")]).find(has);
    if found.is_none() {
        not_run(Need::Python, &format_args!("there is no Python with {}", modules.join(" and ")));
    }
    found
}

/// Values on a grid, written to a file and read again.
pub fn read_back(grid: &Grid, values: &[f32]) -> Volume {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let file = write_values(grid, DataType::F32, 1, &bytes).unwrap();
    read_volume(&file, &Limits::default()).unwrap()
}

/// Of labelled heads: the label of each side, and what the mask has of it, anterior and posterior.
pub const SIDES: [(f32, [u8; 2]); 2] = [(1.0, [1, 2]), (2.0, [3, 4])];

/// Dice of what two masks have of some labels each.
pub fn dice(truth: &[f32], label: f32, found: &[u8], labels: [u8; 2]) -> f64 {
    let (mut both, mut sizes) = (0, 0);
    for (truth, found) in truth.iter().zip(found) {
        let (truth, found) = (*truth == label, labels.contains(found));
        both += usize::from(truth && found);
        sizes += usize::from(truth) + usize::from(found);
    }
    2.0 * both as f64 / sizes as f64
}
