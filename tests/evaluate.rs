//! `insitu evaluate`, and with it the masks of the public cases.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::command::{insitu, sample, text};
use insitu_seg::file::{DataType, write_values};
use insitu_seg::grid::Grid;

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

/// The truth of the sample, as a file: with its first axis turned round, moved, or without a label.
fn changed_truth(turned: bool, moved_mm: f64, empty: bool) -> Vec<u8> {
    let labels = common::sample::volume("pkg/samples/hippocampus/label.nii.gz");
    let [width, ..] = labels.grid.dims;
    let mut voxels = labels.reorientation.undo(&labels.labels().unwrap());
    let mut affine = labels.grid.affine;
    if turned {
        voxels.chunks_mut(width).for_each(<[u8]>::reverse);
        for row in &mut affine[..3] {
            row[3] += row[0] * (width - 1) as f64;
            row[0] = -row[0];
        }
    }
    affine[1][3] += moved_mm;
    if empty {
        voxels.fill(0);
    }
    let grid = Grid::new(labels.grid.dims, affine, labels.grid.spacing());
    write_values(&grid, DataType::U8, 1, &voxels).unwrap()
}

#[test]
fn masks_are_compared_where_they_lie_in_the_world() {
    let folder = tempfile::tempdir().unwrap();
    let [truth, pred] = ["truth", "pred"].map(|name| folder.path().join(name));
    [&truth, &pred].into_iter().for_each(|path| std::fs::create_dir(path).unwrap());
    std::fs::write(truth.join("a.nii.gz"), changed_truth(false, 0.0, false)).unwrap();
    let evaluate = |mask: Vec<u8>| {
        std::fs::write(pred.join("a.nii.gz"), mask).unwrap();
        insitu(&["evaluate", "--truth", text(&truth), "--pred", text(&pred)])
    };
    let turned = evaluate(changed_truth(true, 0.0, false));
    let said = String::from_utf8_lossy(&turned.stdout);
    assert!(said.contains("label 1: DSC 1.0, NSD 1.0, HD95 0.0 mm"), "{said}");
    let moved = evaluate(changed_truth(false, 5.0, false));
    assert!(!moved.status.success());
    let said = String::from_utf8_lossy(&moved.stderr);
    assert!(said.contains("a corner lies 5.0 mm off"), "{said}");
}

#[test]
fn an_infinite_distance_is_counted_and_a_label_that_no_truth_has_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let [truth, pred] = ["truth", "pred"].map(|name| folder.path().join(name));
    [&truth, &pred].into_iter().for_each(|path| std::fs::create_dir(path).unwrap());
    let evaluate = |empty: [bool; 2]| {
        for (name, empty) in ["a.nii.gz", "b.nii.gz"].into_iter().zip(empty) {
            std::fs::write(truth.join(name), changed_truth(false, 0.0, empty)).unwrap();
            std::fs::write(pred.join(name), changed_truth(false, 0.0, false)).unwrap();
        }
        let run = insitu(&["evaluate", "--truth", text(&truth), "--pred", text(&pred)]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).into_owned()
    };
    let said = evaluate([false, true]);
    assert!(said.contains("HD95 0.0 mm over 1 of 2 cases, infinite in the others"), "{said}");
    assert!(said.contains("1 of 2 cases of the truth have this label"), "{said}");
    let said = evaluate([true, true]);
    assert!(
        said.contains("infinite in all 2 cases") && said.contains("no case of the truth has this label"),
        "{said}"
    );
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
