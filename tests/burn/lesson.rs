//! What the tests of training by burn share.
#![allow(dead_code, reason = "every test takes what it needs")]

use crate::golden::deviation;
use burn::module::{ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use insitu_seg::Intensity;
use insitu_seg::burn::read;
use insitu_seg::card::{Card, Stage};
use insitu_seg::engine::compute::Compute;
use insitu_seg::engine::nn::adamw::AdamWConfig;
use insitu_seg::engine::nn::example::Example;
use insitu_seg::engine::nn::loss::{Loss, Weighting};
use insitu_seg::engine::nn::pseudo_random::{pseudo_random, random_weights};
use insitu_seg::engine::trainer::Trainer;
use insitu_seg::model::{Architecture, Blocks, sigmoid};
use insitu_seg::store::Weights;
use insitu_seg::train::case::LabeledCase;
use insitu_seg::train::run::{EpochEnd, TrainEvent, TrainingRun};
use insitu_seg::train::{Dataset, TrainConfig, TrainingBudget, fit, initial_weights, split_fold};
use insitu_seg::training::PhantomKind;
use insitu_seg::tune::Scope;
use pollster::block_on;
use std::ops::ControlFlow;

/// Values `[channels, z, y, x]` as a batch of one.
pub fn tensor(values: &[f32], channels: usize, [x, y, z]: [usize; 3], device: &Device) -> Tensor<5> {
    Tensor::from_data(TensorData::new(values.to_vec(), [1, channels, z, y, x]), device)
}

/// Norm of the difference of all gradients over their norm. Single tensors say less: where a voxel of burn's lies on
/// the other side of a kink than ours they differ by a percent, and ours are those of 64 bits within 1e-5 there.
pub fn apart(found: &Weights, expected: &Weights) -> f64 {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let pairs = found.iter().flat_map(|(name, array)| array.values.iter().zip(&expected[name].values));
    let (mut off, mut all) = (0.0, 0.0);
    for (found, expected) in pairs {
        off += f64::from(found - expected).powi(2);
        all += f64::from(*expected).powi(2);
    }
    (off / all).sqrt()
}

/// Only the tensors of a scope ask for gradients.
pub struct Only {
    pub scope: Scope,
    pub path: Vec<String>,
}

impl ModuleMapper for Only {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.set_require_grad(self.scope.contains(&self.path.join(".")))
    }
}

pub fn same_output(name: &str, logits: Tensor<5>, expected: &[f32]) {
    let found: Vec<f32> = block_on(read(logits)).unwrap().into_iter().map(sigmoid).collect();
    let off = deviation(&found, expected);
    assert!(off < 2e-4, "{name}: output off by {off}");
}

/// An image and a target of the size `dims`, both without any sense.
pub fn noise(architecture: &Architecture, dims: [usize; 3]) -> (Vec<f32>, Vec<f32>) {
    let volume = dims.iter().product::<usize>();
    let target = pseudo_random(architecture.outputs * volume, 4);
    let target = target.iter().map(|v| f32::from(*v > 0.2)).collect();
    (pseudo_random(architecture.inputs * volume, 3), target)
}

/// Two images with their targets, and how much each voxel of the first counts.
pub struct Lesson {
    pub images: [Vec<f32>; 2],
    pub targets: [Vec<f32>; 2],
    weights: [Vec<f32>; 2],
}

pub const DIMS: [usize; 3] = [18, 16, 17];

impl Lesson {
    pub fn new(architecture: &Architecture) -> Self {
        let volume = DIMS.iter().product::<usize>();
        let target = |seed| {
            let values = pseudo_random(architecture.outputs * volume, seed);
            values.iter().map(|v| f32::from(*v > 0.2)).collect()
        };
        let share = |seed| pseudo_random(volume, seed).iter().map(|v| v.abs()).collect();
        Self {
            images: [1, 2].map(|seed| pseudo_random(architecture.inputs * volume, seed)),
            targets: [3, 4].map(target),
            weights: [5, 6].map(share),
        }
    }

    pub fn examples(&self) -> [Example<'_>; 2] {
        let [first, second] = [0, 1].map(|i| Example::new(&self.images[i], &self.targets[i], DIMS));
        let [overlap, entropy] = [&self.weights[0], &self.weights[1]];
        [Example { weighting: Some(Weighting { overlap, entropy }), ..first }, second]
    }
}

