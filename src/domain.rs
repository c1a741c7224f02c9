//! Detects images that are out of a model's distribution. The card holds the ranges of some measures over the training
//! images; an image outside of them gets a warning in words.
//!
//! The measures are taken of the normalised image at 1 mm: percentiles of its grey values; roughness, the mean difference
//! of neighbours, which noise and blur change; and layout, the means of 4 x 4 x 4 blocks. The correlation of the blocks
//! with their mean over the training images ("likeness") is negative for an inverted contrast and near zero for another
//! body part or orientation. A measure is out of range where it is farther from the training range than a quarter of that
//! range, or than `MIN_MARGIN`, whichever is more.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The percentiles that are measured.
const PERCENTILES: [usize; 5] = [5, 25, 50, 75, 95];
/// Blocks along each axis.
const BLOCKS: usize = 4;
/// Smallest margin beside a range, of percentiles (the image has mean 0 and deviation 1), roughness and likeness.
const MIN_MARGIN: [f64; 3] = [0.12, 0.15, 0.15];
/// The most values of which percentiles are taken.
const MAX_SAMPLES: usize = 200_000;

/// Smallest and largest value of a measure over the training images.
pub type Range = [f64; 2];

/// What the training images have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// How many images it was made of.
    pub images: usize,
    /// Of the 5th, 25th, 50th, 75th and 95th percentile.
    pub percentiles: [Range; 5],
    /// Of the natural logarithm of the roughness.
    pub roughness: Range,
    /// Means of the blocks, x fastest, over all images.
    pub layout: Vec<f64>,
    /// Of the correlation of an image's blocks with `layout`.
    pub likeness: Range,
}

/// The measures of one image.
struct Measures {
    percentiles: [f64; 5],
    roughness: f64,
    blocks: Vec<f64>,
}

impl Measures {
    fn of(values: &[f32], dims: [usize; 3]) -> Self {
        let step = values.len().div_ceil(MAX_SAMPLES).max(1);
        let mut some: Vec<f32> = values.iter().copied().step_by(step).collect();
        let last = some.len().saturating_sub(1);
        let percentiles = PERCENTILES.map(|q| {
            let at = (last * q + 50) / 100;
            if some.is_empty() { 0.0 } else { (*some.select_nth_unstable_by(at, f32::total_cmp).1).into() }
        });
        Self { percentiles, roughness: roughness(values, dims), blocks: blocks(values, dims) }
    }
}

/// The logarithm of the mean absolute difference of voxels that are neighbours, over the three axes.
fn roughness(values: &[f32], dims: [usize; 3]) -> f64 {
    let strides = [1, dims[0], dims[0] * dims[1]];
    let along = |axis: usize| {
        let (mut sum, mut count) = (0.0, 0usize);
        for (index, value) in values.iter().enumerate() {
            if index / strides[axis] % dims[axis] + 1 < dims[axis] {
                sum += f64::from((values[index + strides[axis]] - value).abs());
                count += 1;
            }
        }
        sum / count.max(1) as f64
    };
    ((0..3).map(along).sum::<f64>() / 3.0).max(1e-6).ln()
}

fn blocks(values: &[f32], dims: [usize; 3]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0usize); BLOCKS.pow(3)];
    let mut index = 0;
    for z in 0..dims[2] {
        for y in 0..dims[1] {
            for x in 0..dims[0] {
                let at: [usize; 3] = std::array::from_fn(|axis| [x, y, z][axis] * BLOCKS / dims[axis]);
                let (sum, count) = &mut sums[at[0] + BLOCKS * (at[1] + BLOCKS * at[2])];
                (*sum, *count) = (*sum + f64::from(values[index]), *count + 1);
                index += 1;
            }
        }
    }
    sums.into_iter().map(|(sum, count)| sum / count.max(1) as f64).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| f(a - ma, b - mb)).sum::<f64>();
    let scale = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
    if scale > 0.0 { sum(&|a, b| a * b) / scale } else { 0.0 }
}

fn range(values: impl Iterator<Item = f64>) -> Range {
    // Four digits are enough for a range.
    let round = |value: f64| (value * 1e4).round() / 1e4;
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(round(v)), high.max(round(v))])
}

/// Whether a value is outside of a range by more than the margin.
fn is_outside(value: f64, [low, high]: Range, margin: f64) -> bool {
    let margin = margin.max(0.25 * (high - low));
    !(low - margin..=high + margin).contains(&value)
}

/// Collects the measures of images for [`DomainBuilder::build`].
#[derive(Default)]
pub struct DomainBuilder {
    /// By channel.
    measures: Vec<Vec<Measures>>,
}

impl DomainBuilder {
    /// Adds a normalised image at 1 mm of size `dims`, `[x, y, z]`, channel after channel.
    pub fn add(&mut self, values: &[f32], dims: [usize; 3]) {
        for (number, channel) in values.chunks_exact(dims.iter().product::<usize>().max(1)).enumerate() {
            if self.measures.len() == number {
                self.measures.push(Vec::new());
            }
            self.measures[number].push(Measures::of(channel, dims));
        }
    }

    /// The domain of each channel; none without an image.
    pub fn build(&self) -> Vec<Domain> {
        self.measures.iter().map(|measures| Domain::of(measures)).collect()
    }
}

