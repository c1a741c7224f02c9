//! Training by burn's autodiff and optimiser with the engine's kernels, on a GPU that both use, beside the engine's own trainer.
#![cfg(all(feature = "burn", feature = "burn-gpu"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/golden.rs"]
mod golden;
#[path = "burn/lesson.rs"]
mod lesson;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::on_gpu;
use golden::{Instance, deviation, instances};
use insitu_seg::burn::gpu::BurnGpu;
use insitu_seg::burn::loss::loss;
use insitu_seg::burn::pass::Pass;
use insitu_seg::burn::{SeResUNet, read};
use insitu_seg::engine::compute::Compute;
use insitu_seg::engine::cpu::network::Network;
use insitu_seg::engine::gpu::device::{Gpu, Options};
use insitu_seg::engine::nn::adamw::AdamWConfig;
use insitu_seg::engine::nn::example::Example;
use insitu_seg::engine::nn::loss::Loss;
use insitu_seg::engine::nn::pseudo_random::random_weights;
use insitu_seg::engine::trainer::Trainer;
use insitu_seg::model::Architecture;
use insitu_seg::tune::Scope;
use lesson::{
    DIMS, Lesson, Only, apart, architectures, assert_goes_on, dice_of_a_training, noise, same_output, steps,
    tensor, trainer,
};
use pollster::block_on;

const STEPS: usize = 30;
/// After which weights are compared.
const FIRST: usize = 8;
const SCOPES: [Scope; 3] = [Scope::Head, Scope::Decoder, Scope::All];

fn gpu() -> Option<BurnGpu> {
    on_gpu(block_on(BurnGpu::open()))
}

/// burn opens its GPU once in a process and for one thread, so this is one test.
#[test]
fn burn_trains_on_a_gpu_as_the_engine_does() {
    let Some(burns) = gpu() else { return };
    println!("{}", burns.gpu.adapter);
    the_open_pass_has_the_engines_logits_and_gradients(&burns);
    the_open_pass_has_the_numbers_of_keras(&burns);
    the_open_pass_refuses_in_words(&burns);
    let burns = Compute::BurnGpu(burns);
    the_loss_has_the_gradients_of_keras(&burns);
    let ours = Compute::Gpu(block_on(Gpu::open(Options::default())).unwrap());
    for architecture in architectures() {
        for scope in SCOPES {
            same_gradients(architecture, scope, &burns);
            same_losses(architecture, scope, [&ours, &burns]);
        }
    }
    goes_on_from_what_the_other_saved([&ours, &burns]);
    a_loss_that_is_no_number_changes_nothing(&burns);
    assert_goes_on(&|| burns.clone(), 8);
    a_training_ends_where_the_engines_ends(&burns);
}

/// By scope too: only what learns is tracked, where burn's gradients on GPUs have been wrong (tracel-ai/burn#5162).
fn the_open_pass_has_the_engines_logits_and_gradients(on: &BurnGpu) {
    let device = on.device.clone().autodiff();
    for (base, depth, inputs, dims) in
        [(8, 3, 1, [24, 24, 24]), (8, 3, 2, [25, 31, 27]), (5, 4, 1, [19, 37, 24]), (12, 3, 3, [17, 16, 9])]
    {
        let architecture = Architecture { base, depth, inputs, outputs: 2, ..Architecture::default() };
        let weights = random_weights(&architecture);
        let (image, target) = noise(&architecture, dims);
        let ours = Network::training(&architecture, &weights).unwrap();
        let expected = ours.logits(&image, dims, &mut |_| Ok(())).unwrap();
        let (pass, network) = (
            Pass::new(architecture, on).unwrap(),
            SeResUNet::from_weights(architecture, weights.clone(), &device).unwrap(),
        );
        for scope in SCOPES {
            let network = network.clone().map(&mut Only { scope, path: Vec::new() });
            let logits = forward(&pass, &network, &image, dims);
            let off = deviation(&block_on(read(logits.clone())).unwrap(), &expected);
            let value = loss(Loss::DiceAndEntropy, logits, tensor(&target, 2, dims, &device), None);
            let found = block_on(network.gradients(&value.backward())).unwrap();
            block_on(pass.sound()).unwrap();
            let example = Example::new(&image, &target, dims);
            let learns = |name: &str| scope.contains(name);
            let lesson = ours.loss_gradients(&weights, &example, Loss::DiceAndEntropy, &learns).unwrap();
            let most = apart(&found, &lesson.gradients);
            println!("{base} {depth} {dims:?} {scope:?}: logits off by {off:.1e}, gradients by {most:.1e}");
            assert!(off < 1e-4, "{architecture:?} {dims:?}: logits off by {off}");
            assert!(most < 1e-2, "{architecture:?} {dims:?} {scope:?}: gradients off by {most}");
        }
    }
}

