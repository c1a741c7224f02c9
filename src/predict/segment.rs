//! From an image of one object to its mask.

use super::boxes::{Bounds, ObjectBox};
use super::model::Model;
use super::progress::{Phase, PhaseTimer, ProgressFn, report_progress};
use super::reading::Reading;
use super::segmentation::{Segmentation, classes};
use super::side::{Shown, shown_object};
use super::transform::SpatialTransform;
use super::view::{labels_in_file, segment_patch};
use crate::error::Result;
use crate::file::Volume;
use crate::prepare::Image;

/// Segments an image of one object: whole network, largest object, box, patch network, labels on the file's own grid. Where a
/// box is given, the whole network does not run. Where the model knows sides, `side` is the object that the image
/// shows, by its place in the card's list; without it the surer reading is taken.
///
/// # Errors
/// As [`super::segment`], and `Argument` where the box is empty or not within the file.
pub async fn segment_one(
    model: &Model,
    volume: &Volume,
    bounds: Option<Bounds>,
    side: Option<usize>,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    let mut timer = PhaseTimer::start();
    report_progress(on_progress, Phase::Prepare, 0.0)?;
    let Shown { object, name, reading, doubt } =
        shown_object(model, volume, (bounds, side), &mut timer, on_progress).await?;
    let Reading { transform, image, found, probabilities, agreement } = reading;
    let own = model.card.labels_of(object);
    let cascade = model.cascade();
    let labels = match probabilities {
        Some(probabilities) => {
            report_progress(on_progress, Phase::Restore, 0.0)?;
            let labels = labels_in_file(&transform, &probabilities, own, cascade.options.nearest);
            timer.end(Phase::Restore);
            labels
        }
        None => segment_patch(cascade, &transform, own, &image, &mut timer, on_progress).await?,
    };
    let mut warnings = volume.warnings();
    warnings.extend(image_warnings(model, &transform, &image));
    warnings.extend(doubt);
    if !found {
        warnings.push("the whole network saw no object; the box lies around its largest value".to_owned());
    }
    if labels.iter().all(|&label| label == 0) {
        warnings.push("the mask is empty".to_owned());
    }
    let region = transform.region();
    let object = ObjectBox { agreement, ..ObjectBox::new(&name, region) };
    warnings.extend(object.warning());
    Ok(Segmentation {
        classes: classes(own, &labels, volume.grid.voxel_mm3()),
        orientation: volume.grid.orientation(),
        timings: timer.timings(),
        labels,
        region,
        boxes: vec![object],
        measured: Vec::new(),
        warnings,
    })
}

/// What is unusual about an image for this model: its field of view, and, where the networks see all of it, its grey values.
pub fn image_warnings(model: &Model, transform: &SpatialTransform, image: &Image) -> Vec<String> {
    let mm = transform.field_mm();
    if let Some(scan) = model.card.scan.as_ref().filter(|_| model.card.is_scan(mm)) {
        return scan.field_mm.warning(mm).into_iter().collect();
    }
    let field = model.card.field_mm.warning(transform.field_mm());
    let why = model.card.out_of_distribution(&image.values, image.dims);
    field.into_iter().chain(why.map(|why| out_of_distribution_warning(&why))).collect()
}

/// What is said before an image is segmented that is unlike those that the model was trained on.
pub fn out_of_distribution_warning(why: &str) -> String {
    format!(
        "the image is unlike those that this model was trained on: {why}; do not expect a right mask before it is tuned"
    )
}
