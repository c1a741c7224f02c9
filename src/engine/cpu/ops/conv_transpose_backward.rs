//! The gradients of the up-convolution on the CPU.
//!
//! ```text
//! dx[i, z, y, x]     = sum over o, a, b, d of  w[i, o, a, b, d] * dy[o, 2 z + a, 2 y + b, 2 x + d]
//! dw[i, o, a, b, d]  = sum over z, y, x of  norm_act_i(x[i, z, y, x]) * dy[o, 2 z + a, 2 y + b, 2 x + d]
//! ```
//! The eight voxels that one gave are taken apart into rows of their own ([`Up::apart`]); then both are products of
//! matrices, over these rows or along them.

use super::correlation::{Correlation, interleave, padded};
use super::input::Input;
use super::micro_kernel::{ROWS, Tile, multiply};
use super::scratch::Scratch;
use super::simd::dispatch;
use crate::engine::nn::parallel;
use pulp::{Simd, WithSimd};

/// Room after a channel's rows, for vectors that reach over their end.
const SLACK: usize = 64;
/// Bytes of rows that are worked on at once.
const BLOCK: usize = 256 << 10;

/// An up-convolution whose gradients are wanted.
pub struct Up<'a> {
    /// Gradient by the raw output, `[z', outputs, y', x']`.
    pub grad: &'a [f32],
    /// Number of channels.
    pub outputs: usize,
    /// Size of the input, `[x, y, z]`.
    pub from: [usize; 3],
    /// Size of the output.
    pub to: [usize; 3],
}

impl Up<'_> {
    /// The gradient by the input's read values, `[z, in, y, x]`, to `found`; `weight` is `[in, outputs, 2, 2, 2]`.
    pub fn by_input(&self, weight: &[f32], found: &mut [f32]) {
        let (parts, [x, y, _]) = (8 * self.outputs, self.from);
        let inputs = weight.len() / parts;
        let mut tiles: Vec<Tile<1>> = vec![[[0.0; ROWS]]; inputs.div_ceil(ROWS) * parts];
        for (input, row) in weight.chunks_exact(parts).enumerate() {
            for (n, &value) in row.iter().enumerate() {
                let (output, corner) = (n / 8, n % 8);
                tiles[input / ROWS * parts + self.part(output, corner)][0][input % ROWS] = value;
            }
        }
        let planes = found.chunks_exact_mut(inputs * y * x).enumerate().collect();
        parallel::map(planes, || (), |(), (z, to)| dispatch(ByInput { up: self, tiles: &tiles, z, to }));
    }

    /// The gradient by the weight, `[in, outputs, 2, 2, 2]`.
    pub fn grad_weight(&self, input: &Input) -> Vec<f32> {
        let (inputs, parts) = (input.scale_shifts.len(), 8 * self.outputs);
        let each = self.from[2].div_ceil(parallel::threads());
        let shares = (0..self.from[2]).step_by(each).map(|z| [z, self.from[2].min(z + each)]);
        let found = parallel::map(
            shares.collect(),
            || (),
            |(), planes| dispatch(ByWeight { up: self, input, planes }),
        );
        let mut weight = vec![0.0; inputs * parts];
        for sums in found {
            let padded = sums.len() / parts;
            for (n, sum) in weight.iter_mut().enumerate() {
                *sum += sums[self.part(n % parts / 8, n % 8) * padded + n / parts];
            }
        }
        weight
    }

    /// Where the values of an output at a corner of the block go.
    fn part(&self, output: usize, corner: usize) -> usize {
        (corner / 2 * self.outputs + output) * 2 + corner % 2
    }

    /// Rows of input that are worked on at once.
    fn rows(&self) -> usize {
        (BLOCK / (8 * self.outputs * self.from[0] * 4)).clamp(1, self.from[1])
    }

    /// The gradients above rows `first..first + count` of plane `z`, `[part, stride]`.
    #[inline(always)]
    fn apart(&self, z: usize, first: usize, count: usize, to: &mut [f32], stride: usize) {
        let ([x, _, _], [to_x, to_y, _]) = (self.from, self.to);
        for (pair, parts) in to.chunks_exact_mut(2 * stride).enumerate() {
            let (even, odd) = parts.split_at_mut(stride);
            let (corner, output) = (pair / self.outputs, pair % self.outputs);
            let (a, b) = (corner / 2, corner % 2);
            for row in 0..count {
                let plane = (2 * z + a) * self.outputs + output;
                let start = (plane * to_y + 2 * (first + row) + b) * to_x;
                let source = self.grad[start..start + 2 * x].chunks_exact(2);
                let (even, odd) = (&mut even[row * x..][..x], &mut odd[row * x..][..x]);
                for ((pair, even), odd) in source.zip(even).zip(odd) {
                    *even = pair[0];
                    *odd = pair[1];
                }
            }
            even[count * x..].fill(0.0);
            odd[count * x..].fill(0.0);
        }
    }
}

struct ByInput<'a, 'b> {
    up: &'a Up<'a>,
    tiles: &'a [Tile<1>],
    z: usize,
    to: &'b mut [f32],
}

impl WithSimd for ByInput<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { up, tiles, z, to } = self;
        let ([x, y, _], rows) = (up.from, up.rows());
        let (parts, stride, inputs) = (8 * up.outputs, rows * x + SLACK, to.len() / (x * y));
        let mut apart = Scratch::zeros(parts * stride);
        let mut products = Scratch::zeros(inputs.next_multiple_of(ROWS) * stride);
        for first in (0..y).step_by(rows) {
            let count = rows.min(y - first);
            up.apart(z, first, count, &mut apart, stride);
            multiply(simd, tiles, parts, &apart, stride, count * x, &mut products);
            for (to, products) in to.chunks_exact_mut(y * x).zip(products.chunks_exact(stride)) {
                to[first * x..(first + count) * x].copy_from_slice(&products[..count * x]);
            }
        }
    }
}

struct ByWeight<'a> {
    up: &'a Up<'a>,
    input: &'a Input<'a>,
    planes: [usize; 2],
}

impl WithSimd for ByWeight<'_> {
    /// `[part, in]`, the channels in [`padded`].
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { up, input, planes: [from, to] } = self;
        let ([x, y, _], at_once, inputs) = (up.from, up.rows(), input.scale_shifts.len());
        let (parts, stride, channels) = (8 * up.outputs, at_once * x + SLACK, padded::<S>(inputs));
        let (mut apart, mut read) = (Scratch::zeros(parts * stride), Scratch::zeros(inputs * stride));
        let mut values = Scratch::zeros(channels * at_once * x);
        let mut sums = vec![0.0; parts * channels];
        for z in from..to {
            for first in (0..y).step_by(at_once) {
                let rows = at_once.min(y - first);
                let count = rows * x;
                up.apart(z, first, rows, &mut apart, stride);
                for (channel, (scale_shift, read)) in
                    input.scale_shifts.iter().zip(read.chunks_exact_mut(stride)).enumerate()
                {
                    let start = ((z * inputs + channel) * y + first) * x;
                    let source = &input.data[start..start + count];
                    read.iter_mut().zip(source).for_each(|(to, &from)| *to = scale_shift.at(from));
                }
                let values = &mut values[..count * channels];
                interleave(read.chunks_exact(stride).map(|row| &row[..count]), channels, values);
                let all = Correlation { rows: &apart, stride, grad: values, outputs: channels };
                all.add::<S, 1>(simd, &mut sums);
            }
        }
        sums
    }
}
