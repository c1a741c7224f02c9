//! The network against Keras (outputs, loss and gradients of three small instances; `data/network/golden.py` is the
//! snippet that made the numbers), against finite differences in 64 bits, and against burn.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/double.rs"]
mod double;
#[path = "common/golden.rs"]
mod golden;

use golden::{Golden, deviation, our_name};
use insitu_seg::engine::bench::{noise, random_weights};
use insitu_seg::engine::cpu::Network;
use insitu_seg::engine::loss::{Loss, sigmoid};
use insitu_seg::model::Architecture;
use insitu_seg::store::Weights;
use std::path::Path;

/// Compares with Keras; `nudge` moves a single weight before the loss and the gradients: name, index and amount.
fn check(name: &str, architecture: Architecture, nudge: Option<(&str, usize, f32)>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/network/{name}.safetensors"));
    let mut golden = Golden::new(&std::fs::read(file).unwrap());
    let network = Network::new(&architecture, &golden.weights).unwrap();
    let (image, dims) = golden.input();
    let logits = network.logits(image, dims, &mut |_| Ok(())).unwrap();
    let found: Vec<f32> = logits.iter().copied().map(sigmoid).collect();
    let off = deviation(&found, &golden.tensors["output"].values);
    println!("{name}: output off by {off:.1e}");
    assert!(off < 2e-4, "{name}: output off by {off}");

    if let Some((name, index, amount)) = nudge {
        golden.weights.get_mut(name).unwrap().values[index] += amount;
    }
    let network = Network::new(&architecture, &golden.weights).unwrap();
    let ((image, dims), target) = (golden.input(), &golden.tensors["target"].values);
    let lesson = network.learn(&golden.weights, (image, target), dims, Loss::Dice, &|_| true).unwrap();
    let expected = f64::from(golden.tensors["loss"].values[0]);
    let loss = lesson.loss;
    assert!((loss - expected).abs() < 1e-4 * expected.abs(), "{name}: loss {loss}, expected {expected}");
    let (mut checked, mut most) = (0, 0f32);
    for (key, array) in &golden.tensors {
        if let Some(keras) = key.strip_prefix("grad.") {
            let off = deviation(&lesson.gradients[&our_name(keras)].values, &array.values);
            assert!(off < 2e-3, "{name}: gradient of {keras} off by {off}");
            most = most.max(off);
            checked += 1;
        }
    }
    assert!(checked > 10, "{name}: {checked} gradients");
    println!("{name}: {checked} gradients off by {most:.1e} at most");
}

#[test]
fn odd_sizes_equal_keras() {
    check("depth3_odd", Architecture { base: 4, depth: 3, inputs: 1, outputs: 2 }, None);
}

/// Keras' numbers of this instance stand on the far side of a kink: TensorFlow sums the variance of the 55,488
/// voxels of `up0_up_norm` one after the other in 32 bits and is off by 1.6e-4, which moves one voxel before the
/// last LeakyReLU (channel 1, z y x = 14 9 39) from -1.03e-5 to +1.68e-5. Keras in 64 bits, and Keras in 32 bits
/// with the same sum taken in any other order, give our gradients; they differ from the file by up to 1.8e-2.
/// So the one offset that decides this voxel is moved by 1.4e-5, and everything must then equal the file.
#[test]
fn four_levels_and_two_channels_equal_keras() {
    let architecture = Architecture { base: 2, depth: 4, inputs: 2, outputs: 3 };
    check("depth4_two_channels", architecture, Some(("head.norm.beta", 1, 1.4e-5)));
}

