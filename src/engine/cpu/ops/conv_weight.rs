//! The gradient of a 3^3 convolution by its weight, on the CPU.
//!
//! ```text
//! dw[o, i, dz, dy, dx] = sum over z, y, x of  dy[o, z, y, x] * norm_act_i(x[i, z + dz - 1, y + dy - 1, x + dx - 1])
//! ```
//!
//! In Winograd's points ([`super::winograd`]): 9 products per voxel and pair of channels in place of 27. A product of
//! one point sums over whole rows, so many tiles are laid one after the other: the sums stay in registers
//! all the way. Threads share out the outputs where there are many, and else the planes.

use super::input::Input;
use super::micro_kernel::{ROWS, Tile, correlate};
use super::scratch::Scratch;
use super::simd::dispatch;
use super::tile_rows::Rows;
use super::winograd::{ALONG_Y, HEIGHT, POINTS, spread, taps_y_back, taps_z_back};
use crate::engine::nn::parallel;
use pulp::{Simd, WithSimd};
use std::array::from_fn;

/// Values of a row of products that are summed at once: with more of them sums of lanes cost less, and the points'
/// rows leave the second level of cache, which costs more.
const LENGTH: usize = 420;
/// Bytes of a point's rows: they should stay in the second level of cache.
const BLOCK: usize = 512 << 10;
/// Tiles of a piece: their transforms along z share rows.
const TILES: usize = 2;

/// The gradients `[outputs, inputs, 3, 3, 3]` by the weights of convolutions that read the same `inputs`. `slopes`
/// are the gradients by their raw outputs: `[z, outputs, y, x]` and the number of outputs. `dims` is `[x, y, z]`.
pub fn conv_weight(inputs: &[Input], grad: &[(&[f32], usize)], dims: [usize; 3]) -> Vec<Vec<f32>> {
    let channels: usize = inputs.iter().map(|input| input.scale_shifts.len()).sum();
    let outputs: usize = grad.iter().map(|(_, outputs)| outputs).sum();
    let mut found = vec![0.0; outputs * channels * 27];
    let threads = parallel::threads();
    let groups = threads.min(outputs / 16).max(1);
    let group = outputs.div_ceil(groups).next_multiple_of(ROWS);
    let pieces = dims[2].div_ceil(2) * dims[1].div_ceil(HEIGHT * TILES);
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
    for (first, points) in parts {
        let rows = found[first * channels * 27..].chunks_exact_mut(27);
        let count = points.len() / (POINTS * channels) * ROWS;
        let pairs = (0..count).flat_map(|o| (0..channels).map(move |i| (o, i)));
        for ((output, input), sums) in pairs.zip(rows) {
            let tile = |point: usize| (point * (count / ROWS) + output / ROWS) * channels + input;
            for dx in 0..3 {
                let point = |u: usize, v: usize| points[tile(ALONG_Y * u + v)][dx][output % ROWS];
                let along_z: [[f32; 3]; ALONG_Y] = from_fn(|v| taps_z_back(from_fn(|u| point(u, v))));
                for dz in 0..3 {
                    let along_y = taps_y_back(from_fn(|v| along_z[v][dz]));
                    (0..3).for_each(|dy| sums[dz * 9 + dy * 3 + dx] += along_y[dy]);
                }
            }
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

/// Some outputs and some pieces, counted through all pairs of planes.
struct Share<'a> {
    inputs: &'a [Input<'a>],
    grad: &'a [(&'a [f32], usize)],
    dims: [usize; 3],
    outputs: [usize; 2],
    channels: usize,
    pieces: [usize; 2],
}

impl WithSimd for Share<'_> {
    /// `[point, outputs / 4, in]`
    type Output = Vec<Tile<3>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Tile<3>> {
        let Self { dims: [x, y, _], outputs: [first, end], channels, pieces: [from, to], .. } = self;
        let count = (end - first).next_multiple_of(ROWS);
        let (high, tiles) = (y.div_ceil(HEIGHT * TILES), TILES.min(y.div_ceil(HEIGHT)));
        let fit = (BLOCK / (4 * (channels + count))).clamp(64, LENGTH) / (tiles * (x + 2));
        let at_once = fit.clamp(1, to - from);
        let mut rows = Rows::new(x, channels, tiles, at_once);
        let mut grad = Scratch::zeros(POINTS * count * rows.stride);
        let mut sums = vec![[[0.0; ROWS]; 3]; POINTS * count / ROWS * channels];
        let nothing = Scratch::zeros(x);
        let length = at_once * tiles * rows.pitch;
        for begin in (from..to).step_by(at_once) {
            for piece in 0..at_once {
                let at = begin + piece;
                // Past the end the old rows stay, and meet zeros.
                if at < to {
                    rows.load(simd, self.inputs, self.dims, [at / high, at % high * TILES], piece);
                }
                for tile in 0..tiles {
                    let row = if at < to { HEIGHT * (at % high * TILES + tile) } else { y };
                    self.load(simd, &mut grad, &rows, [at / high, row], piece * tiles + tile, &nothing);
                }
            }
            let (size, stride) = (channels * rows.stride, rows.stride);
            for ((rows, grad), sums) in rows
                .values
                .chunks_exact(size)
                .zip(grad.chunks_exact(count * stride))
                .zip(sums.chunks_exact_mut(count / ROWS * channels))
            {
                let each = grad.chunks_exact(ROWS * stride).zip(sums.chunks_exact_mut(channels));
                each.for_each(|(grad, sums)| correlate(simd, rows, grad, stride, length, sums));
            }
        }
        sums
    }
}

impl Share<'_> {
    /// Transforms the rows of a tile of the gradient by the outputs into `[point, outputs, stride]`; outside they are
    /// zeros. A vector may reach over the end of a row, to where the next one is written later.
    #[inline(always)]
    fn load<S: Simd>(
        &self,
        simd: S,
        to: &mut [f32],
        rows: &Rows,
        [pair, row]: [usize; 2],
        tile: usize,
        nothing: &[f32],
    ) {
        let ([x, y, z], [first, end]) = (self.dims, self.outputs);
        let size = (end - first).next_multiple_of(ROWS) * rows.stride;
        let mut channel = 0;
        for (values, outputs) in self.grad {
            for output in 0..*outputs {
                if (first..end).contains(&channel) {
                    let source = |dz: usize, dy: usize| {
                        let (plane, row) = (2 * pair + dz, row + dy);
                        let start = ((plane * outputs + output) * y + row) * x;
                        if plane < z && row < y { &values[start..start + x] } else { nothing }
                    };
                    let at = (channel - first) * rows.stride + tile * rows.pitch;
                    spread(simd, &mut to[at..], size, from_fn(|dz| from_fn(|dy| source(dz, dy))));
                }
                channel += 1;
            }
        }
    }
}
