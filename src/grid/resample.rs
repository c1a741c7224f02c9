//! Nearest-neighbour resampling between two sizes, aligned at the corner voxel centres.

use std::ops::Range;

/// Resampling from one size to another; its inverse swaps the two.
///
/// Defined by two *sizes*, not by a factor, so that the inverse has exactly the original size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resample {
    /// Size before.
    pub from: [usize; 3],
    /// Size after.
    pub to: [usize; 3],
}

/// The centres of the corner voxels coincide.
fn step(from: usize, to: usize) -> f64 {
    if to > 1 { from.saturating_sub(1) as f64 / (to - 1) as f64 } else { 0.0 }
}

/// Index before resampling of each of `to` indices after it: `floor(k (from - 1) / (to - 1) + 0.5)`.
fn nearest(from: usize, to: usize) -> Vec<usize> {
    let (last, step) = (from.saturating_sub(1), step(from, to));
    (0..to).map(|k| ((k as f64 * step + 0.5).floor() as usize).min(last)).collect()
}

impl Resample {
    /// The indices read along each axis, `[x, y, z]`.
    pub fn indices(&self) -> [Vec<usize>; 3] {
        std::array::from_fn(|axis| nearest(self.from[axis], self.to[axis]))
    }

    /// Voxels before for each voxel after, along an axis; 0 where there is one voxel after.
    pub fn step(&self, axis: usize) -> f64 {
        step(self.from[axis], self.to[axis])
    }

    /// For each index before, along each axis, the indices after it that read it: the inverse of [`Self::indices`].
    pub fn readers(&self) -> [Vec<Range<usize>>; 3] {
        let indices = self.indices();
        std::array::from_fn(|axis| {
            let read = &indices[axis];
            let below = |at: usize| read.partition_point(|from| *from < at);
            (0..self.from[axis]).map(|at| below(at)..below(at + 1)).collect()
        })
    }

    /// The voxels on the new size; of several channels, one after the other.
    pub fn apply<T: Copy>(&self, voxels: &[T]) -> Vec<T> {
        if self.from == self.to {
            return voxels.to_vec();
        }
        let [xs, ys, zs] = self.indices();
        let count: usize = self.from.iter().product();
        let mut out = Vec::with_capacity(voxels.len() / count * self.to.iter().product::<usize>());
        for channel in voxels.chunks_exact(count) {
            for &z in &zs {
                for &y in &ys {
                    let row = self.from[0] * (y + self.from[1] * z);
                    out.extend(xs.iter().map(|&x| channel[row + x]));
                }
            }
        }
        out
    }

    /// The inverse.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { from: self.to, to: self.from }
    }

    /// The voxels back on the size before.
    pub fn undo<T: Copy>(&self, voxels: &[T]) -> Vec<T> {
        self.reversed().apply(voxels)
    }
}

/// The size at 1 mm of a grid of `dims` voxels with `spacing` in mm: round-half-to-even of their product.
pub fn isotropic_dims(dims: [usize; 3], spacing: [f64; 3]) -> [usize; 3] {
    std::array::from_fn(|axis| (((dims[axis] as f64) * spacing[axis]).round_ties_even() as usize).max(1))
}

/// `dims` shrunk by one factor so that they hold about `max_voxels` at most; unchanged if they already do.
pub fn capped_dims(dims: [usize; 3], max_voxels: usize) -> [usize; 3] {
    let ratio = dims.iter().map(|&n| n as f64).product::<f64>() / max_voxels as f64;
    if ratio <= 1.0 {
        return dims;
    }
    let factor = (1.0 / ratio).powf(1.0 / 3.0);
    dims.map(|n| ((n as f64 * factor).round_ties_even() as usize).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enlarging_and_shrinking_back_changes_nothing() {
        let step = Resample { from: [3, 4, 5], to: [7, 9, 24] };
        let voxels: Vec<u32> = (0..60).collect();
        assert_eq!(step.undo(&step.apply(&voxels)), voxels);
    }

    #[test]
    fn the_corners_stay() {
        let step = Resample { from: [10, 1, 6], to: [4, 3, 2] };
        let voxels: Vec<u32> = (0..60).collect();
        let out = step.apply(&voxels);
        assert_eq!((out[0], out[23]), (0, 59));
    }

    #[test]
    fn sizes_round_half_to_even() {
        assert_eq!(isotropic_dims([31, 33, 1], [0.5, 0.5, 0.2]), [16, 16, 1]);
        assert_eq!(capped_dims([100, 100, 100], 1_000_000), [100, 100, 100]);
        assert_eq!(capped_dims([256, 256, 256], 180 * 180 * 180), [180, 180, 180]);
    }
}
