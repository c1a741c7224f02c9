//! What a network is shown in training: the whole volume or the box around the object, augmented at random. Image and
//! labels go through one affine map and one resampling together.

use super::augment::{Affine, Augment, random_intensity};
use super::case::LabeledCase;
use super::sample_box::{random_margin, relocate_some, stage_box, stride};
use super::trilinear::Trilinear;
use crate::card::{Preset, Stage};
use crate::engine::nn::example::Example;
use crate::engine::nn::loss::Weighting;
use crate::error::Result;
use crate::prepare::CropResize;
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

/// Input and target of one training step.
#[derive(Debug, Clone)]
pub struct TrainingSample {
    /// Size, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Normalised intensities, `[channel, z, y, x]`, x fastest.
    pub image: Vec<f32>,
    /// Targets from 0 to 1, `[output, z, y, x]`, x fastest.
    pub target: Vec<f32>,
    /// How much each voxel counts; `None` where all count the same.
    pub weights: Option<VoxelWeights>,
}

/// Weights of a sample's voxels in the two terms of the loss, each `[z, y, x]`, x fastest.
#[derive(Debug, Clone)]
pub struct VoxelWeights {
    /// In the Dice term.
    pub overlap: Vec<f32>,
    /// In the cross-entropy term.
    pub entropy: Vec<f32>,
}

impl VoxelWeights {
    fn weighting(&self) -> Weighting<'_> {
        Weighting { overlap: &self.overlap, entropy: &self.entropy }
    }
}

impl TrainingSample {
    /// The sample in the form that the engine takes.
    pub fn example(&self) -> Example<'_> {
        Example {
            image: &self.image,
            target: &self.target,
            weighting: self.weights.as_ref().map(VoxelWeights::weighting),
            dims: self.dims,
        }
    }
}

/// How samples are made of cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleConfig {
    /// Which network they are for.
    pub stage: Stage,
    /// Number of labels without the background.
    pub labels: usize,
    /// Geometry of the cascade.
    pub preset: Preset,
    /// Random augmentation.
    pub augment: Augment,
}

/// The case as the stage's network sees it at inference, in the true box of its object: without augmentation, for
/// validation.
///
/// # Errors
/// `Limit` where a volume is so long and thin that no size fits the network.
pub fn validation_sample(case: &LabeledCase, config: &SampleConfig) -> Result<TrainingSample> {
    let SampleConfig { stage, labels, preset, .. } = *config;
    let crop = CropResize::new(stage_box(stage, case.object, case.dims, &preset.box_rule()), &preset)?;
    let found = crop.crop(&case.labels);
    let target = (0..stage.outputs(labels))
        .flat_map(|output| {
            found.iter().map(move |&label| f32::from(u8::from(is_target(stage, output, label))))
        })
        .collect();
    Ok(TrainingSample { dims: crop.resize.to, image: crop.crop(&case.image), target, weights: None })
}

/// Whether a voxel of `label` is foreground of output channel `output`: the whole stage merges all labels.
pub(crate) fn is_target(stage: Stage, output: usize, label: u8) -> bool {
    match stage {
        Stage::Whole => label > 0,
        Stage::Patch => usize::from(label) == output + 1,
    }
}

/// A random sample of the case. The margin of the box is drawn per axis, by default from 10, 20 and 30 %; of an object in
/// several parts one is taken; one box in five, by default, lies anywhere. One affine map and one resampling follow, then a
/// random change of the intensities.
///
/// # Errors
/// As [`validation_sample`].
pub fn random_sample(
    case: &LabeledCase,
    config: &SampleConfig,
    rng: &mut Xoshiro256PlusPlus,
) -> Result<TrainingSample> {
    let SampleConfig { stage, preset, augment, .. } = config;
    let mut rule = preset.box_rule();
    rule.margin = random_margin(preset.margin, augment, rng);
    let part = match case.parts.len() {
        0 | 1 => case.parts.first().copied(),
        n => Some(case.parts[rng.random_range(0..n)]),
    };
    let region = relocate_some(*stage, stage_box(*stage, part, case.dims, &rule), augment, rng);
    let crop = CropResize::new(region, preset)?;
    let map = Affine::random(&region, augment, rng);
    let mut sample = resample(case, &crop, &map, config);
    let dims = sample.dims;
    for channel in sample.image.chunks_exact_mut(dims.iter().product()) {
        random_intensity(channel, dims, augment, rng);
    }
    Ok(sample)
}

