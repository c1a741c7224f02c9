//! An attention gate on the CPU, there and back.
//!
//! ```text
//! n[h] = bs[h] + sum over i of (Ws[h, i] s[i] + Wu[h, i] u[i])        q = leaky(n)
//! a = sigmoid(bp + sum over h of wp[h] q[h])                          y[i] = a s[i]
//! dt = a (1 - a) sum over i of g[i] s[i]                              dn[h] = dt wp[h] (n[h] > 0 ? 1 : slope)
//! ds[i] = a g[i] + sum over h of Ws[h, i] dn[h]                       du[i] = sum over h of Wu[h, i] dn[h]
//! ```
//! `s` and `u` are the read values of the skip and of the raised map. The gradients of the weights are sums over voxels
//! of `dn s`, `dn`, `dn u`, `dt q` and `dt`. Voxels are taken by blocks whose values stay in the cache.

use super::input::Input;
use super::simd::dispatch;
use crate::engine::nn::parallel;
use crate::engine::nn::scale_shift::{ScaleShift, larger};
use crate::engine::nn::weights::tensor;
use crate::error::Result;
use crate::model::{NEGATIVE_SLOPE, attention_gate_parameters, sigmoid};
use crate::store::Weights;

/// Voxels of a block.
const BLOCK: usize = 256;

/// The tensors of a gate: `[units, channels]`, `[units]`, `[units, channels]`, `[units]`, `[1]`.
pub struct Weight([Vec<f32>; 5]);

impl Weight {
    /// Those of the gate of this name.
    ///
    /// # Errors
    /// `Malformed` where one is missing.
    pub fn new(weights: &Weights, name: &str) -> Result<Self> {
        let [a, b, c, d, e] =
            attention_gate_parameters(name).map(|name| tensor(weights, &name).map(<[f32]>::to_vec));
        Ok(Self([a?, b?, c?, d?, e?]))
    }
}

/// Some voxels: read values of both maps by channel, `n` and `a`.
struct Block {
    skip: Vec<f32>,
    up: Vec<f32>,
    units: Vec<f32>,
    factors: [f32; BLOCK],
}

/// `to += weight * from`.
#[inline(always)]
fn add(to: &mut [f32], weight: f32, from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(sum, value)| *sum += weight * value);
}

/// Sum of products, by 16 partial sums, which is a vector's way.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut parts = [0f32; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        (0..16).for_each(|lane| parts[lane] += a[lane] * b[lane]);
    }
    parts.into_iter().map(f64::from).sum()
}

#[inline(always)]
fn leaky(value: f32) -> f32 {
    larger(value, NEGATIVE_SLOPE * value)
}

impl Block {
    fn new(channels: usize, units: usize) -> Self {
        let zeros = |rows: usize| vec![0.0; rows * BLOCK];
        Self { skip: zeros(channels), up: zeros(channels), units: zeros(units), factors: [0.0; BLOCK] }
    }

    /// Voxels `first..` of a plane of both maps, `[c, y, x]`; what is left of a block holds zeros' values.
    #[inline(always)]
    fn look(
        &mut self,
        [skip, up]: [(&[f32], &[ScaleShift]); 2],
        weight: &Weight,
        plane: usize,
        first: usize,
    ) {
        let count = BLOCK.min(plane - first);
        for ((values, scale_shifts), to) in [(skip, &mut self.skip), (up, &mut self.up)] {
            let rows = to.chunks_exact_mut(BLOCK).zip(values.chunks_exact(plane)).zip(scale_shifts);
            for ((to, from), scale_shift) in rows {
                to.iter_mut()
                    .zip(&from[first..first + count])
                    .for_each(|(to, &value)| *to = scale_shift.at(value));
                to[count..].fill(0.0);
            }
        }
        let Weight([skip, bias, up, psi, psi_bias]) = weight;
        let channels = skip.len() / bias.len();
        self.factors.fill(psi_bias[0]);
        for (unit, row) in self.units.chunks_exact_mut(BLOCK).enumerate() {
            row.fill(bias[unit]);
            for channel in 0..channels {
                let (at, values) = (unit * channels + channel, channel * BLOCK..(channel + 1) * BLOCK);
                add(row, skip[at], &self.skip[values.clone()]);
                add(row, up[at], &self.up[values]);
            }
            self.factors.iter_mut().zip(row).for_each(|(sum, n)| *sum += psi[unit] * leaky(*n));
        }
        self.factors.iter_mut().for_each(|factor| *factor = sigmoid(*factor));
    }
}

/// Both maps `[z, c, y, x]` of planes of `plane` voxels -> the skip, weighed.
pub fn forward(skip: &Input, up: &Input, weight: &Weight, plane: usize, output: &mut [f32]) {
    let channels = skip.scale_shifts.len();
    let inputs = skip.data.chunks_exact(channels * plane).zip(up.data.chunks_exact(channels * plane));
    let planes: Vec<_> = output.chunks_exact_mut(channels * plane).zip(inputs).collect();
    parallel::map(
        planes,
        || Block::new(channels, weight.0[1].len()),
        |block, (output, (skip_values, up_values))| {
            dispatch(|| {
                for first in (0..plane).step_by(BLOCK) {
                    block.look(
                        [(skip_values, &skip.scale_shifts), (up_values, &up.scale_shifts)],
                        weight,
                        plane,
                        first,
                    );
                    for (to, from) in output.chunks_exact_mut(plane).zip(block.skip.chunks_exact(BLOCK)) {
                        let each = to[first..].iter_mut().zip(from).zip(&block.factors);
                        each.for_each(|((to, from), factor)| *to = factor * from);
                    }
                }
            });
        },
    );
}

