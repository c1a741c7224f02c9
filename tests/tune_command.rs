//! `insitu tune`: what it writes, what it refuses, and its exit status. On the shipped model and the shipped sample.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::balls::insitu;
use common::sample::{at, image, strokes};
use insitu_seg::write_labels;
use std::path::Path;
use std::process::{Command, Output};

/// A folder with the sample in inverted contrast and some annotated slices, and the command that tunes on it.
struct TuneCommand {
    folder: tempfile::TempDir,
    model: String,
}

impl TuneCommand {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["images", "labels", "wrong"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let this = Self { folder, model: at("pkg/models/hippocampus").to_str().unwrap().to_owned() };
        let image = image();
        let top = image.voxels.iter().copied().fold(0.0, f32::max);
        let grey = |v: &f32| (255.0 * (top - v) / top).round() as u8;
        let inverted = image.reorientation.undo(&image.voxels.iter().map(grey).collect::<Vec<u8>>());
        let write = |name: &str, labels: &[u8]| {
            std::fs::write(this.path(name), write_labels(labels, &image, true).unwrap()).unwrap();
        };
        write("images/one.nii.gz", &inverted);
        write("labels/one.nii.gz", &strokes(6));
        this
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn tune(&self, labels: &str, more: &[&str]) -> Output {
        let [images, labels, out, report] = ["images", labels, "out", "report.json"].map(|n| self.path(n));
        let mut arguments = vec!["tune", "--model", &self.model, "--images", &images, "--labels", &labels];
        arguments.extend(["--out", &out, "--backend", "cpu", "--report", &report, "--steps", "4"]);
        arguments.extend(more);
        insitu(&arguments)
    }

    fn report(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap()
    }

    /// The mask of the image by a model, as the file's bytes.
    fn mask(&self, model: &str, name: &str) -> Vec<u8> {
        let (image, mask) = (self.path("images/one.nii.gz"), self.path(name));
        let run = Command::new(env!("CARGO_BIN_EXE_insitu"))
            .args(["segment", &image, "-o", &mask, "--backend", "cpu", "--model", model])
            .env("INSITU_MODELS", at("pkg/models"))
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        std::fs::read(mask).unwrap()
    }
}

#[test]
fn the_command_tunes_refuses_and_takes_its_files_again() {
    let command = TuneCommand::new();
    // Refused: exit status 3, a report with the reason, and no folder.
    let refused = command.path("refused.safetensors");
    let run =
        command.tune("labels", &["--min-gain", "0.99999", "--variant", "ours", "--save-refused", &refused]);
    assert_eq!(run.status.code(), Some(3), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(!Path::new(&command.path("out")).exists());
    let report = command.report();
    assert_eq!((&report["accepted"], &report["verdict"]), (&false.into(), &"refused".into()));
    // What was refused can be looked at.
    assert_ne!(command.mask(&refused, "refused.nii"), command.mask(&command.model, "shipped.nii"));

    let run = command.tune("labels", &[]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(String::from_utf8_lossy(&run.stderr).contains("warning: the image is unlike those"));
    assert_eq!(command.report()["accepted"], true);
    // The folder and the file in it give the same mask.
    let by_file = command.mask(&command.path("out/tuned.safetensors"), "b.nii");
    assert_eq!(command.mask(&command.path("out"), "a.nii"), by_file);
    assert_ne!(command.mask(&command.model, "c.nii"), by_file);
}

#[test]
fn the_command_refuses_wrong_settings_in_words() {
    let command = TuneCommand::new();
    for (argument, words) in [("--rate=-1", "rate: found -1"), ("--keep=-2", "keep: found -2")] {
        let run = command.tune("labels", &[argument]);
        let message = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2));
        assert!(message.contains(words), "{message}");
    }
    let run = command.tune("wrong", &[]);
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("labels under the file names of their images"));
}
