//! Training by burn's autodiff and optimiser, beside the engine's: step by step, over a whole training, and where one goes on
//! from what the other saved.

use super::{apart, golden::deviation};
use insitu_seg::Intensity;
use insitu_seg::burn::device::{BurnDevice, Place, Precision};
use insitu_seg::card::{Card, Stage};
use insitu_seg::engine::compute::Compute;
use insitu_seg::engine::nn::adamw::AdamWConfig;
use insitu_seg::engine::nn::example::Example;
use insitu_seg::engine::nn::loss::{Loss, Weighting};
use insitu_seg::engine::nn::pseudo_random::{pseudo_random, random_weights};
use insitu_seg::engine::trainer::Trainer;
use insitu_seg::model::{Architecture, Blocks};
use insitu_seg::store::Weights;
use insitu_seg::train::case::LabeledCase;
use insitu_seg::train::run::{EpochEnd, TrainEvent, TrainingRun};
use insitu_seg::train::{Dataset, TrainConfig, TrainingBudget, initial_weights, split_fold};
use insitu_seg::training::PhantomKind;
use pollster::block_on;
use std::ops::ControlFlow;

fn flex(precision: Precision) -> Compute {
    Compute::Burn(BurnDevice::open(&[Place::Flex], precision).unwrap())
}

/// Two images with their targets, and how much each voxel of the first counts.
struct Lesson {
    images: [Vec<f32>; 2],
    targets: [Vec<f32>; 2],
    weights: [Vec<f32>; 2],
}

const DIMS: [usize; 3] = [18, 16, 17];

