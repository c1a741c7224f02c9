//! Numbers without a pattern that are the same every time: for benchmarks and checks.

use crate::model::{Architecture, Init, Parameter};
use crate::store::{Array, Weights, by_name};

/// Values between -1 and 1 without a pattern, the same every time (an MMIX generator's upper bits).
pub fn pseudo_random(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Weights as training begins with, and offsets and scales that are not all alike.
pub fn random_weights(architecture: &Architecture) -> Weights {
    let tensor = |(index, Parameter { name, shape, init }): (usize, Parameter)| {
        let values = pseudo_random(shape.iter().product(), index as u64 + 1).into_iter();
        let values = match init {
            Init::Glorot { fan_in, fan_out } => {
                let bound = (6.0 / (fan_in + fan_out) as f32).sqrt();
                values.map(|v| v * bound).collect()
            }
            Init::Ones => values.map(|v| 1.0 + 0.3 * v).collect(),
            Init::Zeros => values.map(|v| 0.2 * v).collect(),
        };
        (name, Array { shape, values })
    };
    by_name(architecture.parameters().into_iter().enumerate().map(tensor))
}
