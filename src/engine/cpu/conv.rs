//! 3^3 convolution on the CPU.
//!
//! ```text
//! y[o, z, y, x] = sum over i, dz, dy, dx of  w[o, i, dz, dy, dx] * line_i(x[i, z + dz - 1, y + dy - 1, x + dx - 1])
//! ```
//!
//! Along z and y by Winograd's F(2, 3), along x directly. Four rows of input (d) give two of output (y) by four
//! products in place of six (Lavin and Gray, arXiv 1509.09308); on both axes 16 in place of 36:
//!
//! ```text
//! v = d0 - d2,  d1 + d2,  d2 - d1,  d1 - d3        u = g0,  (g0 + g1 + g2) / 2,  (g0 - g1 + g2) / 2,  g2
//! y = m0 + m1 + m2,  m1 - m2 - m3                  m = u v
//! ```
//!
//! What is transformed are whole rows, so every step is a vector operation along x, whatever the channels. A
//! product of one point is a small matrix product over channels and dx. Normalisation happens in the transform of
//! the input, once per row; statistics of the output are taken from each row while it is in the cache.

use super::super::norm::Moments;
use super::product::{ROWS, Tile, multiply};
use super::{Input, Line, parallel};
use crate::error::Result;
use pulp::{Simd, WithSimd};
use std::array::from_fn;

/// Points of the transform, 4 along z by 4 along y.
const POINTS: usize = 16;
/// Room after the last row of a point, for vectors that reach over its end.
const SLACK: usize = 64;
/// Bytes of transformed rows that are worked on at once: they should stay in the second level of cache.
const BLOCK: usize = 900 << 10;

/// A transformed weight: `[point, outputs / 4, in, dx, 4]`, zeros where there are fewer outputs.
pub struct Weight {
    inputs: usize,
    outputs: usize,
    points: Vec<Tile<3>>,
}

/// Rows (planes) of a 3-tap kernel -> the four points.
fn transform_taps(g: [f32; 3]) -> [f32; 4] {
    [g[0], 0.5 * (g[0] + g[1] + g[2]), 0.5 * (g[0] - g[1] + g[2]), g[2]]
}

impl Weight {
    /// Transforms `[outputs, inputs, 3, 3, 3]`.
    pub fn new(weight: &[f32], inputs: usize, outputs: usize) -> Self {
        let tiles = outputs.div_ceil(ROWS);
        let mut points = vec![[[0.0; ROWS]; 3]; POINTS * tiles * inputs];
        for output in 0..outputs {
            for input in 0..inputs {
                let taps = &weight[(output * inputs + input) * 27..][..27];
                for dx in 0..3 {
                    let along_y: [[f32; 4]; 3] =
                        from_fn(|dz| transform_taps(from_fn(|dy| taps[dz * 9 + dy * 3 + dx])));
                    for point in 0..POINTS {
                        let (u, v) = (point / 4, point % 4);
                        let along_z = transform_taps(from_fn(|dz| along_y[dz][v]));
                        let tile = (point * tiles + output / ROWS) * inputs + input;
                        points[tile][dx][output % ROWS] = along_z[u];
                    }
                }
            }
        }
        Self { inputs, outputs, points }
    }
}

