//! Training samples of an annotated case: patches around the annotations, augmented at random.
//!
//! A voxel that trains has its annotation as target, in both terms of the loss. Elsewhere the target is the original
//! model's probability, in the cross-entropy term alone: what nobody corrected is to be preserved. All of those voxels
//! together weigh `keep_weight` times as much as all annotated voxels. Voxels that validate have no weight; nor have
//! unannotated voxels of images that the original model was not trained for.

use super::case::{AnnotatedCase, UNANNOTATED, is_object};
use crate::card::{Preset, Stage};
use crate::grid::{BoxRule, Region};
use crate::predict::Image;
use crate::train::augment::{Affine, Augment, Fill, random_intensity};
use crate::train::case::Extent;
use crate::train::sample::{TrainingSample, VoxelWeights, is_target};
use crate::train::sample_box::{random_margin, relocate_some, stage_box, stride};
use crate::train::trilinear::Trilinear;
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use std::ops::Range;

/// How often a sample is drawn again because it shows no annotated voxel.
const REDRAWS: usize = 4;

/// Probabilities of the original patch network.
pub struct OriginalOutput {
    /// `[output, z, y, x]` at 1 mm, 0 outside of the box.
    pub probabilities: Vec<f32>,
    /// `[z, y, x]`: whether a voxel lies in the box.
    pub inside: Vec<bool>,
}

/// What one network learns from one case, at 1 mm.
pub struct PatchSampler<'a> {
    stage: Stage,
    image: &'a Image,
    /// Target labels, `[z, y, x]`; [`UNANNOTATED`] where there is none.
    labels: Vec<u8>,
    original: Option<OriginalOutput>,
    /// Bounding box of the annotated object.
    extent: Option<Extent>,
    outputs: usize,
}

/// How patches are drawn.
#[derive(Debug, Clone, Copy)]
pub struct PatchConfig {
    /// Geometry of the cascade.
    pub preset: Preset,
    /// Random augmentation.
    pub augment: Augment,
    /// Weight of the unannotated voxels.
    pub keep_weight: f64,
    /// Longest side of a patch in voxels.
    pub max_side: usize,
}

impl<'a> PatchSampler<'a> {
    /// Samples of a case without the voxels that validate. `validation` is `[z, y, x]` at 1 mm.
    pub fn new(
        case: &'a AnnotatedCase,
        validation: &[bool],
        original: Option<OriginalOutput>,
        stage: Stage,
        outputs: usize,
    ) -> Self {
        let pairs = case.labels.iter().zip(validation);
        let labels: Vec<u8> =
            pairs.map(|(&label, validates)| if *validates { UNANNOTATED } else { label }).collect();
        let original = original.map(|mut original| {
            original.inside.iter_mut().zip(validation).for_each(|(inside, validates)| *inside &= !validates);
            original
        });
        let extent = Region::extent(case.image.dims, |i| is_object(labels[i]));
        Self { stage, image: &case.image, labels, original, extent, outputs }
    }

    /// Whether a voxel that trains is annotated as object.
    pub fn shows_object(&self) -> bool {
        self.extent.is_some()
    }

    /// The stage's box around the annotated object.
    fn region(&self, preset: &Preset, margin: [f64; 3]) -> Region {
        stage_box(self.stage, self.extent, self.image.dims, &BoxRule { margin, ..preset.box_rule() })
    }

    /// The case without augmentation.
    pub fn fixed_sample(&self, config: &PatchConfig) -> TrainingSample {
        let margin = [config.preset.margin; 3];
        let region = self.shorten(self.region(&config.preset, margin), config, &mut |range| range.start);
        let dims = padded(&region, config);
        let stride = stride(region.dims(), dims);
        self.resample(dims, config.keep_weight, |at| {
            std::array::from_fn(|a| region.start[a] as f64 + at[a] as f64 * stride[a])
        })
    }

    /// A random sample. Draws again up to four times until it shows an annotated voxel.
    pub fn random_sample(&self, config: &PatchConfig, rng: &mut Xoshiro256PlusPlus) -> TrainingSample {
        let mut sample = self.draw(config, rng);
        for _ in 0..REDRAWS {
            if shows_annotation(&sample) {
                break;
            }
            sample = self.draw(config, rng);
        }
        let dims = sample.dims;
        for channel in sample.image.chunks_exact_mut(dims.iter().product()) {
            random_intensity(channel, dims, &config.augment, rng);
        }
        sample
    }

    fn draw(&self, config: &PatchConfig, rng: &mut Xoshiro256PlusPlus) -> TrainingSample {
        let PatchConfig { preset, augment, .. } = config;
        let region = self.region(preset, random_margin(preset.margin, augment, rng));
        let region = relocate_some(self.stage, region, augment, rng);
        let region = self.shorten(region, config, &mut |range| rng.random_range(range));
        let map = Affine::random(&region, augment, rng);
        let dims = padded(&region, config);
        let stride = stride(region.dims(), dims);
        self.resample(dims, config.keep_weight, |at| {
            map.source(std::array::from_fn(|a| at[a] as f64 * stride[a]))
        })
    }

