//! Weights to start a training from.

use super::random::seeded_rng;
use crate::model::{Architecture, Init};
use crate::store::{Array, Weights};
use rand::RngExt;

/// Stream of random numbers of the initial weights, beside those of samples and epochs.
const INIT_STREAM: u64 = 1 << 41;

/// Random initial weights of a network: Glorot-uniform convolutions, norms that change nothing.
pub fn initial_weights(architecture: &Architecture, seed: u64) -> Weights {
    let mut rng = seeded_rng(seed, INIT_STREAM);
    let mut tensor = |shape: &[usize], init: Init| {
        let count = shape.iter().product();
        match init {
            Init::Zeros => vec![0.0; count],
            Init::Ones => vec![1.0; count],
            Init::Glorot { fan_in, fan_out } => {
                let bound = (6.0 / (fan_in + fan_out) as f32).sqrt();
                (0..count).map(|_| rng.random_range(-bound..bound)).collect()
            }
        }
    };
    let parameters = architecture.parameters().into_iter();
    parameters.map(|p| (p.name, Array { values: tensor(&p.shape, p.init), shape: p.shape })).collect()
}

/// Copies the tensors of `source` into `weights` wherever name and shape agree. Returns how many tensors of `weights` found
/// no counterpart.
pub fn copy_matching(weights: &mut Weights, source: &Weights) -> usize {
    let mut unmatched = 0;
    for (name, array) in weights {
        match source.get(name) {
            Some(given) if given.shape == array.shape => array.clone_from(given),
            _ => unmatched += 1,
        }
    }
    unmatched
}
