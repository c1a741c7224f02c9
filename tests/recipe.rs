//! The recipes of `insitu train`: what they set, what a flag sets instead, and that the one in a card repeats a training.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::balls::{insitu, task};
use insitu_seg::card::{Card, Stage};
use insitu_seg::engine::nn::loss::Loss;
use insitu_seg::store::{Weights, read_weights};
use insitu_seg::train::augment::Fill;
use insitu_seg::train::recipe::Start;
use insitu_seg::train::schedule::RateSchedule;
use insitu_seg::train::{FoldsBy, TrainingBudget, TrainingRecipe};
use std::path::{Path, PathBuf};

/// A task, and trainings of it that end after two steps where nothing else is said.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        task(folder.path());
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Trains the model `name` with these further arguments; the message where that fails.
    fn train(&self, name: &str, stage: &str, more: &[&str]) -> Result<(), String> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let (data, model) = (text(self.path("")), text(self.path(name)));
        let log = text(self.path(&format!("{name}-{stage}.csv")));
        let mut arguments =
            vec!["train", "--data", &data, "--stage", stage, "--model", &model, "--log", &log];
        arguments.extend(["--backend", "cpu"]);
        arguments.extend(more);
        let run = insitu(&arguments);
        if run.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&run.stderr).into_owned()) }
    }

    /// The log without the seconds.
    fn log(&self, name: &str) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        let row = |line: &str| {
            line.split(',').enumerate().filter(|(n, _)| *n != 2).map(|(_, cell)| cell.to_owned()).collect()
        };
        text.lines().map(row).collect()
    }

    fn card(&self, name: &str) -> Card {
        Card::read(&std::fs::read(self.path(name).join("model.json")).unwrap()).unwrap()
    }

    fn weights(&self, name: &str, stage: &str) -> Weights {
        read_weights(&std::fs::read(self.path(name).join(format!("{stage}-0.safetensors"))).unwrap()).unwrap()
    }
}

const SMALL: [&str; 6] = ["--recipe", "msd2018", "--base", "2", "--steps", "6"];

#[test]
fn the_published_recipe_stands_in_the_card_and_each_setting_gives_way_to_its_flag() {
    let bench = Bench::new();
    bench.train("plain", "patch", &SMALL).unwrap();
    let found = TrainingRecipe::of_card(&bench.card("plain"), Stage::Patch, 0).unwrap();
    let published = TrainingRecipe::msd2018();
    let mut expected = TrainingRecipe { budget: TrainingBudget::Steps(6), ..published.clone() };
    (expected.architecture.base, expected.architecture.outputs) = (2, 2);
    assert_eq!(found, expected);

    let mut flags = vec!["--loss", "dice-entropy", "--rate", "2e-3", "--schedule", "power", "--warmup", "3"];
    flags.extend(["--decay", "1e-3", "--clip", "5", "--average", "0.9", "--batch", "2", "--seed", "7"]);
    flags.extend(["--noise", "0.05,0.2", "--fill", "edge", "--affine", "0.5", "--degrees", "7"]);
    flags.extend(["--zoom", "0.8,1.2", "--shear", "0.2", "--shift", "0.2", "--gamma", "0.5,1.5"]);
    flags.extend(["--margin-spread", "0.5", "--anywhere", "0.3", "--bias", "0.1", "--blur", "0.2"]);
    flags.extend(["--remap", "0.3", "--flip", "x,z", "--folds", "3", "--folds-by", "subject"]);
    flags.extend(["--init", "patch", "--min-box", "28", "--min-side", "32", "--margin", "0.25"]);
    flags.extend(["--max-voxels", "40000", "--depth", "4", "--blocks", "plain", "--attention", "--roi=true"]);
    flags.push("--threshold");
    bench.train("other", "patch", &[&SMALL[..], &flags].concat()).unwrap();
    let found = TrainingRecipe::of_card(&bench.card("other"), Stage::Patch, 0).unwrap();
    assert_eq!((found.loss, found.rate, found.schedule), (Loss::DiceAndEntropy, 2e-3, RateSchedule::Power));
    assert_eq!((found.warmup, found.decay, found.clip, found.average), (3, 1e-3, Some(5.0), 0.9));
    assert_eq!((found.batch, found.seed, found.folds, found.folds_by), (2, 7, 3, FoldsBy::Subject));
    assert_eq!(found.start, Start::Patch);
    let of = found.augment;
    assert_eq!((of.noise, of.fill, of.affine_probability, of.degrees), ([0.05, 0.2], Fill::Edge, 0.5, 7.0));
    assert_eq!((of.zoom, of.shear, of.shift, of.gamma), ([0.8, 1.2], 0.2, 0.2, [0.5, 1.5]));
    assert_eq!((of.margin_spread, of.anywhere, of.flip), (0.5, 0.3, [true, false, true]));
    assert_eq!((of.scanner.bias, of.scanner.blur_mm, of.scanner.remap), (0.1, 0.2, 0.3));
    let of = found.preset.unwrap();
    assert_eq!((of.min_box, of.min_side, of.margin, of.max_voxels), (28, 32, 0.25, 40000));
    let of = found.architecture;
    assert!(
        of.depth == 4 && of.attention && of.roi && of.threshold && of.blocks != published.architecture.blocks
    );
}

