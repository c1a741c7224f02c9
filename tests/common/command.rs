//! The command `insitu`, run as users run it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the command with the shipped models.
pub fn insitu(arguments: &[&str]) -> Output {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("pkg/models");
    Command::new(env!("CARGO_BIN_EXE_insitu")).args(arguments).env("INSITU_MODELS", models).output().unwrap()
}

/// The shipped image.
pub fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pkg/samples/hippocampus/image.nii.gz")
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
