//! What a network is shown of a case: a patch around the annotations, disturbed at random, with what is wanted of it.
//!
//! Of a voxel that is learned from, the annotation is wanted, in both parts of the loss. Elsewhere the old network's own
//! probabilities are, in the cross-entropy alone and with the weight `keep` (all of those voxels together count `keep` times
//! as much as all annotated ones): what nobody corrected is to stay. Nothing is wanted of voxels that judge, nor, where the
//! old network is out of its domain, of those that nobody annotated.

use super::case::{AnnotatedCase, UNANNOTATED};
use crate::card::{Preset, Stage};
use crate::engine::nn::example::Example;
use crate::engine::nn::loss::Weighting;
use crate::grid::{BoxRule, Region};
use crate::predict::Image;
use crate::train::augment::{Affine, Augment, grey};
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

/// What one network learns from one case, at 1 mm.
pub struct PatchSampler<'a> {
    stage: Stage,
    image: &'a Image,
    /// The label that is wanted; [`UNANNOTATED`] where none is.
    labels: Vec<u8>,
    /// Of the old network: probabilities `[output, z, y, x]`, and where they count.
    old: Option<(Vec<f32>, Vec<bool>)>,
    /// First and last voxel of the object, as far as it is annotated.
    extent: Option<([usize; 3], [usize; 3])>,
    outputs: usize,
}

/// What a step is shown.
pub struct TrainingSample {
    dims: [usize; 3],
    image: Vec<f32>,
    target: Vec<f32>,
    overlap: Vec<f32>,
    entropy: Vec<f32>,
}

impl TrainingSample {
    /// As the engine takes it.
    pub fn example(&self) -> Example<'_> {
        let weighting = Weighting { overlap: &self.overlap, entropy: &self.entropy };
        Example { image: &self.image, target: &self.target, weighting: Some(weighting), dims: self.dims }
    }

    /// Whether anything is wanted of it.
    fn says_something(&self) -> bool {
        self.overlap.iter().any(|&weight| weight > 0.0)
    }
}

/// How samples are made.
#[derive(Debug, Clone, Copy)]
pub struct SamplingConfig {
    /// Geometry of the cascade.
    pub preset: Preset,
    /// Disturbance.
    pub augment: Augment,
    /// Weight of what nobody annotated.
    pub keep: f64,
    /// The longest side of a patch.
    pub longest: usize,
}

impl<'a> PatchSampler<'a> {
    /// Of a case without the voxels that judge; `judging` and `old` lie at 1 mm. `old`: probabilities, and where there are any.
    pub fn new(
        case: &'a AnnotatedCase,
        judging: &[bool],
        old: Option<(Vec<f32>, Vec<bool>)>,
        stage: Stage,
        outputs: usize,
    ) -> Self {
        let pairs = case.labels.iter().zip(judging);
        let labels: Vec<u8> =
            pairs.map(|(&label, judges)| if *judges { UNANNOTATED } else { label }).collect();
        let old = old.map(|(chances, mut counts)| {
            counts.iter_mut().zip(judging).for_each(|(counts, judges)| *counts &= !judges);
            (chances, counts)
        });
        let extent = Region::extent(case.image.dims, |i| labels[i] != 0 && labels[i] != UNANNOTATED);
        Self { stage, image: &case.image, labels, old, extent, outputs }
    }

    /// Whether it has an annotated voxel of the object.
    pub fn shows_object(&self) -> bool {
        self.extent.is_some()
    }

    /// The box of a stage's network.
    fn region(&self, preset: &Preset, margin: [f64; 3]) -> Region {
        let dims = self.image.dims;
        let rule = BoxRule { margin, ..preset.box_rule() };
        match (self.stage, self.extent) {
            (Stage::Patch, Some((first, last))) => Region::around(first, last, dims, dims, &rule),
            _ => Region::whole(dims),
        }
    }

    /// The case as it is.
    pub fn plain(&self, drawing: &SamplingConfig) -> TrainingSample {
        let region =
            self.short(self.region(&drawing.preset, [drawing.preset.margin; 3]), drawing, &mut |range| {
                range.start
            });
        let side = region.dims();
        let dims = side.map(|n| n.max(drawing.preset.min_side));
        let step: [f64; 3] =
            std::array::from_fn(|a| (side[a].max(2) - 1) as f64 / (dims[a].max(2) - 1) as f64);
        self.resample(dims, drawing.keep, |at| {
            std::array::from_fn(|a| region.start[a] as f64 + at[a] as f64 * step[a])
        })
    }

    /// A random sample; one that says something is drawn for, some times.
    pub fn draw(&self, drawing: &SamplingConfig, rng: &mut Xoshiro256PlusPlus) -> TrainingSample {
        let mut shown = self.one(drawing, rng);
        for _ in 0..4 {
            if shown.says_something() {
                break;
            }
            shown = self.one(drawing, rng);
        }
        for channel in shown.image.chunks_exact_mut(shown.overlap.len()) {
            grey(channel, &drawing.augment, rng);
        }
        shown
    }