impl Domain {
    fn of(measures: &[Measures]) -> Self {
        let mean =
            |block: usize| measures.iter().map(|one| one.blocks[block]).sum::<f64>() / measures.len() as f64;
        let layout: Vec<f64> = (0..BLOCKS.pow(3)).map(|block| (mean(block) * 1e4).round() / 1e4).collect();
        Self {
            images: measures.len(),
            percentiles: std::array::from_fn(|q| range(measures.iter().map(|one| one.percentiles[q]))),
            roughness: range(measures.iter().map(|one| one.roughness)),
            likeness: range(measures.iter().map(|one| correlation(&one.blocks, &layout))),
            layout,
        }
    }

    /// The domain of the images of either: ranges that hold both, and the mean layout. Where the images are not at hand, how
    /// like the new mean they are follows from how like it the old means are, less what each set was unlike its own.
    pub fn union(&self, other: &Self) -> Self {
        let images = self.images + other.images;
        let share = self.images as f64 / images.max(1) as f64;
        let mixed = self.layout.iter().zip(&other.layout).map(|(a, b)| share * a + (1.0 - share) * b);
        let layout: Vec<f64> = mixed.collect();
        let likeness = [self, other].map(|one| {
            let to_new = correlation(&one.layout, &layout);
            [to_new - (1.0 - one.likeness[0]), to_new].map(|value| value.clamp(-1.0, 1.0))
        });
        let both = |[a, b]: [Range; 2]| [a[0].min(b[0]), a[1].max(b[1])];
        Self {
            images,
            percentiles: std::array::from_fn(|q| both([self.percentiles[q], other.percentiles[q]])),
            roughness: both([self.roughness, other.roughness]),
            likeness: both(likeness),
            layout,
        }
    }

    /// How one channel of a normalised image at 1 mm differs from the training images, in words; `None` where it does not.
    pub fn out_of_distribution(&self, values: &[f32], dims: [usize; 3]) -> Option<String> {
        let found = Measures::of(values, dims);
        let in_words = |[low, high]: Range| format!("{low:.2} to {high:.2}");
        let likeness = correlation(&found.blocks, &self.layout);
        if is_outside(likeness, self.likeness, MIN_MARGIN[2]) {
            let against = if likeness < 0.0 { ", as if the contrast were turned round" } else { "" };
            return Some(format!(
                "bright and dark lie elsewhere (correlation {likeness:.2} with the training images' mean{against}; they \
                 have {})",
                in_words(self.likeness)
            ));
        }
        if is_outside(found.roughness, self.roughness, MIN_MARGIN[1]) {
            let how = if found.roughness > self.roughness[1] { "noisier" } else { "smoother" };
            return Some(format!(
                "it is {how} (neighbours differ by {:.2}; those of the training images by {})",
                found.roughness.exp(),
                in_words(self.roughness.map(f64::exp))
            ));
        }
        let each = PERCENTILES.iter().zip(&found.percentiles).zip(&self.percentiles);
        let wrong = each.into_iter().find(|((_, value), range)| is_outside(**value, **range, MIN_MARGIN[0]));
        wrong.map(|((q, value), range)| {
            format!(
                "its grey values are spread otherwise (percentile {q} is {value:.2}; {} in training)",
                in_words(*range)
            )
        })
    }

    /// Refuses numbers that no image can have.
    ///
    /// # Errors
    /// `Malformed` where a number is missing or not finite.
    pub fn check(&self) -> Result<()> {
        let ranges = self.percentiles.iter().chain([&self.roughness, &self.likeness]);
        let valid = ranges.flatten().chain(&self.layout).all(|value| value.is_finite())
            && self.layout.len() == BLOCKS.pow(3);
        if valid {
            return Ok(());
        }
        let found = format!("{} blocks", self.layout.len());
        Err(Error::malformed("model.json: domain", found, "finite numbers, and 64 blocks"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::nn::pseudo_random::pseudo_random;

    const DIMS: [usize; 3] = [16, 20, 12];

    /// Bright on one side, with some texture.
    fn image(seed: u64, grain: f32) -> Vec<f32> {
        let values = pseudo_random(DIMS.iter().product(), seed);
        values.iter().enumerate().map(|(i, v)| grain * v + if i % DIMS[0] < 8 { 1.0 } else { -1.0 }).collect()
    }

    fn domain() -> Domain {
        let mut builder = DomainBuilder::default();
        (1..9).for_each(|seed| builder.add(&image(seed, 0.2), DIMS));
        builder.build().remove(0)
    }

    #[test]
    fn an_image_like_the_others_is_inside_and_others_are_told_why_not() {
        let domain = domain();
        assert_eq!(domain.out_of_distribution(&image(99, 0.2), DIMS), None);
        let turned: Vec<f32> = image(99, 0.2).iter().map(|v| -v).collect();
        assert!(domain.out_of_distribution(&turned, DIMS).unwrap().contains("turned round"));
        assert!(domain.out_of_distribution(&image(99, 0.6), DIMS).unwrap().contains("noisier"));
        let dark: Vec<f32> = image(99, 0.2).iter().map(|v| v - 0.5).collect();
        assert!(domain.out_of_distribution(&dark, DIMS).unwrap().contains("grey values"));
        assert!(DomainBuilder::default().build().is_empty());
    }

    #[test]
    fn numbers_that_no_image_gives_are_refused() {
        let domain = domain();
        assert!(domain.check().is_ok());
        assert!(Domain { layout: vec![0.0; 3], ..domain.clone() }.check().is_err());
        assert!(Domain { roughness: [f64::NAN, 0.0], ..domain }.check().is_err());
    }
}
