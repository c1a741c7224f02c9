//! From a volume to its mask, whatever the number of objects.

use super::boxes::{Bounds, ChosenBoxes, NamedBox};
use super::model::Model;
use super::objects::segment_objects;
use super::progress::ProgressFn;
use super::segment::segment_one;
use super::segmentation::Segmentation;
use super::transform::field_mm;
use super::views::{Seen, Views, of_one_object};
use crate::error::Result;
use crate::file::Volume;

/// Segments a volume: whole network, largest component of each object, box, patch network, labels on the file's own grid.
///
/// # Errors
/// `Limit` where the volume at 1 mm would be too large; `Device` where the device fails or gives values that no
/// network can give; `Cancelled` where `on_progress` breaks.
pub async fn segment(
    model: &Model,
    volume: &Volume,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    segment_boxes(model, volume, &ChosenBoxes::default(), on_progress).await
}

/// As [`segment`]; where a box is given, the whole network does not run.
///
/// # Errors
/// As [`segment`], and `Argument` where the box is empty or not within the file, or the model has several objects.
pub async fn segment_within(
    model: &Model,
    volume: &Volume,
    bounds: Option<Bounds>,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    let boxes = bounds.map(|bounds| NamedBox { object: None, bounds }).into_iter().collect();
    segment_boxes(model, volume, &ChosenBoxes { boxes, only: false }, on_progress).await
}

/// As [`segment`], with the boxes of some objects. The whole network looks for the others, unless only these are asked for.
///
/// # Errors
/// As [`segment`], and `Argument` for a box that is empty or not within the file, or of an object that the model has not.
pub async fn segment_boxes(
    model: &Model,
    volume: &Volume,
    chosen: &ChosenBoxes,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    let views = Views::of(model, volume, chosen, on_progress)?;
    segment_views(model, volume, views, chosen, on_progress).await
}

/// As [`segment_boxes`], of what the networks see of a volume. Its voxels are not looked at.
///
/// # Errors
/// As [`segment_boxes`].
pub async fn segment_views(
    model: &Model,
    volume: &Volume,
    views: Views,
    chosen: &ChosenBoxes,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    let cascade = model.cascade_for(field_mm(&volume.grid));
    match views.seen {
        Seen::One(view) if !cascade.card.objects.is_empty() => {
            segment_objects(model, cascade, volume, (view, views.timer), chosen, on_progress).await
        }
        seen => {
            let of = of_one_object(&model.card, chosen)?;
            segment_one(model, volume, (seen, views.timer), of, on_progress).await
        }
    }
}