/// Six steps of two stages, then the same by nothing but the card.
#[test]
fn the_card_of_a_model_repeats_its_training() {
    let bench = Bench::new();
    let more = ["--rate", "1e-3", "--seed", "5", "--folds-by", "index", "--min-box", "26", "--steps", "9"];
    let settings = [&SMALL[..4], &more].concat();
    bench.train("first", "patch", &settings).unwrap();
    bench.train("first", "whole", &[&settings[..], &["--init", "patch"]].concat()).unwrap();
    let first = bench.path("first");
    for stage in ["patch", "whole"] {
        bench.train("again", stage, &["--recipe", first.to_str().unwrap()]).unwrap();
        assert_eq!(bench.log(&format!("again-{stage}.csv")), bench.log(&format!("first-{stage}.csv")));
        assert!(bench.weights("again", stage) == bench.weights("first", stage), "{stage}");
    }
    let cards = ["first", "again"].map(|name| bench.card(name));
    let of = |card: &Card| (card.preset, TrainingRecipe::of_card(card, Stage::Whole, 0).unwrap());
    assert_eq!(of(&cards[0]), of(&cards[1]));
    // A column for each label: what the loss is the mean of, in training and in validation.
    let log = bench.log("first-patch.csv");
    assert_eq!(
        log[0][5..].join(","),
        "validation_dice_1,validation_dice_2,soft_dice_1,soft_dice_2,validation_soft_dice_1,validation_soft_dice_2"
    );
    for row in &log[1..] {
        let number = |n: usize| row[n].parse::<f64>().unwrap();
        for (loss, first) in [(3, 7), (4, 9)] {
            assert!((number(loss) + (number(first) + number(first + 1)) / 2.0).abs() < 2e-6, "{row:?}");
        }
    }
    // The default, which the published one differs from in every step.
    bench.train("default", "patch", &["--base", "2", "--steps", "9", "--seed", "5"]).unwrap();
    assert_ne!(bench.log("default-patch.csv")[1][3], log[1][3]);
}

#[test]
fn what_is_no_recipe_or_does_not_fit_the_model_is_refused_in_one_line() {
    let bench = Bench::new();
    let refused = |more: &[&str], words: &[&str]| {
        let message = bench.train("made", "patch", more).unwrap_err();
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{words:?} are not in: {message}");
    };
    refused(&["--recipe", "msd2019"], &["--recipe", "msd2019", "msd2018"]);
    refused(&["--min-side", "8"], &["--min-side", "16 to 256"]);
    refused(&["--margin", "5"], &["--margin", "0 to 4"]);
    refused(&["--zoom", "1.2,0.8"], &["--zoom", "1.2,0.8"]);
    refused(&["--noise=-1"], &["--noise", "0 to 10"]);
    assert!(!bench.path("made").exists());
    bench.train("made", "whole", &SMALL).unwrap();
    refused(&["--min-box", "28"], &["--min-box", "found 28", "expected 24", "both stages"]);
    let made = bench.path("made");
    refused(&["--recipe", made.to_str().unwrap()], &["recipe of the patch stage"]);
    assert!(Path::new(&made).join("whole-0.safetensors").exists());
}
