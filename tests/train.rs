//! Training by the command, from a data set to a model that segments: small and short, on phantoms that the test
//! makes.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::balls::{done, insitu, task};
use insitu_seg::{Limits, open_path};
use std::path::Path;
use std::process::Command;

#[test]
fn a_model_is_trained_resumed_packed_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    task(folder.path());
    let (data, model, log) = (path(""), path("balls"), path("log.csv"));
    let train = |stage: &str, steps: &str, more: &[&str]| {
        let mut arguments =
            vec!["train", "--data", &data, "--model", &model, "--log", &log, "--base", "4", "--stage", stage];
        arguments.extend(["--fold", "0", "--rate", "1e-2", "--steps", steps]);
        arguments.extend(more);
        done(&arguments);
    };
    train("patch", "240", &[]);
    let lines =
        |log: &str| std::fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    let first = lines(&log);
    assert!(first[0].starts_with("epoch,steps,seconds,rate,loss,validation_loss,validation_dice_1"));
    let losses: Vec<f64> =
        first[1..].iter().map(|line| line.split(',').nth(4).unwrap().parse().unwrap()).collect();
    assert!(losses.last().unwrap() < &(losses[0] - 0.3), "the loss does not fall: {losses:?}");

    train("patch", "252", &["--resume"]);
    let more = lines(&log);
    assert_eq!(more[..first.len()], first[..]);
    let steps = |line: &String| line.split(',').nth(1).unwrap().parse::<usize>().unwrap();
    assert_eq!((steps(&more[first.len()]), steps(more.last().unwrap())), (246, 252));

    train("whole", "120", &["--init", &path("balls/patch-0.safetensors")]);
    done(&["pack", &model, "-o", &path("packed")]);
    let (image, mask) = (path("images/ball_002.nii.gz"), path("mask.nii.gz"));
    done(&["segment", &image, "-o", &mask, "--model", &path("packed"), "--backend", "cpu"]);
    let read = |path: &str| {
        open_path(Path::new(path), &Limits::default()).unwrap().read().unwrap().labels().unwrap()
    };
    let (truth, found) = (read(&path("labels/ball_002.nii.gz")), read(&mask));
    for label in [1, 2] {
        let dice = insitu_seg::metrics::dice(&truth, &found, label);
        assert!(dice > 0.7, "label {label}: Dice {dice}");
    }

    // A damaged weight file is refused, by its name.
    let weights = path("packed/patch-0.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    let run = insitu(&[
        "segment",
        &image,
        "-o",
        &path("never.nii"),
        "--model",
        &path("packed"),
        "--backend",
        "cpu",
    ]);
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("patch-0.safetensors: found SHA-256"));
}

