//! The recipes of `insitu train` on real cases against Keras: the first losses, each step on a batch of its own.
//!
//! `INSITU_LESSONS=FOLDER` writes what Keras needs to repeat them, for `tests/data/training/golden.py`;
//! `INSITU_LESSONS_BASE=32` does so for another width of the network.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use insitu_seg::Intensity;
use insitu_seg::card::{Card, Stage};
use insitu_seg::engine::compute::Compute;
use insitu_seg::engine::nn::example::Example;
use insitu_seg::engine::trainer::Trainer;
use insitu_seg::store::{Array, WeightPrecision, Weights, write_weights};
use insitu_seg::train::sample::TrainingSample;
use insitu_seg::train::sampler::Sampler;
use insitu_seg::train::{Dataset, Manifest, ReadOptions, TrainConfig, TrainingRecipe, initial_weights};
use std::collections::HashMap;
use std::path::Path;

const STEPS: usize = 20;
const BASE: usize = 8;
/// Fold of the cross-validation.
const FOLD: usize = 0;
/// Largest difference of a loss.
const TOLERANCE: f64 = 1e-3;

/// The losses of a recipe with what they were computed from.
struct Lessons {
    config: TrainConfig,
    weights: Weights,
    samples: Vec<TrainingSample>,
    rates: Vec<f64>,
    losses: Vec<f64>,
}

impl Lessons {
    /// The first steps of the patch stage, as `insitu train --base BASE` takes them.
    fn of(recipe: &TrainingRecipe, base: usize, cases: Dataset) -> Self {
        let labels = ["Anterior".to_owned(), "Posterior".to_owned()];
        let card = Card::draft("hippocampus", "", &labels, vec!["MRI".to_owned()], "", "");
        let mut config = recipe.config(Stage::Patch, &card);
        config.architecture.base = base;
        let (cases, _) = recipe.folds_by.split(cases, FOLD, recipe.folds);
        let sampler = Sampler { cases, config: config.samples, batch: config.batch, seed: config.seed };
        let weights = initial_weights(&config.architecture, config.seed);
        let TrainConfig { architecture, optimizer, loss, .. } = config;
        let mut trainer =
            Trainer::new(architecture, weights.clone(), optimizer, loss, &Compute::Cpu).unwrap();
        let mut lessons = Self { config, weights, samples: vec![], rates: vec![], losses: vec![] };
        for step in 0..STEPS {
            let spent = step as f64 / (1000 * sampler.steps_per_epoch()) as f64;
            let TrainConfig { schedule, peak_rate, warmup, .. } = lessons.config;
            let rate = schedule.rate(peak_rate, step, warmup as f64, spent);
            let samples = sampler.batch(step).unwrap();
            let examples: Vec<Example> = samples.iter().map(TrainingSample::example).collect();
            let loss = pollster::block_on(trainer.step(&examples, rate as f32, &|_| true)).unwrap();
            lessons.losses.push(loss);
            lessons.rates.push(rate);
            lessons.samples.extend(samples);
        }
        lessons
    }

    /// Two numbers by which batches are told from others: mean of the squared images, share of labelled voxels.
    fn fingerprint(&self) -> [f64; 2] {
        let images = self.samples.iter().flat_map(|sample| &sample.image);
        let targets = self.samples.iter().flat_map(|sample| &sample.target);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        [mean(images.map(|v| f64::from(v * v)).collect()), mean(targets.map(|v| f64::from(*v)).collect())]
    }

    /// For Keras: batches, weights, and the settings of the optimiser.
    fn write(&self, file: &Path) {
        let mut tensors = self.weights.clone();
        for (step, TrainingSample { dims: [x, y, z], image, target, .. }) in self.samples.iter().enumerate() {
            for (kind, values) in [("image", image), ("target", target)] {
                let shape = vec![1, values.len() / (x * y * z), *z, *y, *x];
                tensors.insert(format!("{kind}/{step}"), Array { shape, values: values.clone() });
            }
        }
        let list = |values: &[f64]| serde_json::to_string(values).unwrap();
        let number = |value: f32| value.to_string();
        let optimizer = self.config.optimizer;
        let metadata = HashMap::from(
            [
                ("base", self.config.architecture.base.to_string()),
                ("loss", serde_json::to_string(&self.config.loss).unwrap()),
                ("decay", number(optimizer.decay)),
                ("clip", number(optimizer.clip)),
                ("rates", list(&self.rates)),
                ("losses", list(&self.losses)),
                ("fingerprint", list(&self.fingerprint())),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        );
        std::fs::write(file, write_weights(&tensors, WeightPrecision::F32, metadata).unwrap()).unwrap();
    }
}

/// The cases of a task's manifest.
fn cases(manifest: &Path) -> Dataset {
    let task = manifest.parent().unwrap();
    let manifest = Manifest::read(task).unwrap();
    let mut options = ReadOptions::default();
    (options.intensity, options.cache_bytes) = (Some(Intensity::Mr), u64::MAX);
    Dataset::read(task, &manifest, &options, &mut |_| {}).unwrap().0
}

#[test]
fn the_first_losses_of_both_recipes_are_those_of_keras() {
    let Some(manifest) = common::shared("Task04_Hippocampus/dataset.json") else { return };
    let cases = cases(&manifest);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/training/losses.json");
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
    for name in ["msd2018", "insitu"] {
        let recipe = TrainingRecipe::find(name).unwrap();
        let lessons = Lessons::of(&recipe, BASE, cases.clone());
        if let Some(folder) = std::env::var_os("INSITU_LESSONS") {
            let other = std::env::var("INSITU_LESSONS_BASE").map(|base| base.parse().unwrap());
            let wider = other.map(|base| Lessons::of(&recipe, base, cases.clone()));
            let file = Path::new(&folder).join(format!("{name}.safetensors"));
            wider.as_ref().unwrap_or(&lessons).write(&file);
            continue;
        }
        let expected = &golden[name];
        for (found, expected) in lessons.fingerprint().iter().zip(numbers(&expected["fingerprint"])) {
            assert!(
                (found - expected).abs() < 1e-4,
                "{name}: other batches: tests/data/training/golden.py makes new numbers"
            );
        }
        let expected = numbers(&expected["losses"]);
        let off = lessons.losses.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!(
            "{name}: {:.4} to {:.4}, off Keras by {off:.1e}",
            lessons.losses[0],
            lessons.losses[STEPS - 1]
        );
        assert!(expected.len() == STEPS && off < TOLERANCE, "{name}: off by {off}: {:?}", lessons.losses);
        assert!(lessons.losses[STEPS - 1] < lessons.losses[0], "{name} does not learn: {:?}", lessons.losses);
    }
}
