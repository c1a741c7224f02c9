//! 3^3 convolution on the CPU.
//!
//! ```text
//! y[o, z, y, x] = sum over i, dz, dy, dx of  w[o, i, dz, dy, dx] * norm_act_i(x[i, z + dz - 1, y + dy - 1, x + dx - 1])
//! ```
//!
//! Along z and y by Winograd's way ([`super::winograd`]), along x directly: a product of one point is a small matrix
//! product over channels and dx. Normalisation happens in the transform of the input, once per row, for all
//! convolutions that read the same; statistics of the output are taken from each row while it is in the cache.
//!
//! The gradient by x is a convolution again, of the gradient by y with the weights transposed
//! ([`Weight::backward`]); that by w is in [`super::conv_weight`].

use super::input::Input;
use super::micro_kernel::{ROWS, Tile, multiply};
use super::row_moments::rows_moments;
use super::scratch::Scratch;
use super::simd::dispatch;
use super::tile_rows::{Rows, SLACK};
use super::winograd::{ALONG, POINTS, SIDE, combine, taps};
use crate::engine::nn::parallel;
use crate::engine::nn::scale_shift::Moments;
use crate::error::Result;
use pulp::{Simd, WithSimd};
use std::array::from_fn;
use std::ops::Range;

/// Bytes of transformed rows that are worked on at once: they should stay in the second level of cache.
const BLOCK: usize = 1350 << 10;

/// A transformed weight: `[point, outputs / 4, in, dx, 4]`, zeros where there are fewer outputs.
pub struct Weight {
    inputs: usize,
    outputs: usize,
    points: Vec<Tile<3>>,
}

impl Weight {
    /// Transforms `[outputs, inputs, 3, 3, 3]`.
    pub fn new(weight: &[f32], inputs: usize, outputs: usize) -> Self {
        Self::from_taps(inputs, outputs, |output, input, tap| weight[(output * inputs + input) * 27 + tap])
    }

    /// For the gradient by channels `channels` of the input, from those by the outputs of all `weights`: each is
    /// `[outputs, inputs, 3, 3, 3]`, with its number of outputs.
    pub fn backward(weights: &[(&[f32], usize)], inputs: usize, channels: Range<usize>) -> Self {
        let total = weights.iter().map(|(_, outputs)| outputs).sum();
        let owner = |mut output: usize| {
            for (weight, outputs) in weights {
                if output < *outputs {
                    return &weight[output * inputs * 27..][..inputs * 27];
                }
                output -= outputs;
            }
            &[]
        };
        let rows: Vec<&[f32]> = (0..total).map(owner).collect();
        Self::from_taps(total, channels.len(), |input, output, tap| {
            rows[output][(channels.start + input) * 27 + 26 - tap]
        })
    }

    fn from_taps(inputs: usize, outputs: usize, tap: impl Fn(usize, usize, usize) -> f32) -> Self {
        let tiles = outputs.div_ceil(ROWS);
        let mut points = vec![[[0.0; ROWS]; 3]; POINTS * tiles * inputs];
        for index in 0..tiles * inputs {
            let (first, input) = (index / inputs * ROWS, index % inputs);
            let own = |t: usize, o: usize| if first + o < outputs { tap(first + o, input, t) } else { 0.0 };
            let kernel: [[f32; ROWS]; 27] = from_fn(|t| from_fn(|o| own(t, o)));
            for dx in 0..3 {
                let along_y: [[[f32; ROWS]; ALONG]; 3] =
                    from_fn(|dz| of_each(from_fn(|dy| kernel[dz * 9 + dy * 3 + dx])));
                for v in 0..ALONG {
                    for (u, values) in of_each(from_fn(|dz| along_y[dz][v])).into_iter().enumerate() {
                        points[(ALONG * u + v) * tiles * inputs + index][dx] = values;
                    }
                }
            }
        }
        Self { inputs, outputs, points }
    }
}

/// Points of three taps of some outputs, each by itself.
#[inline(always)]
fn of_each(kernel: [[f32; ROWS]; 3]) -> [[f32; ROWS]; ALONG] {
    let each: [[f32; ALONG]; ROWS] = from_fn(|output| taps(kernel.map(|tap| tap[output])));
    from_fn(|point| each.map(|points| points[point]))
}

