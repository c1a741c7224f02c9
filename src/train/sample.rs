//! What a network is shown in training: the whole volume or the box around the object, moved and disturbed at
//! random, image and labels by the same draw and by a single resampling.

use super::augment::{Affine, grey};
use super::dataset::LabeledCase;
use crate::card::{Preset, Stage};
use crate::engine::nn::example::Example;
use crate::error::Result;
use crate::grid::{BoxRule, Region};
use crate::prepare::CropResize;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

pub use super::augment::{Augment, Fill};

/// Input and target of one training step.
#[derive(Debug, Clone)]
pub struct TrainingSample {
    /// Size, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Normalised intensities, channel after channel, x fastest.
    pub image: Vec<f32>,
    /// One binary channel per output of the network, x fastest.
    pub target: Vec<f32>,
}

impl TrainingSample {
    /// As the engine takes it.
    pub fn example(&self) -> Example<'_> {
        Example::new(&self.image, &self.target, self.dims)
    }
}

/// The random numbers of draw `index` under `seed`: any draw can be made again without those before it.
pub fn rng(seed: u64, index: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index))
}

/// The case as the stage's network sees it at inference, with the object's true box.
///
/// # Errors
/// `Limit` where a volume is so long and thin that no size fits the network.
pub fn plain(case: &LabeledCase, stage: Stage, labels: usize, preset: &Preset) -> Result<TrainingSample> {
    let crop = CropResize::new(around(case, stage, case.object, &preset.box_rule()), preset)?;
    let found = crop.crop(&case.labels);
    let channels = stage.outputs(labels);
    let target = (0..channels)
        .flat_map(|channel| found.iter().map(move |&label| hit(stage, channel, label)))
        .map(f32::from)
        .collect();
    Ok(TrainingSample { dims: crop.resize.to, image: crop.crop(&case.image), target })
}

fn hit(stage: Stage, channel: usize, label: u8) -> u8 {
    u8::from(match stage {
        Stage::Whole => label > 0,
        Stage::Patch => usize::from(label) == channel + 1,
    })
}

/// All of the volume for the whole stage and where there is no object; else the box around it.
fn around(
    case: &LabeledCase,
    stage: Stage,
    object: Option<([usize; 3], [usize; 3])>,
    rule: &BoxRule,
) -> Region {
    match (stage, object) {
        (Stage::Patch, Some((first, last))) => Region::around(first, last, case.dims, case.dims, rule),
        _ => Region::whole(case.dims),
    }
}

/// A random sample of the case. The margins of the box are drawn from 10, 20 and 30 % per axis; of an object in parts
/// one is taken; one box in five lies anywhere; then one affine map and one resampling; then grey values and noise.
///
/// # Errors
/// As [`plain`].
pub fn draw(
    case: &LabeledCase,
    stage: Stage,
    labels: usize,
    preset: &Preset,
    augment: &Augment,
    rng: &mut Xoshiro256PlusPlus,
) -> Result<TrainingSample> {
    let mut rule = preset.box_rule();
    rule.margin = std::array::from_fn(|_| [0.1, 0.2, 0.3][rng.random_range(0..3)]);
    let part = match case.parts.len() {
        0 | 1 => case.parts.first().copied(),
        n => Some(case.parts[rng.random_range(0..n)]),
    };
    let mut region = around(case, stage, part, &rule);
    if stage == Stage::Patch && rng.random_bool(0.2) {
        let dims = region.dims();
        region.start = std::array::from_fn(|axis| rng.random_range(0..=case.dims[axis] - dims[axis]));
        region.end = std::array::from_fn(|axis| region.start[axis] + dims[axis]);
    }
    let crop = CropResize::new(region, preset)?;
    let map = Affine::draw(&region, augment, rng);
    let mut sample = resample(case, &crop, &map, augment.fill, stage, labels);
    for channel in sample.image.chunks_exact_mut(sample.dims.iter().product()) {
        grey(channel, augment, rng);
    }
    Ok(sample)
}

fn resample(
    case: &LabeledCase,
    crop: &CropResize,
    map: &Affine,
    fill: Fill,
    stage: Stage,
    labels: usize,
) -> TrainingSample {
    let (side, dims) = (crop.resize.from, crop.resize.to);
    let (count, voxels) = (dims.iter().product::<usize>(), case.labels.len());
    let mut image = vec![0.0; case.channels() * count];
    let mut target = vec![0.0; stage.outputs(labels) * count];
    // A side that is stretched or shrunk steps through the box in smaller or larger steps.
    let step: [f64; 3] = std::array::from_fn(|a| (side[a].max(2) - 1) as f64 / (dims[a].max(2) - 1) as f64);
    let mut index = 0;
    for z in 0..dims[2] {
        for y in 0..dims[1] {
            for x in 0..dims[0] {
                let at = std::array::from_fn(|a| [x, y, z][a] as f64 * step[a]);
                let cell = Cell::at(map.source(at), case.dims, fill);
                for (channel, source) in case.image.chunks_exact(voxels).enumerate() {
                    image[channel * count + index] = cell.value(source, fill);
                }
                cell.labels(&case.labels, stage, |channel| target[channel * count + index] = 1.0);
                index += 1;
            }
        }
    }
    TrainingSample { dims, image, target }
}

