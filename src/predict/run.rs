//! From a volume to its mask, whatever the number of objects.

use super::boxes::{Bounds, NamedBox};
use super::cascade::Model;
use super::objects::segment_objects;
use super::progress::ProgressFn;
use super::segment::segment_one;
use super::segmentation::Segmentation;
use crate::error::{Error, Result};
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
    segment_boxes(model, volume, &[], on_progress).await
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
    let unnamed = bounds.map(|bounds| (String::new(), bounds));
    segment_boxes(model, volume, unnamed.as_slice(), on_progress).await
}

/// As [`segment`], with the boxes of some objects given by name (an empty name is that of the only object). The whole network
/// looks for the others.
///
/// # Errors
/// As [`segment`], and `Argument` for a box that is empty or not within the file, or of an object that the model has not.
pub async fn segment_boxes(
    model: &Model,
    volume: &Volume,
    boxes: &[NamedBox],
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    if !model.card.objects.is_empty() {
        return segment_objects(model, volume, boxes, on_progress).await;
    }
    match boxes {
        [] => segment_one(model, volume, None, on_progress).await,
        [(name, bounds)] if name.is_empty() => segment_one(model, volume, Some(*bounds), on_progress).await,
        [(name, _)] => Err(Error::argument(
            "box",
            format!("of \"{name}\""),
            "a box without a name, as the model has one object",
        )),
        _ => {
            Err(Error::argument("box", format!("{} boxes", boxes.len()), "one, as the model has one object"))
        }
    }
}