/// The raw outputs `[z, outputs, y, x]` of convolutions that read the same, each with its weight, and the statistics
/// of their channels. `dims` is `[x, y, z]`; `pause` is asked between slabs, with the share that is done.
///
/// # Errors
/// What `pause` gives.
pub fn forward(
    inputs: &[Input],
    targets: Vec<(&Weight, &mut [f32])>,
    dims: [usize; 3],
    pause: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<Vec<Vec<Moments>>> {
    convolve(inputs, targets, dims, true, pause)
}

/// The gradients by what convolutions read, from those by their raw outputs: as [`forward`] with weights of
/// [`Weight::backward`], but nobody asks for their statistics.
///
/// # Errors
/// None of its own.
pub fn backward(grad: &[Input], targets: Vec<(&Weight, &mut [f32])>, dims: [usize; 3]) -> Result<()> {
    convolve(grad, targets, dims, false, &mut |_| Ok(())).map(|_| ())
}

fn convolve(
    inputs: &[Input],
    targets: Vec<(&Weight, &mut [f32])>,
    dims: [usize; 3],
    statistics: bool,
    pause: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<Vec<Vec<Moments>>> {
    let [x, y, z] = dims;
    let weights: Vec<&Weight> = targets.iter().map(|(weight, _)| *weight).collect();
    let outputs: usize = weights.iter().map(|weight| weight.outputs).sum();
    let channels = weights.first().map_or(0, |weight| weight.inputs);
    // Few planes and many channels: the channels are shared out too, so that every thread has work.
    let slabs = z.div_ceil(SIDE);
    let wanted = if parallel::threads() == 1 { 1 } else { 3 * parallel::threads() };
    let groups = wanted.div_ceil(slabs).clamp(1, outputs.div_ceil(16).max(1));
    let group = if groups == 1 { usize::MAX } else { outputs.div_ceil(groups).next_multiple_of(ROWS) };
    let widest = weights.iter().map(|weight| weight.outputs.min(group)).max().unwrap_or(0);
    let mut parts: Vec<Vec<Part>> = (0..slabs).map(|_| Vec::new()).collect();
    for (target, (weight, output)) in targets.into_iter().enumerate() {
        let (size, group) = (weight.outputs * y * x, group.min(weight.outputs));
        for (parts, slab) in parts.iter_mut().zip(output.chunks_mut(SIDE * size)) {
            let mut planes: Vec<_> =
                slab.chunks_mut(size).map(|plane| plane.chunks_mut(group * y * x)).collect();
            for first in (0..weight.outputs).step_by(group) {
                let planes = planes.iter_mut().filter_map(Iterator::next).collect();
                parts.push(Part { target, first, count: group.min(weight.outputs - first), planes });
            }
        }
    }
    let mut items: Vec<Item> = Vec::new();
    for (slab, parts) in parts.into_iter().enumerate() {
        let each = parts.len().div_ceil(groups);
        let mut parts = parts.into_iter();
        while parts.len() > 0 {
            items.push(Item { slab, parts: parts.by_ref().take(each).collect() });
        }
    }
    let mut moments: Vec<_> = weights.iter().map(|w| vec![Moments::default(); w.outputs]).collect();
    parallel::in_slabs(
        items,
        (x * y * channels * outputs) as f64 * 108.0 / groups as f64,
        || Block::new(x, y, channels, widest),
        |block, item| dispatch(Slab { inputs, weights: &weights, dims, statistics, item, block }),
        |found| {
            for (target, first, part) in found {
                let sums = moments[target][first..].iter_mut();
                sums.zip(part).for_each(|(sum, part)| *sum = sum.with(part));
            }
        },
        pause,
    )?;
    Ok(moments)
}

/// Some output channels of a slab.
struct Part<'a> {
    /// Which convolution.
    target: usize,
    /// First output channel, a multiple of [`ROWS`].
    first: usize,
    /// How many channels.
    count: usize,
    /// `[c, y, x]` each, four of them; fewer where the map ends.
    planes: Vec<&'a mut [f32]>,
}

/// What is made from the same rows.
struct Item<'a> {
    slab: usize,
    parts: Vec<Part<'a>>,
}

/// The work on one item, compiled for each kind of vector.
struct Slab<'a, 'b> {
    inputs: &'a [Input<'a>],
    weights: &'a [&'a Weight],
    dims: [usize; 3],
    statistics: bool,
    item: Item<'b>,
    block: &'b mut Block,
}

