//! The inner product of the gradients by weights, a few channels by a few vectors of outputs in registers.
//!
//! ```text
//! sums[i][tap][o] += sum over n of  grad[n][o] * rows[i][n + tap]
//! ```
//! Vectors go along the outputs: a sum stays in its lane, however few values there are.

use super::simd::many_registers;
use pulp::Simd;

/// Rows and the gradients that they meet.
pub struct Correlation<'a> {
    /// Rows of all channels, `[in, stride]`.
    pub rows: &'a [f32],
    /// From one channel to the next: at least as many values as there are gradients, and the taps beyond.
    pub stride: usize,
    /// `[n, outputs]`
    pub grad: &'a [f32],
    /// Channels of the gradients, [`padded`].
    pub outputs: usize,
}

/// Channels of the gradients, with those that fill the vectors of a block.
#[inline(always)]
pub fn padded<S: Simd>(outputs: usize) -> usize {
    outputs.next_multiple_of(if many_registers::<S>() { S::F32_LANES } else { 2 * S::F32_LANES })
}

impl Correlation<'_> {
    /// Adds the products to `sums`, `[in, tap, outputs]`.
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    pub fn add<S: Simd, const TAPS: usize>(&self, simd: S, sums: &mut [f32]) {
        let many = many_registers::<S>();
        let inputs = sums.len() / (TAPS * self.outputs);
        for output in (0..self.outputs).step_by(2 * S::F32_LANES) {
            let is_pair = output + S::F32_LANES < self.outputs;
            let mut input = 0;
            while input < inputs {
                let at = [input, output];
                input += match (is_pair || !many, inputs - input) {
                    (true, 4..) if many => self.block::<S, TAPS, 4, 2>(simd, at, sums),
                    (true, 2..) => self.block::<S, TAPS, 2, 2>(simd, at, sums),
                    (true, _) => self.block::<S, TAPS, 1, 2>(simd, at, sums),
                    (false, 8..) => self.block::<S, TAPS, 8, 1>(simd, at, sums),
                    (false, 4..) => self.block::<S, TAPS, 4, 1>(simd, at, sums),
                    (false, _) => self.block::<S, TAPS, 1, 1>(simd, at, sums),
                };
            }
        }
    }

    /// `I` channels by `V` vectors of outputs, from these on; returns `I`.
    #[allow(
        clippy::needless_range_loop,
        reason = "loops over constants stay in registers, iterators went to the stack"
    )]
    #[inline(always)]
    fn block<S: Simd, const TAPS: usize, const I: usize, const V: usize>(
        &self,
        simd: S,
        [input, output]: [usize; 2],
        sums: &mut [f32],
    ) -> usize {
        let Self { rows, stride, grad, outputs } = *self;
        let length = grad.len() / outputs;
        let mut parts = [[[simd.splat_f32s(0.0); V]; TAPS]; I];
        let mut taps = [[&rows[..0]; TAPS]; I];
        for i in 0..I {
            for tap in 0..TAPS {
                taps[i][tap] = &rows[(input + i) * stride + tap..][..length];
            }
        }
        for (n, grad) in grad.chunks_exact(outputs).enumerate() {
            let grad = S::as_simd_f32s(&grad[output..output + V * S::F32_LANES]).0;
            for i in 0..I {
                for tap in 0..TAPS {
                    let value = simd.splat_f32s(taps[i][tap][n]);
                    for v in 0..V {
                        parts[i][tap][v] = simd.mul_add_e_f32s(grad[v], value, parts[i][tap][v]);
                    }
                }
            }
        }
        for i in 0..I {
            for tap in 0..TAPS {
                let at = ((input + i) * TAPS + tap) * outputs + output;
                let own = S::as_mut_simd_f32s(&mut sums[at..at + V * S::F32_LANES]).0;
                for v in 0..V {
                    own[v] = simd.add_f32s(own[v], parts[i][tap][v]);
                }
            }
        }
        I
    }
}

/// Rows of several channels value by value: `to` is `[n, outputs]`, zeros where there are fewer channels.
pub fn interleave<'a>(mut channels: impl Iterator<Item = &'a [f32]>, outputs: usize, to: &mut [f32]) {
    for first in (0..outputs).step_by(4) {
        let rows: [Option<&[f32]>; 4] = std::array::from_fn(|_| channels.next());
        if let [Some(a), Some(b), Some(c), Some(d)] = rows {
            for ((((to, a), b), c), d) in to.chunks_exact_mut(outputs).zip(a).zip(b).zip(c).zip(d) {
                to[first..first + 4].copy_from_slice(&[*a, *b, *c, *d]);
            }
        } else {
            for (n, to) in to.chunks_exact_mut(outputs).enumerate() {
                let own = to[first..].iter_mut().zip(rows);
                own.for_each(|(to, row)| *to = row.map_or(0.0, |row| row[n]));
            }
        }
    }
}
