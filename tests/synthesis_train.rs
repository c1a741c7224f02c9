//! A training on images made of label maps, stopped and resumed.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/bodies.rs"]
mod bodies;

use bodies::bodies;
use insitu_seg::card::{Card, CardObject, Stage};
use insitu_seg::engine::compute::Compute;
use insitu_seg::model::Architecture;
use insitu_seg::train::run::{EpochEnd, TrainEvent, TrainingRun};
use insitu_seg::train::synthesis::{SyntheticSource, SyntheticValidation};
use insitu_seg::train::{TrainConfig, TrainingBudget, initial_weights};
use std::ops::ControlFlow;
use std::sync::Arc;

#[test]
fn a_training_that_is_stopped_goes_on_bit_by_bit() {
    let set = bodies([2.0; 3], "");
    let names = ["left", "right"].map(String::from);
    let mut card = Card::draft("a", "a", &names, vec!["MRI".into()], "", "");
    card.objects = names.iter().map(|name| CardObject { name: name.clone(), mirror: false }).collect();
    card.measured = vec!["all".into()];
    card.preset.max_voxels = 24 * 24 * 24;
    let mut config = TrainConfig::new(Stage::Whole, &card);
    config.architecture = Architecture { base: 2, ..config.architecture };
    (config.budget, config.seed) = (TrainingBudget::Steps(6), 9);
    assert_eq!(config.architecture.outputs, 3);
    let check = SyntheticValidation { set: set.clone(), count: 1 };
    let begin = || {
        let source =
            SyntheticSource { set: set.clone(), preset: card.preset, batch: 1, steps: 4, seed: config.seed };
        let weights = initial_weights(&config.architecture, config.seed);
        let run = TrainingRun::from_source(config.clone(), weights, Compute::Cpu, Arc::new(source));
        pollster::block_on(run).unwrap()
    };
    let train = |run: &mut TrainingRun, stop_after: usize| {
        let mut steps = 0;
        let mut on_event = |event: TrainEvent| {
            steps += usize::from(matches!(event, TrainEvent::Step(..)));
            if steps >= stop_after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        pollster::block_on(run.epoch(&check, &mut on_event)).unwrap()
    };
    let mut straight = begin();
    while train(&mut straight, usize::MAX) != EpochEnd::BudgetSpent {}
    let mut stopped = begin();
    assert_eq!(train(&mut stopped, 3), EpochEnd::Paused);
    let (checkpoint, progress) = stopped.state();
    let (checkpoint, progress) = (checkpoint.clone(), progress);
    let mut resumed = begin();
    resumed.resume(checkpoint, progress).unwrap();
    while train(&mut resumed, usize::MAX) != EpochEnd::BudgetSpent {}
    assert_eq!(straight.state().1.step, 6);
    assert!(straight.state().0.weights == resumed.state().0.weights);
    assert!(straight.state().0.optimizer == resumed.state().0.optimizer);
}
