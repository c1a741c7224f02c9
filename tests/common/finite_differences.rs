//! Gradients against differences of what they are the gradients of.

use insitu_seg::engine::nn::pseudo_random::pseudo_random;
use insitu_seg::engine::nn::scale_shift::ScaleShift;
use insitu_seg::model::NEGATIVE_SLOPE;

/// What is compared: the gradient, and the slope of a function of one number that is moved.
pub fn agree(found: &[f32], count: usize, by: f64, function: impl Fn(usize, f64) -> f64) {
    assert_eq!(found.len(), count);
    let g = |n| (function(n, by) - function(n, -by)) / (2.0 * by);
    let expected: Vec<f64> = (0..count).map(g).collect();
    let top = expected.iter().fold(0f64, |top, v| top.max(v.abs()));
    assert!(top > 0.01, "gradients of {top} say nothing");
    for (n, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!((f64::from(*found) - expected).abs() < 1e-4 * top, "{found} at {n}, expected {expected}");
    }
}

/// Numbers, one of them moved.
pub fn moved(values: &[f32], n: usize, by: f64) -> Vec<f32> {
    let mut values = values.to_vec();
    values[n] += by as f32;
    values
}

/// In 64 bits.
pub fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// The loss by which a map is judged: its product with the gradient that goes back.
pub fn product(map: &[f32], gradient: &[f32]) -> f64 {
    map.iter().zip(gradient).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Scales and shifts that are not all alike.
pub fn scale_shifts(channels: usize, seed: u64) -> Vec<ScaleShift> {
    let values = pseudo_random(2 * channels, seed);
    values
        .chunks_exact(2)
        .map(|v| ScaleShift { scale: 1.0 + 0.5 * v[0], shift: 0.4 * v[1], negative_slope: NEGATIVE_SLOPE })
        .collect()
}
