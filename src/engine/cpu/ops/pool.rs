//! Largest value of every 2^3 block, on the CPU.
//!
//! ```text
//! y[c, z, y, x] = max over a, b, d in 0..2 of  norm_act_c(x[c, 2 z + a, 2 y + b, 2 x + d])
//! ```
//! The gradient goes to the first voxel that has the largest value.

use super::input::Input;
use super::simd::dispatch;
use crate::engine::nn::parallel;
use crate::engine::nn::scale_shift::{ScaleShift, larger};
use std::array::from_fn;

/// `[z, c, y, x]` of size `dims` (`[x, y, z]`) -> `[z / 2, c, y / 2, x / 2]`.
pub fn forward(input: &Input, dims: [usize; 3], output: &mut [f32]) {
    let [half_x, half_y, half_z] = dims.map(|side| side / 2);
    let plane = input.scale_shifts.len() * half_y * half_x;
    let planes: Vec<_> = output.chunks_exact_mut(plane).take(half_z).enumerate().collect();
    parallel::map(
        planes,
        || (),
        |(), (at, plane)| {
            for (index, out) in plane.chunks_exact_mut(half_x).enumerate() {
                let (channel, row) = (index / half_y, index % half_y);
                let scale_shift = input.scale_shifts[channel];
                let sources = rows(input, dims, [at, channel, row]);
                dispatch(|| {
                    for (i, out) in out.iter_mut().enumerate() {
                        let both =
                            |row: &[f32]| larger(scale_shift.at(row[2 * i]), scale_shift.at(row[2 * i + 1]));
                        *out = sources.iter().fold(f32::NEG_INFINITY, |top, row| larger(top, both(row)));
                    }
                });
            }
        },
    );
}

/// Adds the gradient by the input's read values, `[z, c, y, x]`, to `to`; `grad` is that by the output.
pub fn backward(input: &Input, dims: [usize; 3], grad: &[f32], to: &mut [f32]) {
    let ([x, y, _], channels) = (dims, input.scale_shifts.len());
    let [half_x, half_y, _] = dims.map(|side| side / 2);
    let planes = to.chunks_mut(2 * channels * y * x).zip(grad.chunks_exact(channels * half_y * half_x));
    parallel::map(
        planes.enumerate().collect(),
        || (),
        |(), (at, (to, grad))| {
            let (near, far) = to.split_at_mut(channels * y * x);
            for (index, grad) in grad.chunks_exact(half_x).enumerate() {
                let (channel, row) = (index / half_y, index % half_y);
                let sources = rows(input, dims, [at, channel, row]);
                let start = (channel * y + 2 * row) * x;
                let (a, b) = near[start..start + 2 * x].split_at_mut(x);
                let (c, d) = far[start..start + 2 * x].split_at_mut(x);
                dispatch(|| row_back(sources, input.scale_shifts[channel], grad, [a, b, c, d]));
            }
        },
    );
}

/// Adds the gradient of a row of blocks to the four rows that it covers.
#[inline(always)]
fn row_back(sources: [&[f32]; 4], scale_shift: ScaleShift, grad: &[f32], to: [&mut [f32]; 4]) {
    let [a, b, c, d] = to.map(|row| row.chunks_exact_mut(2));
    let rows = a.zip(b).zip(c).zip(d).zip(grad);
    for (i, ((((a, b), c), d), g)) in rows.enumerate() {
        let values: [f32; 8] = from_fn(|n| scale_shift.at(sources[n / 2][2 * i + n % 2]));
        let top = values.into_iter().fold(f32::NEG_INFINITY, larger);
        // The first voxel that has it takes all.
        let mut left = *g;
        for (voxel, value) in a.iter_mut().chain(b).chain(c).chain(d).zip(values) {
            let share = if value == top { left } else { 0.0 };
            *voxel += share;
            left -= share;
        }
    }
}

/// The four rows that a row of blocks covers.
#[inline(always)]
fn rows<'a>(input: &Input<'a>, [x, y, _]: [usize; 3], [at, channel, row]: [usize; 3]) -> [&'a [f32]; 4] {
    let channels = input.scale_shifts.len();
    from_fn(|n| {
        let plane = (2 * at + n / 2) * channels + channel;
        &input.data[(plane * y + 2 * row + n % 2) * x..][..x / 2 * 2]
    })
}