    /// Cuts the box to the longest side that is allowed, along each axis at a position that `choose` takes from a range.
    fn shorten(
        &self,
        mut region: Region,
        config: &PatchConfig,
        choose: &mut dyn FnMut(Range<usize>) -> usize,
    ) -> Region {
        for axis in 0..3 {
            let side = region.end[axis] - region.start[axis];
            if side > config.max_side {
                // Where there is an object, a part of it stays inside.
                let (first, last) = self
                    .extent
                    .map_or((region.start[axis], region.end[axis] - 1), |(a, b)| (a[axis], b[axis]));
                let least = first.saturating_sub(config.max_side / 2).max(region.start[axis]);
                let most = last.min(region.end[axis] - config.max_side).max(least);
                region.start[axis] = choose(least..most + 1).min(region.end[axis] - config.max_side);
                region.end[axis] = region.start[axis] + config.max_side;
            }
        }
        region
    }

    /// Image and targets at the points of the volume that `source` gives; beyond the volume its edge is repeated.
    fn resample(
        &self,
        dims: [usize; 3],
        keep_weight: f64,
        source: impl Fn([usize; 3]) -> [f64; 3],
    ) -> TrainingSample {
        let (count, voxels) = (dims.iter().product::<usize>(), self.labels.len());
        let mut image = vec![0.0; self.image.values.len() / voxels * count];
        let mut target = vec![0.0; self.outputs * count];
        let mut kinds = Vec::with_capacity(count);
        for index in 0..count {
            let at = [index % dims[0], index / dims[0] % dims[1], index / (dims[0] * dims[1])];
            let point = Trilinear::at(source(at), self.image.dims, Fill::Edge);
            for (channel, values) in self.image.values.chunks_exact(voxels).enumerate() {
                image[channel * count + index] = point.sum(|i| values[i]);
            }
            kinds.push(self.set_target(&point, |output, value| target[output * count + index] = value));
        }
        TrainingSample { dims, image, target, weights: Some(voxel_weights(&kinds, keep_weight)) }
    }

    /// Sets the target of every output at one point, where there is one.
    fn set_target(&self, point: &Trilinear, mut set: impl FnMut(usize, f32)) -> TargetKind {
        let annotated = point.sum(|i| f32::from(self.labels[i] != UNANNOTATED));
        if annotated >= 0.5 {
            for output in 0..self.outputs {
                let share = point.sum(|i| f32::from(self.is_target(output, self.labels[i])));
                set(output, f32::from(share >= 0.5 * annotated));
            }
            return TargetKind::Annotation;
        }
        match &self.original {
            Some(OriginalOutput { probabilities, inside }) if point.index.iter().all(|&i| inside[i]) => {
                for output in 0..self.outputs {
                    set(output, point.sum(|i| probabilities[output * self.labels.len() + i]));
                }
                TargetKind::Original
            }
            _ => TargetKind::None,
        }
    }

    fn is_target(&self, output: usize, label: u8) -> bool {
        label != UNANNOTATED && is_target(self.stage, output, label)
    }
}

/// Where a voxel's target comes from.
#[derive(Clone, Copy, PartialEq)]
enum TargetKind {
    Annotation,
    Original,
    None,
}

/// Size of the sample of a box: sides below the network's least side are stretched to it.
fn padded(region: &Region, config: &PatchConfig) -> [usize; 3] {
    region.dims().map(|n| n.max(config.preset.min_side))
}

fn shows_annotation(sample: &TrainingSample) -> bool {
    sample.weights.as_ref().is_none_or(|weights| weights.overlap.iter().any(|&weight| weight > 0.0))
}

/// Weights by which all annotated voxels together count 1, and all voxels of the original model together `keep_weight`,
/// times the number of voxels.
fn voxel_weights(kinds: &[TargetKind], keep_weight: f64) -> VoxelWeights {
    let each = |kind: TargetKind, weight: f64| {
        let voxels = kinds.iter().filter(|found| **found == kind).count();
        (weight * kinds.len() as f64 / voxels.max(1) as f64) as f32
    };
    let (annotation, original) = (each(TargetKind::Annotation, 1.0), each(TargetKind::Original, keep_weight));
    let entropy = kinds.iter().map(|kind| match kind {
        TargetKind::Annotation => annotation,
        TargetKind::Original => original,
        TargetKind::None => 0.0,
    });
    let overlap = kinds.iter().map(|kind| f32::from(*kind == TargetKind::Annotation));
    VoxelWeights { overlap: overlap.collect(), entropy: entropy.collect() }
}
