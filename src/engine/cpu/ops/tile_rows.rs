//! Rows of what a convolution reads, in Winograd's points ([`super::winograd`]).

use super::input::Input;
use super::scratch::Scratch;
use super::winograd::{ALONG, POINTS, SIDE, transform, transform_read};
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
    /// `[along z][in, rows, pitch]`, with slack: transformed along z.
    planes: Scratch,
}

impl Rows {
    /// Room for `pieces` times `tiles` tiles of rows of `x` voxels.
    pub fn new(x: usize, inputs: usize, tiles: usize, pieces: usize) -> Self {
        let pitch = x + 2;
        let stride = pieces * tiles * pitch + SLACK;
        Self {
            inputs,
            tiles,
            pitch,
            stride,
            values: Scratch::any(POINTS * inputs * stride),
            planes: Scratch::any(ALONG * (inputs * (SIDE * tiles + 2) * pitch + SLACK)),
        }
    }

    /// Transforms what the four planes of `slab` need, rows from tile `first` on, into piece `piece`; pieces come in order.
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    pub fn load<S: Simd>(
        &mut self,
        simd: S,
        inputs: &[Input],
        dims: [usize; 3],
        [slab, first]: [usize; 2],
        piece: usize,
    ) {
        self.along_z(simd, inputs, dims, slab, first);
        self.along_y(simd, piece * self.tiles * self.pitch);
    }

    /// Reads and normalises six planes and transforms them along z; rows and planes outside are zeros. Here and along y a
    /// vector may reach over the end of a row, to where the next one is written later.
    #[inline(always)]
    fn along_z<S: Simd>(
        &mut self,
        simd: S,
        inputs: &[Input],
        [x, y, z]: [usize; 3],
        slab: usize,
        first: usize,
    ) {
        let (height, pitch) = (SIDE * self.tiles + 2, self.pitch);
        let mut parts = self.planes.chunks_exact_mut(self.inputs * height * pitch + SLACK);
        let Some([a, b, c, d, e, f]) = six(&mut parts) else { return };
        let mut at = 0;
        for Input { data, scale_shifts } in inputs {
            for (index, scale_shift) in scale_shifts.iter().enumerate() {
                for row in 0..height {
                    let source_y = (SIDE * first + row).wrapping_sub(1);
                    let mut rows = [None; ALONG];
                    for (dz, row) in rows.iter_mut().enumerate() {
                        let source_z = (SIDE * slab + dz).wrapping_sub(1);
                        if source_z < z && source_y < y {
                            let start = ((source_z * scale_shifts.len() + index) * y + source_y) * x;
                            *row = Some(&data[start..start + x]);
                        }
                    }
                    let mut to = [&mut *a, &mut *b, &mut *c, &mut *d, &mut *e, &mut *f];
                    transform_read(simd, &mut to, at + 1, rows, x, scale_shift);
                    for to in to {
                        to[at] = 0.0;
                        to[at + pitch - 1] = 0.0;
                    }
                    at += pitch;
                }
            }
        }
    }

    /// Transforms along y, to `start`.
    #[inline(always)]
    fn along_y<S: Simd>(&mut self, simd: S, start: usize) {
        let (height, pitch, stride) = (SIDE * self.tiles + 2, self.pitch, self.stride);
        let size = self.inputs * stride;
        let planes = self.planes.chunks_exact(self.inputs * height * pitch + SLACK);
        for (plane, points) in planes.zip(self.values.chunks_exact_mut(ALONG * size)) {
            let Some([a, b, c, d, e, f]) = six(&mut points.chunks_exact_mut(size)) else { return };
            for channel in 0..self.inputs {
                for tile in 0..self.tiles {
                    let rows = &plane[(channel * height + SIDE * tile) * pitch..];
                    let at = channel * stride + start + tile * pitch;
                    transform(simd, [a, b, c, d, e, f], at, rows, pitch);
                }
            }
        }
    }
}

fn six<'a>(parts: &mut impl Iterator<Item = &'a mut [f32]>) -> Option<[&'a mut [f32]; ALONG]> {
    let [Some(a), Some(b), Some(c), Some(d), Some(e), Some(f)] = from_fn(|_| parts.next()) else {
        return None;
    };
    Some([a, b, c, d, e, f])
}
