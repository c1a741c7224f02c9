//! Reorientation from a file's axes to canonical RAS (x right, y anterior, z superior) and back.

use super::voxel_grid::Grid;
use crate::error::{Error, Result};

/// A permutation and flips of axes; exactly invertible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reorientation {
    /// Size in the file's order.
    dims: [usize; 3],
    /// For each RAS axis, the file's axis.
    from_axis: [usize; 3],
    /// For each RAS axis, whether it is opposite to the file's axis.
    flipped: [bool; 3],
}

impl Reorientation {
    /// The reorientation that brings `grid` closest to RAS, the same as nibabel's `io_orientation`. Each axis of the rotation
    /// nearest to the affine is assigned the world axis along which it has its largest component, and that is not assigned
    /// yet; the axis with the largest component comes first.
    pub fn to_ras(grid: &Grid) -> Self {
        let rotation = nearest_rotation(&grid.affine);
        let alignment = |axis: usize| (0..3).map(|world| rotation[world][axis].powi(2)).fold(0.0, f64::max);
        let mut order = [0, 1, 2];
        // Sorted, the largest first, and equal ones as they were.
        for first in [0, 1, 0] {
            if alignment(order[first + 1]).total_cmp(&alignment(order[first])).is_gt() {
                order.swap(first, first + 1);
            }
        }
        let (mut from_axis, mut flipped) = ([0; 3], [false; 3]);
        let mut free = vec![0, 1, 2];
        for axis in order {
            let mut best = 0;
            for n in 1..free.len() {
                if rotation[free[n]][axis].abs() > rotation[free[best]][axis].abs() {
                    best = n;
                }
            }
            let world = free.remove(best);
            (from_axis[world], flipped[world]) = (axis, rotation[world][axis] < 0.0);
        }
        Self { dims: grid.dims, from_axis, flipped }
    }

    /// For each RAS axis, the file's axis.
    pub fn from_axis(&self) -> [usize; 3] {
        self.from_axis
    }

    /// For each RAS axis, whether its direction is reversed.
    pub fn flipped(&self) -> [bool; 3] {
        self.flipped
    }

    /// Size in RAS order.
    pub fn ras_dims(&self) -> [usize; 3] {
        self.from_axis.map(|axis| self.dims[axis])
    }

    /// The reorientation that brings the same voxels to LAS, which read as RAS is their mirror image.
    pub fn mirrored(self) -> Self {
        let [x, y, z] = self.flipped;
        Self { flipped: [!x, y, z], ..self }
    }

    /// Values per axis, such as a spacing, in RAS order.
    pub fn permuted<T: Copy>(&self, values: [T; 3]) -> [T; 3] {
        self.from_axis.map(|axis| values[axis])
    }

    /// The memory index in RAS order of a voxel of the file.
    pub fn index_of(&self, at: [usize; 3]) -> usize {
        let [nx, ny, _] = self.ras_dims();
        let along = |world: usize| {
            let axis = self.from_axis[world];
            if self.flipped[world] { self.dims[axis] - 1 - at[axis] } else { at[axis] }
        };
        along(0) + nx * (along(1) + ny * along(2))
    }

    /// The stride in RAS order along each of the file's axes.
    pub fn steps(&self) -> [isize; 3] {
        let [nx, ny, _] = self.ras_dims();
        let mut steps = [0; 3];
        for (after, stride) in [1, nx, nx * ny].into_iter().enumerate() {
            let stride = stride as isize;
            steps[self.from_axis[after]] = if self.flipped[after] { -stride } else { stride };
        }
        steps
    }

    /// Calls `visit(file, ras)` with the two memory indices of every voxel, in the file's order.
    fn for_each_voxel(&self, mut visit: impl FnMut(usize, usize)) {
        let (steps, mut before) = (self.steps(), 0);
        for k in 0..self.dims[2] {
            for j in 0..self.dims[1] {
                let row = self.index_of([0, j, k]) as isize;
                for i in 0..self.dims[0] as isize {
                    visit(before, (row + i * steps[0]) as usize);
                    before += 1;
                }
            }
        }
    }

    /// The voxels in RAS order.
    pub fn apply<T: Copy + Default>(&self, voxels: &[T]) -> Vec<T> {
        let mut turned = vec![T::default(); voxels.len()];
        self.for_each_voxel(|before, after| turned[after] = voxels[before]);
        turned
    }

    /// The voxels back in the file's order.
    pub fn undo<T: Copy + Default>(&self, turned: &[T]) -> Vec<T> {
        let mut voxels = vec![T::default(); turned.len()];
        self.for_each_voxel(|before, after| voxels[before] = turned[after]);
        voxels
    }

    /// The half-open box `[start, end)` of the file in RAS order; the inverse of [`Self::undo_box`].
    ///
    /// # Errors
    /// `Argument` where it is empty or not within the file.
    pub fn apply_box(&self, start: [usize; 3], end: [usize; 3]) -> Result<([usize; 3], [usize; 3])> {
        if (0..3).any(|axis| start[axis] >= end[axis] || end[axis] > self.dims[axis]) {
            let [x, y, z] = self.dims;
            return Err(Error::argument(
                "box",
                format!("{start:?} to {end:?}"),
                format!("a start below its end, within {x} x {y} x {z} voxels"),
            ));
        }
        let near = |after: usize| {
            let axis = self.from_axis[after];
            if self.flipped[after] { self.dims[axis] - end[axis] } else { start[axis] }
        };
        let length = |after: usize| end[self.from_axis[after]] - start[self.from_axis[after]];
        let first = [0, 1, 2].map(near);
        Ok((first, std::array::from_fn(|after| first[after] + length(after))))
    }

