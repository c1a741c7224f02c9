//! What a network is shown in training: the whole volume or the box around the object, moved and disturbed at
//! random, image and labels by the same draw and by a single resampling.

use super::data::Case;
use crate::card::{Preset, Stage};
use crate::engine::learner::Example;
use crate::grid::{BoxRule, Region, Resample};
use crate::intensity::mean_and_sd;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

/// How far a training sample may be from its case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augment {
    /// Largest rotation about each axis, in degrees.
    pub degrees: f64,
    /// Smallest and largest zoom.
    pub zoom: [f64; 2],
    /// Largest shear.
    pub shear: f64,
    /// Largest shift along each axis, as a share of its length.
    pub shift: f64,
    /// Smallest and largest exponent of the grey values.
    pub gamma: [f64; 2],
    /// Standard deviation of the noise (the image has 1).
    pub noise: f64,
}

impl Default for Augment {
    fn default() -> Self {
        Self { degrees: 10.0, zoom: [0.88, 1.14], shear: 0.05, shift: 0.08, gamma: [0.7, 1.5], noise: 0.1 }
    }
}

/// Input and target of one training step.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Size, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Normalised intensities, x fastest.
    pub image: Vec<f32>,
    /// One binary channel per output of the network, x fastest.
    pub target: Vec<f32>,
}

impl Sample {
    /// As the engine takes it.
    pub fn example(&self) -> Example<'_> {
        Example { image: &self.image, target: &self.target, dims: self.dims }
    }
}

/// The random numbers of draw `index` under `seed`: any draw can be made again without those before it.
pub fn rng(seed: u64, index: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index))
}

/// The case as the stage's network sees it at inference, with the object's true box. (Volumes above the preset's
/// voxel limit, which inference shrinks, are shown at full size.)
pub fn plain(case: &Case, stage: Stage, labels: usize, preset: &Preset) -> Sample {
    let region = region(case, stage, &preset.box_rule());
    let dims = region.dims().map(|n| n.max(preset.min_side));
    let crop = Resample { from: region.dims(), to: dims };
    let found = crop.apply(&region.crop(&case.labels));
    let image = crop.apply(&region.crop(&case.image));
    let channels = stage.outputs(labels);
    let target = (0..channels)
        .flat_map(|channel| found.iter().map(move |&label| hit(stage, channel, label)))
        .map(f32::from)
        .collect();
    Sample { dims, image, target }
}

fn hit(stage: Stage, channel: usize, label: u8) -> u8 {
    u8::from(match stage {
        Stage::Whole => label > 0,
        Stage::Patch => usize::from(label) == channel + 1,
    })
}

fn region(case: &Case, stage: Stage, rule: &BoxRule) -> Region {
    match stage {
        Stage::Whole => Region::whole(case.dims),
        Stage::Patch => Region::around_object(case.dims, case.dims, rule, |i| case.labels[i] > 0),
    }
}

/// A random sample of the case. The margins of the box are drawn from 10, 20 and 30 % per axis; one box in five
/// lies anywhere; then one affine map and one resampling, edges continued; then grey values and noise.
pub fn draw(
    case: &Case,
    stage: Stage,
    labels: usize,
    preset: &Preset,
    augment: &Augment,
    rng: &mut Xoshiro256PlusPlus,
) -> Sample {
    let mut rule = preset.box_rule();
    rule.margin = std::array::from_fn(|_| [0.1, 0.2, 0.3][rng.random_range(0..3)]);
    let mut region = region(case, stage, &rule);
    if stage == Stage::Patch && rng.random_bool(0.2) {
        let dims = region.dims();
        region.start = std::array::from_fn(|axis| rng.random_range(0..=case.dims[axis] - dims[axis]));
        region.end = std::array::from_fn(|axis| region.start[axis] + dims[axis]);
    }
    let map = affine(&region, augment, rng);
    let mut sample = resample(case, &region, &map, stage, labels, preset.min_side);
    grey(&mut sample.image, augment, rng);
    sample
}

/// `source = rows * (target - center) + offset`
struct Affine {
    rows: [[f64; 3]; 3],
    center: [f64; 3],
    offset: [f64; 3],
}

