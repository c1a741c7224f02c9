//! The network and its options against Keras (outputs, loss and gradients of small instances; `data/network/golden.py`
//! made the numbers), and against finite differences in 64 bits. `burn.rs` holds burn's module against it.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/double.rs"]
mod double;
#[path = "common/golden.rs"]
mod golden;

use golden::{Golden, deviation, instances};
use insitu_seg::engine::cpu::backward::LossGradients;
use insitu_seg::engine::cpu::network::Network;
use insitu_seg::engine::nn::example::Example;
use insitu_seg::engine::nn::loss::Loss;
use insitu_seg::engine::nn::pseudo_random::{pseudo_random, random_weights};
use insitu_seg::model::{Architecture, Blocks, sigmoid, thresholded};
use insitu_seg::store::Weights;

fn probabilities(network: &Network, image: &[f32], dims: [usize; 3]) -> Vec<f32> {
    let logits = network.logits(image, dims, &mut |_| Ok(())).unwrap();
    logits.into_iter().map(sigmoid).collect()
}

fn same_output(name: &str, found: &[f32], expected: &[f32]) {
    let off = deviation(found, expected);
    println!("{name}: output off by {off:.1e}");
    assert!(off < 2e-4, "{name}: output off by {off}");
}

fn same_lesson(name: &str, lesson: &LossGradients, golden: &Golden, prefixes: &[&str]) {
    let (loss, gradients) = golden.lesson(prefixes);
    assert!((lesson.loss - loss).abs() < 1e-4 * loss.abs(), "{name}: loss {}, expected {loss}", lesson.loss);
    let offs = gradients.iter().map(|(tensor, values)| {
        let off = deviation(&lesson.gradients[tensor].values, values);
        (if off.is_nan() { f32::INFINITY } else { off }, tensor)
    });
    let (most, worst) = offs.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    assert!(gradients.len() > 10, "{name}: {} gradients", gradients.len());
    println!("{name} {prefixes:?}: {} gradients off by {most:.1e} at most, {worst}", gradients.len());
    assert!(most < 2e-3, "{name}: gradient of {worst} off by {most}");
}

#[test]
fn every_instance_equals_keras() {
    for instance in instances() {
        let (name, architecture, golden) = (instance.name, instance.architecture, instance.golden());
        let (image, dims) = golden.input();
        let network = Network::new(&architecture, &golden.weights).unwrap();
        same_output(name, &probabilities(&network, image, dims), &golden.tensors["output"].values);

        let golden = instance.nudged();
        let example = Example::new(golden.input().0, &golden.tensors["target"].values, dims);
        let learn = |network: &Network| {
            network.loss_gradients(&golden.weights, &example, Loss::Dice, &|_| true).unwrap()
        };
        same_lesson(name, &learn(&Network::new(&architecture, &golden.weights).unwrap()), &golden, &[""]);
        if architecture.roi {
            let roi = Network::roi(&architecture, &golden.weights).unwrap();
            same_output("roi", &probabilities(&roi, image, dims), &golden.tensors["roi"].values);
            same_lesson(name, &learn(&roi), &golden, &["roi_"]);
            let both = Network::training(&architecture, &golden.weights).unwrap();
            same_output("both", &probabilities(&both, image, dims), &golden.tensors["output"].values);
            same_lesson(name, &learn(&both), &golden, &["", "roi_"]);
        }
    }
}

/// What the reference's thresholded ReLU leaves; the logits of a voxel at one half may be on either side.
#[test]
fn thresholded_probabilities_equal_keras() {
    for (instance, output, key) in [
        ("plain", "output", "thresholded"),
        ("roi", "roi", "roi_thresholded"),
        ("plain_attention_roi_depth4", "roi", "roi_thresholded"),
    ] {
        let instance = instances().into_iter().find(|found| found.name == instance).unwrap();
        let (golden, architecture) = (instance.golden(), instance.architecture);
        let (image, dims) = golden.input();
        let network = if key == "thresholded" { Network::new } else { Network::roi };
        let logits =
            network(&architecture, &golden.weights).unwrap().logits(image, dims, &mut |_| Ok(())).unwrap();
        let probability = |logit| match key {
            "thresholded" => architecture.probability(logit),
            _ => thresholded(sigmoid(logit)),
        };
        let found = logits.into_iter().map(probability);
        let (mut zeros, mut close) = (0, 0);
        let expected = golden.tensors[key].values.iter().zip(&golden.tensors[output].values);
        for (found, (expected, p)) in found.zip(expected) {
            zeros += usize::from(*expected == 0.0);
            if (p - 0.5).abs() < 1e-4 {
                close += 1;
            } else {
                assert!((found - expected).abs() < 2e-4, "{}: {found}, expected {expected}", instance.name);
                assert_eq!(found == 0.0, *expected == 0.0);
            }
        }
        assert!(zeros > 0 && close < 10, "{zeros} zeros, {close} at one half");
        let plain = Architecture { threshold: false, ..architecture };
        assert_eq!([0.5, -0.5].map(|l| plain.probability(l)), [0.5, -0.5].map(sigmoid));
    }
}

/// Keras' GaussianNoise is a layer of its network; here noise belongs to the sample, and is in the image already.
#[test]
fn noise_at_the_input_equals_keras_in_training() {
    let instance = instances().into_iter().find(|found| found.name == "plain").unwrap();
    let golden = instance.golden();
    let (image, dims) = golden.input();
    let noise = &golden.tensors["noise"].values;
    let sd = (noise.iter().map(|v| v * v).sum::<f32>() / noise.len() as f32).sqrt();
    assert!((sd - 0.1).abs() < 3e-3, "{sd}");
    let noisy: Vec<f32> = image.iter().zip(noise).map(|(value, noise)| value + noise).collect();
    let network = Network::new(&instance.architecture, &golden.weights).unwrap();
    same_output("noisy", &probabilities(&network, &noisy, dims), &golden.tensors["noisy"].values);
}