/// The raw output `[z, outputs, y, x]` into `output`, and the statistics of each channel. `dims` is `[x, y, z]`;
/// `pause` is asked between slabs, with the share that is done.
///
/// # Errors
/// What `pause` gives.
pub fn conv(
    inputs: &[Input],
    weight: &Weight,
    dims: [usize; 3],
    output: &mut [f32],
    pause: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<Vec<Moments>> {
    let [x, y, z] = dims;
    // Few planes and many channels: the channels are shared out too, so that every thread has work.
    let pairs = z.div_ceil(2);
    let most = weight.outputs.div_ceil(16);
    let groups = (4 * parallel::threads()).div_ceil(pairs).clamp(1, most.max(1));
    let group = weight.outputs.div_ceil(groups).next_multiple_of(ROWS);
    let mut items: Vec<Item> = Vec::new();
    for (pair, planes) in output.chunks_mut(2 * weight.outputs * y * x).enumerate() {
        let (near, far) = planes.split_at_mut(weight.outputs * y * x);
        let mut far = far.chunks_mut(group * y * x);
        for (index, near) in near.chunks_mut(group * y * x).enumerate() {
            items.push(Item { pair, first: index * group, near, far: far.next() });
        }
    }
    let mut moments = vec![Moments::default(); weight.outputs];
    parallel::in_slabs(
        items,
        (x * y * weight.inputs * weight.outputs) as f64 * 54.0 / groups as f64,
        || Block::new(x, y, weight.inputs, group),
        |block, item| {
            let first = item.first;
            (first, pulp::Arch::new().dispatch(Pair { inputs, weight, dims, item, block }))
        },
        |(first, part)| moments[first..].iter_mut().zip(part).for_each(|(sum, part)| *sum = sum.with(part)),
        pause,
    )?;
    Ok(moments)
}

/// Two planes of some output channels, `[c, y, x]` each; the last pair of an odd map has only the near one.
struct Item<'a> {
    pair: usize,
    /// First output channel, a multiple of [`ROWS`].
    first: usize,
    near: &'a mut [f32],
    far: Option<&'a mut [f32]>,
}

/// The work on one item, compiled for each kind of vector.
struct Pair<'a, 'b> {
    inputs: &'a [Input<'a>],
    weight: &'a Weight,
    dims: [usize; 3],
    item: Item<'b>,
    block: &'b mut Block,
}

impl WithSimd for Pair<'_, '_> {
    type Output = Vec<Moments>;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Vec<Moments> {
        let [x, y, _] = self.dims;
        let channels = self.item.near.len() / (x * y);
        let block = self.block;
        let mut moments = vec![Moments::default(); channels];
        for first in (0..y.div_ceil(2)).step_by(block.tiles) {
            block.along_z(self.inputs, self.dims, self.item.pair, first);
            block.along_y();
            block.multiply(simd, self.weight, self.item.first);
            block.back(&mut self.item, first, &mut moments, self.dims);
        }
        moments
    }
}

/// Transformed rows of some pairs of rows.
struct Block {
    /// Channels in.
    inputs: usize,
    /// Channels out.
    outputs: usize,
    /// Pairs of rows.
    tiles: usize,
    /// Length of a row with a zero at each end.
    pitch: usize,
    /// From one channel to the next in `rows` and `products`.
    stride: usize,
    /// `[4, in, 2 tiles + 2, pitch]`: transformed along z.
    planes: Vec<f32>,
    /// `[16, in, stride]`: transformed along both.
    rows: Vec<f32>,
    /// `[16, out, stride]`
    products: Vec<f32>,
    /// A row.
    spare: Vec<f32>,
}

impl Block {
    fn new(x: usize, y: usize, inputs: usize, outputs: usize) -> Self {
        let pitch = x + 2;
        let outputs = outputs.next_multiple_of(ROWS);
        let fit = BLOCK / (POINTS * (inputs + outputs) * pitch * 4);
        let tiles = fit.min(256 / pitch).max(48usize.div_ceil(pitch)).clamp(1, y.div_ceil(2));
        let stride = tiles * pitch + SLACK;
        Self {
            inputs,
            outputs,
            tiles,
            pitch,
            stride,
            planes: vec![0.0; 4 * inputs * (2 * tiles + 2) * pitch],
            rows: vec![0.0; POINTS * inputs * stride],
            products: vec![0.0; POINTS * outputs * stride],
            spare: vec![0.0; x],
        }
    }

