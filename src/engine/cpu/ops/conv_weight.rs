//! The gradient of a 3^3 convolution by its weight, on the CPU.
//!
//! ```text
//! dw[o, i, dz, dy, dx] = sum over z, y, x of  dy[o, z, y, x] * norm_act_i(x[i, z + dz - 1, y + dy - 1, x + dx - 1])
//! ```
//!
//! In Winograd's points ([`super::winograd`]): 6.75 products per voxel and pair of channels in place of 27. As many tiles are laid
//! one after the other as the second level of cache holds. Threads share out the outputs where there are many, and else the planes.

use super::correlation::{Correlation, interleave, padded};
use super::input::Input;
use super::scratch::Scratch;
use super::simd::dispatch;
use super::tile_rows::Rows;
use super::winograd::{ALONG, POINTS, SIDE, spread, taps_back};
use crate::engine::nn::parallel;
use pulp::{Simd, WithSimd};
use std::array::from_fn;
use std::ops::Range;

/// Bytes of rows in points that are worked on at once: they should stay in the second level of cache.
const BLOCK: usize = 1 << 20;
/// Values of a row that are worked on at once at least, since every sum is read and written for them.
const LENGTH: usize = 96;
/// Values of sums that are made one after the other by all points.
const SUMS: usize = 1 << 16;
/// Tiles of a piece: their transforms along z share rows.
const TILES: usize = 2;
/// Outputs of a thread are a multiple of these, so that vectors are full.
const OUTPUTS: usize = 16;

/// The gradients `[outputs, inputs, 3, 3, 3]` by the weights of convolutions that read the same `inputs`. `grad`
/// are the gradients by their raw outputs: `[z, outputs, y, x]` and the number of outputs. `dims` is `[x, y, z]`.
pub fn conv_weight(inputs: &[Input], grad: &[(&[f32], usize)], dims: [usize; 3]) -> Vec<Vec<f32>> {
    let channels: usize = inputs.iter().map(|input| input.scale_shifts.len()).sum();
    let outputs: usize = grad.iter().map(|(_, outputs)| outputs).sum();
    let mut found = vec![0.0; outputs * channels * 27];
    let threads = parallel::threads();
    let groups = threads.min(outputs / (2 * OUTPUTS)).max(1);
    let group = outputs.div_ceil(groups).next_multiple_of(OUTPUTS);
    let pieces = dims[2].div_ceil(SIDE) * dims[1].div_ceil(SIDE * TILES);
    let share = pieces.div_ceil(threads.div_ceil(groups));
    let work = |first: usize, from: usize| Share {
        inputs,
        grad,
        dims,
        outputs: [first, outputs.min(first + group)],
        channels,
        pieces: [from, pieces.min(from + share)],
    };
    let works: Vec<Share> = (0..outputs)
        .step_by(group)
        .flat_map(|first| (0..pieces).step_by(share).map(move |from| (first, from)))
        .map(|(first, from)| work(first, from))
        .collect();
    let parts = parallel::map(works, || (), |(), work| (work.outputs[0], dispatch(work)));
    for (first, taps) in parts {
        let padded = taps.len() / (channels * 27);
        let rows = found[first * channels * 27..].chunks_exact_mut(channels * 27);
        for (output, row) in rows.enumerate().take(group) {
            let own = taps.iter().skip(output).step_by(padded);
            row.iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
        }
    }
    let mut rest = found.as_slice();
    let each = grad.iter().map(|(_, outputs)| {
        let (mine, others) = rest.split_at(outputs * channels * 27);
        rest = others;
        mine.to_vec()
    });
    each.collect()
}

/// Some outputs and some pieces, counted through all slabs.
struct Share<'a> {
    inputs: &'a [Input<'a>],
    grad: &'a [(&'a [f32], usize)],
    dims: [usize; 3],
    outputs: [usize; 2],
    channels: usize,
    pieces: [usize; 2],
}

impl WithSimd for Share<'_> {
    /// `[in, tap, outputs]`, the outputs [`padded`].
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { dims: [x, y, _], outputs: [first, end], channels, pieces: [from, to], .. } = self;
        let outputs = padded::<S>(end - first);
        let piece = TILES.min(y.div_ceil(SIDE)) * (x + 2);
        let length = (BLOCK / (POINTS * 4 * (channels + outputs))).max(LENGTH);
        let blocks = (to - from).div_ceil((length / piece).max(1));
        let at_once = (to - from).div_ceil(blocks);
        let mut points = Points::new(x, y, channels, outputs, at_once);
        // Where there is one block, sums are done with before the next ones begin.
        let group = (SUMS / (POINTS * 3 * outputs) / 4 * 4).clamp(4, channels.next_multiple_of(4));
        let mut sums = Scratch::any(POINTS * 3 * outputs * if blocks == 1 { group } else { channels });
        let mut taps = vec![0.0; channels * 27 * outputs];
        for begin in (from..to).step_by(at_once) {
            let end = to.min(begin + at_once);
            for at in begin..end {
                points.load(simd, &self, at, at - begin);
            }
            // Not the zeros after the last row: its taps would reach over the channel's end.
            let length = (end - begin) * piece - 2;
            for input in (0..channels).step_by(group) {
                let inputs = input..channels.min(input + group);
                let at = if blocks == 1 { 0 } else { input };
                let sums = &mut sums[at * POINTS * 3 * outputs..][..inputs.len() * POINTS * 3 * outputs];
                if begin == from {
                    sums.fill(0.0);
                }
                points.correlate(simd, length, inputs.clone(), sums);
                if end == to {
                    let taps = &mut taps[input * 27 * outputs..][..inputs.len() * 27 * outputs];
                    back(simd, sums, outputs, taps);
                }
            }
        }
        taps
    }
}

