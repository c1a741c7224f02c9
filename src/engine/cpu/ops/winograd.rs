//! Winograd's F(2, 3) along z and y, whole rows at a time (Lavin and Gray, arXiv 1509.09308).
//!
//! Four rows of input (d) give two of output (y) by four products in place of six; on both axes 16 in place of 36:
//!
//! ```text
//! v = d0 - d2,  d1 + d2,  d2 - d1,  d1 - d3        u = g0,  (g0 + g1 + g2) / 2,  (g0 - g1 + g2) / 2,  g2
//! y = m0 + m1 + m2,  m1 - m2 - m3                  m = u v
//! ```
//! The gradient by g goes the same way back: `dm = dy0,  dy0 + dy1,  dy0 - dy1,  -dy1`, `du = dm v`, and `dg` is the
//! transposed of u's formula. What is transformed are rows, so every step is a vector operation along x.

use super::input::Input;
use super::scratch::Scratch;
use crate::engine::nn::scale_shift::ScaleShift;
use std::array::from_fn;

/// Points of the transform, 4 along z by 4 along y.
pub const POINTS: usize = 16;
/// Room after the last row of a point, for vectors that reach over its end.
pub const SLACK: usize = 64;

/// The four points of a kernel's three taps.
pub fn taps(g: [f32; 3]) -> [f32; 4] {
    [g[0], 0.5 * (g[0] + g[1] + g[2]), 0.5 * (g[0] - g[1] + g[2]), g[2]]
}

/// The transposed of [`taps`]: gradients of the three taps from those of the points.
pub fn taps_back(u: [f32; 4]) -> [f32; 3] {
    let (sum, apart) = (0.5 * (u[1] + u[2]), 0.5 * (u[1] - u[2]));
    [u[0] + sum, apart, sum + u[3]]
}

/// Transformed rows of input, `[16, in, stride]`: pairs of rows one after the other, each with a zero at its ends.
pub struct Rows {
    /// Channels.
    pub inputs: usize,
    /// Pairs of rows that are transformed at once.
    pub tiles: usize,
    /// Length of a row with a zero at each end.
    pub pitch: usize,
    /// From one channel to the next.
    pub stride: usize,
    /// The rows.
    pub values: Scratch,
    /// `[4, in, 2 tiles + 2, pitch]`: transformed along z.
    planes: Scratch,
}

impl Rows {
    /// Room for `pieces` times `tiles` pairs of rows of `x` voxels.
    pub fn new(x: usize, inputs: usize, tiles: usize, pieces: usize) -> Self {
        let pitch = x + 2;
        let stride = pieces * tiles * pitch + SLACK;
        Self {
            inputs,
            tiles,
            pitch,
            stride,
            values: Scratch::zeros(POINTS * inputs * stride),
            planes: Scratch::zeros(4 * inputs * (2 * tiles + 2) * pitch),
        }
    }

    /// Transforms what the two planes of `pair` need, rows from `2 first` on, into piece `piece`.
    #[inline(always)]
    pub fn load(&mut self, inputs: &[Input], dims: [usize; 3], [pair, first]: [usize; 2], piece: usize) {
        self.along_z(inputs, dims, pair, first);
        self.along_y(piece * self.tiles * self.pitch);
    }

    /// Reads and normalises four planes and transforms them along z; rows and planes outside are zeros.
    #[inline(always)]
    fn along_z(&mut self, inputs: &[Input], [x, y, z]: [usize; 3], pair: usize, first: usize) {
        let (height, pitch) = (2 * self.tiles + 2, self.pitch);
        let size = self.inputs * height * pitch;
        let mut parts = self.planes.chunks_exact_mut(size);
        let [Some(a), Some(b), Some(c), Some(d)] = from_fn(|_| parts.next()) else { return };
        let mut channel = 0;
        for Input { data, scale_shifts } in inputs {
            for (index, scale_shift) in scale_shifts.iter().enumerate() {
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
                        let start = ((near * scale_shifts.len() + index) * y + source_y) * x;
                        (&data[start..start + x], if inside { *scale_shift } else { ScaleShift::ZERO })
                    };
                    let planes: [_; 4] = from_fn(plane);
                    let scale_shifts = planes.map(|(_, scale_shift)| move |value| scale_shift.at(value));
                    transform(out, planes.map(|(row, _)| row), &scale_shifts);
                }
                channel += 1;
            }
        }
    }

    /// Transforms along y, to `start`.
    #[inline(always)]
    fn along_y(&mut self, start: usize) {
        let (height, pitch, stride) = (2 * self.tiles + 2, self.pitch, self.stride);
        let point = self.inputs * stride;
        for (planes, rows) in self
            .planes
            .chunks_exact(self.inputs * height * pitch)
            .zip(self.values.chunks_exact_mut(4 * point))
        {
            let mut parts = rows.chunks_exact_mut(point);
            let [Some(a), Some(b), Some(c), Some(d)] = from_fn(|_| parts.next()) else { return };
            for (channel, plane) in planes.chunks_exact(height * pitch).enumerate() {
                for tile in 0..self.tiles {
                    let at = channel * stride + start + tile * pitch;
                    let end = at + pitch;
                    let out = [&mut a[at..end], &mut b[at..end], &mut c[at..end], &mut d[at..end]];
                    let rows = from_fn(|i| &plane[(2 * tile + i) * pitch..][..pitch]);
                    transform(out, rows, &[|v| v; 4]);
                }
            }
        }
    }
}

/// The four points of four rows, each normalised as it is read.
#[inline(always)]
fn transform<F: Fn(f32) -> f32>(out: [&mut [f32]; 4], rows: [&[f32]; 4], scale_shifts: &[F; 4]) {
    let [a, b, c, d] = out;
    let length = a.len();
    let (b, c, d) = (&mut b[..length], &mut c[..length], &mut d[..length]);
    let [d0, d1, d2, d3] = rows.map(|row| &row[..length]);
    for i in 0..length {
        let (near, mid, next, far) =
            (scale_shifts[0](d0[i]), scale_shifts[1](d1[i]), scale_shifts[2](d2[i]), scale_shifts[3](d3[i]));
        a[i] = near - next;
        b[i] = mid + next;
        c[i] = next - mid;
        d[i] = mid - far;
    }
}

/// Three points along z as one plane: `a + b + c` or, of the far plane, `b - c - d`.
#[inline(always)]
pub fn near(a: f32, b: f32, c: f32, _: f32) -> f32 {
    a + b + c
}

/// As [`near`], of the far plane.
#[inline(always)]
pub fn far(_: f32, b: f32, c: f32, d: f32) -> f32 {
    b - c - d
}

/// Two rows of output from the points `[along z][along y]`.
#[inline(always)]
pub fn combine(
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
