//! The network against Keras: outputs, loss and gradients of three small instances.
//! `data/network/golden.py` is the snippet that made the numbers.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/golden.rs"]
mod golden;

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use golden::{Golden, deviation, our_name};
use insitu_seg::device::Compute;
use insitu_seg::engine;
use insitu_seg::engine::bench::{noise, random_weights};
use insitu_seg::model::Architecture;
use insitu_seg::store::Array;
use insitu_seg::train::loss;
use insitu_seg::train::network::{Network, read};
use std::path::Path;

fn tensor(Array { shape, values }: &Array, device: &Device) -> Tensor<5> {
    let shape: [usize; 5] = shape.clone().try_into().unwrap();
    Tensor::from_data(TensorData::new(values.clone(), shape), device)
}

/// Compares burn's network and ours with Keras; `nudge` moves a single weight first: name, index and amount.
fn check(name: &str, architecture: Architecture, nudge: Option<(&str, usize, f32)>) {
    let device = Device::flex().autodiff();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/network/{name}.safetensors"));
    let mut golden = Golden::new(&std::fs::read(file).unwrap());
    let expected = &golden.tensors["output"].values;

    let engine = engine::Network::new(&architecture, &golden.weights, &Compute::Cpu).unwrap();
    let (image, dims) = golden.input();
    let logits = pollster::block_on(engine.logits(image, dims, &mut |_| Ok(()))).unwrap();
    let found: Vec<f32> = logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect();
    let off = deviation(&found, expected);
    println!("{name}: output of our kernels off by {off:.1e}");
    assert!(off < 2e-4, "{name}: output of our kernels off by {off}");

    if let Some((name, index, amount)) = nudge {
        golden.weights.get_mut(name).unwrap().values[index] += amount;
    }
    let network = Network::load(architecture, golden.weights, &device).unwrap();
    let probabilities = sigmoid(network.logits(&tensor(&golden.tensors["input"], &device)));
    let found = pollster::block_on(read(probabilities.clone())).unwrap();
    let off = deviation(&found, expected);
    println!("{name}: output off by {off:.1e}");
    assert!(off < 2e-4, "{name}: output off by {off}");

    let loss = loss::soft_dice(probabilities, tensor(&golden.tensors["target"], &device));
    let value = pollster::block_on(read(loss.clone())).unwrap()[0];
    let expected = golden.tensors["loss"].values[0];
    assert!((value - expected).abs() < 1e-4 * expected.abs(), "{name}: loss {value}, expected {expected}");

    let gradients = pollster::block_on(network.gradients(&loss.backward())).unwrap();
    let mut checked = 0;
    for (key, array) in &golden.tensors {
        if let Some(keras) = key.strip_prefix("grad.") {
            let off = deviation(&gradients[&our_name(keras)].values, &array.values);
            assert!(off < 2e-3, "{name}: gradient of {keras} off by {off}");
            checked += 1;
        }
    }
    assert!(checked > 10, "{name}: {checked} gradients");
    println!("{name}: {checked} gradients equal");
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

/// The same network by burn's tensors and by our kernels on the CPU.
#[test]
fn our_kernels_equal_burns_on_odd_and_even_sizes() {
    let device = Device::flex();
    for (base, depth, inputs, dims) in [
        (8, 3, 1, [24, 24, 24]),
        (8, 3, 2, [25, 31, 27]),
        (12, 3, 3, [33, 24, 41]),
        (6, 4, 4, [35, 64, 29]),
        (5, 4, 1, [40, 37, 24]),
    ] {
        let architecture = Architecture { base, depth, inputs, outputs: 2 };
        let weights = random_weights(&architecture);
        let image = noise(inputs * dims.iter().product::<usize>(), 3);
        let engine = engine::Network::new(&architecture, &weights, &Compute::Cpu).unwrap();
        let found = pollster::block_on(engine.logits(&image, dims, &mut |_| Ok(()))).unwrap();
        let stock = Network::frozen(architecture, weights, &device).unwrap();
        let shape = vec![1, inputs, dims[2], dims[1], dims[0]];
        let expected = stock.logits(&tensor(&Array { shape, values: image }, &device));
        let off = deviation(&found, &pollster::block_on(read(expected)).unwrap());
        println!("{architecture:?} {dims:?}: off by {off:.1e}");
        assert!(off < 1e-4, "{architecture:?} {dims:?}: off by {off}");
    }
}
