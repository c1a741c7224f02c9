//! From a grid whose axes lie oblique to the patient's, as scans are planned along an organ, to one along the patient's axes.

use super::reorient::Reorientation;
use super::resample::Resample;
use super::voxel_grid::Grid;

/// The angle between a file's axis and the patient's, in degrees, from which a grid counts as oblique. Below it linear sampling
/// costs more sharpness than the angle costs.
const LEAST_DEGREES: f64 = 2.0;

/// The upper three rows of the affine from the voxels of one grid to those of another.
type VoxelMap = [[f64; 4]; 3];

/// The eight voxels around a place, by memory index, with weights that add up to 1.
pub type Corners = [(usize, f32); 8];

/// Two grids over one field of view: that of the file at 1 mm, in RAS order, and the *upright* one, of 1 mm along the
/// patient's axes, which holds all of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Upright {
    /// Size of the grid at 1 mm along the file's axes.
    from: [usize; 3],
    /// Size of the upright grid.
    to: [usize; 3],
    forward: VoxelMap,
    back: VoxelMap,
}

/// The largest angle in degrees between an axis of a grid and the axis of the patient that it is nearest to.
pub fn oblique_degrees(grid: &Grid) -> f64 {
    let (axes, spacing) = (Reorientation::to_ras(grid).from_axis(), grid.spacing());
    let cosine = |world: usize| (grid.affine[world][axes[world]].abs() / spacing[axes[world]]).min(1.0);
    (0..3).map(|world| cosine(world).acos().to_degrees()).fold(0.0, f64::max)
}

impl Upright {
    /// The upright grid of `grid`, of which `isotropic` makes 1 mm in RAS order; `None` where that lies along the patient's axes, or is
    /// a single slice.
    pub fn of(grid: &Grid, reorientation: &Reorientation, isotropic: &Resample) -> Option<Self> {
        let (axes, flipped) = (reorientation.from_axis(), reorientation.flipped());
        // The corner voxel centres of the file's grid and of that at 1 mm coincide.
        let linear: [[f64; 3]; 3] = std::array::from_fn(|row| {
            std::array::from_fn(|ras| {
                let mm =
                    if flipped[ras] { -grid.affine[row][axes[ras]] } else { grid.affine[row][axes[ras]] };
                mm * isotropic.step(ras)
            })
        });
        let linear: [[f64; 3]; 3] =
            std::array::from_fn(|row| linear[row].map(|mm| mm * linear[row][row].signum()));
        if isotropic.to.contains(&1) || isotropic.from.contains(&1) || oblique_degrees(grid) < LEAST_DEGREES {
            return None;
        }
        Some(Self::around(isotropic.to, linear))
    }

    /// With the same centre as a grid of size `from`, whose voxels are `linear` apart in mm.
    fn around(from: [usize; 3], linear: [[f64; 3]; 3]) -> Self {
        let half = from.map(|n| n as f64 / 2.0);
        let reach = linear.map(|row| (0..3).map(|axis| row[axis].abs() * half[axis]).sum::<f64>());
        let to = reach.map(|mm| (2.0 * mm).ceil().max(1.0) as usize);
        let forward = centred(linear, from, to);
        Self { from, to, forward, back: centred(inverse(linear), to, from) }
    }

    /// Size of the upright grid.
    pub fn dims(&self) -> [usize; 3] {
        self.to
    }

    /// A place on the grid along the file's axes, in upright voxels.
    pub fn apply(&self, at: [f64; 3]) -> [f64; 3] {
        moved(&self.forward, at)
    }

    /// A place on the upright grid, in voxels along the file's axes.
    pub fn undo(&self, at: [f64; 3]) -> [f64; 3] {
        moved(&self.back, at)
    }

    /// A channel of the grid along the file's axes at `[x, y, z]` places of the upright grid, x fastest, linearly; beyond the field of
    /// view its smallest value.
    pub fn sample(&self, channel: &[f32], [xs, ys, zs]: &[Vec<f64>; 3]) -> Vec<f32> {
        let beyond = channel.iter().copied().fold(f32::INFINITY, f32::min);
        let mut values = Vec::with_capacity(xs.len() * ys.len() * zs.len());
        for &z in zs {
            for &y in ys {
                values.extend(xs.iter().map(|&x| {
                    let near = corners(self.undo([x, y, z]), self.from);
                    near.map_or(beyond, |near| near.iter().map(|(at, weight)| weight * channel[*at]).sum())
                }));
            }
        }
        values
    }
}

/// The voxels of a grid of size `dims` around a place; `None` for a place that no voxel of it covers.
pub fn corners(at: [f64; 3], dims: [usize; 3]) -> Option<Corners> {
    let covered = (0..3).all(|axis| (-0.5..dims[axis] as f64 - 0.5).contains(&at[axis]));
    covered.then(|| {
        let near: [[(usize, f32); 2]; 3] = std::array::from_fn(|axis| {
            let last = dims[axis] - 1;
            let within = at[axis].clamp(0.0, last as f64);
            let low = within.floor() as usize;
            let share = (within - low as f64) as f32;
            [(low, 1.0 - share), ((low + 1).min(last), share)]
        });
        std::array::from_fn(|corner| {
            let [x, y, z] = std::array::from_fn(|axis| near[axis][corner >> axis & 1]);
            (x.0 + dims[0] * (y.0 + dims[1] * z.0), x.1 * y.1 * z.1)
        })
    })
}

