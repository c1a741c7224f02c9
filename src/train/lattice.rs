//! Random values at a few points over a box, linear in between along each axis; the outer points lie on its faces.

use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, StandardNormal};

/// Values at points, x fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Lattice {
    points: [usize; 3],
    values: Vec<f32>,
}

/// Where a share of a side lies between points: the lower one, and how far it is from it to the next.
fn place(share: f64, points: usize) -> (usize, f32) {
    let at = share.clamp(0.0, 1.0) * (points - 1) as f64;
    let low = (at as usize).min(points - 2);
    (low, (at - low as f64) as f32)
}

impl Lattice {
    /// Normal values of standard deviation `sd` at `points` per axis, 2 or more.
    pub fn draw(points: [usize; 3], sd: f64, rng: &mut Xoshiro256PlusPlus) -> Self {
        let values = (0..points.iter().product()).map(|_| {
            let value: f32 = StandardNormal.sample(rng);
            value * sd as f32
        });
        Self { points, values: values.collect() }
    }

    /// The values along x at a share (0 to 1) of the other sides, into `row`.
    pub fn row(&self, y: f64, z: f64, row: &mut Vec<f32>) {
        let [nx, ny, nz] = self.points;
        let ((y, part_y), (z, part_z)) = (place(y, ny), place(z, nz));
        let line = |y: usize, z: usize| &self.values[nx * (y + ny * z)..][..nx];
        let four = [line(y, z), line(y + 1, z), line(y, z + 1), line(y + 1, z + 1)];
        row.clear();
        row.extend((0..nx).map(|x| {
            let near = four[0][x] + part_y * (four[1][x] - four[0][x]);
            let far = four[2][x] + part_y * (four[3][x] - four[2][x]);
            near + part_z * (far - near)
        }));
    }
}

impl Lattice {
    /// Multiplies the values of an image, x fastest, by the exponential of the lattice over it: a coil's sensitivity.
    pub fn multiply_exp(&self, image: &mut [f32], dims: [usize; 3]) {
        let share = |at: usize, axis: usize| at as f64 / (dims[axis].max(2) - 1) as f64;
        let mut row = Vec::new();
        for (line, values) in image.chunks_exact_mut(dims[0]).enumerate() {
            self.row(share(line % dims[1], 1), share(line / dims[1], 2), &mut row);
            for (x, value) in values.iter_mut().enumerate() {
                *value *= along(&row, share(x, 0)).exp();
            }
        }
    }
}

/// The value of a row of [`Lattice::row`] at a share (0 to 1) of its side.
#[inline]
pub fn along(row: &[f32], share: f64) -> f32 {
    let (low, part) = place(share, row.len());
    row[low] + part * (row[low + 1] - row[low])
}

#[cfg(test)]
mod tests {
    use super::super::random::seeded_rng;
    use super::*;

    #[test]
    fn points_keep_their_values_and_it_is_linear_in_between() {
        let lattice = Lattice::draw([3, 4, 2], 1.0, &mut seeded_rng(1, 1));
        let mut row = Vec::new();
        let mut at = |x: f64, y: f64, z: f64| {
            lattice.row(y, z, &mut row);
            along(&row, x)
        };
        for (index, &value) in lattice.values.iter().enumerate() {
            let [x, y, z] = [index % 3, index / 3 % 4, index / 12].map(|n| n as f64);
            assert!((at(x / 2.0, y / 3.0, z) - value).abs() < 1e-5);
        }
        let middle = [at(0.0, 0.0, 0.0), at(0.25, 0.0, 0.0), at(0.5, 0.0, 0.0)];
        assert!((middle[1] - (middle[0] + middle[2]) / 2.0).abs() < 1e-6);
    }
}
