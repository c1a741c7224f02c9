//! `insitu evaluate`, and with it the masks of the public cases.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::command::{insitu, sample, text};

#[test]
fn evaluate_gives_one_where_masks_are_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("scores.json");
    std::fs::copy(sample().with_file_name("label.nii.gz"), folder.path().join("case.nii.gz")).unwrap();
    let at = text(folder.path());
    let run = insitu(&["evaluate", "--truth", at, "--pred", at, "--json", text(&json)]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let scores: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    for label in ["1", "2"] {
        assert_eq!(scores["mean"][label]["dsc"], 1.0);
        assert_eq!(scores["mean"][label]["nsd"], 1.0);
        assert_eq!(scores["mean"][label]["hd95_mm"], 0.0);
    }
}

#[test]
fn public_test_cases_are_segmented_well() {
    let Some(task) = common::shared("Task04_Hippocampus") else { return };
    let folder = tempfile::tempdir().unwrap();
    let inputs: Vec<String> = std::fs::read_dir(task.join("imagesTs"))
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    let mut arguments = vec!["segment", "--backend", "cpu", "--out-dir", text(folder.path())];
    arguments.extend(inputs.iter().map(String::as_str));
    let run = insitu(&arguments);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let json = folder.path().join("scores.json");
    let truth = task.join("labelsTs");
    assert!(
        insitu(&["evaluate", "--truth", text(&truth), "--pred", text(folder.path()), "--json", text(&json)])
            .status
            .success()
    );
    let scores: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let mean = |label: &str| scores["mean"][label]["dsc"].as_f64().unwrap();
    println!("Dice on {} cases: anterior {:.4}, posterior {:.4}", inputs.len(), mean("1"), mean("2"));
    assert!(mean("1") >= 0.85 && mean("2") >= 0.82, "{scores}");
    let cases = scores["cases"].as_array().unwrap();
    for pair in cases.chunks_exact(2) {
        let both = (pair[0]["dsc"].as_f64().unwrap() + pair[1]["dsc"].as_f64().unwrap()) / 2.0;
        assert!(both >= 0.5, "{}: {both}", pair[0]["case"]);
    }
}
