//! Where an annotation would teach most: where the model, asked again and again about the same image, does not agree with
//! itself. It is asked about the image as it is, mirrored, a little brighter and darker, and, where the image is unlike those
//! that it knows, also with its contrast turned round ([`super::fine_tuner::start`] may have to). The disagreement of a voxel is the
//! variance of its probabilities, summed over labels; that of a slice the sum over its voxels. Slices that lie close to one
//! that is taken already count less.

use super::fine_tuner::turned;
use super::original::chances;
use super::{AnnotatedCase, ModelWeights};
use crate::engine::compute::Compute;
use crate::error::Result;
use crate::grid::Region;
use crate::intensity::mean_and_sd;
use crate::predict::ProgressFn;
use crate::prepare::Image;
use serde::Serialize;

/// Exponents of the grey values that the image is seen with.
const GAMMAS: [f32; 2] = [0.8, 1.25];
/// Share of a slice's largest disagreement from which on a voxel is in its box.
const BOX: f64 = 0.25;

/// A slice that somebody should look at, in voxels of the file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Slice {
    /// The file's axis that it is square to: 0, 1 or 2.
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

/// The disagreement by voxel, and the slices to look at, the first most of all.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// In the file's own order, 0 to 255 for none to the most.
    pub map: Vec<u8>,
    /// Slices, square to one axis.
    pub slices: Vec<Slice>,
}

/// Looks for `count` slices, square to `axis` (of the file) or to the one whose best slice says most.
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
    let mut bases = vec![base.clone()];
    if case.out_of_distribution.is_some() {
        let (whole, patch) = (turned(&base.whole), turned(&base.patch));
        bases.push(ModelWeights { whole, patch, card: base.card.clone() });
    }
    let voxels = case.image.dims.iter().product::<usize>();
    let mut seen = Variance::new(base.card.labels.len() * voxels);
    for base in bases {
        let model = base.model(compute)?;
        for image in seen_otherwise(&case.image) {
            seen.add(&chances(&model, case, &image, watch).await?.0);
            let mirrored = mirror(&image.values, image.dims);
            let mirrored = Image { values: mirrored, dims: image.dims };
            let (found, _) = chances(&model, case, &mirrored, watch).await?;
            seen.add(&mirror(&found, image.dims));
        }
    }
    let map = case.to_native(&seen.by_voxel(voxels));
    let axes = axis.map_or(0..3, |axis| axis..axis + 1);
    let scored = axes.map(|axis| (axis, scores(&map, case.dims, axis)));
    let best = |scores: &[f64]| scores.iter().copied().fold(0.0, f64::max);
    let (axis, scores) = scored.max_by(|a, b| best(&a.1).total_cmp(&best(&b.1))).unwrap_or((0, Vec::new()));
    let total = scores.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let slice = |index: usize| {
        let (start, end) = bounds(&map, case.dims, axis, index);
        Slice { axis, index, start, end, share: scores[index] / total }
    };
    let slices = apart(&scores, count).into_iter().map(slice).collect();
    let top = map.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    Ok(Suggestion { map: map.iter().map(|v| (255.0 * v / top).round() as u8).collect(), slices })
}

/// The image as it is, brighter and darker, mean and deviation kept.
fn seen_otherwise(image: &Image) -> Vec<Image> {
    let bent = |gamma: f32| {
        let channels = image.values.chunks_exact(image.dims.iter().product());
        Image { values: channels.flat_map(|values| brighter(values, gamma)).collect(), dims: image.dims }
    };
    std::iter::once(image.clone()).chain(GAMMAS.map(bent)).collect()
}

/// Grey values between the least and the most by an exponent, mean and deviation kept.
fn brighter(values: &[f32], gamma: f32) -> Vec<f32> {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let range = (values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - low).max(f32::MIN_POSITIVE);
    let (mean, sd) = mean_and_sd(values);
    let bent: Vec<f32> = values.iter().map(|v| ((v - low) / range).powf(gamma)).collect();
    let (now, spread) = mean_and_sd(&bent);
    let scale = if spread > 0.0 { sd / spread } else { 0.0 };
    bent.iter().map(|v| ((f64::from(*v) - now) * scale + mean) as f32).collect()
}

/// Every row from its end.
fn mirror(values: &[f32], dims: [usize; 3]) -> Vec<f32> {
    values.chunks(dims[0]).flat_map(|row| row.iter().rev()).copied().collect()
}

/// Sums of values and of their squares.
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

    /// Summed over the labels.
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

fn scores(map: &[f32], dims: [usize; 3], axis: usize) -> Vec<f64> {
    let stride = [1, dims[0], dims[0] * dims[1]][axis];
    let mut scores = vec![0.0; dims[axis]];
    map.iter().enumerate().for_each(|(i, v)| scores[i / stride % dims[axis]] += f64::from(*v));
    scores
}

/// Indices of the largest scores, each of which takes from its neighbours.
fn apart(scores: &[f64], count: usize) -> Vec<usize> {
    let top = scores.iter().copied().fold(0.0, f64::max);
    let wide = scores.iter().filter(|&&score| score > 0.1 * top).count();
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

/// The box in a slice that holds its larger disagreements.
fn bounds(map: &[f32], dims: [usize; 3], axis: usize, index: usize) -> ([usize; 3], [usize; 3]) {
    let stride = [1, dims[0], dims[0] * dims[1]][axis];
    let inside = |i: usize| i / stride % dims[axis] == index;
    let top = (0..map.len()).filter(|&i| inside(i)).map(|i| f64::from(map[i])).fold(0.0, f64::max);
    let found = Region::extent(dims, |i| inside(i) && f64::from(map[i]) > BOX * top);
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
        assert_eq!(apart(&scores, 2), [5, 14]);
        assert_eq!(bounds(&map, dims, 1, 5), ([1, 5, 0], [3, 6, 2]));
        assert_eq!(apart(&[0.0; 5], 3), [0usize; 0]);
    }

    #[test]
    fn what_is_the_same_every_time_does_not_disagree() {
        let mut seen = Variance::new(4);
        [[0.0, 1.0, 0.5, 0.2], [1.0, 1.0, 0.5, 0.2]].iter().for_each(|values| seen.add(values));
        let found = seen.by_voxel(2);
        assert!((found[0] - 0.25).abs() < 1e-6 && found[1] < 1e-6);
    }
}
