//! The gradient of normalisation and LeakyReLU on the CPU, in place.
//!
//! ```text
//! n = scale x + shift        h = g (n > 0 ? 1 : leak)        u = (x - mean) / sqrt(variance + epsilon)
//! d beta = sum h             d gamma = sum h u
//! dx = scale (h - mean h - u mean(h u))
//! ```
//! Means are over all values that the statistics are of, an up-convolution's padding too, where h is zero.

use super::parallel;
use crate::engine::norm::{Line, Moments};
use crate::model::EPSILON;

/// What a channel's gradient needs.
#[derive(Debug, Clone, Copy)]
pub struct Channel {
    /// How it is read.
    pub line: Line,
    /// Its statistics, padding included.
    pub moments: Moments,
}

/// `slopes`, gradients by the read values, become those by the raw `values`; both `[z, c, y, x]` of planes of `plane`
/// voxels. Gives `[d gamma, d beta]` by channel.
pub fn bend(slopes: &mut [f32], values: &[f32], channels: &[Channel], plane: usize) -> Vec<[f64; 2]> {
    let units: Vec<[f32; 2]> = channels
        .iter()
        .map(|Channel { moments, .. }| {
            let inverse = 1.0 / (moments.variance() + f64::from(EPSILON)).sqrt();
            [moments.mean as f32, inverse as f32]
        })
        .collect();
    let rows: Vec<_> = slopes.chunks_exact(plane).zip(values.chunks_exact(plane)).enumerate().collect();
    let count = channels.len();
    let parts = parallel::map(
        rows,
        || (),
        |(), (index, (slopes, values))| {
            let channel = index % count;
            pulp::Arch::new().dispatch(|| sums(slopes, values, channels[channel].line, units[channel]))
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
        .map(|((Channel { line, moments }, [_, inverse]), [gamma, beta])| {
            let scale = f64::from(line.scale);
            let count = moments.count.max(1.0);
            [
                line.scale,
                (-scale * f64::from(*inverse) * gamma / count) as f32,
                (-scale * beta / count) as f32,
            ]
        })
        .collect();
    let rows: Vec<_> = slopes.chunks_exact_mut(plane).zip(values.chunks_exact(plane)).enumerate().collect();
    parallel::map(
        rows,
        || (),
        |(), (index, (slopes, values))| {
            let channel = index % count;
            let ([a, b, c], Channel { line, .. }) = (factors[channel], channels[channel]);
            let mean = units[channel][0];
            pulp::Arch::new().dispatch(|| {
                for (slope, &value) in slopes.iter_mut().zip(values) {
                    *slope = a * steep(*slope, value, line) + (b * (value - mean) + c);
                }
            });
        },
    );
    found
}

/// The gradient before LeakyReLU.
#[inline(always)]
fn steep(slope: f32, value: f32, line: Line) -> f32 {
    slope * if value * line.scale + line.shift > 0.0 { 1.0 } else { line.leak }
}

/// Sums of `h u` and `h`, by 16 partial sums, which is a vector's way.
#[inline(always)]
fn sums(slopes: &[f32], values: &[f32], line: Line, [mean, inverse]: [f32; 2]) -> [f64; 2] {
    let (mut products, mut plain) = ([0f32; 16], [0f32; 16]);
    let mut add = |lane: usize, slope: f32, value: f32| {
        let slope = steep(slope, value, line);
        products[lane] += slope * ((value - mean) * inverse);
        plain[lane] += slope;
    };
    let (mut left, mut right) = (slopes.chunks_exact(16), values.chunks_exact(16));
    for (slopes, values) in left.by_ref().zip(right.by_ref()) {
        (0..16).for_each(|lane| add(lane, slopes[lane], values[lane]));
    }
    let rest = left.remainder().iter().zip(right.remainder());
    rest.for_each(|(&slope, &value)| add(0, slope, value));
    [products, plain].map(|parts| parts.iter().map(|&part| f64::from(part)).sum())
}
