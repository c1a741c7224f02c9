//! Training by burn's autodiff and optimiser, beside the engine's: step by step, over a whole training, and where one goes on
//! from what the other saved.

use super::golden::deviation;
use super::lesson::{
    DIMS, Lesson, apart, architectures, assert_goes_on, dice_of_a_training, not_the_stem as learns, steps,
    trainer,
};
use insitu_seg::burn::device::{BurnDevice, Place, Precision};
use insitu_seg::engine::compute::Compute;
use insitu_seg::engine::nn::example::Example;
use insitu_seg::engine::nn::pseudo_random::random_weights;
use pollster::block_on;

fn flex(precision: Precision) -> Compute {
    Compute::Burn(BurnDevice::open(&[Place::Flex], precision).unwrap())
}

#[test]
fn every_step_is_the_engines() {
    for architecture in architectures() {
        let lesson = Lesson::new(&architecture);
        let [mut ours, mut theirs] =
            [Compute::Cpu, flex(Precision::F32)].map(|at| trainer(architecture, &at));
        let [expected, found] = [&mut ours, &mut theirs].map(|trainer| steps(trainer, &lesson, &learns, 8));
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
        (steps(&mut trainer, &lesson, &learns, 4), block_on(trainer.averaged()).unwrap())
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
    let expected = steps(&mut trainer(architecture, &ours), &lesson, &learns, 6);
    for (before, after) in [(&burns, &burns), (&ours, &burns), (&burns, &ours)] {
        let (mut first, mut second) = (trainer(architecture, before), trainer(architecture, after));
        let mut found = steps(&mut first, &lesson, &learns, 3);
        let (weights, state) = (block_on(first.weights()).unwrap(), block_on(first.state()).unwrap());
        second.restore(weights, state, first.steps()).unwrap();
        found.extend(steps(&mut second, &lesson, &learns, 3));
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
        .map(|precision| steps(&mut trainer(architecture, &flex(precision)), &lesson, &learns, 8));
    let off = deviation(&half, &full);
    println!("losses in bf16 off by {off:.1e}");
    assert!(off > 1e-6 && off < 2e-2, "losses {half:?}, in 32 bits {full:?}");
}

/// Half a minute: with the command's tests, by `npm run test:burn`.
#[cfg(feature = "cli")]
#[test]
fn a_training_ends_where_the_engines_ends() {
    let [ours, burns] = [Compute::Cpu, flex(Precision::F32)].map(|compute| dice_of_a_training(&compute));
    println!("Dice {burns:.4}, by the engine {ours:.4}");
    assert!(ours > 0.7 && (ours - burns).abs() < 0.01, "Dice {burns}, by the engine {ours}");
}

#[test]
fn a_training_that_was_stopped_goes_on_as_if_it_had_not() {
    assert_goes_on(&|| flex(Precision::F32), 12);
}