/// The eight voxels around a point with their trilinear weights, and the weight of what lies outside the volume.
struct Cell {
    index: [usize; 8],
    weight: [f32; 8],
    outside: f32,
}

impl Cell {
    #[inline]
    fn at(at: [f64; 3], dims: [usize; 3], fill: Fill) -> Self {
        let base = at.map(f64::floor);
        let part: [f32; 3] = std::array::from_fn(|a| (at[a] - base[a]) as f32);
        let stride = [1, dims[0], dims[0] * dims[1]];
        // Per axis: both neighbours' places in memory and weights; a neighbour outside is the edge, or weighs nothing.
        let mut place = [[0; 2]; 3];
        let mut share = [[0.0; 2]; 3];
        for axis in 0..3 {
            let last = dims[axis] as i64 - 1;
            for high in 0..2 {
                let wanted = base[axis] as i64 + high as i64;
                let found = wanted.clamp(0, last);
                let weight = if high == 1 { part[axis] } else { 1.0 - part[axis] };
                place[axis][high] = found as usize * stride[axis];
                let counts = found == wanted || fill == Fill::Edge;
                share[axis][high] = if counts { weight } else { 0.0 };
            }
        }
        let bit = |corner: usize, axis: usize| corner >> axis & 1;
        let index = std::array::from_fn(|c| place[0][bit(c, 0)] + place[1][bit(c, 1)] + place[2][bit(c, 2)]);
        let weight = std::array::from_fn(|c| share[0][bit(c, 0)] * share[1][bit(c, 1)] * share[2][bit(c, 2)]);
        let inside = share.iter().map(|[low, high]| low + high).product::<f32>();
        Self { index, weight, outside: if fill == Fill::Edge { 0.0 } else { 1.0 - inside } }
    }

    #[inline]
    fn value(&self, channel: &[f32], fill: Fill) -> f32 {
        let inside: f32 = (0..8).map(|c| self.weight[c] * channel[self.index[c]]).sum();
        match fill {
            Fill::Edge => inside,
            Fill::Constant(value) => inside + self.outside * value,
        }
    }

