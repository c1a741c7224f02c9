//! Every task of the decathlon, by the command alone: phantoms of its modality and channels, a few steps of both stages,
//! masks on the grids of their files.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use insitu_seg::card::Card;
use insitu_seg::task::{TASKS, Task};
use insitu_seg::{Intensity, Limits, open_path};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn insitu(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_insitu")).args(arguments).output().unwrap()
}

fn done(arguments: &[&str]) {
    let run = insitu(arguments);
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

fn refused(arguments: &[&str], words: &[&str]) {
    let run = insitu(arguments);
    let message = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    assert!(words.iter().all(|word| message.contains(word)), "{words:?} are not in: {message}");
}

/// Phantoms small enough to learn from in seconds: about 36 mm along each axis.
fn phantoms(task: &str, folder: &Path, size: [&str; 3]) {
    let out = folder.to_str().unwrap();
    let [x, y, z] = size;
    done(&["phantom", "--task", task, "--out", out, "--cases", "5", "--test", "1", "--size", x, y, z]);
}

/// Size and affine of a file.
fn grid(path: &Path) -> ([usize; 3], [[f64; 4]; 4]) {
    let opened = open_path(path, &Limits::default()).unwrap();
    let grid = &opened.header().unwrap().grid;
    (grid.dims, grid.affine)
}

/// Mean training loss of each epoch, moved so that a perfect network has 0: the loss is cross-entropy less Dice.
fn losses(log: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(log).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let column = rows[0].iter().position(|name| *name == "loss").unwrap();
    rows[1..].iter().map(|row| 1.0 + row[column].parse::<f64>().unwrap()).collect()
}

fn the_window_is_that_of_the_task_or_computed(task: &Task, intensity: Intensity) {
    match (task.window, intensity) {
        (Some(given), found) => assert_eq!(found, given),
        (None, Intensity::Mr) => assert_ne!(task.modalities, ["CT"]),
        (None, Intensity::Ct { center, width, mean, sd }) => {
            assert_eq!(task.modalities, ["CT"]);
            assert!(
                (-500.0..500.0).contains(&center) && width > 10.0 && (0.0..1.0).contains(&mean) && sd > 0.0
            );
        }
    }
}

fn learns_and_segments(task: &Task) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let slices = if task.number == 5 { "10" } else { "18" };
    let thick = if [2, 5, 6, 7, 9].contains(&task.number) { slices } else { "32" };
    phantoms(task.name, folder.path(), [if task.number == 5 { "56" } else { "36" }, "40", thick]);
    let (data, model) = (text(folder.path().to_owned()), text(path("model")));
    for (stage, steps) in [("patch", "120"), ("whole", "120")] {
        let log = path(&format!("{stage}.csv"));
        let log_text = text(log.clone());
        let mut arguments =
            vec!["train", "--data", &data, "--stage", stage, "--model", &model, "--log", &log_text];
        arguments.extend(["--base", "4", "--steps", steps, "--rate", "1e-2", "--backend", "cpu"]);
        if stage == "whole" {
            arguments.extend(["--init", "fresh"]);
        }
        done(&arguments);
        let losses = losses(&log);
        let (first, last) = (losses[0], losses[losses.len() - 2..].iter().sum::<f64>() / 2.0);
        println!("{} {stage}: loss + 1 from {first:.3} to {last:.3}", task.name);
        assert!(last < 0.8 * first, "{} {stage}: {losses:?}", task.name);
    }
    let card = Card::read(&std::fs::read(path("model/model.json")).unwrap()).unwrap();
    assert_eq!(card.modalities, task.modalities);
    the_window_is_that_of_the_task_or_computed(task, card.intensity);
    let image = std::fs::read_dir(path("imagesTs")).unwrap().next().unwrap().unwrap().path();
    let (mask, report) = (path("mask.nii.gz"), path("report.json"));
    let (image_text, mask_text) = (text(image.clone()), text(mask.clone()));
    done(&[
        "segment",
        &image_text,
        "-o",
        &mask_text,
        "--model",
        &model,
        "--backend",
        "cpu",
        "--report",
        &text(report),
    ]);
    assert_eq!(grid(&mask), grid(&image), "{}", task.name);
    let mask = open_path(&mask, &Limits::default()).unwrap().read().unwrap();
    assert_eq!(mask.channels, 1);
    assert!(mask.labels().unwrap().iter().all(|label| usize::from(*label) <= task.labels.len()));

    a_chosen_box_bounds_the_mask(task, &image_text, &mask_text, &model);
}

