//! Where a voxel of the image lies in its map.
//!
//! ```text
//! q = R S diag(1 / s) (p - c') + c + D(p)      p in the image, q in the map, both in mm from the corner of their box
//! R: rotations about the three axes; S: shears; s: scales; c, c': the middles, c' shifted; D: a smooth displacement
//! ```
//!
//! A mirrored image has `W - p_x` for `p_x`, where W is its width.

use super::classes::Classes;
use super::maps::LabelMap;
use super::recipe::GeometryPrior;
use crate::train::lattice::{Lattice, along};
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

/// Air around every map, in mm.
const RIM_MM: f64 = 6.0;
/// Largest enlargement by which the field of view grows with the map.
const GROWTH: f64 = 1.1;
/// Steps in mm in which the organ is looked for before the field of view is cut.
const LOOK_MM: f64 = 4.0;
/// Share of the cut sides that are cut close to the organ, and how close, in mm.
const CLOSE: (f64, f64) = (0.4, 12.0);

type Matrix = [[f64; 3]; 3];

/// A random map from the image to the label map.
#[derive(Debug, Clone)]
pub struct Warp {
    /// Whether left and right change places.
    pub mirrored: bool,
    /// Size of the image before it is cut, in mm.
    pub size_mm: [f64; 3],
    rows: Matrix,
    from: [f64; 3],
    to: [f64; 3],
    displacement: [Lattice; 3],
}

/// A row of the image along x, ready to be followed.
#[derive(Debug, Default)]
pub struct WarpRow {
    /// `q` at `p_x = 0` without the displacement.
    start: [f64; 3],
    displacement: [Vec<f32>; 3],
}

/// The voxel of a map at a place, or the background.
#[inline]
pub fn class_at(map: &LabelMap, per_mm: [f64; 3], at: [f64; 3]) -> u8 {
    let [x, y, z] = [at[0] * per_mm[0], at[1] * per_mm[1], at[2] * per_mm[2]];
    let [nx, ny, nz] = map.dims;
    if x < 0.0 || y < 0.0 || z < 0.0 {
        return 0;
    }
    let (x, y, z) = (x as usize, y as usize, z as usize);
    if x >= nx || y >= ny || z >= nz { 0 } else { map.classes[x + nx * (y + ny * z)] }
}

