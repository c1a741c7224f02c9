//! How a training sample may differ from its case: one affine map, then grey values and noise.

use crate::grid::Region;
use crate::intensity::mean_and_sd;
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, StandardNormal};

/// How far a training sample may be from its case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augment {
    /// Share of the samples that are rotated, zoomed, sheared and shifted by parts of voxels. The others are shifted by
    /// whole voxels: they show the image as sharp as it will be at inference, and its labels as they are.
    pub moved: f64,
    /// Largest rotation about each axis, in degrees.
    pub degrees: f64,
    /// Smallest and largest zoom.
    pub zoom: [f64; 2],
    /// Largest shear.
    pub shear: f64,
    /// Largest shift along each axis, as a share of its length.
    pub shift: f64,
    /// Axes, `[right, anterior, superior]`, along which one sample in two is mirrored.
    pub flip: [bool; 3],
    /// What lies outside the volume.
    pub fill: Fill,
    /// Smallest and largest exponent of the grey values.
    pub gamma: [f64; 2],
    /// Standard deviation of the noise (the image has 1).
    pub noise: f64,
}

/// What a sample shows where it reaches beyond the volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill {
    /// The voxels of the edge go on, labels too.
    Edge,
    /// A normalised value (0 is the mean of MR, and of the training images of CT), and background.
    Constant(f32),
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            moved: 0.4,
            degrees: 10.0,
            zoom: [0.88, 1.14],
            shear: 0.05,
            shift: 0.08,
            flip: [false; 3],
            fill: Fill::Edge,
            gamma: [0.7, 1.5],
            noise: 0.1,
        }
    }
}

const SAME: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// `source = rows * (target - center) + offset`
pub(crate) struct Affine {
    rows: [[f64; 3]; 3],
    center: [f64; 3],
    offset: [f64; 3],
}

impl Affine {
    /// A random map from a box, in voxels from its start, to the volume.
    pub fn draw(region: &Region, augment: &Augment, rng: &mut Xoshiro256PlusPlus) -> Self {
        let still = rng.random_bool(1.0 - augment.moved.clamp(0.0, 1.0));
        let mut rows = SAME;
        let limit = augment.degrees.to_radians();
        for [a, b] in [[0, 1], [0, 2], [1, 2]] {
            let (sin, cos) = rng.random_range(-limit..=limit).sin_cos();
            let mut turn = SAME;
            (turn[a][a], turn[a][b], turn[b][a], turn[b][b]) = (cos, -sin, sin, cos);
            rows = product(&rows, &turn);
        }
        let mut stretch = [[0.0; 3]; 3];
        for (axis, row) in stretch.iter_mut().enumerate() {
            for (other, value) in row.iter_mut().enumerate() {
                *value = if axis == other {
                    1.0 / rng.random_range(augment.zoom[0]..=augment.zoom[1])
                } else {
                    rng.random_range(-augment.shear..=augment.shear)
                };
            }
        }
        let side = region.dims().map(|n| n as f64);
        let mut shift = side.map(|n| rng.random_range(-augment.shift..=augment.shift) * n);
        if still {
            (rows, stretch, shift) = (SAME, SAME, shift.map(f64::round));
        }
        for axis in (0..3).filter(|axis| augment.flip[*axis]) {
            if rng.random_bool(0.5) {
                stretch.iter_mut().for_each(|row| row[axis] = -row[axis]);
            }
        }
        Self {
            rows: product(&rows, &stretch),
            center: side.map(|n| (n - 1.0) / 2.0),
            offset: std::array::from_fn(|a| region.start[a] as f64 + (side[a] - 1.0) / 2.0 + shift[a]),
        }
    }

    /// The place in the volume of a place in the box.
    pub fn source(&self, target: [f64; 3]) -> [f64; 3] {
        let at: [f64; 3] = std::array::from_fn(|a| target[a] - self.center[a]);
        std::array::from_fn(|a| {
            self.rows[a][0] * at[0] + self.rows[a][1] * at[1] + self.rows[a][2] * at[2] + self.offset[a]
        })
    }
}

fn product(a: &[[f64; 3]; 3], b: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// A random exponent on the grey values of a channel (mean and variance kept), then noise.
pub(crate) fn grey(channel: &mut [f32], augment: &Augment, rng: &mut Xoshiro256PlusPlus) {
    let (mean, sd) = mean_and_sd(channel);
    let min = channel.iter().copied().fold(f32::INFINITY, f32::min);
    let range = channel.iter().copied().fold(f32::NEG_INFINITY, f32::max) - min;
    let gamma = rng.random_range(augment.gamma[0]..=augment.gamma[1]) as f32;
    if range > 0.0 {
        channel.iter_mut().for_each(|v| *v = ((*v - min) / range).powf(gamma));
        let (now, spread) = mean_and_sd(channel);
        let scale = if spread > 0.0 { sd / spread } else { 1.0 };
        channel.iter_mut().for_each(|v| *v = ((f64::from(*v) - now) * scale + mean) as f32);
    }
    let noise = (augment.noise * rng.random::<f64>()) as f32;
    for value in channel {
        let draw: f32 = StandardNormal.sample(rng);
        *value += noise * draw;
    }
}