    /// Calls `hit` with every output of the stage whose labels have at least half of the weight.
    #[inline]
    fn labels(&self, labels: &[u8], stage: Stage, mut hit: impl FnMut(usize)) {
        let found = self.index.map(|index| labels[index]);
        if found == [found[0]; 8] && self.outside < 0.5 {
            // Nearly every cell.
            match stage {
                _ if found[0] == 0 => {}
                Stage::Whole => hit(0),
                Stage::Patch => hit(usize::from(found[0]) - 1),
            }
            return;
        }
        let share = |wanted: &dyn Fn(u8) -> bool| -> f32 {
            (0..8).filter(|&c| wanted(found[c])).map(|c| self.weight[c]).sum()
        };
        match stage {
            Stage::Whole if 1.0 - self.outside - share(&|label| label == 0) >= 0.5 => hit(0),
            Stage::Whole => {}
            Stage::Patch => {
                for (corner, &label) in found.iter().enumerate().filter(|(_, label)| **label > 0) {
                    if !found[..corner].contains(&label) && share(&|other| other == label) >= 0.5 {
                        hit(usize::from(label) - 1);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Augment = Augment {
        moved: 1.0,
        degrees: 0.0,
        zoom: [1.0, 1.0],
        shear: 0.0,
        shift: 0.0,
        flip: [false; 3],
        fill: Fill::Edge,
        gamma: [1.0, 1.0],
        noise: 0.0,
    };

    fn ball() -> LabeledCase {
        let dims = [30, 34, 28];
        let index = |i: usize| [i % 30, i / 30 % 34, i / 1020];
        let inside = |i: usize| {
            index(i).iter().zip([15.0, 17.0, 14.0]).map(|(&a, c)| (a as f64 - c).powi(2)).sum::<f64>()
        };
        let labels: Vec<u8> = (0..30 * 34 * 28)
            .map(|i| if inside(i) < 36.0 { 1 + u8::from(index(i)[1] > 17) } else { 0 })
            .collect();
        let image = labels.iter().map(|&l| f32::from(l)).collect();
        LabeledCase::new("ball".into(), 0, dims, image, labels)
    }

    #[test]
    fn without_disturbance_a_draw_is_the_plain_case() {
        let (case, preset) = (ball(), Preset::default());
        let plain = plain(&case, Stage::Whole, 2, &preset).unwrap();
        let drawn = draw(&case, Stage::Whole, 2, &preset, &STILL, &mut rng(1, 2)).unwrap();
        assert_eq!(plain.dims, drawn.dims);
        assert_eq!(plain.target, drawn.target);
        assert!(plain.image.iter().zip(&drawn.image).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn image_and_labels_move_together() {
        let case = ball();
        for index in 0..20 {
            let augment = Augment { gamma: [1.0, 1.0], noise: 0.0, ..Augment::default() };
            let sample =
                draw(&case, Stage::Patch, 2, &Preset::default(), &augment, &mut rng(7, index)).unwrap();
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
        let one = draw(&case, Stage::Patch, 2, &preset, &augment, &mut rng(3, 9)).unwrap();
        let two = draw(&case, Stage::Patch, 2, &preset, &augment, &mut rng(3, 9)).unwrap();
        assert_eq!(one.image, two.image);
    }

    #[test]
    fn a_flip_mirrors_image_and_labels_along_its_axis() {
        let (case, preset) = (ball(), Preset::default());
        let plain = plain(&case, Stage::Whole, 2, &preset).unwrap();
        let augment = Augment { flip: [true, false, false], ..STILL };
        let drawn: Vec<TrainingSample> = (0..20)
            .map(|n| draw(&case, Stage::Whole, 2, &preset, &augment, &mut rng(1, n)).unwrap())
            .collect();
        let mirrored: Vec<f32> =
            plain.target.chunks(plain.dims[0]).flat_map(|row| row.iter().rev()).copied().collect();
        let count = |wanted: &[f32]| drawn.iter().filter(|sample| sample.target == wanted).count();
        assert_ne!(plain.target, mirrored);
        assert!(count(&plain.target) > 3 && count(&mirrored) > 3);
        assert_eq!(count(&plain.target) + count(&mirrored), 20);
    }

    #[test]
    fn outside_is_the_edge_or_a_constant() {
        let dims = [24; 3];
        let ones = |labels| LabeledCase::new("ones".into(), 0, dims, vec![1.0; 24 * 24 * 24], labels);
        let case = ones(vec![1; 24 * 24 * 24]);
        let shifted = |fill, n| {
            let augment = Augment { shift: 0.5, fill, ..STILL };
            draw(&case, Stage::Whole, 1, &Preset::default(), &augment, &mut rng(4, n)).unwrap()
        };
        for n in 0..10 {
            let edge = shifted(Fill::Edge, n);
            assert!(
                edge.image.iter().all(|v| (v - 1.0).abs() < 1e-5) && edge.target.iter().all(|v| *v == 1.0)
            );
            let constant = shifted(Fill::Constant(-3.0), n);
            assert!(constant.image.iter().any(|v| (v + 3.0).abs() < 1e-5), "sample {n} stays within");
            // The value is as far from the constant as the voxel is inside.
            for (value, target) in constant.image.iter().zip(&constant.target) {
                let inside = (value + 3.0) / 4.0;
                assert!((inside - 0.5).abs() < 1e-4 || (inside > 0.5) == (*target == 1.0));
            }
        }
    }

    #[test]
    fn of_a_scattered_object_a_sample_shows_one_cluster() {
        let dims = [80, 24, 24];
        let mut labels = vec![0; 80 * 24 * 24];
        for x in (2..10).chain(60..66) {
            labels[x + 80 * (12 + 24 * 12)] = 1;
        }
        let image = labels.iter().map(|&l| f32::from(l)).collect();
        let case = LabeledCase::new("two".into(), 0, dims, image, labels);
        let widths = |case: &LabeledCase| -> Vec<usize> {
            let mut found: Vec<usize> = (0..40)
                .map(|n| draw(case, Stage::Patch, 1, &Preset::default(), &STILL, &mut rng(2, n)).unwrap())
                .map(|sample| sample.dims[0])
                .collect();
            found.sort_unstable();
            found
        };
        assert!(widths(&case)[0] > 60);
        let wide = widths(&case.in_clusters());
        assert!(*wide.last().unwrap() < 50, "{wide:?}");
    }

    #[test]
    fn many_channels_move_together() {
        let one = ball();
        let image: Vec<f32> = one.image.iter().copied().chain(one.image.iter().map(|v| 3.0 * v)).collect();
        let case = LabeledCase::new("two".into(), 0, one.dims, image, one.labels.clone());
        let augment = Augment { gamma: [1.0, 1.0], noise: 0.0, ..Augment::default() };
        let sample = draw(&case, Stage::Patch, 2, &Preset::default(), &augment, &mut rng(7, 1)).unwrap();
        let (a, b) = sample.image.split_at(sample.image.len() / 2);
        assert_eq!((a.len(), case.channels()), (sample.dims.iter().product(), 2));
        assert!(a.iter().zip(b).all(|(a, b)| (3.0 * a - b).abs() < 1e-4));
    }

    #[test]
    fn large_volumes_are_shown_as_inference_shows_them() {
        let preset = Preset { max_voxels: 24 * 24 * 24, ..Preset::default() };
        let case = ball();
        let plain = plain(&case, Stage::Whole, 2, &preset).unwrap();
        let drawn = draw(&case, Stage::Whole, 2, &preset, &Augment::default(), &mut rng(1, 1)).unwrap();
        assert_eq!(plain.dims, CropResize::whole(case.dims, &preset).unwrap().resize.to);
        assert_eq!(drawn.dims, plain.dims);
    }
}