impl Warp {
    /// A random one for a map.
    pub fn draw(map: &LabelMap, prior: &GeometryPrior, rng: &mut Xoshiro256PlusPlus) -> Self {
        let mirrored = rng.random_bool(prior.mirror);
        let far = rng.random_bool(prior.far[0]);
        let limit = if far { prior.far[1].max(prior.degrees) } else { prior.degrees }.to_radians();
        let mut rows: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        for [a, b] in [[1, 2], [0, 2], [0, 1]] {
            rows = product(&rows, &rotation(a, b, rng.random_range(-limit..=limit)));
        }
        let together = rng.random_range(prior.size[0]..=prior.size[1]);
        let scale: [f64; 3] =
            std::array::from_fn(|_| together * rng.random_range(prior.scale[0]..=prior.scale[1]));
        let mut stretch = [[0.0; 3]; 3];
        for (row, values) in stretch.iter_mut().enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                let sheared = if row == column { 1.0 } else { rng.random_range(-prior.shear..=prior.shear) };
                *value = sheared / scale[column];
            }
        }
        let map_mm: [f64; 3] = std::array::from_fn(|a| map.dims[a] as f64 * map.spacing_mm[a]);
        let airy = rng.random_bool(prior.air[0]);
        let mut air = || if airy { rng.random_range(0.0..=prior.air[1]) } else { 0.0 };
        let sides: [[f64; 2]; 3] = std::array::from_fn(|_| [RIM_MM + air(), RIM_MM + air()]);
        let body: [f64; 3] = std::array::from_fn(|a| map_mm[a] * scale[a].min(GROWTH));
        let shift: [f64; 3] = std::array::from_fn(|_| rng.random_range(-prior.shift_mm..=prior.shift_mm));
        let points = || [0; 3];
        let [few, many] = prior.warp_points;
        let points = points().map(|_: usize| rng.random_range(few..=many));
        let sd = rng.random_range(0.0..=prior.warp_mm);
        Self {
            mirrored,
            size_mm: std::array::from_fn(|a| sides[a][0] + body[a] + sides[a][1]),
            rows: product(&rows, &stretch),
            from: std::array::from_fn(|a| sides[a][0] + body[a] / 2.0 + shift[a]),
            to: map_mm.map(|mm| mm / 2.0),
            displacement: std::array::from_fn(|_| Lattice::draw(points, sd, rng)),
        }
    }

    /// The row at `y` and `z`, in mm.
    pub fn row(&self, y: f64, z: f64, row: &mut WarpRow) {
        let p = [-self.from[0], y - self.from[1], z - self.from[2]];
        row.start = std::array::from_fn(|a| dot(&self.rows[a], p) + self.to[a]);
        for (lattice, values) in self.displacement.iter().zip(&mut row.displacement) {
            lattice.row(y / self.size_mm[1], z / self.size_mm[2], values);
        }
    }

    /// The place in the map of the place `x`, in mm, of a row.
    #[inline]
    pub fn source(&self, row: &WarpRow, x: f64) -> [f64; 3] {
        let x = if self.mirrored { self.size_mm[0] - x } else { x };
        let share = x / self.size_mm[0];
        std::array::from_fn(|a| {
            row.start[a] + self.rows[a][0] * x + f64::from(along(&row.displacement[a], share))
        })
    }

    /// What a step in the image, in mm, is in the map, but for the displacement.
    pub fn step(&self, step: [f64; 3]) -> [f64; 3] {
        let step = if self.mirrored { [-step[0], step[1], step[2]] } else { step };
        std::array::from_fn(|a| dot(&self.rows[a], step))
    }

    /// First and last place, in mm, of what the field of view has to keep; all of the image where it is nowhere.
    fn kept(&self, map: &LabelMap, classes: &Classes) -> [[f64; 2]; 3] {
        let per_mm = map.spacing_mm.map(|mm| 1.0 / mm);
        let mut found = [[f64::INFINITY, f64::NEG_INFINITY]; 3];
        let counts = self.size_mm.map(|mm| (mm / LOOK_MM).ceil() as usize);
        let mut row = WarpRow::default();
        for k in 0..counts[2] {
            for j in 0..counts[1] {
                let (y, z) = ((j as f64 + 0.5) * LOOK_MM, (k as f64 + 0.5) * LOOK_MM);
                self.row(y, z, &mut row);
                for i in 0..counts[0] {
                    let x = (i as f64 + 0.5) * LOOK_MM;
                    let class = class_at(map, per_mm, self.source(&row, x));
                    if classes.keep[usize::from(class)] {
                        for (span, at) in found.iter_mut().zip([x, y, z]) {
                            *span = [span[0].min(at - LOOK_MM), span[1].max(at + LOOK_MM)];
                        }
                    }
                }
            }
        }
        std::array::from_fn(|axis| match found[axis] {
            [first, last] if first < last => [first.max(0.0), last.min(self.size_mm[axis])],
            _ => [0.0, self.size_mm[axis]],
        })
    }

    /// A random field of view, that keeps what it has to: its corner in the image, and its size in whole mm.
    pub fn field_of_view(
        &self,
        map: &LabelMap,
        classes: &Classes,
        prior: &GeometryPrior,
        rng: &mut Xoshiro256PlusPlus,
    ) -> ([f64; 3], [usize; 3]) {
        let mut span: [[f64; 2]; 3] = self.size_mm.map(|mm| [0.0, mm]);
        if rng.random_bool(prior.crop) {
            let kept = self.kept(map, classes);
            for axis in 0..3 {
                for side in 0..2 {
                    let room = (kept[axis][side] - span[axis][side]).abs();
                    let close = rng.random_bool(CLOSE.0);
                    let share = rng.random_range(0.0..=1.0);
                    if rng.random_bool(0.5) {
                        let left = if close { share * CLOSE.1.min(room) } else { share * room };
                        let away = if side == 0 { -left } else { left };
                        span[axis][side] = kept[axis][side] + away;
                    }
                }
            }
        }
        (span.map(|[first, _]| first), span.map(|[first, last]| ((last - first).round() as usize).max(1)))
    }
}

fn rotation(a: usize, b: usize, angle: f64) -> Matrix {
    let (sin, cos) = angle.sin_cos();
    let mut turn = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    (turn[a][a], turn[a][b], turn[b][a], turn[b][b]) = (cos, -sin, sin, cos);
    turn
}

fn dot(row: &[f64; 3], at: [f64; 3]) -> f64 {
    row[0] * at[0] + row[1] * at[1] + row[2] * at[2]
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}