    /// Reads and normalises four planes and transforms them along z; rows and planes outside are zeros.
    #[inline(always)]
    fn along_z(&mut self, inputs: &[Input], [x, y, z]: [usize; 3], pair: usize, first: usize) {
        let (height, pitch) = (2 * self.tiles + 2, self.pitch);
        let size = self.inputs * height * pitch;
        let mut parts = self.planes.chunks_exact_mut(size);
        let [Some(a), Some(b), Some(c), Some(d)] = from_fn(|_| parts.next()) else { return };
        let mut channel = 0;
        for Input { data, lines } in inputs {
            for (index, line) in lines.iter().enumerate() {
                for row in 0..height {
                    let at = (channel * height + row) * pitch + 1;
                    let out =
                        [&mut a[at..at + x], &mut b[at..at + x], &mut c[at..at + x], &mut d[at..at + x]];
                    let source_y = (2 * first + row).wrapping_sub(1);
                    if source_y >= y {
                        out.into_iter().for_each(|out| out.fill(0.0));
                        continue;
                    }
                    let plane = |dz: usize| {
                        let source_z = (2 * pair + dz).wrapping_sub(1);
                        let inside = source_z < z;
                        let near = if inside { source_z } else { 2 * pair };
                        let start = ((near * lines.len() + index) * y + source_y) * x;
                        (&data[start..start + x], if inside { *line } else { Line::NOTHING })
                    };
                    let planes: [_; 4] = from_fn(plane);
                    let lines = planes.map(|(_, line)| move |value| line.at(value));
                    transform(out, planes.map(|(row, _)| row), &lines);
                }
                channel += 1;
            }
        }
    }

    /// Transforms along y.
    #[inline(always)]
    fn along_y(&mut self) {
        let (height, pitch, stride) = (2 * self.tiles + 2, self.pitch, self.stride);
        let point = self.inputs * stride;
        for (planes, rows) in
            self.planes.chunks_exact(self.inputs * height * pitch).zip(self.rows.chunks_exact_mut(4 * point))
        {
            let mut parts = rows.chunks_exact_mut(point);
            let [Some(a), Some(b), Some(c), Some(d)] = from_fn(|_| parts.next()) else { return };
            for (channel, plane) in planes.chunks_exact(height * pitch).enumerate() {
                for tile in 0..self.tiles {
                    let at = channel * stride + tile * pitch;
                    let end = at + pitch;
                    let out = [&mut a[at..end], &mut b[at..end], &mut c[at..end], &mut d[at..end]];
                    let rows = from_fn(|i| &plane[(2 * tile + i) * pitch..][..pitch]);
                    transform(out, rows, &[|v| v; 4]);
                }
            }
        }
    }

    /// The products of all points.
    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, weight: &Weight, first: usize) {
        let Self { inputs, outputs, stride, .. } = *self;
        let length = self.tiles * self.pitch - 2;
        let tiles = weight.outputs.div_ceil(ROWS);
        for point in 0..POINTS {
            let rows = &self.rows[point * inputs * stride..][..inputs * stride];
            let products = &mut self.products[point * outputs * stride..][..outputs * stride];
            let weights = &weight.points[(point * tiles + first / ROWS) * inputs..];
            multiply(simd, weights, inputs, rows, stride, length, products);
        }
    }

    /// The way back from products to rows of output, and their statistics.
    #[inline(always)]
    fn back(&mut self, item: &mut Item, first: usize, moments: &mut [Moments], [x, y, _]: [usize; 3]) {
        let Self { outputs, stride, pitch, tiles, ref products, ref mut spare, .. } = *self;
        for (channel, moments) in moments.iter_mut().enumerate() {
            for tile in 0..tiles.min(y.div_ceil(2) - first) {
                let at = channel * stride + tile * pitch;
                let points: [&[f32]; POINTS] = from_fn(|p| &products[p * outputs * stride + at..][..x]);
                let row = (channel * y + 2 * (first + tile)) * x;
                let below = 2 * (first + tile) + 1 < y;
                *moments = moments.with(write(&points, near, &mut item.near[row..], below, spare));
                if let Some(plane) = item.far.as_deref_mut() {
                    *moments = moments.with(write(&points, far, &mut plane[row..], below, spare));
                }
            }
        }
    }
}