/// The gradients by the tensors, in their order. `grad`, that by the result, becomes that by the skip's read values;
/// `grad_up` that by the raised map's.
pub fn backward(
    skip: &Input,
    up: &Input,
    weight: &Weight,
    plane: usize,
    [grad, grad_up]: [&mut [f32]; 2],
) -> [Vec<f32>; 5] {
    let (channels, units) = (skip.scale_shifts.len(), weight.0[1].len());
    let inputs = skip.data.chunks_exact(channels * plane).zip(up.data.chunks_exact(channels * plane));
    let outputs = grad.chunks_exact_mut(channels * plane).zip(grad_up.chunks_exact_mut(channels * plane));
    let parts = parallel::map(
        outputs.zip(inputs).collect(),
        || (Block::new(channels, units), vec![0.0; channels * BLOCK]),
        |(block, gradient), ((grad, grad_up), (skip_values, up_values))| {
            let mut sums = weight.0.each_ref().map(|tensor| vec![0f64; tensor.len()]);
            dispatch(|| {
                for first in (0..plane).step_by(BLOCK) {
                    block.look(
                        [(skip_values, &skip.scale_shifts), (up_values, &up.scale_shifts)],
                        weight,
                        plane,
                        first,
                    );
                    let at = first..plane.min(first + BLOCK);
                    for (to, from) in gradient.chunks_exact_mut(BLOCK).zip(grad.chunks_exact(plane)) {
                        to[..at.len()].copy_from_slice(&from[at.clone()]);
                        to[at.len()..].fill(0.0);
                    }
                    go_back(block, gradient, weight, &mut sums);
                    let results = [(&mut *grad, &*gradient), (&mut *grad_up, &block.up)];
                    for (to, from) in results {
                        for (to, from) in to.chunks_exact_mut(plane).zip(from.chunks_exact(BLOCK)) {
                            to[at.clone()].copy_from_slice(&from[..at.len()]);
                        }
                    }
                }
            });
            sums
        },
    );
    let mut sums = weight.0.each_ref().map(|tensor| vec![0f64; tensor.len()]);
    for part in parts {
        for (sum, part) in sums.iter_mut().flatten().zip(part.into_iter().flatten()) {
            *sum += part;
        }
    }
    sums.map(|sums| sums.into_iter().map(|sum| sum as f32).collect())
}

/// Of a block: `gradient` becomes that by the skip, `up` that by the raised map; the weights' are added to `sums`.
#[inline(always)]
fn go_back(block: &mut Block, gradient: &mut [f32], weight: &Weight, sums: &mut [Vec<f64>; 5]) {
    let Weight([skip, _, up, psi, _]) = weight;
    let channels = gradient.len() / BLOCK;
    // dt; the factors are still needed, so it gets an array of its own.
    let mut leaky_grad = [0f32; BLOCK];
    for (g, s) in gradient.chunks_exact(BLOCK).zip(block.skip.chunks_exact(BLOCK)) {
        (0..BLOCK).for_each(|n| leaky_grad[n] += g[n] * s[n]);
    }
    leaky_grad.iter_mut().zip(&block.factors).for_each(|(dt, a)| *dt *= a * (1.0 - a));
    for row in gradient.chunks_exact_mut(BLOCK) {
        row.iter_mut().zip(&block.factors).for_each(|(g, a)| *g *= a);
    }
    let ones = [1f32; BLOCK];
    sums[4][0] += dot(&leaky_grad, &ones);
    for (unit, row) in block.units.chunks_exact_mut(BLOCK).enumerate() {
        let mut q = [0f32; BLOCK];
        for ((n, q), dt) in row.iter_mut().zip(&mut q).zip(&leaky_grad) {
            *q = leaky(*n);
            *n = dt * psi[unit] * if *n > 0.0 { 1.0 } else { NEGATIVE_SLOPE };
        }
        sums[3][unit] += dot(&leaky_grad, &q);
        sums[1][unit] += dot(row, &ones);
        for channel in 0..channels {
            let (at, values) = (unit * channels + channel, channel * BLOCK..(channel + 1) * BLOCK);
            sums[0][at] += dot(row, &block.skip[values.clone()]);
            sums[2][at] += dot(row, &block.up[values]);
        }
    }
    block.up.fill(0.0);
    for (unit, row) in block.units.chunks_exact(BLOCK).enumerate() {
        for channel in 0..channels {
            let (at, values) = (unit * channels + channel, channel * BLOCK..(channel + 1) * BLOCK);
            add(&mut gradient[values.clone()], skip[at], row);
            add(&mut block.up[values], up[at], row);
        }
    }
}