    /// The half-open box `[start, end)` back in the file's order.
    pub fn undo_box(&self, start: [usize; 3], end: [usize; 3]) -> ([usize; 3], [usize; 3]) {
        let (mut s, mut e) = ([0; 3], [0; 3]);
        for after in 0..3 {
            let before = self.from_axis[after];
            let n = self.dims[before];
            (s[before], e[before]) = if self.flipped[after] {
                (n - end[after], n - start[after])
            } else {
                (start[after], end[after])
            };
        }
        (s, e)
    }
}

impl Grid {
    /// The anatomical direction that each voxel axis points to, as three letters, for example `RAS` or `LIA`.
    pub fn orientation(&self) -> String {
        let reorientation = Reorientation::to_ras(self);
        let mut letters = ['?'; 3];
        for (world, &axis) in reorientation.from_axis().iter().enumerate() {
            let pair = [('R', 'L'), ('A', 'P'), ('S', 'I')][world];
            letters[axis] = if reorientation.flipped()[world] { pair.1 } else { pair.0 };
        }
        letters.iter().collect()
    }
}

/// The orthogonal matrix nearest to the directions of an affine's axes: the polar factor, by Newton's iteration
/// (Higham 1986). Orthogonal axes converge at once; the error of sheared ones is shared among them.
fn nearest_rotation(affine: &[[f64; 4]; 4]) -> [[f64; 3]; 3] {
    let length = |axis: usize| (0..3).map(|row| affine[row][axis].powi(2)).sum::<f64>().sqrt();
    let lengths = [0, 1, 2].map(length);
    let mut q: [[f64; 3]; 3] = std::array::from_fn(|r| std::array::from_fn(|c| affine[r][c] / lengths[c]));
    for _ in 0..30 {
        // The cofactors over the determinant are the inverse transposed.
        let minor = |r: usize, c: usize| {
            let ([r1, r2], [c1, c2]) = ([(r + 1) % 3, (r + 2) % 3], [(c + 1) % 3, (c + 2) % 3]);
            q[r1][c1] * q[r2][c2] - q[r1][c2] * q[r2][c1]
        };
        let determinant: f64 = (0..3).map(|c| q[0][c] * minor(0, c)).sum();
        let next: [[f64; 3]; 3] =
            std::array::from_fn(|r| std::array::from_fn(|c| 0.5 * (q[r][c] + minor(r, c) / determinant)));
        let moved =
            next.iter().flatten().zip(q.iter().flatten()).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        q = next;
        if moved < 1e-12 {
            break;
        }
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERMUTATIONS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    fn grid(axes: [usize; 3], signs: [f64; 3]) -> Grid {
        let mut affine = [[0.0; 4]; 4];
        for column in 0..3 {
            affine[axes[column]][column] = signs[column] * (column + 1) as f64;
        }
        affine[3][3] = 1.0;
        Grid::new([2, 3, 4], affine, [0.0; 3])
    }

    #[test]
    fn all_48_orientations_come_back_and_stand_right_in_between() {
        for axes in PERMUTATIONS {
            for bits in 0..8 {
                let signs = std::array::from_fn(|i| if bits >> i & 1 == 1 { -1.0 } else { 1.0 });
                let grid = grid(axes, signs);
                let reorientation = Reorientation::to_ras(&grid);
                let voxels: Vec<usize> = (0..24).collect();
                let turned = reorientation.apply(&voxels);
                assert_eq!(reorientation.undo(&turned), voxels);
                // The voxel after a step along a turned axis lies further right (anterior, superior).
                let world = |index: usize, row: usize| {
                    let at = [index % 2, index / 2 % 3, index / 6];
                    (0..3).map(|c| grid.affine[row][c] * at[c] as f64).sum::<f64>()
                };
                let dims = reorientation.ras_dims();
                let strides = [1, dims[0], dims[0] * dims[1]];
                for row in 0..3 {
                    assert!(world(turned[strides[row]], row) > world(turned[0], row));
                }
            }
        }
    }

    #[test]
    fn orientation_has_the_letters_of_the_field() {
        assert_eq!(grid([0, 1, 2], [1.0, 1.0, 1.0]).orientation(), "RAS");
        assert_eq!(grid([0, 2, 1], [-1.0, -1.0, 1.0]).orientation(), "LIA");
    }

    #[test]
    fn a_box_turns_back_with_its_voxels() {
        let reorientation = Reorientation::to_ras(&grid([0, 2, 1], [-1.0, -1.0, 1.0]));
        let mut mask = vec![0u8; 24];
        mask[1 + 2 * (2 + 3 * 3)] = 1; // [1, 2, 3] of the file
        let turned = reorientation.apply(&mask);
        let at = turned.iter().position(|&v| v == 1).unwrap();
        let [nx, ny, _] = reorientation.ras_dims();
        let start = [at % nx, at / nx % ny, at / nx / ny];
        let end = start.map(|v| v + 1);
        assert_eq!(reorientation.undo_box(start, end), ([1, 2, 3], [2, 3, 4]));
    }
}