impl Lesson {
    fn new(architecture: &Architecture) -> Self {
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

    fn examples(&self) -> [Example<'_>; 2] {
        let [first, second] = [0, 1].map(|i| Example::new(&self.images[i], &self.targets[i], DIMS));
        let [overlap, entropy] = [&self.weights[0], &self.weights[1]];
        [Example { weighting: Some(Weighting { overlap, entropy }), ..first }, second]
    }
}

fn trainer(architecture: Architecture, compute: &Compute) -> Trainer {
    let settings = AdamWConfig { clip: 0.5, ..AdamWConfig::default() };
    Trainer::new(architecture, random_weights(&architecture), settings, Loss::DiceAndEntropy, compute)
        .unwrap()
}

fn steps(trainer: &mut Trainer, lesson: &Lesson, count: usize) -> Vec<f32> {
    let mut step = || block_on(trainer.step(&lesson.examples(), 2e-3, &|name| !name.starts_with("stem.")));
    (0..count).map(|_| step().unwrap() as f32).collect()
}

fn architectures() -> [Architecture; 2] {
    let options =
        Architecture { blocks: Blocks::Plain, attention: true, roi: true, ..Architecture::default() };
    [
        Architecture { base: 4, outputs: 2, ..Architecture::default() },
        Architecture { base: 3, depth: 4, inputs: 2, outputs: 2, ..options },
    ]
}

#[test]
fn every_step_is_the_engines() {
    for architecture in architectures() {
        let lesson = Lesson::new(&architecture);
        let [mut ours, mut theirs] =
            [Compute::Cpu, flex(Precision::F32)].map(|at| trainer(architecture, &at));
        let [expected, found] = [&mut ours, &mut theirs].map(|trainer| steps(trainer, &lesson, 8));
        let off = deviation(&found, &expected);
        println!("{architecture:?}: losses off by {off:.1e}, {found:?}");
        assert!(off < 1e-3, "losses {found:?}, expected {expected:?}");
        assert_eq!(theirs.steps(), 8);
        let most = apart(&block_on(theirs.averaged()).unwrap(), &block_on(ours.averaged()).unwrap());
        assert!(most < 1e-2, "averages off by {most}");
        let weights = block_on(theirs.weights()).unwrap();
        assert_eq!(weights["stem.conv.weight"], random_weights(&architecture)["stem.conv.weight"]);
    }
}

#[test]
fn several_devices_share_a_batch_and_step_as_one() {
    let [architecture, _] = architectures();
    let lesson = Lesson::new(&architecture);
    let on = |places: &[Place]| Compute::Burn(BurnDevice::open(places, Precision::F32).unwrap());
    let [expected, found, spare] = [1, 2, 3].map(|count| {
        let mut trainer = trainer(architecture, &on(&vec![Place::Flex; count]));
        (steps(&mut trainer, &lesson, 4), block_on(trainer.averaged()).unwrap())
    });
    // Two examples: the third device has nothing to do.
    for (losses, averages) in [found, spare] {
        assert!(deviation(&losses, &expected.0) < 1e-5, "{losses:?}, expected {:?}", expected.0);
        assert!(apart(&averages, &expected.1) < 1e-5);
    }
}

#[test]
fn one_trainer_goes_on_from_what_the_other_saved() {
    let [architecture, _] = architectures();
    let lesson = Lesson::new(&architecture);
    let [ours, burns] = [Compute::Cpu, flex(Precision::F32)];
    let expected = steps(&mut trainer(architecture, &ours), &lesson, 6);
    for (before, after) in [(&burns, &burns), (&ours, &burns), (&burns, &ours)] {
        let (mut first, mut second) = (trainer(architecture, before), trainer(architecture, after));
        let mut found = steps(&mut first, &lesson, 3);
        let (weights, state) = (block_on(first.weights()).unwrap(), block_on(first.state()).unwrap());
        second.restore(weights, state, first.steps()).unwrap();
        found.extend(steps(&mut second, &lesson, 3));
        let off = deviation(&found, &expected);
        assert!(off < 1e-3, "{} to {}: {found:?}, expected {expected:?}", before.name(), after.name());
    }
}

#[test]
fn a_loss_that_is_no_number_changes_nothing() {
    let [architecture, _] = architectures();
    let lesson = Lesson::new(&architecture);
    let mut trainer = trainer(architecture, &flex(Precision::F32));
    let image = vec![f32::NAN; lesson.images[0].len()];
    let example = Example::new(&image, &lesson.targets[0], DIMS);
    assert!(block_on(trainer.step(&[example], 1e-3, &|_| true)).unwrap().is_nan());
    assert_eq!(block_on(trainer.weights()).unwrap(), random_weights(&architecture));
    assert_eq!(trainer.steps(), 0);
}

#[test]
fn bf16_learns_the_same_within_its_digits() {
    let [architecture, _] = architectures();
    let lesson = Lesson::new(&architecture);
    let [full, half] = [Precision::F32, Precision::Bf16]
        .map(|precision| steps(&mut trainer(architecture, &flex(precision)), &lesson, 8));
    let off = deviation(&half, &full);
    println!("losses in bf16 off by {off:.1e}");
    assert!(off > 1e-6 && off < 2e-2, "losses {half:?}, in 32 bits {full:?}");
}

/// Phantoms to train and to validate on.
fn phantoms() -> (Card, Dataset, Dataset) {
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

fn config(card: &Card, steps: usize) -> (TrainConfig, Weights) {
    let mut config = TrainConfig::new(Stage::Patch, card);
    config.architecture.base = 4;
    config.peak_rate = 4e-3;
    config.budget = TrainingBudget::Steps(steps);
    let weights = initial_weights(&config.architecture, config.seed);
    (config, weights)
}

/// Half a minute: with the command's tests, by `npm run test:burn`.
#[cfg(feature = "cli")]
#[test]
fn a_training_ends_where_the_engines_ends() {
    use insitu_seg::train::fit;

    let dice = |compute: &Compute| {
        let (card, training, validation) = phantoms();
        let (config, weights) = config(&card, 300);
        let on_event = &mut |_: &TrainEvent| ControlFlow::Continue(());
        let report = block_on(fit(config, weights, compute, training, &validation, on_event)).unwrap();
        let dice = &report.epochs.last().unwrap().validation_dice;
        dice.iter().sum::<f64>() / dice.len() as f64
    };
    let [ours, burns] = [Compute::Cpu, flex(Precision::F32)].map(|compute| dice(&compute));
    println!("Dice {burns:.4}, by the engine {ours:.4}");
    assert!(ours > 0.7 && (ours - burns).abs() < 0.01, "Dice {burns}, by the engine {ours}");
}

#[test]
fn a_training_that_was_stopped_goes_on_as_if_it_had_not() {
    let start = || {
        let (card, training, validation) = phantoms();
        let (config, weights) = config(&card, 12);
        let run = TrainingRun::new(config, weights, flex(Precision::F32), training);
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
