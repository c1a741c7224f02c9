//! The gradient of normalisation and LeakyReLU on the CPU, in place.
//!
//! ```text
//! n = scale x + shift        h = g (n > 0 ? 1 : slope)        u = (x - mean) / sqrt(variance + epsilon)
//! d beta = sum h             d gamma = sum h u
//! dx = scale (h - mean h - u mean(h u))
//! ```
//! Means are over all values that the statistics are of, an up-convolution's padding too, where h is zero.

use super::simd::dispatch;
use crate::engine::nn::parallel;
use crate::engine::nn::scale_shift::{Moments, ScaleShift};
use crate::model::EPSILON;

/// What a channel's gradient needs.
#[derive(Debug, Clone, Copy)]
pub struct Channel {
    /// How it is read.
    pub scale_shift: ScaleShift,
    /// Its statistics, padding included.
    pub moments: Moments,
}

/// `grad`, gradients by the read values, become those by the raw `values`; both `[z, c, y, x]` of planes of `plane`
/// voxels. Gives `[d gamma, d beta]` by channel.
pub fn norm_act_backward(
    grad: &mut [f32],
    values: &[f32],
    channels: &[Channel],
    plane: usize,
) -> Vec<[f64; 2]> {
    let units: Vec<[f32; 2]> = channels
        .iter()
        .map(|Channel { moments, .. }| {
            let inverse = 1.0 / (moments.variance() + f64::from(EPSILON)).sqrt();
            [moments.mean as f32, inverse as f32]
        })
        .collect();
    let rows: Vec<_> = grad.chunks_exact(plane).zip(values.chunks_exact(plane)).enumerate().collect();
    let count = channels.len();
    let parts = parallel::map(
        rows,
        || (),
        |(), (index, (grad, values))| {
            let channel = index % count;
            dispatch(|| sums(grad, values, channels[channel].scale_shift, units[channel]))
        },
    );
    let mut found = vec![[0.0; 2]; count];
    for (index, part) in parts.into_iter().enumerate() {
        (0..2).for_each(|n| found[index % count][n] += part[n]);
    }
    let factors: Vec<[f32; 3]> = channels
        .iter()
        .zip(&units)
        .zip(&found)
        .map(|((Channel { scale_shift, moments }, [_, inverse]), [gamma, beta])| {
            let scale = f64::from(scale_shift.scale);
            let count = moments.count.max(1.0);
            [
                scale_shift.scale,
                (-scale * f64::from(*inverse) * gamma / count) as f32,
                (-scale * beta / count) as f32,
            ]
        })
        .collect();
    let rows: Vec<_> = grad.chunks_exact_mut(plane).zip(values.chunks_exact(plane)).enumerate().collect();
    parallel::map(
        rows,
        || (),
        |(), (index, (grad, values))| {
            let channel = index % count;
            let ([a, b, c], Channel { scale_shift, .. }) = (factors[channel], channels[channel]);
            let mean = units[channel][0];
            dispatch(|| {
                for (g, &value) in grad.iter_mut().zip(values) {
                    *g = a * leaky_grad(*g, value, scale_shift) + (b * (value - mean) + c);
                }
            });
        },
    );
    found
}

/// The gradient before LeakyReLU.
#[inline(always)]
fn leaky_grad(g: f32, value: f32, scale_shift: ScaleShift) -> f32 {
    g * if value * scale_shift.scale + scale_shift.shift > 0.0 { 1.0 } else { scale_shift.negative_slope }
}

/// Sums of `h u` and `h`, by 16 partial sums, which is a vector's way.
#[inline(always)]
fn sums(grad: &[f32], values: &[f32], scale_shift: ScaleShift, [mean, inverse]: [f32; 2]) -> [f64; 2] {
    let (mut products, mut plain) = ([0f32; 16], [0f32; 16]);
    let mut add = |lane: usize, g: f32, value: f32| {
        let g = leaky_grad(g, value, scale_shift);
        products[lane] += g * ((value - mean) * inverse);
        plain[lane] += g;
    };
    let (mut left, mut right) = (grad.chunks_exact(16), values.chunks_exact(16));
    for (grad, values) in left.by_ref().zip(right.by_ref()) {
        (0..16).for_each(|lane| add(lane, grad[lane], values[lane]));
    }
    let rest = left.remainder().iter().zip(right.remainder());
    rest.for_each(|(&g, &value)| add(0, g, value));
    [products, plain].map(|parts| parts.iter().map(|&part| f64::from(part)).sum())
}
