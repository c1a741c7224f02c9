//! The cascade's two stages, running.

use super::options::{InferenceOptions, mirrored};
use super::progress::{Phase, ProgressFn, report_progress};
use crate::card::{Card, Label, Stage};
use crate::engine::network::Network;
use crate::engine::nn::labels::NOT_A_NUMBER;
use crate::error::{Error, Result};
use crate::model::{Architecture, ROI_LEVEL};
use crate::prepare::Image;

/// The networks of both stages with the card that describes them: of crops, or of whole scans.
#[derive(Clone, Copy)]
pub(crate) struct Cascade<'a> {
    /// What they are.
    pub card: &'a Card,
    /// How they are applied.
    pub options: InferenceOptions,
    /// Folds of the whole network, summed.
    pub whole: &'a [Network],
    /// Folds of the patch network, averaged.
    pub patch: &'a [Network],
    /// Further folds of it, by which the answer of those is judged.
    pub peers: &'a [Network],
}

impl Cascade<'_> {
    /// Probabilities of the object: the sum over folds of the whole network's, or of its region of interest, upsampled from
    /// blocks to voxels.
    pub(crate) async fn object_probabilities(
        &self,
        image: &Image,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<Vec<f32>> {
        let folds = self.probabilities_by_fold(self.whole, Stage::Whole, image, on_progress).await?;
        let sum = sum(&folds);
        let dims = self.whole.first().map_or(image.dims, |network| network.out_dims(image.dims));
        Ok(if dims == image.dims { sum } else { upsample_blocks(&sum, dims, image.dims) })
    }

    /// Labels inside the box: where the mean over folds of the patch network's probabilities is above one half; a later
    /// label overrides an earlier one.
    pub(crate) async fn patch_labels(
        &self,
        image: &Image,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<Vec<u8>> {
        if let ([network], [_]) = (self.patch, &self.options.tta_flips()[..]) {
            let labels = network
                .labels(&image.values, image.dims, &mut |done| {
                    report_progress(on_progress, Phase::Patch, done)
                })
                .await?;
            return if labels.contains(&NOT_A_NUMBER) { Err(not_a_number()) } else { Ok(labels) };
        }
        let probabilities = self.patch_probabilities(image, on_progress).await?;
        Ok(threshold(&probabilities, &self.card.labels))
    }

    /// The mean over folds of the patch network's probabilities, label after label.
    pub(crate) async fn patch_probabilities(
        &self,
        image: &Image,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<Vec<f32>> {
        let folds = self.probabilities_by_fold(self.patch, Stage::Patch, image, on_progress).await?;
        Ok(mean(&folds))
    }

    /// The probabilities of each network, by the order of `networks`; NaN is refused.
    pub(super) async fn probabilities_by_fold(
        &self,
        networks: impl IntoIterator<Item = &Network>,
        stage: Stage,
        image: &Image,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<Vec<Vec<f32>>> {
        let form = self.card.stages.get(stage).map(|form| form.architecture).unwrap_or_default();
        // The reference implementation always thresholds the region of interest.
        let form = Architecture { threshold: form.threshold || stage == Stage::Whole && form.roi, ..form };
        let networks: Vec<&Network> = networks.into_iter().collect();
        let views = self.options.tta_flips();
        let total = (networks.len() * views.len()) as f64;
        let mut folds = Vec::with_capacity(networks.len());
        for (number, network) in networks.into_iter().enumerate() {
            let mut fold: Vec<f32> = Vec::new();
            for (view, flips) in views.iter().enumerate() {
                let before = (number * views.len() + view) as f64;
                let mut pause =
                    |done: f64| report_progress(on_progress, stage.into(), (before + done) / total);
                pause(0.0)?;
                let logits = mirrored_logits(network, image, *flips, &mut pause).await?;
                let share = 1.0 / views.len() as f32;
                add(&mut fold, logits.into_iter().map(|logit| form.probability(logit) * share));
            }
            folds.push(fold);
        }
        Ok(folds)
    }
}

/// What a network gives of a mirrored image, mirrored back.
async fn mirrored_logits(
    network: &Network,
    image: &Image,
    flips: [bool; 3],
    pause: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<Vec<f32>> {
    let logits = if flips == [false; 3] {
        network.logits(&image.values, image.dims, pause).await?
    } else {
        let seen = mirrored(&image.values, image.dims, flips);
        let logits = network.logits(&seen, image.dims, pause).await?;
        mirrored(&logits, network.out_dims(image.dims), flips)
    };
    if logits.iter().any(|value| value.is_nan()) {
        return Err(not_a_number());
    }
    Ok(logits)
}

/// Adds values to a sum, which is empty at first.
fn add(sum: &mut Vec<f32>, values: impl Iterator<Item = f32>) {
    if sum.is_empty() {
        sum.extend(values);
    } else {
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
}

/// The sum over folds, voxel by voxel.
fn sum(folds: &[Vec<f32>]) -> Vec<f32> {
    let mut all = Vec::new();
    folds.iter().for_each(|fold| add(&mut all, fold.iter().copied()));
    all
}

/// The mean over folds, voxel by voxel.
pub(super) fn mean(folds: &[Vec<f32>]) -> Vec<f32> {
    let share = 1.0 / folds.len() as f32;
    let mut all = sum(folds);
    all.iter_mut().for_each(|value| *value *= share);
    all
}

/// Labels where probabilities are above one half, label after label; a later label overrides an earlier one.
pub(super) fn threshold(probabilities: &[f32], labels: &[Label]) -> Vec<u8> {
    let count = probabilities.len() / labels.len().max(1);
    let mut found = vec![0; count];
    for (channel, label) in probabilities.chunks_exact(count.max(1)).zip(labels) {
        let above = found.iter_mut().zip(channel).filter(|(_, value)| **value > 0.5);
        above.for_each(|(voxel, _)| *voxel = label.index);
    }
    found
}

/// Upsamples a map of size `blocks` to `dims` voxels; voxels past the last block take its value.
fn upsample_blocks(values: &[f32], blocks: [usize; 3], dims: [usize; 3]) -> Vec<f32> {
    let place = |axis: usize, at: usize| (at >> ROI_LEVEL).min(blocks[axis] - 1);
    let mut all = Vec::with_capacity(dims.iter().product());
    for z in 0..dims[2] {
        for y in 0..dims[1] {
            let row = (place(2, z) * blocks[1] + place(1, y)) * blocks[0];
            all.extend((0..dims[0]).map(|x| values[row + place(0, x)]));
        }
    }
    all
}

fn not_a_number() -> Error {
    Error::device("network", "a value that is no number", "numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_voxel_has_what_its_block_has() {
        let blocks: Vec<f32> = (0..10).map(|n| n as f32).collect();
        let all = upsample_blocks(&blocks, [5, 2, 1], [47, 16, 9]);
        let at = |x: usize, y: usize, z: usize| all[(z * 16 + y) * 47 + x];
        assert_eq!(
            [at(0, 0, 0), at(7, 7, 7), at(8, 0, 8), at(39, 8, 0), at(46, 15, 8)],
            [0., 0., 1., 9., 9.]
        );
    }
}
