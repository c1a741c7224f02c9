//! Suggests slices to annotate: those where the model disagrees most with itself (test-time augmentation as a measure of
//! uncertainty).
//!
//! The model segments the image as it is, mirrored, and with its intensities brightened and darkened; for images unlike the
//! training images also with its first convolution negated, as tuning may start so. The disagreement of a voxel is the
//! variance of its probabilities, summed over labels; that of a slice is the sum over its voxels. Slices close to one that is
//! already suggested count less.

use super::case::AnnotatedCase;
use super::fine_tuner::negate_first_convolution;
use super::original::patch_probabilities;
use super::weights::ModelWeights;
use crate::engine::compute::Compute;
use crate::error::Result;
use crate::grid::Region;
use crate::predict::ProgressFn;
use crate::prepare::Image;
use crate::train::augment::apply_gamma;
use serde::Serialize;

/// Exponents of the intensities that the image is segmented with.
const GAMMAS: [f32; 2] = [0.8, 1.25];
/// Least disagreement of the voxels in a slice's box, as a share of the slice's largest.
const BOX_THRESHOLD: f64 = 0.25;
/// Slices whose disagreement is below this share of the largest do not count towards the width that suggestions spread over.
const WIDTH_THRESHOLD: f64 = 0.1;

/// A slice to annotate, in voxels of the file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SuggestedSlice {
    /// The axis of the file that the slice is perpendicular to: 0, 1 or 2.
    pub axis: usize,
    /// Its index along that axis.
    pub index: usize,
    /// First voxel of the box that holds most of the disagreement.
    pub start: [usize; 3],
    /// One past its last.
    pub end: [usize; 3],
    /// Share of all disagreement that lies in the slice.
    pub share: f64,
}

/// Where the model disagrees with itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Disagreement per voxel in the order of the file, 0 to 255 for none to the largest.
    pub map: Vec<u8>,
    /// Slices to annotate, all perpendicular to one axis, the most useful first.
    pub slices: Vec<SuggestedSlice>,
}

/// Suggests `count` slices perpendicular to `axis` of the file, or to the axis whose best slice has the largest disagreement.
///
/// # Errors
/// As [`crate::predict::segment`].
pub async fn suggest(
    base: &ModelWeights,
    case: &AnnotatedCase,
    count: usize,
    axis: Option<usize>,
    compute: &Compute,
    watch: &mut ProgressFn<'_>,
) -> Result<Suggestion> {
    let mut models = vec![base.clone()];
    if case.out_of_distribution.is_some() {
        let [whole, patch] = [&base.whole, &base.patch].map(negate_first_convolution);
        models.push(ModelWeights { whole, patch, card: base.card.clone() });
    }
    let voxels = case.image.dims.iter().product::<usize>();
    let mut variance = Variance::new(base.card.labels.len() * voxels);
    for weights in models {
        let model = weights.model(compute)?;
        for image in with_gammas(&case.image) {
            variance.add(&patch_probabilities(&model, case, &image, watch).await?.probabilities);
            let mirrored = Image { values: mirror(&image.values, image.dims), dims: image.dims };
            let found = patch_probabilities(&model, case, &mirrored, watch).await?;
            variance.add(&mirror(&found.probabilities, image.dims));
        }
    }
    let map = case.to_native(&variance.by_voxel(voxels));
    let axes = axis.map_or(0..3, |axis| axis..axis + 1);
    let scored = axes.map(|axis| (axis, scores(&map, case.dims, axis)));
    let best = |scores: &[f64]| scores.iter().copied().fold(0.0, f64::max);
    let (axis, scores) = scored.max_by(|a, b| best(&a.1).total_cmp(&best(&b.1))).unwrap_or((0, Vec::new()));
    let total = scores.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let slice = |index: usize| {
        let (start, end) = slice_box(&map, case.dims, axis, index);
        SuggestedSlice { axis, index, start, end, share: scores[index] / total }
    };
    let slices = spread_out(&scores, count).into_iter().map(slice).collect();
    let top = map.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    Ok(Suggestion { map: map.iter().map(|v| (255.0 * v / top).round() as u8).collect(), slices })
}

/// The image as it is, brightened and darkened.
fn with_gammas(image: &Image) -> Vec<Image> {
    let changed = |gamma: f32| {
        let mut image = image.clone();
        let voxels = image.dims.iter().product();
        image.values.chunks_exact_mut(voxels).for_each(|channel| apply_gamma(channel, gamma));
        image
    };
    std::iter::once(image.clone()).chain(GAMMAS.map(changed)).collect()
}