/// Some pieces of the inputs and of the gradients by the outputs, in points.
struct Points {
    rows: Rows,
    /// Channels of the gradients, with those that fill a vector.
    outputs: usize,
    /// `[point, n, outputs]`: rows as those of the inputs, each with two zeros after it.
    grad: Scratch,
    /// Values of a point and a channel.
    length: usize,
    /// Rows of a tile as they are read, `[plane, row, x, outputs]`.
    tile: Scratch,
}

impl Points {
    fn new(x: usize, y: usize, channels: usize, outputs: usize, pieces: usize) -> Self {
        let rows = Rows::new(x, channels, TILES.min(y.div_ceil(SIDE)), pieces);
        let length = pieces * rows.tiles * rows.pitch;
        let (grad, tile) =
            (Scratch::zeros(POINTS * length * outputs), Scratch::any(SIDE * SIDE * x * outputs));
        Self { rows, outputs, grad, length, tile }
    }

    /// Transforms piece `at`, counted through all slabs, to place `piece`.
    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, share: &Share, at: usize, piece: usize) {
        let Self { rows, outputs, grad, length, tile: source } = self;
        let [x, y, _] = share.dims;
        let high = y.div_ceil(SIDE * TILES);
        let (slab, first) = (at / high, at % high * TILES);
        rows.load(simd, share.inputs, share.dims, [slab, first], piece);
        for tile in 0..rows.tiles {
            share.interleave(source, [slab, SIDE * (first + tile)], *outputs);
            let size = x * *outputs;
            let row = |plane: usize, row: usize| &source[(plane * SIDE + row) * size..][..size];
            let to = &mut grad[(piece * rows.tiles + tile) * rows.pitch * *outputs..];
            spread(simd, to, *length * *outputs, from_fn(|z| from_fn(|y| row(z, y))));
        }
    }

    /// Adds the products of `length` values of some inputs to their sums, `[point, in, dx, outputs]`.
    #[inline(always)]
    fn correlate<S: Simd>(&self, simd: S, length: usize, inputs: Range<usize>, sums: &mut [f32]) {
        let Self { rows: Rows { inputs: all, stride, ref values, .. }, outputs, .. } = *self;
        for (point, sums) in sums.chunks_exact_mut(inputs.len() * 3 * outputs).enumerate() {
            let rows = &values[(point * all + inputs.start) * stride..][..inputs.len() * stride];
            let grad = &self.grad[point * self.length * outputs..][..length * outputs];
            Correlation { rows, stride, grad, outputs }.add::<S, 3>(simd, sums);
        }
    }
}

/// From sums `[point, in, dx, outputs]` to those of taps, `[in, tap, outputs]`.
#[inline(always)]
fn back<S: Simd>(simd: S, sums: &[f32], outputs: usize, taps: &mut [f32]) {
    let size = sums.len() / POINTS;
    for (input, taps) in taps.chunks_exact_mut(27 * outputs).enumerate() {
        for (dx, output) in (0..3).flat_map(|dx| (0..outputs).step_by(S::F32_LANES).map(move |o| (dx, o))) {
            let start = (input * 3 + dx) * outputs + output;
            let mut along_z = [[simd.splat_f32s(0.0); ALONG]; 3];
            for v in 0..ALONG {
                let mut points = [simd.splat_f32s(0.0); ALONG];
                for (u, point) in points.iter_mut().enumerate() {
                    *point = S::as_simd_f32s(&sums[(ALONG * u + v) * size + start..][..S::F32_LANES]).0[0];
                }
                for (plane, value) in along_z.iter_mut().zip(taps_back(simd, points)) {
                    plane[v] = value;
                }
            }
            for (dz, points) in along_z.into_iter().enumerate() {
                for (dy, value) in taps_back(simd, points).into_iter().enumerate() {
                    let at = (dz * 9 + dy * 3 + dx) * outputs + output;
                    S::as_mut_simd_f32s(&mut taps[at..at + S::F32_LANES]).0[0] = value;
                }
            }
        }
    }
}

impl Share<'_> {
    /// The rows of a tile of the gradient by the outputs, `[plane, row, x, outputs]`; outside they are zeros.
    #[inline(always)]
    fn interleave(&self, to: &mut [f32], [slab, row]: [usize; 2], outputs: usize) {
        let ([x, y, z], [first, end]) = (self.dims, self.outputs);
        for (at, to) in to.chunks_exact_mut(x * outputs).enumerate() {
            let (plane, row) = (SIDE * slab + at / SIDE, row + at % SIDE);
            if plane >= z || row >= y {
                to.fill(0.0);
                continue;
            }
            let channels = self.grad.iter().flat_map(|(values, outputs)| {
                (0..*outputs).map(move |output| &values[((plane * outputs + output) * y + row) * x..][..x])
            });
            interleave(channels.skip(first).take(end - first), outputs, to);
        }
    }
}