pub fn architectures() -> [Architecture; 2] {
    let options =
        Architecture { blocks: Blocks::Plain, attention: true, roi: true, ..Architecture::default() };
    [
        Architecture { base: 4, outputs: 2, ..Architecture::default() },
        Architecture { base: 3, depth: 4, inputs: 2, outputs: 2, ..options },
    ]
}

/// Clipped in every step.
pub fn trainer(architecture: Architecture, compute: &Compute) -> Trainer {
    let settings = AdamWConfig { clip: 0.5, ..AdamWConfig::default() };
    Trainer::new(architecture, random_weights(&architecture), settings, Loss::DiceAndEntropy, compute)
        .unwrap()
}

/// What learns in most tests.
pub fn not_the_stem(name: &str) -> bool {
    !name.starts_with("stem.")
}

/// The losses of some steps.
pub fn steps(
    trainer: &mut Trainer,
    lesson: &Lesson,
    learns: &dyn Fn(&str) -> bool,
    count: usize,
) -> Vec<f32> {
    let mut step = || block_on(trainer.step(&lesson.examples(), 2e-3, learns));
    (0..count).map(|_| step().unwrap() as f32).collect()
}

/// Phantoms to train and to validate on.
pub fn phantoms() -> (Card, Dataset, Dataset) {
    let kind = PhantomKind::find("Hippocampus").unwrap();
    let labels: Vec<String> = kind.labels().iter().map(|&label| label.to_owned()).collect();
    let card = Card::draft("phantoms", kind.name(), &labels, vec!["MRI".to_owned()], "phantoms", "CC0-1.0");
    let case = |number: u64| {
        let phantom = kind.make([24, 32, 24], 1, number).unwrap();
        let values: Vec<f32> = phantom.image.iter().map(|&value| f32::from(value)).collect();
        let (dims, image) = (phantom.grid.dims, Intensity::Mr.normalize(&values));
        LabeledCase::new(format!("phantom {number}"), number as usize, dims, image, phantom.labels)
    };
    let (training, validation) = split_fold(Dataset::in_memory((0..8).map(case).collect::<Vec<_>>()), 0, 4);
    (card, training, validation)
}

pub fn config(card: &Card, steps: usize) -> (TrainConfig, Weights) {
    let mut config = TrainConfig::new(Stage::Patch, card);
    config.architecture.base = 4;
    config.peak_rate = 4e-3;
    config.budget = TrainingBudget::Steps(steps);
    let weights = initial_weights(&config.architecture, config.seed);
    (config, weights)
}

/// The mean Dice that a training of 300 steps ends with.
pub fn dice_of_a_training(compute: &Compute) -> f64 {
    let (card, training, validation) = phantoms();
    let (config, weights) = config(&card, 300);
    let on_event = &mut |_: &TrainEvent| ControlFlow::Continue(());
    let report = block_on(fit(config, weights, compute, training, &validation, on_event)).unwrap();
    let dice = &report.epochs.last().unwrap().validation_dice;
    dice.iter().sum::<f64>() / dice.len() as f64
}

/// A training that is stopped after some of its `steps` goes on as if it had not been.
pub fn assert_goes_on(compute: &dyn Fn() -> Compute, steps: usize) {
    let start = || {
        let (card, training, validation) = phantoms();
        let (config, weights) = config(&card, steps);
        let run = TrainingRun::new(config, weights, compute(), training);
        (block_on(run).unwrap(), validation)
    };
    let losses = |run: &mut TrainingRun, validation: &Dataset, stop: usize| {
        let mut losses = Vec::new();
        loop {
            let end = block_on(run.epoch(validation, &mut |event| {
                if let TrainEvent::Step(_, Some(loss)) = event {
                    losses.push(loss as f32);
                }
                if losses.len() == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }));
            if end.unwrap() != EpochEnd::Completed {
                return losses;
            }
        }
    };
    let (mut whole, validation) = start();
    let expected = losses(&mut whole, &validation, usize::MAX);
    let (mut first, validation) = start();
    let mut found = losses(&mut first, &validation, 5);
    let (mut second, validation) = start();
    let (checkpoint, progress) = first.state();
    second.resume(checkpoint.clone(), progress).unwrap();
    found.extend(losses(&mut second, &validation, usize::MAX));
    assert_eq!(found.len(), expected.len());
    let off = deviation(&found, &expected);
    assert!(off < 1e-5, "losses {found:?}, expected {expected:?}");
}
