//! What `insitu train` refuses, and in which words.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::balls::{done, insitu, task};
use common::nifti::{Made, gzip};
use insitu_seg::{Limits, read_volume};
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn wrong_settings_are_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    task(folder.path());
    let data = folder.path().to_str().unwrap();
    for more in [
        ["--base", "0"],
        ["--depth", "5"],
        ["--fold", "4"],
        ["--batch", "0"],
        ["--minutes", "-1"],
        ["--noise", "-1"],
    ] {
        let joined = format!("{}={}", more[0], more[1]);
        let run =
            insitu(&["train", "--data", data, "--stage", "patch", "--model", &format!("{data}/m"), &joined]);
        let message = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{message}");
        assert!(message.contains(more[0]) && message.contains("expected"), "{message}");
    }
}

#[test]
fn labels_of_another_size_or_place_are_refused_and_those_that_lie_elsewhere_are_named() {
    let folder = tempfile::tempdir().unwrap();
    task(folder.path());
    let data = folder.path().to_str().unwrap();
    let train = |model: &str, more: &[&str]| {
        let model = format!("{data}/{model}");
        let mut arguments = vec!["train", "--data", data, "--stage", "patch", "--base", "2", "--steps", "1"];
        arguments.extend(["--backend", "cpu", "--model", &model]);
        arguments.extend(more);
        let run = insitu(&arguments);
        (run.status.code(), String::from_utf8_lossy(&run.stderr).into_owned(), Path::new(&model).exists())
    };
    let file = folder.path().join("labels/ball_003.nii.gz");
    let bytes = std::fs::read(&file).unwrap();
    let [nx, ny, nz] = read_volume(&bytes, &Limits::default()).unwrap().grid.dims;

    for sform_code in [0, 1] {
        let other = Made { sform_code, ..Made::new([nx, ny + 1, nz], |_| 1) };
        std::fs::write(&file, gzip(&other.bytes(), 1)).unwrap();
        let (status, message, left) = train("never", &[]);
        assert!(status == Some(2) && !left, "{message}");
        assert!(
            message.contains("ball_003: labels: found") && message.contains("as the image has"),
            "{message}"
        );
    }

    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut plain).unwrap();
    for at in [272, 280 + 16 + 12] {
        // The y of the first voxel, in both forms.
        let y = f32::from_le_bytes(plain[at..at + 4].try_into().unwrap()) + 3.0;
        plain[at..at + 4].copy_from_slice(&y.to_le_bytes());
    }
    std::fs::write(&file, gzip(&plain, 1)).unwrap();
    let (status, message, left) = train("never", &[]);
    assert!(status == Some(2) && !left, "{message}");
    assert!(
        message.contains("ball_003: labels: found a grid of which a corner lies 3.0 mm off"),
        "{message}"
    );
    let (status, message, _) = train("taken", &["--labels-by-voxel"]);
    assert_eq!(status, Some(0), "{message}");
    assert!(message.contains("warning: labels lie off their image (ball_003 by 3.0 mm)"), "{message}");
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn weights_that_stand_are_replaced_only_on_purpose() {
    let folder = tempfile::tempdir().unwrap();
    task(folder.path());
    let data = folder.path().to_str().unwrap();
    let out = folder.path().join("model");
    let (model, log) = (out.to_str().unwrap(), format!("{}/log.csv", out.display()));
    let arguments = |more: &[&'static str]| {
        let mut all = vec!["train", "--data", data, "--model", model, "--log", &log, "--stage", "patch"];
        all.extend(["--base", "2", "--backend", "cpu"]);
        all.extend(more);
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let refused = |more: &[&'static str], words: &[&str]| {
        let before = files(&out);
        let run = insitu(&arguments(more).iter().map(String::as_str).collect::<Vec<_>>());
        let message = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2), "{message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{words:?} are not in: {message}");
        assert!(files(&out) == before, "files were changed");
    };
    let succeeds =
        |more: &[&'static str]| done(&arguments(more).iter().map(String::as_str).collect::<Vec<_>>());
    succeeds(&["--steps", "8"]);
    refused(&["--steps", "4"], &["--resume", "--fresh", "patch stage, fold 0"]);
    // Another fold, and going on, are no replacement.
    succeeds(&["--steps", "4", "--fold", "1"]);
    succeeds(&["--steps", "9", "--resume"]);
    let trained = files(&out);
    succeeds(&["--steps", "4", "--fresh"]);
    let weights = format!("{}/patch-0.safetensors", out.display());
    assert!(files(&out)[&weights] != trained[&weights]);
    // Without a state there is nothing to go on from, and weights that stand would be lost.
    std::fs::remove_file(out.join("state-patch-0.safetensors")).unwrap();
    refused(&["--steps", "9", "--resume"], &["without a state to go on from", "--fresh"]);
}

#[test]
fn cases_without_any_label_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    task(folder.path());
    let data = folder.path().to_str().unwrap();
    let [nx, ny, nz] = read_volume(
        &std::fs::read(folder.path().join("labels/ball_001.nii.gz")).unwrap(),
        &Limits::default(),
    )
    .unwrap()
    .grid
    .dims;
    let empty = gzip(&Made { sform_code: 0, ..Made::new([nx, ny, nz], |_| 0) }.bytes(), 1);
    for number in 1..=8 {
        std::fs::write(folder.path().join(format!("labels/ball_{number:03}.nii.gz")), &empty).unwrap();
    }
    let model = format!("{data}/never");
    let mut arguments = vec!["train", "--data", data, "--stage", "patch", "--base", "2", "--steps", "1"];
    arguments.extend(["--backend", "cpu", "--model", &model]);
    let run = insitu(&arguments);
    let message = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{message}");
    assert!(message.contains("no labelled voxel in any of the 6 cases to train on"), "{message}");
    assert!(!Path::new(&model).exists());
}
