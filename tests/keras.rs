//! Networks that Keras saved and `scripts/from_keras.py` turned into stages of a model: they say here what they say there.
//! `npm run test:keras` makes them (`tests/python/keras_nets.py`) and names their folder in `INSITU_KERAS`.
#![cfg(all(feature = "net", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::not_run::{Need, not_run};
use insitu_seg::card::{Card, Stage};
use insitu_seg::engine::cpu::network::Network;
use insitu_seg::model::sigmoid;
use insitu_seg::store::{Array, read_weights};
use std::path::Path;

/// Largest difference of a probability.
const TOLERANCE: f32 = 2e-4;

/// Largest difference between what a network says of an image and what Keras says.
fn off(network: &Network, input: &Array, expected: &Array) -> f32 {
    let [_, _, z, y, x] = input.shape[..] else { panic!("{:?}", input.shape) };
    let logits = network.logits(&input.values, [x, y, z], &mut |_| Ok(())).unwrap();
    assert_eq!(logits.len(), expected.values.len());
    let pairs = logits.iter().zip(&expected.values);
    pairs.map(|(logit, expected)| (sigmoid(*logit) - expected).abs()).fold(0.0, f32::max)
}

#[test]
fn converted_networks_say_what_they_say_in_keras() {
    let Some(folder) = std::env::var_os("INSITU_KERAS") else {
        return not_run(Need::Machine, &"INSITU_KERAS names no networks: npm run test:keras makes them");
    };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let model = entry.unwrap().path();
        let read = |file: &str| std::fs::read(model.join(file)).unwrap();
        if !model.join("case.safetensors").exists() {
            continue;
        }
        let (card, case) =
            (Card::read(&read("model.json")).unwrap(), read_weights(&read("case.safetensors")).unwrap());
        let stage = if card.stages.whole.is_some() { Stage::Whole } else { Stage::Patch };
        let form = card.stage(stage).unwrap();
        let bytes = read(&form.folds[0].file);
        form.folds[0].check(&bytes).unwrap();
        let weights = read_weights(&bytes).unwrap();
        let name = model.file_name().map(Path::new).unwrap().display().to_string();
        let network = Network::new(&form.architecture, &weights).unwrap();
        let mut found = vec![off(&network, &case["input"], &case["output"])];
        if form.architecture.roi {
            let roi = Network::roi(&form.architecture, &weights).unwrap();
            found.push(off(&roi, &case["input"], &case["roi"]));
        }
        let most = found.iter().copied().fold(0.0, f32::max);
        println!("{name}: {:?}, off by {most:.1e}", form.architecture);
        assert!(most < TOLERANCE, "{name}: off by {found:?}");
        insitu_seg::store::check_weights(&form.architecture, &weights).unwrap();
        seen += 1;
    }
    assert!(seen >= 7, "only {seen} networks");
}