/// Kills a training again and again, at any moment, and goes on each time; nothing that lies on disk is ever half
/// written, and in the end all is, number by number, as if it had never been killed.
#[test]
#[cfg(unix)]
fn a_training_that_is_killed_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    task(folder.path());
    let data = path("");
    let arguments = |model: &str, log: &str| {
        let fixed =
            ["train", "--data", &data, "--stage", "patch", "--fold", "1", "--base", "2", "--steps", "150"];
        let own = ["--model", model, "--log", log, "--backend", "cpu", "--resume"];
        fixed.iter().chain(&own).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let (whole, whole_log) = (path("whole"), path("whole.csv"));
    let since = std::time::Instant::now();
    done(&arguments(&whole, &whole_log).iter().map(String::as_str).collect::<Vec<_>>());
    let took = since.elapsed();

    let (killed, killed_log) = (path("killed"), path("killed.csv"));
    let mut kills = 0;
    for round in 1.. {
        assert!(round < 200, "it does not come to an end");
        let mut child = Command::new(env!("CARGO_BIN_EXE_insitu"))
            .args(arguments(&killed, &killed_log))
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // A share of the whole time that changes from round to round, so that kills fall on all that a run does.
        std::thread::sleep(took.mul_f64(0.05 + 0.02 * f64::from(round * 7 % 11)));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        kills += 1;
        whole_rows(&killed_log);
        weights_are_those_of_the_card(Path::new(&killed));
    }
    assert!(kills >= 3, "only {kills} kills");
    let tensors = |model: &str, file: &str| {
        insitu_seg::store::read_weights(&std::fs::read(Path::new(model).join(file)).unwrap()).unwrap()
    };
    for file in ["patch-1.safetensors", "state-patch-1.safetensors"] {
        assert!(tensors(&whole, file) == tensors(&killed, file), "{file} differs");
    }
    // All but the seconds.
    let rows = |log: &str| {
        whole_rows(log)
            .into_iter()
            .map(|mut row| {
                row.remove(2);
                row
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&whole_log), rows(&killed_log));
    eprintln!("killed {kills} times");
}

/// Checks the weight files of the patch stage against the hashes in the card, where there is a card.
fn weights_are_those_of_the_card(model: &Path) {
    let card = std::fs::read(model.join("model.json"));
    let card = card.ok().map(|bytes| insitu_seg::card::Card::read(&bytes).unwrap());
    for fold in card.iter().flat_map(|card| &card.stages.patch).flat_map(|stage| &stage.folds) {
        fold.check(&std::fs::read(model.join(&fold.file)).unwrap()).unwrap();
    }
}

/// The rows of a log, each with as many cells as the first and the last with its end.
fn whole_rows(log: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'), "half a row: {text}");
    let rows: Vec<Vec<String>> =
        text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "rows of different lengths: {text}");
    rows
}

/// Every option of the network, from a few steps of either stage to a mask; the card keeps what was chosen.
#[test]
fn every_option_of_the_network_is_trained_and_segments() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    task(folder.path());
    let options: [(&str, &[&str], &[&str]); 4] = [
        ("plain", &["--blocks", "plain", "--noise", "0"], &[r#""blocks": "plain""#]),
        ("gates", &["--attention"], &[r#""attention": true"#]),
        ("region", &["--roi", "--threshold"], &[r#""roi": true"#, r#""threshold": true"#]),
        ("deep", &["--depth", "4", "--blocks", "plain", "--attention", "--roi"], &[r#""depth": 4"#]),
    ];
    for (name, options, kept) in options {
        let (model, log) = (path(name), path(&format!("{name}.csv")));
        for (stage, steps) in [("patch", "240"), ("whole", "60")] {
            let (data, log) = (path(""), if stage == "patch" { log.clone() } else { path("whole.csv") });
            let mut arguments = vec!["train", "--data", &data, "--model", &model, "--log", &log];
            arguments.extend(["--stage", stage, "--base", "4", "--rate", "1e-2", "--steps", steps]);
            arguments.extend(options);
            done(&arguments);
        }
        let log = std::fs::read_to_string(log).unwrap();
        let losses: Vec<f64> =
            log.lines().skip(1).map(|line| line.split(',').nth(4).unwrap().parse().unwrap()).collect();
        assert!(losses.last().unwrap() < &(losses[0] - 0.2), "{name}: the loss does not fall: {losses:?}");
        let card = std::fs::read_to_string(path(&format!("{name}/model.json"))).unwrap();
        assert!(kept.iter().all(|text| card.matches(text).count() == 2), "{name}: {card}");

        let (image, mask) = (path("images/ball_002.nii.gz"), path("mask.nii.gz"));
        done(&["segment", &image, "-o", &mask, "--model", &model, "--backend", "cpu"]);
        let read = |path: &str| {
            open_path(Path::new(path), &Limits::default()).unwrap().read().unwrap().labels().unwrap()
        };
        let (truth, found) = (read(&path("labels/ball_002.nii.gz")), read(&mask));
        let dice = [1, 2].map(|label| insitu_seg::metrics::dice(&truth, &found, label));
        println!("{name}: loss {:.2} to {:.2}, Dice {dice:.2?}", losses[0], losses.last().unwrap());
        assert!((dice[0] + dice[1]) / 2.0 > 0.5, "{name}: Dice {dice:?}");
    }
}
