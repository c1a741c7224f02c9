//! From an image of one object to its mask.

use super::boxes::{Bounds, ObjectBox, is_trusted};
use super::model::Model;
use super::progress::{Phase, PhaseTimer, ProgressFn, report_progress};
use super::reading::Reading;
use super::segmentation::{Segmentation, classes};
use super::side::{Shown, shown_object};
use super::transform::SpatialTransform;
use super::view::{labels_in_file, segment_patch};
use super::views::Seen;
use crate::error::Result;
use crate::file::Volume;
use crate::grid::{Grid, oblique_degrees};
use crate::prepare::Image;

/// Segments an image of one object: whole network, largest object, box, patch network, labels on the file's own grid. `of`: where
/// a box is given, the whole network does not run; where the model knows sides, the object that the image shows, by its
/// place in the card's list, without which the surer reading is taken.
///
/// # Errors
/// As [`super::segment`], and `Argument` where the box is empty or not within the file.
pub(super) async fn segment_one(
    model: &Model,
    volume: &Volume,
    (seen, mut timer): (Seen, PhaseTimer),
    of: (Option<Bounds>, Option<usize>),
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    let Shown { object, name, reading, doubt } =
        shown_object(model, seen, of, &mut timer, on_progress).await?;
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
    warnings.extend(field_warning(model, &transform));
    warnings.extend(oblique_warning(&volume.grid));
    if !is_trusted(agreement) {
        warnings.extend(grey_warning(model, &transform, &image));
    }
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

/// What is unusual about an image for this model, before it runs: its field of view, and, where the networks see all of it, its grey
/// values.
pub fn image_warnings(model: &Model, transform: &SpatialTransform, image: &Image) -> Vec<String> {
    let grey = grey_warning(model, transform, image);
    field_warning(model, transform).into_iter().chain(grey).collect()
}

fn field_warning(model: &Model, transform: &SpatialTransform) -> Option<String> {
    let mm = transform.field_mm();
    match model.card.scan.as_ref().filter(|_| model.card.is_scan(mm)) {
        Some(scan) => scan.field_mm.warning(mm),
        None => model.card.field_mm.warning(mm),
    }
}

/// Of an image of one object, whose box lies along the file's axes, as tuning sees it. Turned by 10 degrees, heads lost 0.02 of
/// Dice; by 20, up to 0.5 (docs/heads.md).
fn oblique_warning(grid: &Grid) -> Option<String> {
    let degrees = oblique_degrees(grid);
    (degrees > 12.0).then(|| {
        format!(
            "the axes of the file lie {degrees:.0} degrees off those of the patient: the networks learned from upright images; \
             resample the image to the patient's axes, or open the whole scan"
        )
    })
}

/// None of a whole scan, of which the patch network sees the boxes.
fn grey_warning(model: &Model, transform: &SpatialTransform, image: &Image) -> Option<String> {
    if model.card.is_scan(transform.field_mm()) {
        return None;
    }
    model.card.out_of_distribution(&image.values, image.dims).map(|why| out_of_distribution_warning(&why))
}

/// What is said before an image is segmented that is unlike those that the model was trained on, where it can be tuned on it.
pub fn out_of_distribution_warning(why: &str) -> String {
    format!(
        "the image is unlike those that this model was trained on: {why}; do not expect a correct mask before the model is tuned"
    )
}

/// The same of an object of a whole scan, on which nothing is tuned.
pub(super) fn unlike_training_warning(why: &str) -> String {
    format!("the image is unlike those that this model was trained on: {why}; do not expect a correct mask")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oblique_image_of_one_object_is_said_to_be_one() {
        let turned = |degrees: f64| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let rows =
                [[2.0, 0.0, 0.0, 0.0], [0.0, cos, -sin, 0.0], [0.0, sin, cos, 0.0], [0.0, 0.0, 0.0, 1.0]];
            oblique_warning(&Grid::new([8; 3], rows, [2.0, 1.0, 1.0]))
        };
        assert_eq!(turned(11.0), None);
        assert!(turned(-20.0).unwrap().starts_with("the axes of the file lie 20 degrees off"));
    }
}
