//! 3^3 convolution of one or two maps' channels, zero padding.
//!
//! ```text
//! y[o, z, y, x] = sum over i, dz, dy, dx of  w[o, i, dz, dy, dx] * norm_act_i(x[i, z + dz - 1, y + dy - 1, x + dx - 1])
//! ```
//!
//! The channels of the second map follow those of the first: that is the concat, which is never built. An
//! invocation has eight voxels in a row and eight output channels in registers (64 sums); of each row of input it
//! reads ten channel blocks and 24 of weights, for 768 products. It leaves the moments of its values for [`crate::engine::wgsl::norm_act`].
//!
//! Two variants, the same numbers. *Direct* reads all from memory: right where there is no fast shared memory
//! (software adapters). *Tiled* has a workgroup read its box of input and its weights once into shared memory: at
//! 32 channels one read from memory for 90 products ([`super::tiled_loads`]).

use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::layout::Layout;

/// Voxels in a row of one invocation.
pub const ROW: usize = 8;
/// Output channels of one invocation.
pub const OUTPUTS: usize = 8;
/// Numbers of the uniform, in order.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    /// The output.
    pub output: Layout,
    /// Plane with which the output's buffer begins.
    pub start: usize,
    /// First plane of the slab.
    pub first: usize,
    /// Planes of the slab.
    pub planes: usize,
    /// Layout, first plane and slope below zero of each source.
    pub sources: [(Layout, usize, f32); 2],
}

impl Params {
    /// As the shader reads them.
    pub fn words(&self) -> Vec<u32> {
        let [x, y, z] = self.output.dims;
        let size =
            [x, y, z, self.output.channel_blocks, self.output.pitch, self.start, self.first, self.planes];
        let mut words: Vec<u32> = size.iter().map(|&n| n as u32).collect();
        for (layout, start, negative_slope) in self.sources {
            words.extend([
                layout.channel_blocks as u32,
                layout.pitch as u32,
                start as u32,
                negative_slope.to_bits(),
            ]);
        }
        words
    }
}

/// Weights `[o / 8, i / 4, dz, dy, dx, i % 4, o / 4 % 2]` as channel blocks of `o % 4` from `[o, i, 3, 3, 3]`; the channels of
/// each source are filled up to fours by zeros.
pub fn pack(weight: &[f32], sources: &[usize], outputs: usize) -> Vec<f32> {
    let inputs: usize = sources.iter().sum();
    let channel_blocks: usize = sources.iter().map(|channels| channels.div_ceil(4)).sum();
    let mut packed = vec![0.0; outputs.div_ceil(8) * channel_blocks * 27 * 32];
    for output in 0..outputs {
        let (mut input, mut channel_block) = (0, 0);
        for &channels in sources {
            for channel in 0..channels {
                for tap in 0..27 {
                    let block = (output / 8 * channel_blocks + channel_block + channel / 4) * 27 + tap;
                    let at = ((block * 4 + channel % 4) * 2 + output / 4 % 2) * 4 + output % 4;
                    packed[at] = weight[(output * inputs + input + channel) * 27 + tap];
                }
            }
            input += channels;
            channel_block += channels.div_ceil(4);
        }
    }
    packed
}

/// Moments left by a slab: one per row of an invocation, row by row, plane by plane, channel block after channel block.
pub fn moments(output: &Layout, planes: usize, row: usize) -> usize {
    let [x, y, _] = output.dims;
    x.div_ceil(row) * y * planes
}

/// The formula as it stands: `sources` are maps `[c, z, y, x]` with a scale and shift per channel, `weight` is `[o, i, 3, 3, 3]`.
pub fn reference(
    sources: &[(&[f32], &[ScaleShift])],
    weight: &[f32],
    outputs: usize,
    [x, y, z]: [usize; 3],
) -> Vec<f32> {
    let volume = x * y * z;
    let channels: Vec<(&[f32], ScaleShift)> = sources
        .iter()
        .flat_map(|(values, scale_shifts)| values.chunks_exact(volume).zip(scale_shifts.iter().copied()))
        .collect();
    let value = |output: usize, at: [usize; 3]| {
        let mut sum = 0.0;
        for (input, (values, scale_shift)) in channels.iter().enumerate() {
            for tap in 0..27 {
                let [sx, sy, sz] =
                    [at[0] + tap % 3, at[1] + tap / 3 % 3, at[2] + tap / 9].map(|n| n.wrapping_sub(1));
                if sx < x && sy < y && sz < z {
                    let w = weight[(output * channels.len() + input) * 27 + tap];
                    sum += f64::from(w) * f64::from(scale_shift.at(values[(sz * y + sy) * x + sx]));
                }
            }
        }
        sum as f32
    };
    (0..outputs * volume).map(|i| value(i / volume, [i % x, i / x % y, i / (x * y) % z])).collect()
}
