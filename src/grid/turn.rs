//! The turn from a file's axes to canonical RAS (x right, y anterior, z superior) and back.

use super::Grid;

/// A permutation of axes with flips: exact, so its way back is exact too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Size before the turn.
    dims: [usize; 3],
    /// For each axis after the turn, the axis before it.
    from_axis: [usize; 3],
    /// For each axis after the turn, whether it runs against the axis before it.
    flipped: [bool; 3],
}

const PERMUTATIONS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

impl Turn {
    /// The turn that brings `grid` closest to RAS: the permutation with the largest sum of direction cosines.
    pub fn to_ras(grid: &Grid) -> Self {
        let cosine = |world: usize, axis: usize| {
            let length = (0..3).map(|row| grid.affine[row][axis].powi(2)).sum::<f64>().sqrt();
            if length > 0.0 { grid.affine[world][axis] / length } else { 0.0 }
        };
        let fit = |p: &[usize; 3]| (0..3).map(|world| cosine(world, p[world]).abs()).sum::<f64>();
        let mut best = PERMUTATIONS[0];
        for candidate in &PERMUTATIONS[1..] {
            if fit(candidate) > fit(&best) + 1e-9 {
                best = *candidate;
            }
        }
        let flipped = std::array::from_fn(|world| cosine(world, best[world]) < 0.0);
        Self { dims: grid.dims, from_axis: best, flipped }
    }

    /// For each axis after the turn, the axis before it.
    pub fn from_axis(&self) -> [usize; 3] {
        self.from_axis
    }

    /// For each axis after the turn, whether its direction was reversed.
    pub fn flipped(&self) -> [bool; 3] {
        self.flipped
    }

    /// Size after the turn.
    pub fn turned_dims(&self) -> [usize; 3] {
        self.from_axis.map(|axis| self.dims[axis])
    }

    /// Values per axis (a spacing, say) in the order after the turn.
    pub fn turned<T: Copy>(&self, values: [T; 3]) -> [T; 3] {
        self.from_axis.map(|axis| values[axis])
    }

    /// Calls `visit(before, after)` with the memory index of every voxel on both sides, in order after the turn.
    fn each(&self, mut visit: impl FnMut(usize, usize)) {
        let stride = [1, self.dims[0], self.dims[0] * self.dims[1]];
        let [nx, ny, nz] = self.turned_dims();
        let step = |axis: usize, index: usize| {
            let before = self.from_axis[axis];
            let n = self.dims[before];
            stride[before] * if self.flipped[axis] { n - 1 - index } else { index }
        };
        let mut after = 0;
        for k in 0..nz {
            for j in 0..ny {
                let start = step(2, k) + step(1, j);
                for i in 0..nx {
                    visit(start + step(0, i), after);
                    after += 1;
                }
            }
        }
    }

    /// The voxels in RAS order.
    pub fn apply<T: Copy + Default>(&self, voxels: &[T]) -> Vec<T> {
        let mut turned = vec![T::default(); voxels.len()];
        self.each(|before, after| turned[after] = voxels[before]);
        turned
    }

    /// The voxels back in the file's order.
    pub fn undo<T: Copy + Default>(&self, turned: &[T]) -> Vec<T> {
        let mut voxels = vec![T::default(); turned.len()];
        self.each(|before, after| voxels[before] = turned[after]);
        voxels
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

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(axes: [usize; 3], signs: [f64; 3]) -> Grid {
        let mut affine = [[0.0; 4]; 4];
        for column in 0..3 {
            affine[axes[column]][column] = signs[column] * (column + 1) as f64;
        }
        affine[3][3] = 1.0;
        Grid { dims: [2, 3, 4], affine }
    }

    #[test]
    fn all_48_orientations_come_back_and_stand_right_in_between() {
        for axes in PERMUTATIONS {
            for bits in 0..8 {
                let signs = std::array::from_fn(|i| if bits >> i & 1 == 1 { -1.0 } else { 1.0 });
                let grid = grid(axes, signs);
                let turn = Turn::to_ras(&grid);
                let voxels: Vec<usize> = (0..24).collect();
                let turned = turn.apply(&voxels);
                assert_eq!(turn.undo(&turned), voxels);
                // The voxel after a step along a turned axis lies further right (anterior, superior).
                let world = |index: usize, row: usize| {
                    let at = [index % 2, index / 2 % 3, index / 6];
                    (0..3).map(|c| grid.affine[row][c] * at[c] as f64).sum::<f64>()
                };
                let dims = turn.turned_dims();
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
        let turn = Turn::to_ras(&grid([0, 2, 1], [-1.0, -1.0, 1.0]));
        let mut mask = vec![0u8; 24];
        mask[1 + 2 * (2 + 3 * 3)] = 1; // [1, 2, 3] of the file
        let turned = turn.apply(&mask);
        let at = turned.iter().position(|&v| v == 1).unwrap();
        let [nx, ny, _] = turn.turned_dims();
        let start = [at % nx, at / nx % ny, at / nx / ny];
        let end = start.map(|v| v + 1);
        assert_eq!(turn.undo_box(start, end), ([1, 2, 3], [2, 3, 4]));
    }
}
