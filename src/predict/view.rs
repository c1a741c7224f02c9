//! The patch network on the box of an image, and the way of its answer back to the file.

use super::cascade::{Cascade, threshold};
use super::progress::{Phase, PhaseTimer, ProgressFn, report_progress};
use super::transform::SpatialTransform;
use crate::card::Label;
use crate::error::Result;
use crate::prepare::Image;

/// Brings probabilities of the box, label after label, to labels on the file's grid: by probabilities between voxel centres,
/// or as nearest labels where no voxel is resampled or `nearest` is asked for.
pub(super) fn labels_in_file(
    transform: &SpatialTransform,
    probabilities: &[f32],
    labels: &[Label],
    nearest: bool,
) -> Vec<u8> {
    if transform.is_exact() || nearest {
        return transform.inverse(&threshold(probabilities, labels));
    }
    let indices: Vec<u8> = labels.iter().map(|label| label.index).collect();
    transform.inverse_probabilities(probabilities, &indices)
}

/// Segments the box of `transform` in an image at 1 mm, and brings the mask back to the file's grid; `labels` are those of
/// the network's outputs.
///
/// # Errors
/// As [`super::segment`].
pub(crate) async fn segment_patch(
    cascade: Cascade<'_>,
    transform: &SpatialTransform,
    labels: &[Label],
    image: &Image,
    timer: &mut PhaseTimer,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Vec<u8>> {
    cascade.card.check_one_object()?;
    let patch = transform.crop_patch(image);
    let nearest = cascade.options.nearest;
    let mask = if transform.is_exact() || nearest {
        // Of a GPU, labels are a quarter of what probabilities are.
        let mut mask = cascade.patch_labels(&patch, on_progress).await?;
        timer.end(Phase::Patch);
        report_progress(on_progress, Phase::Restore, 0.0)?;
        let index = |own: u8| labels.get(usize::from(own).wrapping_sub(1)).map_or(0, |label| label.index);
        mask.iter_mut().for_each(|label| *label = index(*label));
        transform.inverse(&mask)
    } else {
        let probabilities = cascade.patch_probabilities(&patch, on_progress).await?;
        timer.end(Phase::Patch);
        report_progress(on_progress, Phase::Restore, 0.0)?;
        labels_in_file(transform, &probabilities, labels, nearest)
    };
    timer.end(Phase::Restore);
    Ok(mask)
}
