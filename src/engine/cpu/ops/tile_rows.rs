//! Rows of what a convolution reads, in Winograd's points ([`super::winograd`]).

use super::input::Input;
use super::scratch::Scratch;
use super::winograd::{ALONG_Y, ALONG_Z, HEIGHT, POINTS, transform_y, transform_z};
use crate::engine::nn::scale_shift::ScaleShift;
use pulp::Simd;
use std::array::from_fn;

/// Room after the last row of a point, for vectors that reach over its end.
pub const SLACK: usize = 64;

/// Transformed rows of input, `[point, in, stride]`: tiles one after the other, a row each with a zero at its ends.
pub struct Rows {
    /// Channels.
    pub inputs: usize,
    /// Tiles that are transformed at once.
    pub tiles: usize,
    /// Length of a row with a zero at each end.
    pub pitch: usize,
    /// From one channel to the next.
    pub stride: usize,
    /// The rows.
    pub values: Scratch,
    /// `[along z, in, rows, pitch]`: transformed along z.
    planes: Scratch,
}

impl Rows {
    /// Room for `pieces` times `tiles` tiles of rows of `x` voxels.
    pub fn new(x: usize, inputs: usize, tiles: usize, pieces: usize) -> Self {
        let pitch = x + 2;
        let used = pieces * tiles * pitch;
        let stride = used + SLACK;
        let mut values = Scratch::any(POINTS * inputs * stride);
        // Whatever is left in there may be no number, which no zero of a gradient would undo.
        values.chunks_exact_mut(stride).for_each(|channel| channel[used..].fill(0.0));
        Self {
            inputs,
            tiles,
            pitch,
            stride,
            values,
            planes: Scratch::zeros(ALONG_Z * inputs * (HEIGHT * tiles + 2) * pitch + SLACK),
        }
    }

    /// Transforms what the two planes of `pair` need, rows from tile `first` on, into piece `piece`; pieces come in order.
    #[inline(always)]
    pub fn load<S: Simd>(
        &mut self,
        simd: S,
        inputs: &[Input],
        dims: [usize; 3],
        [pair, first]: [usize; 2],
        piece: usize,
    ) {
        self.along_z(inputs, dims, pair, first);
        self.along_y(simd, piece * self.tiles * self.pitch);
    }

    /// Reads and normalises four planes and transforms them along z; rows and planes outside are zeros.
    #[inline(always)]
    fn along_z(&mut self, inputs: &[Input], [x, y, z]: [usize; 3], pair: usize, first: usize) {
        let (height, pitch) = (HEIGHT * self.tiles + 2, self.pitch);
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
                    let source_y = (HEIGHT * first + row).wrapping_sub(1);
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
                    transform_z(out, planes.map(|(row, _)| row), &scale_shifts);
                }
                channel += 1;
            }
        }
    }

    /// Transforms along y, to `start`. A vector may reach over the end of a row, to where the next one is written later.
    #[inline(always)]
    fn along_y<S: Simd>(&mut self, simd: S, start: usize) {
        let (height, pitch, stride) = (HEIGHT * self.tiles + 2, self.pitch, self.stride);
        let size = self.inputs * stride;
        for (index, points) in self.values.chunks_exact_mut(ALONG_Y * size).enumerate() {
            let mut points = points.chunks_exact_mut(size);
            let [Some(a), Some(b), Some(c), Some(d), Some(e), Some(f)] = from_fn(|_| points.next()) else {
                return;
            };
            for channel in 0..self.inputs {
                let plane = &self.planes[(index * self.inputs + channel) * height * pitch..];
                for tile in 0..self.tiles {
                    let rows = &plane[HEIGHT * tile * pitch..];
                    let at = channel * stride + start + tile * pitch;
                    transform_y(simd, [a, b, c, d, e, f], at, rows, pitch);
                }
            }
        }
    }
}
