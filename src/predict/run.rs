//! From a volume to its mask, whatever the number of objects.

use super::boxes::{Bounds, ChosenBoxes, NamedBox, ONLY_OBJECT};
use super::model::Model;
use super::objects::segment_objects;
use super::progress::ProgressFn;
use super::segment::segment_one;
use super::segmentation::Segmentation;
use super::transform::field_mm;
use crate::card::Card;
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
    let cascade = model.cascade_for(field_mm(&volume.grid));
    if !cascade.card.objects.is_empty() {
        return segment_objects(model, cascade, volume, chosen, on_progress).await;
    }
    let (bounds, object) = of_one_object(&model.card, chosen)?;
    segment_one(model, volume, bounds, object, on_progress).await
}

/// The box of an image of one object, where it is given, and that object's place in the card's list, where it is named.
fn of_one_object(card: &Card, chosen: &ChosenBoxes) -> Result<(Option<Bounds>, Option<usize>)> {
    let objects = card.scan.iter().flat_map(|scan| &scan.objects);
    let mut names: Vec<&str> = objects.map(|object| &object.name[..]).collect();
    if names.is_empty() {
        names.push(ONLY_OBJECT);
    }
    let given = chosen.by_object(&names)?;
    if let [_, _, ..] = chosen.boxes[..] {
        let found = format!("{} boxes", chosen.boxes.len());
        return Err(Error::argument("box", found, "one, as the image shows one object"));
    }
    let named = chosen.boxes.iter().any(|one| one.object.is_some()) && card.scan.is_some();
    let position = given.iter().position(Option::is_some);
    Ok((position.and_then(|at| given[at]), position.filter(|_| named)))
}