/// The map mirrored along x.
fn mirror(values: &[f32], dims: [usize; 3]) -> Vec<f32> {
    values.chunks(dims[0]).flat_map(|row| row.iter().rev()).copied().collect()
}

/// The variance per element, from sums of values and of their squares.
struct Variance {
    sums: Vec<[f32; 2]>,
    count: usize,
}

impl Variance {
    fn new(length: usize) -> Self {
        Self { sums: vec![[0.0; 2]; length], count: 0 }
    }

    fn add(&mut self, values: &[f32]) {
        self.sums
            .iter_mut()
            .zip(values)
            .for_each(|([sum, squares], v)| (*sum, *squares) = (*sum + v, *squares + v * v));
        self.count += 1;
    }

    /// The variance of each voxel, summed over the labels.
    fn by_voxel(&self, voxels: usize) -> Vec<f32> {
        let n = self.count.max(1) as f32;
        let mut all = vec![0.0; voxels];
        for label in self.sums.chunks_exact(voxels) {
            let each = all.iter_mut().zip(label);
            each.for_each(|(all, [sum, squares])| *all += (squares / n - (sum / n).powi(2)).max(0.0));
        }
        all
    }
}

/// The disagreement of each slice along an axis.
fn scores(map: &[f32], dims: [usize; 3], axis: usize) -> Vec<f64> {
    let stride = [1, dims[0], dims[0] * dims[1]][axis];
    let mut scores = vec![0.0; dims[axis]];
    map.iter().enumerate().for_each(|(i, v)| scores[i / stride % dims[axis]] += f64::from(*v));
    scores
}

/// Indices of the largest scores, each of which lowers those of its neighbours.
fn spread_out(scores: &[f64], count: usize) -> Vec<usize> {
    let top = scores.iter().copied().fold(0.0, f64::max);
    let wide = scores.iter().filter(|&&score| score > WIDTH_THRESHOLD * top).count();
    let reach = (wide as f64 / (2 * count.max(1)) as f64).max(1.0);
    let mut left = scores.to_vec();
    let mut taken = Vec::new();
    for _ in 0..count.min(scores.len()) {
        let best = (0..left.len()).max_by(|&a, &b| left[a].total_cmp(&left[b]));
        let Some(best) = best.filter(|&index| left[index] > 0.0) else { break };
        taken.push(best);
        for (index, left) in left.iter_mut().enumerate() {
            *left *= 1.0 - (-(index.abs_diff(best) as f64 / reach).powi(2)).exp();
        }
    }
    taken
}

/// The bounding box, in a slice, of its larger disagreements.
fn slice_box(map: &[f32], dims: [usize; 3], axis: usize, index: usize) -> ([usize; 3], [usize; 3]) {
    let stride = [1, dims[0], dims[0] * dims[1]][axis];
    let inside = |i: usize| i / stride % dims[axis] == index;
    let top = (0..map.len()).filter(|&i| inside(i)).map(|i| f64::from(map[i])).fold(0.0, f64::max);
    let found = Region::extent(dims, |i| inside(i) && f64::from(map[i]) > BOX_THRESHOLD * top);
    found.map_or(([0; 3], dims), |(first, last)| (first, last.map(|n| n + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_those_of_the_largest_sums_and_lie_apart() {
        let dims = [4, 20, 3];
        let mut map = vec![0f32; 240];
        for (y, value) in [(5, 1.0), (6, 0.9), (14, 0.6)] {
            map[1 + 4 * y] = value;
            map[2 + 4 * (y + 20)] = value;
        }
        let scores = scores(&map, dims, 1);
        assert!((scores[5] - 2.0).abs() < 1e-6);
        assert_eq!(spread_out(&scores, 2), [5, 14]);
        assert_eq!(slice_box(&map, dims, 1, 5), ([1, 5, 0], [3, 6, 2]));
        assert_eq!(spread_out(&[0.0; 5], 3), [0usize; 0]);
    }

    #[test]
    fn what_is_the_same_every_time_does_not_disagree() {
        let mut variance = Variance::new(4);
        [[0.0, 1.0, 0.5, 0.2], [1.0, 1.0, 0.5, 0.2]].iter().for_each(|values| variance.add(values));
        let found = variance.by_voxel(2);
        assert!((found[0] - 0.25).abs() < 1e-6 && found[1] < 1e-6);
    }
}