fn forward(pass: &Pass, network: &SeResUNet, image: &[f32], dims: [usize; 3]) -> Tensor<5> {
    block_on(pass.forward(pass.parameters_of(network).unwrap(), image, dims)).unwrap()
}

/// The head for the region of interest has no part in it.
fn the_open_pass_has_the_numbers_of_keras(on: &BurnGpu) {
    let device: Device = on.device.clone().autodiff();
    for instance in instances().into_iter().filter(|instance| !instance.architecture.roi) {
        let Instance { name, architecture, .. } = instance;
        let (golden, nudged) = (instance.golden(), instance.nudged());
        let (image, dims) = golden.input();
        let pass = Pass::new(architecture, on).unwrap();
        let of = |weights| SeResUNet::from_weights(architecture, weights, &device).unwrap();
        let logits = forward(&pass, &of(golden.weights.clone()), image, dims);
        same_output(name, logits, &golden.tensors["output"].values);
        let network = of(nudged.weights.clone());
        let target = tensor(&nudged.tensors["target"].values, architecture.outputs, dims, &device);
        let value = loss(Loss::Dice, forward(&pass, &network, image, dims), target, None);
        let found = block_on(network.gradients(&value.backward())).unwrap();
        block_on(pass.sound()).unwrap();
        for (tensor, values) in &nudged.lesson(&[""]).1 {
            let off = deviation(&found[tensor].values, values);
            assert!(off < 2e-3, "{name}: gradient of {tensor} off by {off}");
        }
    }
}

fn the_open_pass_refuses_in_words(on: &BurnGpu) {
    let architecture = Architecture { base: 2, ..Architecture::default() };
    let pass = Pass::new(architecture, on).unwrap();
    let weights = random_weights(&architecture);
    let theta = pass.parameters(&weights).unwrap();
    let short = theta.clone().narrow(0, 0, 9);
    for (theta, image, dims, code, place) in [
        (theta.clone(), vec![0.0; 99], [8; 3], "argument", "image"),
        (theta.clone(), vec![0.0; 4 * 64], [4, 8, 8], "argument", "image"),
        (short, vec![0.0; 512], [8; 3], "device", "parameters"),
    ] {
        let refused = block_on(pass.forward(theta, &image, dims)).unwrap_err();
        assert_eq!((refused.code(), refused.place.as_str()), (code, place), "{refused}");
    }
    // And it goes on.
    let logits = block_on(pass.forward(theta, &[0.5; 512], [8; 3])).unwrap();
    assert_eq!(logits.dims(), [1, architecture.outputs, 8, 8, 8]);
    assert!(block_on(read(logits)).unwrap().iter().all(|value| value.is_finite()));
    block_on(pass.sound()).unwrap();
}

fn the_loss_has_the_gradients_of_keras(burns: &Compute) {
    for instance in instances() {
        let (name, architecture, golden) = (instance.name, instance.architecture, instance.nudged());
        let (image, dims) = golden.input();
        let example = Example::new(image, &golden.tensors["target"].values, dims);
        let settings = AdamWConfig::default();
        let trainer = Trainer::new(architecture, golden.weights.clone(), settings, Loss::Dice, burns);
        let (loss, found) = block_on(trainer.unwrap().gradients(&[example], &|_| true)).unwrap();
        let (expected, gradients) = golden.lesson(golden.prefixes());
        assert!((loss - expected).abs() < 1e-4, "{name}: loss {loss}, expected {expected}");
        for (tensor, values) in &gradients {
            let off = deviation(&found[tensor].values, values);
            assert!(off < 2e-3, "{name}: gradient of {tensor} off by {off}");
        }
    }
}

