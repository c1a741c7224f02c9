//! Up-convolution 2^3 of stride 2 on the CPU: every input voxel gives a block of eight.
//!
//! ```text
//! y[o, 2 z + a, 2 y + b, 2 x + d] = sum over i of  w[i, o, a, b, d] * norm_act_i(x[i, z, y, x])
//! ```
//! Where the output is longer than twice the input its last plane is zero: that is the reference's padding.

use super::input::Input;
use super::micro_kernel::{ROWS, Tile, multiply};
use super::row_moments::rows_moments;
use super::scratch::Scratch;
use super::simd::dispatch;
use crate::engine::nn::parallel;
use crate::engine::nn::scale_shift::Moments;
use pulp::{Simd, WithSimd};

/// Room after a channel's rows, for vectors that reach over their end.
const SLACK: usize = 64;

/// A weight by `[a, b]`, then `[(outputs, d) / 4, in, 4]`, zeros where there are fewer outputs.
pub struct Weight {
    inputs: usize,
    outputs: usize,
    parts: Vec<Vec<Tile<1>>>,
}

impl Weight {
    /// From `[inputs, outputs, 2, 2, 2]`.
    pub fn new(weight: &[f32], inputs: usize, outputs: usize) -> Self {
        let part = |ab: usize| {
            let mut part = vec![[[0.0; ROWS]; 1]; (2 * outputs).div_ceil(ROWS) * inputs];
            for input in 0..inputs {
                for column in 0..2 * outputs {
                    let value = weight[((input * outputs + column / 2) * 4 + ab) * 2 + column % 2];
                    part[column / ROWS * inputs + input][0][column % ROWS] = value;
                }
            }
            part
        };
        Self { inputs, outputs, parts: (0..4).map(part).collect() }
    }
}

/// `[z, in, y, x]` of size `from` (`[x, y, z]`) -> the raw `[z', outputs, y', x']` of size `to`, and the
/// statistics of each channel.
pub fn forward(
    input: &Input,
    weight: &Weight,
    from: [usize; 3],
    to: [usize; 3],
    output: &mut [f32],
) -> Vec<Moments> {
    let plane = weight.outputs * to[1] * to[0];
    let pairs: Vec<_> = output.chunks_mut(2 * plane).enumerate().collect();
    let found =
        parallel::map(pairs, || (), |(), (z, planes)| dispatch(Pair { input, weight, from, to, z, planes }));
    let mut moments = vec![Moments::default(); weight.outputs];
    for part in found {
        moments.iter_mut().zip(part).for_each(|(sum, part)| *sum = sum.with(part));
    }
    moments
}

/// The planes that one plane of input gives.
struct Pair<'a, 'b> {
    input: &'a Input<'a>,
    weight: &'a Weight,
    from: [usize; 3],
    to: [usize; 3],
    z: usize,
    planes: &'b mut [f32],
}

impl WithSimd for Pair<'_, '_> {
    type Output = Vec<Moments>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Moments> {
        let Self { input, weight, from: [x, y, z], to: [to_x, to_y, _], .. } = self;
        let Weight { inputs, outputs, .. } = *weight;
        self.planes.fill(0.0);
        if self.z < z {
            // As many rows at once as stay in the cache with their products.
            let rows = (64 << 10) / (inputs * x * 4);
            let rows = rows.clamp(1, y);
            let stride = rows * x + SLACK;
            let mut normal = Scratch::zeros(inputs * stride);
            let mut products = Scratch::zeros((2 * outputs).next_multiple_of(ROWS) * stride);
            for first in (0..y).step_by(rows) {
                let count = rows.min(y - first);
                for (channel, (scale_shift, normal)) in
                    input.scale_shifts.iter().zip(normal.chunks_exact_mut(stride)).enumerate()
                {
                    let start = ((self.z * inputs + channel) * y + first) * x;
                    let source = &input.data[start..start + count * x];
                    normal.iter_mut().zip(source).for_each(|(to, &from)| *to = scale_shift.at(from));
                }
                for (ab, part) in weight.parts.iter().enumerate() {
                    let (a, b) = (ab / 2, ab % 2);
                    let Some(plane) = self.planes.chunks_exact_mut(outputs * to_y * to_x).nth(a) else {
                        continue;
                    };
                    multiply(simd, part, inputs, &normal, stride, count * x, &mut products);
                    for (channel, pair) in products.chunks_exact(2 * stride).take(outputs).enumerate() {
                        let (even, odd) = pair.split_at(stride);
                        for row in 0..count {
                            let start = (channel * to_y + 2 * (first + row) + b) * to_x;
                            let at = row * x..(row + 1) * x;
                            let pairs = plane[start..start + 2 * x].chunks_exact_mut(2);
                            for ((out, &even), &odd) in pairs.zip(&even[at.clone()]).zip(&odd[at]) {
                                out[0] = even;
                                out[1] = odd;
                            }
                        }
                    }
                }
            }
        }
        let mut moments = vec![Moments::default(); outputs];
        for plane in self.planes.chunks_exact(outputs * to_y * to_x) {
            for (moments, rows) in moments.iter_mut().zip(plane.chunks_exact(to_y * to_x)) {
                for row in rows.chunks_exact(to_x) {
                    *moments = moments.with(rows_moments([row]));
                }
            }
        }
        moments
    }
}