/// Options that are off leave no trace in a model card, so that cards of before stay what they are.
#[test]
fn options_come_back_from_json_and_are_not_written_where_they_are_off() {
    let old = r#"{"base":12,"depth":3,"inputs":1,"outputs":2}"#;
    let read: Architecture = serde_json::from_str(old).unwrap();
    assert_eq!(read, Architecture { base: 12, outputs: 2, ..Architecture::default() });
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
    for instance in instances() {
        let text = serde_json::to_string(&instance.architecture).unwrap();
        assert_eq!(serde_json::from_str::<Architecture>(&text).unwrap(), instance.architecture);
        assert_eq!(text.contains(r#""blocks":"plain""#), instance.architecture.blocks == Blocks::Plain);
    }
}

/// A network with an image and a target.
struct Case {
    architecture: Architecture,
    weights: Weights,
    image: Vec<f32>,
    target: Vec<f32>,
    dims: [usize; 3],
}

impl Case {
    fn new(base: usize, depth: usize, inputs: usize, dims: [usize; 3]) -> Self {
        Self::of(Architecture { base, depth, inputs, outputs: 2, ..Architecture::default() }, dims)
    }

    fn of(architecture: Architecture, dims: [usize; 3]) -> Self {
        let volume = dims.iter().product::<usize>();
        let target =
            pseudo_random(architecture.outputs * volume, 4).iter().map(|v| f32::from(*v > 0.2)).collect();
        let weights = random_weights(&architecture);
        Self { architecture, weights, image: pseudo_random(architecture.inputs * volume, 3), target, dims }
    }

    fn gradients(&self, learns: &dyn Fn(&str) -> bool) -> (f64, Weights) {
        let network = Network::training(&self.architecture, &self.weights).unwrap();
        let example = Example::new(&self.image, &self.target, self.dims);
        let lesson = network.loss_gradients(&self.weights, &example, Loss::DiceAndEntropy, learns).unwrap();
        (lesson.loss, lesson.gradients)
    }
}

/// Of every tensor the value with the largest gradient and one more, against central differences.
#[test]
fn gradients_equal_finite_differences_in_64_bits() {
    let plain = Architecture { blocks: Blocks::Plain, ..Architecture::default() };
    let cases = [
        Case::new(4, 3, 1, [9, 10, 8]),
        Case::new(2, 3, 2, [8, 9, 11]),
        Case::new(3, 4, 1, [17, 16, 16]),
        Case::of(Architecture { base: 3, outputs: 2, roi: true, attention: true, ..plain }, [9, 16, 18]),
        Case::of(
            Architecture { base: 2, roi: true, attention: true, ..Architecture::default() },
            [9, 10, 16],
        ),
    ];
    for case in cases {
        let (value, gradients) = case.gradients(&|_| true);
        let loss = |nudge| {
            double::loss(&case.architecture, &case.weights, (&case.image, &case.target), case.dims, nudge)
        };
        assert!((value - loss(None)).abs() < 1e-5, "loss {value}, in 64 bits {}", loss(None));
        let mut most = 0f64;
        for (name, array) in &gradients {
            let sizes: Vec<f32> = array.values.iter().map(|v| v.abs()).collect();
            let top = sizes.iter().copied().fold(0f32, f32::max);
            let largest = sizes.iter().position(|&v| v == top).unwrap();
            for index in [largest, array.values.len() / 3] {
                let step = 1e-5;
                let [more, less] = [step, -step].map(|step| loss(Some((name.as_str(), index, step))));
                let expected = (more - less) / (2.0 * step);
                let off = (f64::from(array.values[index]) - expected).abs() / f64::from(top).max(1e-6);
                assert!(off < 1e-3, "{name}[{index}]: {} and {expected}", array.values[index]);
                most = most.max(off);
            }
        }
        println!(
            "{:?} {:?}: {} tensors off by {most:.1e} at most",
            case.architecture,
            case.dims,
            gradients.len()
        );
    }
}

/// Whatever is frozen, the others' gradients are what they were, and the frozen have none.
#[test]
fn frozen_tensors_change_no_gradient() {
    for options in
        [Architecture::default(), Architecture { attention: true, roi: true, ..Architecture::default() }]
    {
        frozen(&Case::of(Architecture { base: 4, outputs: 2, ..options }, [13, 8, 10]));
    }
}

fn frozen(case: &Case) {
    let (_, all) = case.gradients(&|_| true);
    let families: [&dyn Fn(&str) -> bool; 11] = [
        &|_| false,
        &|name| name.starts_with("out."),
        &|name| name.starts_with("head."),
        &|name| name.contains(".norm."),
        &|name| name.contains(".se."),
        &|name| name.starts_with("gate."),
        &|name| name.starts_with("roi."),
        &|name| name.starts_with("stem."),
        &|name| name.ends_with("shortcut.conv.weight"),
        &|name| !name.starts_with("down."),
        &|name| name == "down.1.b.conv.weight" || name == "up.0.weight",
    ];
    for learns in families {
        let (_, some) = case.gradients(learns);
        let names: Vec<&String> = some.keys().collect();
        assert_eq!(names, all.keys().filter(|name| learns(name)).collect::<Vec<_>>());
        for (name, array) in &some {
            assert!(deviation(&array.values, &all[name].values) < 1e-5, "{name}");
        }
    }
    // And one at a time.
    for (name, array) in &all {
        let (_, one) = case.gradients(&|other| other == name);
        assert_eq!(one.len(), 1);
        assert!(deviation(&one[name].values, &array.values) < 1e-5, "{name}");
    }
}