/// A box that somebody chose is where the mask is.
fn a_chosen_box_bounds_the_mask(task: &Task, image: &str, mask_path: &str, model: &str) {
    let within =
        |bounds: &str| insitu(&["segment", image, "-o", mask_path, "--model", model, "--box", bounds]);
    assert!(within("10,12,0,30,33,9").status.success());
    let mask = open_path(Path::new(mask_path), &Limits::default()).unwrap().read().unwrap();
    let [nx, ny, _] = mask.grid.dims;
    for (index, _) in
        mask.reorientation.undo(&mask.labels().unwrap()).iter().enumerate().filter(|(_, label)| **label > 0)
    {
        let at = [index % nx, index / nx % ny, index / (nx * ny)];
        assert!((9..31).contains(&at[0]) && (11..34).contains(&at[1]) && at[2] < 10, "{} {at:?}", task.name);
    }
    let run = within("0,0,0,90,40,10");
    let message = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.code() == Some(2) && message.contains("box") && message.contains("within"),
        "{message}"
    );
}

/// Two by two, so that two cores have work and the log is in order.
#[test]
fn all_ten_tasks_learn_and_segment() {
    for pair in TASKS.chunks(2) {
        std::thread::scope(|scope| {
            pair.iter().for_each(|task| _ = scope.spawn(|| learns_and_segments(task)));
        });
    }
}

#[test]
fn data_and_settings_that_do_not_fit_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    phantoms("Prostate", &folder.path().join("mr"), ["40", "40", "10"]);
    phantoms("Spleen", &folder.path().join("ct"), ["36", "36", "18"]);
    let train = |data: &str, model: &str, more: &[&str]| {
        let mut words = vec!["train", "--data", data, "--model", model, "--stage", "patch", "--base", "2"];
        words.extend(["--steps", "1", "--backend", "cpu"]);
        words.extend(more);
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let refused = |arguments: &[String], words: &[&str]| {
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), words);
    };
    let (mr, ct, model) = (path("mr"), path("ct"), path("model"));
    done(&train(&mr, &model, &[]).iter().map(String::as_str).collect::<Vec<_>>());

    // A model goes on with data of its own kind only.
    refused(&train(&ct, &model, &[]), &["dataset.json", "spleen", "PZ, TZ"]);
    refused(&train(&mr, &model, &["--max-voxels", "50000"]), &["--max-voxels", "50000", "5832000"]);
    refused(&train(&mr, &path("new"), &["--max-voxels", "10"]), &["--max-voxels", "13824"]);

    // An image without the model's channels.
    let image = path("ct/imagesTs/spleen_006.nii.gz");
    let arguments = ["segment", &image, "-o", &path("never.nii"), "--model", &model, "--backend", "cpu"];
    refused(&arguments.map(str::to_owned), &["one volume in the file", "2 in one 4-D file", "T2, ADC"]);
    // What dataset.json may not say. A fault of it is made by a change of its text.
    let changed = |from: &str, to: &str, more: &[&str], words: &[&str]| {
        let manifest = Path::new(&mr).join("dataset.json");
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(&manifest, text.replace(from, to)).unwrap();
        refused(&train(&mr, &path("new"), more), words);
        std::fs::write(&manifest, text).unwrap();
    };
    changed("\"ADC\"", "\"CT\"", &[], &["modality", "T2, CT"]);
    changed("\"PZ\"", "\"left part\"", &["--flip", "x"], &["--flip", "left part"]);
    changed("\"2\": \"TZ\"", "\"3\": \"TZ\"", &[], &["labels", "0, 1, 3", "without a gap"]);
    changed(",\n    \"2\": \"TZ\"", "", &[], &["prostate_001", "label value", "2", "0 to 1"]);
    changed(",\n    \"1\": \"ADC\"", "", &[], &["prostate_001", "2 channels", "1, as dataset.json"]);
    assert!(!Path::new(&path("new")).exists() && !Path::new(&path("never.nii")).exists());
}

#[test]
fn cases_that_do_not_fit_the_memory_are_read_again_and_the_same_is_learned() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // CT, whose window is computed: that too is done from files.
    phantoms("Colon", &folder.path().join("data"), ["36", "36", "32"]);
    for (name, cache) in [("held/model", "4"), ("read/model", "0")] {
        let (data, model) = (path("data"), path(name));
        let mut arguments =
            vec!["train", "--data", &data, "--model", &model, "--stage", "patch", "--cache", cache];
        arguments.extend([
            "--base",
            "2",
            "--steps",
            "8",
            "--backend",
            "cpu",
            "--flip",
            "x,z",
            "--fill",
            "constant",
        ]);
        done(&arguments);
    }
    let file = |name: &str| std::fs::read(path(name)).unwrap();
    let weights = |name: &str| insitu_seg::store::read_weights(&file(name)).unwrap();
    assert!(weights("held/model/patch-0.safetensors") == weights("read/model/patch-0.safetensors"));
    let card = |name: &str| Card::read(&file(name)).unwrap().intensity;
    assert_eq!(card("held/model/model.json"), card("read/model/model.json"));
}
