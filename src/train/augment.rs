//! Random augmentation: one affine map, then a change of the intensities.

use super::scanner::{Scanner, on_shares, random_scanner};
use crate::grid::Region;
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// How far a training sample may differ from its case. Every range is sampled uniformly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Probability that a sample is rotated, zoomed, sheared and shifted by fractions of a voxel. The others are shifted
    /// by whole voxels only: they show the image as sharp as at inference, and its labels unchanged.
    pub affine_probability: f64,
    /// Largest rotation about each axis, in degrees.
    pub degrees: f64,
    /// Smallest and largest zoom factor.
    pub zoom: [f64; 2],
    /// Largest shear, in voxels per voxel.
    pub shear: f64,
    /// Largest shift along each axis, as a share of the sample's side.
    pub shift: f64,
    /// Axes, `[right, anterior, superior]`, along which one sample in two is mirrored.
    pub flip: [bool; 3],
    /// What a sample shows outside of the volume.
    pub fill: Fill,
    /// Smallest and largest exponent of the intensities.
    pub gamma: [f64; 2],
    /// Smallest and largest standard deviation of the noise; that of the image is 1.
    pub noise: [f64; 2],
    /// How far the scanner may be another one.
    pub scanner: Scanner,
    /// The margin of a box is that of inference, or by this share less or more, drawn for each axis; 0 keeps it.
    pub margin_spread: f64,
    /// Share of patches that lie anywhere in the volume, so that the network sees background too.
    pub anywhere: f64,
}

/// What a sample shows where it reaches beyond the volume.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// The voxels of the edge are repeated, labels too.
    Edge,
    /// A normalised value (0 is the mean of MR, and of the training images of CT), and background.
    Constant(f32),
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            affine_probability: 0.4,
            degrees: 10.0,
            zoom: [0.88, 1.14],
            shear: 0.05,
            shift: 0.08,
            flip: [false; 3],
            fill: Fill::Edge,
            gamma: [0.7, 1.5],
            noise: [0.0, 0.1],
            scanner: Scanner::default(),
            margin_spread: 0.5,
            anywhere: 0.2,
        }
    }
}

const IDENTITY: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// A map from a sample to its volume, in voxels: `source = matrix * (target - center) + offset`.
pub(crate) struct Affine {
    matrix: [[f64; 3]; 3],
    center: [f64; 3],
    offset: [f64; 3],
}

impl Affine {
    /// A random map from a box, in voxels from its start, to the volume.
    pub fn random(region: &Region, augment: &Augment, rng: &mut Xoshiro256PlusPlus) -> Self {
        let unmoved = rng.random_bool(1.0 - augment.affine_probability.clamp(0.0, 1.0));
        let mut rotation = IDENTITY;
        let limit = augment.degrees.to_radians();
        for [a, b] in [[0, 1], [0, 2], [1, 2]] {
            let (sin, cos) = rng.random_range(-limit..=limit).sin_cos();
            let mut turn = IDENTITY;
            (turn[a][a], turn[a][b], turn[b][a], turn[b][b]) = (cos, -sin, sin, cos);
            rotation = product(&rotation, &turn);
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
        if unmoved {
            (rotation, stretch, shift) = (IDENTITY, IDENTITY, shift.map(f64::round));
        }
        for axis in (0..3).filter(|axis| augment.flip[*axis]) {
            if rng.random_bool(0.5) {
                stretch.iter_mut().for_each(|row| row[axis] = -row[axis]);
            }
        }
        Self {
            matrix: product(&rotation, &stretch),
            center: side.map(|n| (n - 1.0) / 2.0),
            offset: std::array::from_fn(|a| region.start[a] as f64 + (side[a] - 1.0) / 2.0 + shift[a]),
        }
    }

    /// The point of the volume, in voxels, that a point of the box shows.
    pub fn source(&self, target: [f64; 3]) -> [f64; 3] {
        let at: [f64; 3] = std::array::from_fn(|a| target[a] - self.center[a]);
        std::array::from_fn(|a| {
            self.matrix[a][0] * at[0] + self.matrix[a][1] * at[1] + self.matrix[a][2] * at[2] + self.offset[a]
        })
    }
}

fn product(a: &[[f64; 3]; 3], b: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// Another scanner, a random gamma, then noise, on the values of a channel of size `dims`. Mean and standard deviation stay,
/// but for the noise.
pub(crate) fn random_intensity(
    channel: &mut [f32],
    dims: [usize; 3],
    augment: &Augment,
    rng: &mut Xoshiro256PlusPlus,
) {
    random_scanner(channel, dims, &augment.scanner, rng);
    apply_gamma(channel, rng.random_range(augment.gamma[0]..=augment.gamma[1]) as f32);
    let [least, most] = augment.noise;
    let noise = (least + (most - least) * rng.random::<f64>()) as f32;
    for value in channel {
        let draw: f32 = StandardNormal.sample(rng);
        *value += noise * draw;
    }
}

/// Raises the values of a channel, scaled to 0..1, to the power of `gamma`, then restores their mean and standard
/// deviation. A constant channel stays as it is.
pub(crate) fn apply_gamma(channel: &mut [f32], gamma: f32) {
    on_shares(channel, |shares| shares.iter_mut().for_each(|share| *share = share.powf(gamma)));
}