impl WithSimd for Slab<'_, '_> {
    /// Of each part: which convolution, its first channel, the statistics.
    type Output = Vec<(usize, usize, Vec<Moments>)>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let ([_, y, _], block) = (self.dims, self.block);
        let Item { slab, mut parts } = self.item;
        let fresh = |part: &Part| (part.target, part.first, vec![Moments::default(); part.count]);
        let mut moments: Vec<_> = parts.iter().map(fresh).collect();
        for first in (0..y.div_ceil(SIDE)).step_by(block.rows.tiles) {
            block.rows.load(simd, self.inputs, self.dims, [slab, first], 0);
            for (part, (_, _, moments)) in parts.iter_mut().zip(&mut moments) {
                block.multiply(simd, self.weights[part.target], part.first, part.count);
                block.back(simd, part, first, moments, self.dims, self.statistics);
            }
        }
        moments
    }
}

/// Transformed rows and their products.
struct Block {
    rows: Rows,
    /// Channels out.
    outputs: usize,
    /// `[point, out, stride]`
    products: Scratch,
    /// A tile that ends outside of the map.
    spare: Scratch,
}

impl Block {
    fn new(x: usize, y: usize, inputs: usize, outputs: usize) -> Self {
        let (pitch, outputs) = (x + 2, outputs.next_multiple_of(ROWS));
        let fit = BLOCK / (POINTS * (inputs + outputs) * pitch * 4);
        let tiles = fit.min(256 / pitch).max(48usize.div_ceil(pitch)).clamp(1, y.div_ceil(SIDE));
        let rows = Rows::new(x, inputs, tiles, 1);
        let products = Scratch::any(POINTS * outputs * (tiles * pitch + SLACK));
        Self { rows, outputs, products, spare: Scratch::any(SIDE * SIDE * x) }
    }

    /// The products of all points, for output channels `first..first + count`.
    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, weight: &Weight, first: usize, count: usize) {
        let Rows { inputs, tiles, pitch, stride, ref values, .. } = self.rows;
        let length = tiles * pitch - 2;
        let all = weight.outputs.div_ceil(ROWS);
        for point in 0..POINTS {
            let rows = &values[point * inputs * stride..][..inputs * stride];
            let products =
                &mut self.products[point * self.outputs * stride..][..count.next_multiple_of(ROWS) * stride];
            let weights = &weight.points[(point * all + first / ROWS) * inputs..];
            multiply(simd, weights, inputs, rows, stride, length, products);
        }
    }

    /// The way back from products to rows of output, and their statistics.
    #[inline(always)]
    fn back<S: Simd>(
        &mut self,
        simd: S,
        part: &mut Part,
        first: usize,
        moments: &mut [Moments],
        [x, y, _]: [usize; 3],
        statistics: bool,
    ) {
        let Self { outputs, ref products, ref mut spare, .. } = *self;
        let Rows { stride, pitch, tiles, .. } = self.rows;
        for (channel, moments) in moments.iter_mut().enumerate() {
            let points: [&[f32]; POINTS] =
                from_fn(|point| &products[(point * outputs + channel) * stride..][..stride]);
            for tile in 0..tiles.min(y.div_ceil(SIDE) - first) {
                let row = SIDE * (first + tile);
                let own = (channel * y + row) * x..(channel * y + y.min(row + SIDE)) * x;
                let is_whole = own.len() == SIDE * x && part.planes.len() == SIDE;
                let mut rest = spare.chunks_exact_mut(SIDE * x);
                let mut planes = part.planes.iter_mut();
                let to = from_fn(|_| match planes.next() {
                    Some(plane) if is_whole => &mut plane[own.clone()],
                    _ => rest.next().unwrap_or_default(),
                });
                combine(simd, &points, tile * pitch, x, to);
                if !is_whole {
                    for (plane, spare) in part.planes.iter_mut().zip(spare.chunks_exact(SIDE * x)) {
                        plane[own.clone()].copy_from_slice(&spare[..own.len()]);
                    }
                }
                if statistics {
                    for plane in &part.planes {
                        *moments = with_rows(*moments, &plane[own.clone()], x);
                    }
                }
            }
        }
    }
}

/// Statistics, with those of some rows of `x` values.
#[inline(always)]
fn with_rows(sum: Moments, plane: &[f32], x: usize) -> Moments {
    let mut sum = sum;
    for rows in plane.chunks(2 * x) {
        let (upper, lower) = rows.split_at(x);
        sum = sum.with(if lower.is_empty() { rows_moments([upper]) } else { rows_moments([upper, lower]) });
    }
    sum
}