#[test]
fn the_smallest_patch_equals_keras() {
    check("depth3_smallest_patch", Architecture { base: 4, depth: 3, inputs: 1, outputs: 1 }, None);
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
        let architecture = Architecture { base, depth, inputs, outputs: 2 };
        let volume = dims.iter().product::<usize>();
        let target = noise(2 * volume, 4).iter().map(|v| f32::from(*v > 0.2)).collect();
        let weights = random_weights(&architecture);
        Self { architecture, weights, image: noise(inputs * volume, 3), target, dims }
    }

    fn gradients(&self, learns: &dyn Fn(&str) -> bool) -> (f64, Weights) {
        let network = Network::new(&self.architecture, &self.weights).unwrap();
        let example = (self.image.as_slice(), self.target.as_slice());
        let lesson = network.learn(&self.weights, example, self.dims, Loss::DiceAndEntropy, learns).unwrap();
        (lesson.loss, lesson.gradients)
    }
}

/// Of every tensor the value with the largest gradient and one more, against central differences.
#[test]
fn gradients_equal_finite_differences_in_64_bits() {
    let cases =
        [Case::new(4, 3, 1, [9, 10, 8]), Case::new(2, 3, 2, [8, 9, 11]), Case::new(3, 4, 1, [17, 16, 16])];
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
    let case = Case::new(4, 3, 1, [13, 8, 10]);
    let (_, all) = case.gradients(&|_| true);
    let families: [&dyn Fn(&str) -> bool; 9] = [
        &|_| false,
        &|name| name.starts_with("out."),
        &|name| name.starts_with("head."),
        &|name| name.contains(".norm."),
        &|name| name.contains(".se."),
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

/// Norm of the difference of all gradients over their norm. Single tensors say less: where a voxel of burn's lies on
/// the other side of a kink than ours they differ by a percent, and ours are those of 64 bits within 1e-5 there.
#[cfg(feature = "stock")]
fn apart(found: &Weights, expected: &Weights) -> f64 {
    let pairs = found.iter().flat_map(|(name, array)| array.values.iter().zip(&expected[name].values));
    let (mut off, mut all) = (0.0, 0.0);
    for (found, expected) in pairs {
        off += f64::from(found - expected).powi(2);
        all += f64::from(*expected).powi(2);
    }
    (off / all).sqrt()
}

/// The same network, and its gradients, by burn's tensors and by our kernels.
#[cfg(feature = "stock")]
#[test]
fn ours_equals_burns_on_odd_and_even_sizes() {
    use burn::tensor::{Device, Tensor, TensorData};
    use insitu_seg::stock::{self, Network as Stock, read};

    let device = Device::flex().autodiff();
    for (base, depth, inputs, dims) in [
        (8, 3, 1, [24, 24, 24]),
        (8, 3, 2, [25, 31, 27]),
        (12, 3, 3, [33, 24, 41]),
        (6, 4, 4, [35, 64, 29]),
        (5, 4, 1, [40, 37, 24]),
    ] {
        let case = Case::new(base, depth, inputs, dims);
        let network = Network::new(&case.architecture, &case.weights).unwrap();
        let found = network.logits(&case.image, dims, &mut |_| Ok(())).unwrap();
        let stock = Stock::load(case.architecture, case.weights.clone(), &device).unwrap();
        let tensor = |values: &[f32], channels: usize| -> Tensor<5> {
            let data = TensorData::new(values.to_vec(), [1, channels, dims[2], dims[1], dims[0]]);
            Tensor::from_data(data, &device)
        };
        let logits = stock.logits(&tensor(&case.image, inputs));
        let expected = pollster::block_on(read(logits.clone())).unwrap();
        let off = deviation(&found, &expected);
        let loss = stock::loss(logits, tensor(&case.target, 2));
        let expected = pollster::block_on(stock.gradients(&loss.backward())).unwrap();
        let (_, gradients) = case.gradients(&|_| true);
        assert_eq!(gradients.len(), expected.len());
        let most = apart(&gradients, &expected);
        println!("{:?} {dims:?}: output off by {off:.1e}, gradients by {most:.1e}", case.architecture);
        assert!(most < 4e-3, "{:?} {dims:?}: gradients off by {most}", case.architecture);
        assert!(off < 1e-4, "{:?} {dims:?}: off by {off}", case.architecture);
    }
}
