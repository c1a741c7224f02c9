//! The two stages on a device.

use super::{Image, Watch, tell};
use crate::card::{Card, Stage};
use crate::device::Compute;
use crate::engine::{NOT_A_NUMBER, Network};
use crate::error::{Error, Result};
use crate::model::{Architecture, ROI_LEVEL};
use crate::store;

/// Largest difference of a GPU's probabilities from the CPU's in the self-check.
const TOLERANCE: f32 = 5e-3;

/// A model ready to run: its card and its networks on a device.
pub struct Model {
    /// What it is.
    pub card: Card,
    compute: Compute,
    pub(super) whole: Vec<Network>,
    pub(super) patch: Vec<Network>,
}

impl Model {
    /// Loads the networks of a card; `file` gives the bytes of a weight file by its name. One fold per stage, or
    /// all of them with `ensemble`.
    ///
    /// # Errors
    /// `Malformed` where a stage is missing or a file does not fit the card; what `file` returns.
    pub fn load(
        card: Card,
        mut file: impl FnMut(&str) -> Result<Vec<u8>>,
        ensemble: bool,
        compute: &Compute,
    ) -> Result<Self> {
        let mut networks = |stage: Stage| -> Result<Vec<Network>> {
            let form = card.stages.get(stage).filter(|form| !form.folds.is_empty()).ok_or_else(|| {
                Error::malformed(
                    "model.json",
                    format!("no {} stage", stage.name()),
                    "networks of both stages",
                )
            })?;
            let count = if ensemble { form.folds.len() } else { 1 };
            form.folds[..count]
                .iter()
                .map(|fold| {
                    let bytes = file(&fold.file)?;
                    fold.check(&bytes)?;
                    let weights = store::read_weights(&bytes).map_err(|error| error.within(&fold.file))?;
                    // The whole stage has only to say where: the region of interest does, at a fraction of the cost.
                    let roi = stage == Stage::Whole && form.architecture.roi;
                    let network = if roi { Network::roi } else { Network::new };
                    store::check_weights(&form.architecture, &weights)
                        .and_then(|()| network(&form.architecture, &weights, compute))
                        .map_err(|error| error.within(&fold.file))
                })
                .collect()
        };
        let (whole, patch) = (networks(Stage::Whole)?, networks(Stage::Patch)?);
        Ok(Self { card, compute: compute.clone(), whole, patch })
    }

    /// The device that it runs on.
    pub fn compute(&self) -> &Compute {
        &self.compute
    }

    /// Where the object is: the sum over folds of the whole network's probabilities, or of its region of interest, of
    /// which every voxel has what its block has.
    pub(super) async fn find(&self, image: &Image, watch: &mut Watch<'_>) -> Result<Vec<f32>> {
        let sum = self.sum(&self.whole, Stage::Whole, image, watch).await?;
        let dims = self.whole.first().map_or(image.dims, |network| network.out_dims(image.dims));
        Ok(if dims == image.dims { sum } else { spread(&sum, dims, image.dims) })
    }

    /// Labels inside the box: the mean over folds of the patch network's probabilities above one half, a later
    /// label over an earlier one.
    pub(super) async fn label(&self, image: &Image, watch: &mut Watch<'_>) -> Result<Vec<u8>> {
        if let [network] = &self.patch[..] {
            let labels =
                network.labels(&image.values, image.dims, &mut |done| tell(watch, "patch", done)).await?;
            return if labels.contains(&NOT_A_NUMBER) { Err(no_number()) } else { Ok(labels) };
        }
        let sums = self.sum(&self.patch, Stage::Patch, image, watch).await?;
        let half = 0.5 * self.patch.len() as f32;
        let count = image.dims.iter().product();
        let mut labels = vec![0; count];
        for (channel, label) in sums.chunks_exact(count).zip(&self.card.labels) {
            for (voxel, &value) in labels.iter_mut().zip(channel) {
                if value > half {
                    *voxel = label.index;
                }
            }
        }
        Ok(labels)
    }

    /// The sum of all folds' probabilities; values that no network can give are refused.
    async fn sum(
        &self,
        networks: &[Network],
        stage: Stage,
        image: &Image,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<f32>> {
        let form = self.card.stages.get(stage).map(|form| form.architecture).unwrap_or_default();
        // The reference thresholds the region of interest in any case.
        let form = Architecture { threshold: form.threshold || stage == Stage::Whole && form.roi, ..form };
        let mut sum: Vec<f32> = Vec::new();
        for (fold, network) in networks.iter().enumerate() {
            let mut pause =
                |done: f64| tell(watch, stage.name(), (fold as f64 + done) / networks.len() as f64);
            pause(0.0)?;
            let logits = network.logits(&image.values, image.dims, &mut pause).await?;
            if logits.iter().any(|value| value.is_nan()) {
                return Err(no_number());
            }
            let probabilities = logits.into_iter().map(|logit| form.probability(logit));
            if sum.is_empty() {
                sum = probabilities.collect();
            } else {
                sum.iter_mut().zip(probabilities).for_each(|(sum, value)| *sum += value);
            }
        }
        Ok(sum)
    }
}

/// Blocks of a map of size `blocks` as the voxels of `dims`; a last part that fills no block goes with the one before it.
fn spread(values: &[f32], blocks: [usize; 3], dims: [usize; 3]) -> Vec<f32> {
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

fn no_number() -> Error {
    Error::device("network", "a value that is no number", "numbers")
}

/// Runs both networks of a GPU's model on a small known input and compares with the CPU, so that a device that
/// computes wrongly is refused before it is trusted with an image.
///
/// # Errors
/// `Device` where the results differ or the device fails.
pub async fn self_check(gpu: &Model, cpu: &Model) -> Result<f32> {
    let side = 16;
    let count = gpu.card.channels() * side * side * side;
    let values = (0..count).map(|i| ((i * i) as f32 * 0.37).sin() * 1.5).collect();
    let image = Image { dims: [side; 3], values };
    let mut worst = 0f32;
    for (stage, ours, theirs) in [("whole", &gpu.whole, &cpu.whole), ("patch", &gpu.patch, &cpu.patch)] {
        for (a, b) in ours.iter().zip(theirs) {
            let found = a.logits(&image.values, image.dims, &mut |_| Ok(())).await?;
            let expected = b.logits(&image.values, image.dims, &mut |_| Ok(())).await?;
            for (found, expected) in found.iter().zip(&expected) {
                let off = (found - expected).abs();
                // Asked for what is right, so that NaN fails.
                let right = off <= TOLERANCE;
                if !right {
                    return Err(Error::device(
                        format!("self-check of the {stage} network on {}", gpu.compute.adapter()),
                        format!("a probability of {found} where the CPU has {expected}"),
                        format!("a difference of at most {TOLERANCE}"),
                    ));
                }
                worst = worst.max(off);
            }
        }
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_voxel_has_what_its_block_has() {
        let blocks: Vec<f32> = (0..10).map(|n| n as f32).collect();
        let all = spread(&blocks, [5, 2, 1], [47, 16, 9]);
        let at = |x: usize, y: usize, z: usize| all[(z * 16 + y) * 47 + x];
        assert_eq!(
            [at(0, 0, 0), at(7, 7, 7), at(8, 0, 8), at(39, 8, 0), at(46, 15, 8)],
            [0., 0., 1., 9., 9.]
        );
    }
}