fn affine(region: &Region, augment: &Augment, rng: &mut Xoshiro256PlusPlus) -> Affine {
    let mut rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let limit = augment.degrees.to_radians();
    for [a, b] in [[0, 1], [0, 2], [1, 2]] {
        let (sin, cos) = rng.random_range(-limit..=limit).sin_cos();
        let mut turn = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
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
    Affine {
        rows: product(&rows, &stretch),
        center: side.map(|n| (n - 1.0) / 2.0),
        offset: std::array::from_fn(|axis| {
            let shift = rng.random_range(-augment.shift..=augment.shift) * side[axis];
            region.start[axis] as f64 + (side[axis] - 1.0) / 2.0 + shift
        }),
    }
}

fn product(a: &[[f64; 3]; 3], b: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

fn resample(
    case: &Case,
    region: &Region,
    map: &Affine,
    stage: Stage,
    labels: usize,
    min_side: usize,
) -> Sample {
    let side = region.dims();
    let dims = side.map(|n| n.max(min_side));
    let count: usize = dims.iter().product();
    let channels = stage.outputs(labels);
    let mut image = Vec::with_capacity(count);
    let mut target = vec![0.0; channels * count];
    // A side that is stretched to `min_side` steps through the box in smaller steps.
    let step: [f64; 3] = std::array::from_fn(|a| (side[a].max(2) - 1) as f64 / (dims[a].max(2) - 1) as f64);
    for z in 0..dims[2] {
        for y in 0..dims[1] {
            for x in 0..dims[0] {
                let at: [f64; 3] = std::array::from_fn(|a| [x, y, z][a] as f64 * step[a] - map.center[a]);
                let source: [f64; 3] = std::array::from_fn(|a| {
                    map.rows[a][0] * at[0] + map.rows[a][1] * at[1] + map.rows[a][2] * at[2] + map.offset[a]
                });
                let mut value = 0.0;
                let mut shares = [0.0; 256];
                corners(source, case.dims, |index, weight| {
                    value += weight * case.image[index];
                    shares[usize::from(case.labels[index])] += weight;
                });
                let index = image.len();
                image.push(value);
                for channel in 0..channels {
                    let share = match stage {
                        Stage::Whole => 1.0 - shares[0],
                        Stage::Patch => shares[channel + 1],
                    };
                    target[channel * count + index] = f32::from(share >= 0.5);
                }
            }
        }
    }
    Sample { dims, image, target }
}

/// The eight voxels around a point with their trilinear weights; outside, the edge goes on.
fn corners(at: [f64; 3], dims: [usize; 3], mut visit: impl FnMut(usize, f32)) {
    let base = at.map(f64::floor);
    let part: [f32; 3] = std::array::from_fn(|a| (at[a] - base[a]) as f32);
    let inside = |axis: usize, index: i64| index.clamp(0, dims[axis] as i64 - 1) as usize;
    for bits in 0..8usize {
        let high = [bits & 1, bits >> 1 & 1, bits >> 2];
        let weight: f32 = (0..3).map(|a| if high[a] == 1 { part[a] } else { 1.0 - part[a] }).product();
        let [x, y, z] = [0, 1, 2].map(|a| inside(a, base[a] as i64 + high[a] as i64));
        visit(x + dims[0] * (y + dims[1] * z), weight);
    }
}

/// A random exponent on the grey values (mean and variance kept), then noise.
fn grey(image: &mut [f32], augment: &Augment, rng: &mut Xoshiro256PlusPlus) {
    let (mean, sd) = mean_and_sd(image);
    let min = image.iter().copied().fold(f32::INFINITY, f32::min);
    let range = image.iter().copied().fold(f32::NEG_INFINITY, f32::max) - min;
    let gamma = rng.random_range(augment.gamma[0]..=augment.gamma[1]) as f32;
    if range > 0.0 {
        image.iter_mut().for_each(|v| *v = ((*v - min) / range).powf(gamma));
        let (now, spread) = mean_and_sd(image);
        let scale = if spread > 0.0 { sd / spread } else { 1.0 };
        image.iter_mut().for_each(|v| *v = ((f64::from(*v) - now) * scale + mean) as f32);
    }
    let noise = (augment.noise * rng.random::<f64>()) as f32;
    for value in image {
        let draw: f32 = StandardNormal.sample(rng);
        *value += noise * draw;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ball() -> Case {
        let dims = [30, 34, 28];
        let index = |i: usize| [i % 30, i / 30 % 34, i / 1020];
        let inside = |i: usize| {
            index(i).iter().zip([15.0, 17.0, 14.0]).map(|(&a, c)| (a as f64 - c).powi(2)).sum::<f64>()
        };
        let labels: Vec<u8> = (0..30 * 34 * 28)
            .map(|i| if inside(i) < 36.0 { 1 + u8::from(index(i)[1] > 17) } else { 0 })
            .collect();
        let image = labels.iter().map(|&l| f32::from(l)).collect();
        Case { id: "ball".into(), subject: 0, dims, image, labels }
    }

    #[test]
    fn without_disturbance_a_draw_is_the_plain_case() {
        let still =
            Augment { degrees: 0.0, zoom: [1.0, 1.0], shear: 0.0, shift: 0.0, gamma: [1.0, 1.0], noise: 0.0 };
        let (case, preset) = (ball(), Preset::default());
        let plain = plain(&case, Stage::Whole, 2, &preset);
        let drawn = draw(&case, Stage::Whole, 2, &preset, &still, &mut rng(1, 2));
        assert_eq!(plain.dims, drawn.dims);
        assert_eq!(plain.target, drawn.target);
        assert!(plain.image.iter().zip(&drawn.image).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn image_and_labels_move_together() {
        let case = ball();
        for index in 0..20 {
            let augment = Augment { gamma: [1.0, 1.0], noise: 0.0, ..Augment::default() };
            let sample = draw(&case, Stage::Patch, 2, &Preset::default(), &augment, &mut rng(7, index));
            let count: usize = sample.dims.iter().product();
            // The image holds the label itself: away from borders both must agree.
            let off = |i: usize| (sample.image[i] - sample.target[i] - 2.0 * sample.target[count + i]).abs();
            assert!((0..count).all(|i| off(i) <= 1.5));
            let mean = (0..count).map(off).sum::<f32>() / count as f32;
            assert!(mean < 0.05, "sample {index} is off by {mean}");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_sample() {
        let (case, preset, augment) = (ball(), Preset::default(), Augment::default());
        let one = draw(&case, Stage::Patch, 2, &preset, &augment, &mut rng(3, 9));
        let two = draw(&case, Stage::Patch, 2, &preset, &augment, &mut rng(3, 9));
        assert_eq!(one.image, two.image);
    }
}