/// The four points of four rows, each read by its line.
#[inline(always)]
fn transform<F: Fn(f32) -> f32>(out: [&mut [f32]; 4], rows: [&[f32]; 4], lines: &[F; 4]) {
    let [a, b, c, d] = out;
    let length = a.len();
    let (b, c, d) = (&mut b[..length], &mut c[..length], &mut d[..length]);
    let [d0, d1, d2, d3] = rows.map(|row| &row[..length]);
    for i in 0..length {
        let (near, mid, next, far) = (lines[0](d0[i]), lines[1](d1[i]), lines[2](d2[i]), lines[3](d3[i]));
        a[i] = near - next;
        b[i] = mid + next;
        c[i] = next - mid;
        d[i] = mid - far;
    }
}

/// Three points along z as one plane: `a + b + c` or, of the far plane, `b - c - d`.
#[inline(always)]
fn near(a: f32, b: f32, c: f32, _: f32) -> f32 {
    a + b + c
}

#[inline(always)]
fn far(_: f32, b: f32, c: f32, d: f32) -> f32 {
    b - c - d
}

/// Two rows of output of one plane, and their statistics. Where the map ends after the first row, the second is
/// written to a row that nobody reads.
#[inline(always)]
fn write(
    points: &[&[f32]; POINTS],
    plane: impl Fn(f32, f32, f32, f32) -> f32,
    rows: &mut [f32],
    below: bool,
    spare: &mut [f32],
) -> Moments {
    let x = spare.len();
    let (upper, lower) = rows.split_at_mut(x);
    if below {
        let lower = &mut lower[..x];
        combine(points, plane, upper, lower);
        rows_moments([upper, lower])
    } else {
        combine(points, plane, upper, spare);
        rows_moments([upper])
    }
}

/// Two rows of output from the points `[along z][along y]`.
#[inline(always)]
fn combine(
    p: &[&[f32]; POINTS],
    plane: impl Fn(f32, f32, f32, f32) -> f32,
    upper: &mut [f32],
    lower: &mut [f32],
) {
    let length = upper.len();
    let lower = &mut lower[..length];
    let [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15] = p.map(|p| &p[..length]);
    for i in 0..length {
        let m0 = plane(p0[i], p4[i], p8[i], p12[i]);
        let m1 = plane(p1[i], p5[i], p9[i], p13[i]);
        let m2 = plane(p2[i], p6[i], p10[i], p14[i]);
        let m3 = plane(p3[i], p7[i], p11[i], p15[i]);
        upper[i] = m0 + m1 + m2;
        lower[i] = m1 - m2 - m3;
    }
}

/// Statistics of a row or two: short enough for sums in 32 bits, about their own mean.
#[inline(always)]
pub fn rows_moments<const N: usize>(rows: [&[f32]; N]) -> Moments {
    let count = rows.iter().map(|row| row.len()).sum::<usize>();
    let mean = rows_sum(rows, |v| v) / count as f32;
    let squares = rows_sum(rows, |v| (v - mean) * (v - mean));
    // What the rounding of the mean left over.
    let rest = f64::from(rows_sum(rows, |v| v - mean)) / count as f64;
    let count = count as f64;
    Moments { count, mean: f64::from(mean) + rest, squares: f64::from(squares) - count * rest * rest }
}

/// A sum by 16 partial sums, which is a vector's way.
#[inline(always)]
fn rows_sum<const N: usize>(rows: [&[f32]; N], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0f32; 16];
    let mut rest = 0.0;
    for row in rows {
        let mut chunks = row.chunks_exact(16);
        for chunk in &mut chunks {
            for (sum, &value) in sums.iter_mut().zip(chunk) {
                *sum += term(value);
            }
        }
        for &value in chunks.remainder() {
            rest += term(value);
        }
    }
    sums.iter().sum::<f32>() + rest
}