/// burn's gradients are the CPU's, for every scope, and no more than these are there.
fn same_gradients(architecture: Architecture, scope: Scope, burns: &Compute) {
    let lesson = Lesson::new(&architecture);
    let learns = |name: &str| scope.contains(name);
    let [(loss, found), (expected_loss, expected)] = [burns, &Compute::Cpu].map(|compute| {
        let mut trainer = trainer(architecture, compute);
        block_on(trainer.gradients(&lesson.examples(), &learns)).unwrap()
    });
    let off = apart(&found, &expected);
    println!("{scope:?} of base {}: gradients off by {off:.1e}", architecture.base);
    assert!((loss - expected_loss).abs() < 1e-4, "loss {loss}, expected {expected_loss}");
    assert!(off < 4e-3, "gradients off by {off}");
}

fn same_losses(architecture: Architecture, scope: Scope, [ours, burns]: [&Compute; 2]) {
    let lesson = Lesson::new(&architecture);
    let learns = |name: &str| scope.contains(name);
    let mut trainers = [ours, burns].map(|compute| trainer(architecture, compute));
    let go = |trainers: &mut [Trainer; 2], count| {
        trainers.each_mut().map(|trainer| steps(trainer, &lesson, &learns, count))
    };
    let [mut expected, mut losses] = go(&mut trainers, FIRST);
    // Later ones are further apart: where a gradient is next to nothing its rounding has the sign of a step.
    let averages = trainers.each_ref().map(|trainer| block_on(trainer.averaged()).unwrap());
    let off = apart(&averages[1], &averages[0]);
    assert!(off < 1e-2, "averages off by {off}");
    for (all, more) in [&mut expected, &mut losses].into_iter().zip(go(&mut trainers, STEPS - FIRST)) {
        all.extend(more);
    }
    let off = deviation(&losses, &expected);
    // How far rounding alone takes these steps: the engine's own on the CPU.
    let on_cpu = steps(&mut trainer(architecture, &Compute::Cpu), &lesson, &learns, STEPS);
    let own = deviation(&on_cpu, &expected);
    println!("{scope:?} of base {}: losses off by {off:.1e}, the CPU's by {own:.1e}", architecture.base);
    // Clipped at every step and learning noise, the network with all options is the one in which rounding grows most.
    let most = if architecture.roi { (3.0 * own).clamp(1e-3, 3e-3) } else { 1e-3 };
    assert!(off < most, "losses {losses:?}, expected {expected:?}, on the CPU {on_cpu:?}");
    assert!(losses[STEPS - 1] < losses[0], "it learns: {losses:?}");
    let found = block_on(trainers[1].averaged()).unwrap();
    let start = random_weights(&architecture);
    for name in start.keys().filter(|name| !scope.contains(name)) {
        assert_eq!(found[name], start[name], "{name}");
    }
}

fn goes_on_from_what_the_other_saved([ours, burns]: [&Compute; 2]) {
    let [architecture, _] = architectures();
    let lesson = Lesson::new(&architecture);
    let learns = |name: &str| Scope::Decoder.contains(name);
    let expected = steps(&mut trainer(architecture, ours), &lesson, &learns, 6);
    for (before, after) in [(burns, burns), (ours, burns), (burns, ours)] {
        let [mut first, mut second] = [before, after].map(|compute| trainer(architecture, compute));
        let mut found = steps(&mut first, &lesson, &learns, 3);
        let (weights, state) = (block_on(first.weights()).unwrap(), block_on(first.state()).unwrap());
        second.restore(weights, state, first.steps()).unwrap();
        found.extend(steps(&mut second, &lesson, &learns, 3));
        let off = deviation(&found, &expected);
        assert!(off < 1e-3, "{found:?}, expected {expected:?}");
    }
}

fn a_loss_that_is_no_number_changes_nothing(burns: &Compute) {
    let [architecture, _] = architectures();
    let lesson = Lesson::new(&architecture);
    let mut trainer = trainer(architecture, burns);
    let image = vec![f32::NAN; lesson.images[0].len()];
    let example = Example::new(&image, &lesson.targets[0], DIMS);
    let loss = block_on(trainer.step(&[example], 1e-3, &|_| true)).unwrap();
    assert!(loss.is_nan(), "{loss}");
    assert_eq!(block_on(trainer.weights()).unwrap(), random_weights(&architecture));
}

fn a_training_ends_where_the_engines_ends(burns: &Compute) {
    let [ours, burns] = [&Compute::Cpu, burns].map(dice_of_a_training);
    println!("300 steps: Dice {burns:.4}, by the engine on the CPU {ours:.4}");
    assert!(ours > 0.7 && (ours - burns).abs() < 0.01, "Dice {burns}, by the engine {ours}");
}
