//! Which side of the body an image of one object shows, where the patch network knows one side only: it looks at the image as it
//! is and mirrored, and the reading in which its folds agree more is taken. A network that sees the other side guesses, and
//! each fold guesses otherwise.

use super::boxes::{Bounds, TRUSTED_AGREEMENT};
use super::cascade::{Cascade, threshold};
use super::locate::locate;
use super::model::Model;
use super::progress::{Phase, ProgressFn, SegmentProgress};
use super::transform::SpatialTransform;
use crate::error::Result;
use crate::file::Volume;
use crate::metrics::dice;
use crate::prepare::Image;

/// By how much the folds must disagree more on the other reading, as a factor, for the side not to be in doubt.
const CLEAR: f64 = 1.25;

/// How the folds agree on an image as it is, and mirrored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SideAgreement {
    /// Of the image as it is.
    pub unmirrored: f64,
    /// Of the image mirrored left to right.
    pub mirrored: f64,
}

impl SideAgreement {
    /// Whether the mirrored reading is taken. Where neither is to be trusted, the image is taken as it is.
    pub fn takes_mirrored(self) -> bool {
        self.mirrored > self.unmirrored && self.mirrored >= TRUSTED_AGREEMENT
    }

    /// Whether both readings are nearly as good, or neither is to be trusted.
    pub fn is_in_doubt(self) -> bool {
        1.0 - self.worst() < CLEAR * (1.0 - self.best()) || self.best() < TRUSTED_AGREEMENT
    }

    /// That of the image as it is, or of its mirror image.
    pub fn of(self, mirrored: bool) -> f64 {
        if mirrored { self.mirrored } else { self.unmirrored }
    }

    /// That of the reading that is taken.
    pub fn best(self) -> f64 {
        self.mirrored.max(self.unmirrored)
    }

    /// That of the other one.
    pub fn worst(self) -> f64 {
        self.mirrored.min(self.unmirrored)
    }
}

/// How the folds agree in both readings of an image; `bounds` is the object's box, where it is known.
///
/// # Errors
/// As [`super::segment`].
pub(super) async fn side_agreement(
    model: &Model,
    volume: &Volume,
    bounds: Option<Bounds>,
    on_progress: &mut ProgressFn<'_>,
) -> Result<SideAgreement> {
    // What the listener is told is the progress of the run that follows; here it may only end the work.
    let mut quiet = |_| on_progress(SegmentProgress { stage: Phase::Prepare, done: 0.5 });
    let unmirrored = reading_agreement(model, volume, bounds, &mut quiet).await?;
    let mirrored = reading_agreement(model, &volume.mirrored(), bounds, &mut quiet).await?;
    Ok(SideAgreement { unmirrored, mirrored })
}

async fn reading_agreement(
    model: &Model,
    volume: &Volume,
    bounds: Option<Bounds>,
    on_progress: &mut ProgressFn<'_>,
) -> Result<f64> {
    let cascade = model.cascade();
    let (mut transform, image) = SpatialTransform::forward(volume, cascade.card)?;
    match bounds {
        Some((start, end)) => transform.set_box(start, end, &cascade.card.preset)?,
        None => _ = locate(cascade, &mut transform, &image, on_progress).await?,
    }
    let (_, agreement) = fold_agreement(cascade, model, &transform.crop_patch(&image), on_progress).await?;
    Ok(agreement.unwrap_or(0.0))
}

/// The probabilities of the folds that segment, and the mean over labels of the Dice between the mask of the first and
/// that of all, further ones included; none where there is one fold.
///
/// # Errors
/// As [`super::segment`].
pub(super) async fn fold_agreement(
    cascade: Cascade<'_>,
    model: &Model,
    patch: &Image,
    on_progress: &mut ProgressFn<'_>,
) -> Result<(Vec<f32>, Option<f64>)> {
    let count = cascade.patch.len() + model.peers.len();
    if count == 1 {
        return Ok((cascade.patch_probabilities(patch, on_progress).await?, None));
    }
    let mut first = Vec::new();
    let mut sum: Vec<f32> = Vec::new();
    let folds = cascade.patch.iter().chain(&model.peers);
    let mut answer = Vec::new();
    for (number, network) in folds.enumerate() {
        let alone = Cascade { patch: std::slice::from_ref(network), ..cascade };
        let probabilities = alone.patch_probabilities(patch, on_progress).await?;
        if number == 0 {
            first.clone_from(&probabilities);
            sum = probabilities;
        } else {
            sum.iter_mut().zip(&probabilities).for_each(|(sum, value)| *sum += value);
        }
        if number + 1 == cascade.patch.len() {
            let share = 1.0 / cascade.patch.len() as f32;
            answer = sum.iter().map(|value| value * share).collect();
        }
    }
    let share = 1.0 / count as f32;
    sum.iter_mut().for_each(|value| *value *= share);
    let labels = &model.card.labels;
    let masks = [&first, &sum].map(|probabilities| threshold(probabilities, labels));
    let shares = labels.iter().map(|label| {
        let seen = masks.iter().all(|mask| mask.contains(&label.index));
        if seen { dice(&masks[0], &masks[1], label.index) } else { 0.0 }
    });
    Ok((answer, Some(shares.sum::<f64>() / labels.len() as f64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reading_on_which_folds_agree_more_is_taken_and_a_narrow_choice_is_a_doubt() {
        let clear = SideAgreement { unmirrored: 0.80, mirrored: 0.97 };
        assert!(clear.takes_mirrored() && !clear.is_in_doubt());
        assert_eq!((clear.best(), clear.worst()), (0.97, 0.80));
        let narrow = SideAgreement { unmirrored: 0.98, mirrored: 0.979 };
        assert!(!narrow.takes_mirrored() && narrow.is_in_doubt());
        // An image that the network does not know stays as it is, and that is said.
        let unknown = SideAgreement { unmirrored: 0.30, mirrored: 0.80 };
        assert!(!unknown.takes_mirrored() && unknown.is_in_doubt());
    }
}
