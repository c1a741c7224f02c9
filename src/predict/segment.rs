//! From a volume to the mask of one object.

use super::boxes::{Bounds, ObjectBox};
use super::cascade::Model;
use super::progress::{Phase, PhaseTimer, ProgressFn, report_progress};
use super::segmentation::{Segmentation, classes};
use super::transform::SpatialTransform;
use crate::components;
use crate::error::Result;
use crate::file::Volume;
use crate::prepare::Image;

/// Segments a volume with a model of one object: whole network, largest object, box, patch network, labels on the file's own
/// grid. Where a box is given, the whole network does not run.
///
/// # Errors
/// As [`super::segment`], and `Argument` where the box is empty or not within the file.
pub async fn segment_one(
    model: &Model,
    volume: &Volume,
    bounds: Option<Bounds>,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    let mut timer = PhaseTimer::start();
    report_progress(on_progress, Phase::Prepare, 0.0)?;
    let (mut transform, image) = SpatialTransform::forward(volume, &model.card)?;
    timer.end(Phase::Prepare);

    let mut found = true;
    if let Some((start, end)) = bounds {
        transform.set_box(start, end, &model.card.preset)?;
    } else {
        found = locate(model, &mut transform, &image, on_progress).await?;
        timer.end(Phase::Whole);
    }

    let labels = segment_patch(model, &transform, &image, &mut timer, on_progress).await?;
    let classes = classes(&model.card, &labels, volume.grid.voxel_mm3());
    let mut warnings = volume.warnings();
    warnings.extend(image_warnings(model, &transform, &image));
    if !found {
        warnings.push("the whole network saw no object; the box lies around its largest value".to_owned());
    }
    if labels.iter().all(|&label| label == 0) {
        warnings.push("the mask is empty".to_owned());
    }
    let orientation = volume.grid.orientation();
    let timings = timer.timings();
    let region = transform.region();
    let boxes = vec![ObjectBox::new("object", region)];
    let measured = Vec::new();
    Ok(Segmentation { labels, classes, orientation, region, boxes, measured, warnings, timings })
}

/// Finds the object in an image at 1 mm and sets the box of `transform` around it; `false` where the whole network saw
/// none, so that the box lies around its largest value.
///
/// # Errors
/// As [`super::segment`].
pub(crate) async fn locate(
    model: &Model,
    transform: &mut SpatialTransform,
    image: &Image,
    on_progress: &mut ProgressFn<'_>,
) -> Result<bool> {
    model.card.check_one_object()?;
    let preset = &model.card.preset;
    let whole = transform.crop_whole(image, preset)?;
    let probabilities = model.object_probabilities(&whole, on_progress).await?;
    let (object, found) = largest_object(&probabilities, whole.dims);
    transform.set_box_around(&object, whole.dims, preset)?;
    Ok(found)
}

/// Segments the box of `transform` in an image at 1 mm, and brings the mask back to the file's grid: by probabilities
/// between voxel centres, or as nearest labels where no voxel is resampled or the options ask for it.
///
/// # Errors
/// As [`super::segment`].
pub(crate) async fn segment_patch(
    model: &Model,
    transform: &SpatialTransform,
    image: &Image,
    timer: &mut PhaseTimer,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Vec<u8>> {
    model.card.check_one_object()?;
    let patch = transform.crop_patch(image);
    let labels = if transform.is_exact() || model.options.nearest {
        let labels = model.patch_labels(&patch, on_progress).await?;
        timer.end(Phase::Patch);
        report_progress(on_progress, Phase::Restore, 0.0)?;
        transform.inverse(&labels)
    } else {
        let probabilities = model.patch_probabilities(&patch, on_progress).await?;
        timer.end(Phase::Patch);
        report_progress(on_progress, Phase::Restore, 0.0)?;
        let indices: Vec<u8> = model.card.labels.iter().map(|label| label.index).collect();
        transform.inverse_probabilities(&probabilities, &indices)
    };
    timer.end(Phase::Restore);
    Ok(labels)
}

/// What is unusual about an image for this model: its field of view, its grey values.
pub fn image_warnings(model: &Model, transform: &SpatialTransform, image: &Image) -> Vec<String> {
    let field = model.card.field_mm.warning(transform.field_mm());
    let why = model.card.out_of_distribution(&image.values, image.dims);
    field.into_iter().chain(why.map(|why| out_of_distribution_warning(&why))).collect()
}

/// The largest connected component above one half, and whether there was any. Where nothing is above it, the
/// voxels of the largest value.
fn largest_object(found: &[f32], dims: [usize; 3]) -> (Vec<bool>, bool) {
    let mask: Vec<bool> = found.iter().map(|&value| value > 0.5).collect();
    if mask.contains(&true) {
        return (components::largest(&mask, dims), true);
    }
    let top = found.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mask: Vec<bool> = found.iter().map(|&value| value >= top).collect();
    (components::largest(&mask, dims), false)
}

/// What is said before an image is segmented that is unlike those that the model was trained on.
pub fn out_of_distribution_warning(why: &str) -> String {
    format!(
        "the image is unlike those that this model was trained on: {why}; do not expect a right mask before it is tuned"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_seen_the_largest_value_is_the_object() {
        let (mask, found) = largest_object(&[0.1, 0.4, 0.2, 0.4], [4, 1, 1]);
        assert!(!found);
        assert_eq!(mask, [false, true, false, false]);
    }
}
