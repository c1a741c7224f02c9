//! Learning from real crops: the loss falls, and memory stays. `INSITU_CURVE` names a file for the first crops and
//! their losses, which a browser then repeats (`web/learn.test.mjs`).
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::not_run::{Need, not_run};
use insitu_seg::Intensity;
use insitu_seg::engine::compute::Compute;
use insitu_seg::engine::nn::adamw::AdamWConfig;
use insitu_seg::engine::nn::example::Example;
use insitu_seg::engine::nn::loss::Loss;
use insitu_seg::engine::nn::pseudo_random::random_weights;
use insitu_seg::engine::trainer::Trainer;
use insitu_seg::model::Architecture;
use insitu_seg::train::case::LabeledCase;
use insitu_seg::train::random::seeded_rng;
use insitu_seg::train::{Dataset, Manifest, ReadOptions};
use rand::RngExt;
use std::sync::Arc;

const SIDE: usize = 24;
const STEPS: usize = 300;
/// What the browser repeats.
const REPEATED: usize = 30;
const RATE: f32 = 2e-3;

/// The training cases of the hippocampus, or, where they are not there, balls that look a little like them.
fn cases() -> Vec<Arc<LabeledCase>> {
    let Some(manifest) = common::shared("Task04_Hippocampus/dataset.json") else { return balls() };
    let task = manifest.parent().unwrap();
    let manifest = Manifest::read(task).unwrap();
    let mut options = ReadOptions::default();
    (options.intensity, options.cache_bytes) = (Some(Intensity::Mr), u64::MAX);
    let (cases, _) = Dataset::read(task, &manifest, &options, &mut |_| {}).unwrap();
    (0..cases.len()).map(|index| cases.get(index).unwrap()).collect()
}

fn balls() -> Vec<Arc<LabeledCase>> {
    let dims = [34, 50, 36];
    let case = |n: usize| {
        let mut rng = seeded_rng(9, n as u64);
        let center = [12 + n % 9, 18 + n % 13, 14 + n % 7];
        let label = |i: usize| {
            let at = [i % dims[0], i / dims[0] % dims[1], i / (dims[0] * dims[1])];
            let square: usize = at.iter().zip(center).map(|(&a, c)| a.abs_diff(c).pow(2)).sum();
            if square > 60 { 0 } else { 1 + u8::from(at[1] < center[1]) }
        };
        let labels: Vec<u8> = (0..dims.iter().product()).map(label).collect();
        let image = labels.iter().map(|&l| f32::from(l.min(1)) + rng.random_range(-0.7f32..0.7)).collect();
        Arc::new(LabeledCase::new(format!("ball_{n}"), n, dims, image, labels))
    };
    (0..40).map(case).collect()
}

/// A crop around somewhere: image, then a channel per label.
fn crop(case: &LabeledCase, step: usize) -> (Vec<f32>, Vec<f32>) {
    let mut rng = seeded_rng(1, step as u64);
    let first = case.dims.map(|side| rng.random_range(0..=side.saturating_sub(SIDE)));
    let [x, y, z] = case.dims;
    let place = |i: usize| {
        let at = [i % SIDE, i / SIDE % SIDE, i / (SIDE * SIDE)];
        let [i, j, k] = [0, 1, 2].map(|axis| first[axis] + at[axis]);
        (i < x && j < y && k < z).then_some((k * y + j) * x + i)
    };
    let voxels = || (0..SIDE.pow(3)).map(place);
    let image = voxels().map(|at| at.map_or(0.0, |at| case.image[at])).collect();
    let label = |label: u8| {
        voxels().map(move |at| at.map_or(0.0, |at| f32::from(u8::from(case.labels[at] == label))))
    };
    (image, label(1).chain(label(2)).collect())
}

/// Bytes in memory, where the system tells.
fn resident() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split(' ').nth(1)?.parse::<usize>().ok()? * 4096)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn three_hundred_steps_bring_the_loss_down() {
    let cases = cases();
    let architecture = Architecture { base: 4, depth: 3, inputs: 1, outputs: 2, ..Architecture::default() };
    let weights = random_weights(&architecture);
    let settings = AdamWConfig::default();
    let mut learner =
        Trainer::new(architecture, weights, settings, Loss::DiceAndEntropy, &Compute::Cpu).unwrap();
    let (mut losses, mut bytes, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..STEPS {
        let (image, target) = crop(&cases[step % cases.len()], step);
        let example = Example::new(&image, &target, [SIDE; 3]);
        losses.push(pollster::block_on(learner.step(&[example], RATE, &|_| true)).unwrap());
        if step < REPEATED {
            bytes.extend(image.iter().chain(&target).flat_map(|value| value.to_le_bytes()));
            bytes.extend((losses[step] as f32).to_le_bytes());
        }
        held.extend(resident());
    }
    let decades: Vec<String> =
        losses.chunks_exact(STEPS / 10).map(|part| format!("{:.3}", mean(part))).collect();
    println!("{} cases, mean loss of every {} steps: {}", cases.len(), STEPS / 10, decades.join(" "));
    let (first, last) = (mean(&losses[..REPEATED]), mean(&losses[STEPS - REPEATED..]));
    assert!(last < first - 0.3, "from {first} to {last}");
    if let (Some(early), Some(late)) = (held.get(30), held.last()) {
        println!("in memory: {} MiB after 30 steps, {} after {STEPS}", early >> 20, late >> 20);
        assert!(*late < early + (16 << 20), "from {early} to {late} bytes");
    } else {
        not_run(Need::Machine, &"this system does not tell how much memory was taken");
    }
    if let Ok(path) = std::env::var("INSITU_CURVE") {
        std::fs::write(path, bytes).unwrap();
    }
}