fn resample(case: &LabeledCase, crop: &CropResize, map: &Affine, config: &SampleConfig) -> TrainingSample {
    let SampleConfig { stage, labels, augment: Augment { fill, .. }, .. } = *config;
    let dims = crop.resize.to;
    let (count, voxels) = (dims.iter().product::<usize>(), case.labels.len());
    let mut image = vec![0.0; case.channels() * count];
    let mut target = vec![0.0; stage.outputs(labels) * count];
    let stride = stride(crop.resize.from, dims);
    let mut index = 0;
    for z in 0..dims[2] {
        for y in 0..dims[1] {
            for x in 0..dims[0] {
                let at = std::array::from_fn(|a| [x, y, z][a] as f64 * stride[a]);
                let point = Trilinear::at(map.source(at), case.dims, fill);
                for (channel, source) in case.image.chunks_exact(voxels).enumerate() {
                    image[channel * count + index] = point.intensity(source, fill);
                }
                point.for_each_output(&case.labels, stage, |output| target[output * count + index] = 1.0);
                index += 1;
            }
        }
    }
    TrainingSample { dims, image, target, weights: None }
}

#[cfg(test)]
mod tests {
    use super::super::augment::Fill;
    use super::super::random::seeded_rng;
    use super::super::scanner::Scanner;
    use super::*;

    const STILL: Augment = Augment {
        affine_probability: 1.0,
        degrees: 0.0,
        zoom: [1.0, 1.0],
        shear: 0.0,
        shift: 0.0,
        flip: [false; 3],
        fill: Fill::Edge,
        gamma: [1.0, 1.0],
        noise: [0.0; 2],
        scanner: Scanner { bias: 0.0, blur_mm: 0.0, remap: 0.0 },
        margin_spread: 0.5,
        anywhere: 0.2,
    };

    fn config(stage: Stage, labels: usize, augment: Augment) -> SampleConfig {
        SampleConfig { stage, labels, preset: Preset::default(), augment }
    }

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
    fn without_augmentation_a_random_sample_is_the_validation_sample() {
        let case = ball();
        let plain = validation_sample(&case, &config(Stage::Whole, 2, STILL)).unwrap();
        let drawn = random_sample(&case, &config(Stage::Whole, 2, STILL), &mut seeded_rng(1, 2)).unwrap();
        assert_eq!(plain.dims, drawn.dims);
        assert_eq!(plain.target, drawn.target);
        assert!(plain.image.iter().zip(&drawn.image).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn image_and_labels_move_together() {
        let case = ball();
        for index in 0..20 {
            let augment = Augment { gamma: [1.0, 1.0], noise: [0.0; 2], ..Augment::default() };
            let sample =
                random_sample(&case, &config(Stage::Patch, 2, augment), &mut seeded_rng(7, index)).unwrap();
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
        let (case, augment) = (ball(), Augment::default());
        let one = random_sample(&case, &config(Stage::Patch, 2, augment), &mut seeded_rng(3, 9)).unwrap();
        let two = random_sample(&case, &config(Stage::Patch, 2, augment), &mut seeded_rng(3, 9)).unwrap();
        assert_eq!(one.image, two.image);
    }

    #[test]
    fn a_flip_mirrors_image_and_labels_along_its_axis() {
        let case = ball();
        let plain = validation_sample(&case, &config(Stage::Whole, 2, STILL)).unwrap();
        let augment = Augment { flip: [true, false, false], ..STILL };
        let drawn: Vec<TrainingSample> = (0..20)
            .map(|n| random_sample(&case, &config(Stage::Whole, 2, augment), &mut seeded_rng(1, n)).unwrap())
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
            random_sample(&case, &config(Stage::Whole, 1, augment), &mut seeded_rng(4, n)).unwrap()
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
                .map(|n| random_sample(case, &config(Stage::Patch, 1, STILL), &mut seeded_rng(2, n)).unwrap())
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
        let augment = Augment { gamma: [1.0, 1.0], noise: [0.0; 2], ..Augment::default() };
        let sample = random_sample(&case, &config(Stage::Patch, 2, augment), &mut seeded_rng(7, 1)).unwrap();
        let (a, b) = sample.image.split_at(sample.image.len() / 2);
        assert_eq!((a.len(), case.channels()), (sample.dims.iter().product(), 2));
        assert!(a.iter().zip(b).all(|(a, b)| (3.0 * a - b).abs() < 1e-4));
    }

    #[test]
    fn large_volumes_are_shown_as_inference_shows_them() {
        let preset = Preset { max_voxels: 24 * 24 * 24, ..Preset::default() };
        let (case, config) = (ball(), SampleConfig { preset, ..config(Stage::Whole, 2, Augment::default()) });
        let plain = validation_sample(&case, &config).unwrap();
        let drawn = random_sample(&case, &config, &mut seeded_rng(1, 1)).unwrap();
        assert_eq!(plain.dims, CropResize::whole(case.dims, &preset).unwrap().resize.to);
        assert_eq!(drawn.dims, plain.dims);
    }
}