    fn one(&self, drawing: &SamplingConfig, rng: &mut Xoshiro256PlusPlus) -> TrainingSample {
        let margin = std::array::from_fn(|_| [0.1, 0.2, 0.3][rng.random_range(0..3)]);
        let mut region = self.region(&drawing.preset, margin);
        if self.stage == Stage::Patch && rng.random_bool(0.2) {
            let dims = region.dims();
            region.start =
                std::array::from_fn(|axis| rng.random_range(0..=self.image.dims[axis] - dims[axis]));
            region.end = std::array::from_fn(|axis| region.start[axis] + dims[axis]);
        }
        let region = self.short(region, drawing, &mut |range| rng.random_range(range));
        let map = Affine::draw(&region, &drawing.augment, rng);
        let side = region.dims();
        let dims = side.map(|n| n.max(drawing.preset.min_side));
        let step: [f64; 3] =
            std::array::from_fn(|a| (side[a].max(2) - 1) as f64 / (dims[a].max(2) - 1) as f64);
        self.resample(dims, drawing.keep, |at| map.source(std::array::from_fn(|a| at[a] as f64 * step[a])))
    }

    /// A part of a box whose sides are too long for a step, at a place that `choose` takes from a range.
    fn short(
        &self,
        mut region: Region,
        drawing: &SamplingConfig,
        choose: &mut dyn FnMut(std::ops::Range<usize>) -> usize,
    ) -> Region {
        for axis in 0..3 {
            let side = region.end[axis] - region.start[axis];
            if side > drawing.longest {
                // Where there is an object, part of it is in.
                let (first, last) = self
                    .extent
                    .map_or((region.start[axis], region.end[axis] - 1), |(a, b)| (a[axis], b[axis]));
                let least = first.saturating_sub(drawing.longest / 2).max(region.start[axis]);
                let most = last.min(region.end[axis] - drawing.longest).max(least);
                region.start[axis] = choose(least..most + 1).min(region.end[axis] - drawing.longest);
                region.end[axis] = region.start[axis] + drawing.longest;
            }
        }
        region
    }

    /// Image and wishes where `source` says that each voxel lies; beyond the volume its edge goes on.
    fn resample(
        &self,
        dims: [usize; 3],
        keep: f64,
        source: impl Fn([usize; 3]) -> [f64; 3],
    ) -> TrainingSample {
        let count: usize = dims.iter().product();
        let voxels = self.labels.len();
        let mut shown = TrainingSample {
            dims,
            image: vec![0.0; self.image.values.len() / voxels * count],
            target: vec![0.0; self.outputs * count],
            overlap: vec![0.0; count],
            entropy: vec![0.0; count],
        };
        let (mut taught, mut kept) = (0usize, 0usize);
        for index in 0..count {
            let at = [index % dims[0], index / dims[0] % dims[1], index / (dims[0] * dims[1])];
            let corners = corners(source(at), self.image.dims);
            let sum = |value: &dyn Fn(usize) -> f32| corners.iter().map(|&(i, w)| w * value(i)).sum::<f32>();
            for (channel, values) in self.image.values.chunks_exact(voxels).enumerate() {
                shown.image[channel * count + index] = sum(&|i| values[i]);
            }
            let known = sum(&|i| f32::from(self.labels[i] != UNANNOTATED));
            if known >= 0.5 {
                for output in 0..self.outputs {
                    let share = sum(&|i| f32::from(self.wanted(output, self.labels[i])));
                    shown.target[output * count + index] = f32::from(share >= 0.5 * known);
                }
                (shown.overlap[index], shown.entropy[index], taught) = (1.0, 1.0, taught + 1);
            } else if let Some((chances, counts)) = &self.old
                && corners.iter().all(|&(i, _)| counts[i])
            {
                for output in 0..self.outputs {
                    shown.target[output * count + index] = sum(&|i| chances[output * voxels + i]);
                }
                (shown.entropy[index], kept) = (-1.0, kept + 1);
            }
        }
        // Annotated voxels have the weight 1 together, the others that of `keep`.
        let share = |weight: f64, of: usize| (weight * count as f64 / of.max(1) as f64) as f32;
        let (teach, hold) = (share(1.0, taught), share(keep, kept));
        shown.entropy.iter_mut().for_each(|e| *e = if *e < 0.0 { hold } else { *e * teach });
        shown
    }

    fn wanted(&self, output: usize, label: u8) -> bool {
        match self.stage {
            Stage::Whole => label != 0 && label != UNANNOTATED,
            Stage::Patch => usize::from(label) == output + 1,
        }
    }
}

/// The eight voxels around a point with their trilinear weights; outside, the edge goes on.
fn corners(at: [f64; 3], dims: [usize; 3]) -> [(usize, f32); 8] {
    let base = at.map(f64::floor);
    let part: [f32; 3] = std::array::from_fn(|a| (at[a] - base[a]) as f32);
    std::array::from_fn(|bits| {
        let high = [bits & 1, bits >> 1 & 1, bits >> 2];
        let weight = (0..3).map(|a| if high[a] == 1 { part[a] } else { 1.0 - part[a] }).product();
        let [x, y, z] =
            [0, 1, 2].map(|a| (base[a] as i64 + high[a] as i64).clamp(0, dims[a] as i64 - 1) as usize);
        (x + dims[0] * (y + dims[1] * z), weight)
    })
}