/// The affine with a linear part that leads from the centre of a grid to that of another.
fn centred(linear: [[f64; 3]; 3], from: [usize; 3], to: [usize; 3]) -> VoxelMap {
    let centre = |n: usize| (n as f64 - 1.0) / 2.0;
    std::array::from_fn(|row| {
        let [a, b, c] = linear[row];
        let turned = a * centre(from[0]) + b * centre(from[1]) + c * centre(from[2]);
        [a, b, c, centre(to[row]) - turned]
    })
}

fn moved(map: &VoxelMap, [x, y, z]: [f64; 3]) -> [f64; 3] {
    map.map(|[a, b, c, offset]| a * x + b * y + c * z + offset)
}

/// The inverse of a matrix that has one, as the checks of the header made sure.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |row: usize, column: usize| {
        let at = |r: usize, c: usize| m[(row + r) % 3][(column + c) % 3];
        at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)
    };
    let determinant: f64 = (0..3).map(|column| m[0][column] * minor(0, column)).sum();
    std::array::from_fn(|row| std::array::from_fn(|column| minor(column, row) / determinant))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turned about z by an angle in degrees, with voxels of 1 x 2 x 1.5 mm; i leads to the left.
    fn turned(degrees: f64) -> (Grid, Reorientation, Resample) {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let affine = [
            [-cos, -2.0 * sin, 0.0, 9.0],
            [-sin, 2.0 * cos, 0.0, -4.0],
            [0.0, 0.0, 1.5, 7.0],
            [0.0, 0.0, 0.0, 1.0],
        ];
        let grid = Grid::new([40, 30, 20], affine, [1.0, 2.0, 1.5]);
        let axes = Reorientation::to_ras(&grid);
        (grid, axes, Resample { from: [40, 30, 20], to: [40, 60, 30] })
    }

    #[test]
    fn an_axis_of_two_degrees_is_upright_and_one_of_three_is_not() {
        for (degrees, is_oblique) in [(0.0, false), (1.9, false), (-1.9, false), (3.0, true), (-30.0, true)] {
            let (grid, axes, isotropic) = turned(degrees);
            assert!((oblique_degrees(&grid) - degrees.abs()).abs() < 1e-6, "{degrees}");
            assert_eq!(Upright::of(&grid, &axes, &isotropic).is_some(), is_oblique, "{degrees}");
        }
    }

    #[test]
    fn a_mirrored_grid_is_upright_when_the_grid_is_and_mirrored_when_it_is_not() {
        let (grid, axes, isotropic) = turned(0.0);
        assert_eq!(Upright::of(&grid, &axes.mirrored(), &isotropic), None);
        let (grid, axes, isotropic) = turned(20.0);
        let [plain, mirrored] =
            [axes, axes.mirrored()].map(|axes| Upright::of(&grid, &axes, &isotropic).unwrap());
        assert_eq!(plain.dims(), mirrored.dims());
        let at = plain.apply([3.0, 7.0, 5.0]);
        let turned = mirrored.apply([36.0, 7.0, 5.0]);
        let expected = [plain.dims()[0] as f64 - 1.0 - at[0], at[1], at[2]];
        assert!((0..3).all(|axis| (turned[axis] - expected[axis]).abs() < 1e-9), "{turned:?} {expected:?}");
    }

    #[test]
    fn places_come_back_and_keep_their_distances_in_millimetres() {
        let (grid, axes, isotropic) = turned(20.0);
        let upright = Upright::of(&grid, &axes, &isotropic).unwrap();
        for at in [[0.0; 3], [39.0, 59.0, 29.0], [3.5, 17.0, 8.25]] {
            let back = upright.undo(upright.apply(at));
            assert!((0..3).all(|axis| (back[axis] - at[axis]).abs() < 1e-9), "{back:?}");
            let there = upright.apply(at);
            assert!((0..3).all(|axis| (-0.5..upright.dims()[axis] as f64 - 0.5).contains(&there[axis])));
        }
        // From the first voxel of the file to the last, in mm of the world; the file's x leads to the left.
        let (first, last) = (upright.apply([39.0, 0.0, 0.0]), upright.apply([0.0, 59.0, 29.0]));
        let world = |row: usize| {
            (0..3).map(|axis| grid.affine[row][axis] * (grid.dims[axis] as f64 - 1.0)).sum::<f64>()
        };
        assert!((0..3).all(|axis| (last[axis] - first[axis] - world(axis)).abs() < 1e-9));
    }

    #[test]
    fn a_slope_of_the_patient_is_sampled_as_it_is() {
        let (grid, axes, isotropic) = turned(-15.0);
        let upright = Upright::of(&grid, &axes, &isotropic).unwrap();
        let slope = |at: [f64; 3]| (0.5 * at[0] - 0.25 * at[1] + 2.0 * at[2]) as f32;
        let [nx, ny, nz] = isotropic.to;
        let channel: Vec<f32> = (0..nx * ny * nz)
            .map(|i| slope(upright.apply([i % nx, i / nx % ny, i / (nx * ny)].map(|n| n as f64))))
            .collect();
        let centre = upright.dims().map(|n| vec![n as f64 / 2.0, n as f64 / 2.0 + 0.75]);
        for (index, value) in upright.sample(&channel, &centre).into_iter().enumerate() {
            let at = [0, 1, 2].map(|axis| centre[axis][index >> axis & 1]);
            assert!((value - slope(at)).abs() < 1e-3, "{value} {}", slope(at));
        }
        let far = [vec![-9.0], vec![0.0], vec![0.0]];
        assert_eq!(upright.sample(&channel, &far)[0], channel.iter().copied().fold(f32::INFINITY, f32::min));
    }
}
