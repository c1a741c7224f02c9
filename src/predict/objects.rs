//! A model of several objects: the whole network has one output for each; every object has its own box and its own run of the
//! patch network. An object that is not seen is said, and not invented.

use super::agreement::fold_agreement;
use super::boxes::{Bounds, ChosenBoxes, ObjectBox, is_trusted};
use super::cascade::Cascade;
use super::model::Model;
use super::object_maps::{ObjectMaps, Shown};
use super::options::mirrored;
use super::progress::{Phase, PhaseTimer, ProgressFn};
use super::segment::unlike_training_warning;
use super::segmentation::{Segmentation, classes};
use super::transform::SpatialTransform;
use super::view::labels_in_file;
use super::views::View;
use crate::card::{Card, CardObject, Label, Preset};
use crate::components;
use crate::error::Result;
use crate::file::Volume;
use crate::intensity::renormalized;
use crate::prepare::Image;

/// Left and right change places.
const LEFT_RIGHT: [bool; 3] = [true, false, false];

/// How often a box grows, at most.
const GROWTHS: usize = 3;

/// Segments a volume with a model of several objects. Objects of `chosen` are segmented in the box that is given, the
/// others where the whole network finds them, unless only the chosen ones are asked for; it does not run where it has
/// nothing to find.
///
/// # Errors
/// As [`super::segment`]; `Argument` for the name of no object, or a box that is empty or not within the file.
pub(super) async fn segment_objects(
    model: &Model,
    cascade: Cascade<'_>,
    volume: &Volume,
    (View { mut transform, image }, mut timer): (View, PhaseTimer),
    chosen: &ChosenBoxes,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    let card = cascade.card;
    let given = chosen.by_object(&card.object_names())?;
    image.check_contrast("image")?;
    timer.end(Phase::Prepare);
    let (mut maps, count) = (None, card.objects.len());
    if !chosen.only && given.contains(&None) {
        maps = Some(ObjectMaps::find(cascade, &transform, &image, on_progress).await?);
        timer.end(Phase::Whole);
    }
    let shown = maps.as_ref().map_or_else(|| vec![Shown::Nothing; count], |maps| maps.objects(count));
    transform.set_upright(&volume.grid);
    let mut warnings = field_warnings(volume, card, maps.as_ref(), transform.field_mm());
    let mut labels = vec![0; volume.grid.len()];
    let mut boxes = Vec::new();
    let groups = card.labels.chunks(card.labels.len() / card.object_count());
    let mut asked: Vec<Label> = Vec::new();
    for (((object, own_labels), given), shown) in card.objects.iter().zip(groups).zip(given).zip(shown) {
        if chosen.only && given.is_none() {
            continue;
        }
        asked.extend_from_slice(own_labels);
        let mut own = transform;
        let name = &object.name;
        if !place(&mut own, given, &shown, &card.preset)? {
            warnings.push(unseen_warning(name, &shown, card));
            continue;
        }
        let run = ObjectRun { labels: &model.card.labels, cascade, image: &image, object };
        let (patch, agreement) = run.patch(&mut own, given.is_none(), &mut warnings, on_progress).await?;
        timer.end(Phase::Patch);
        let found = labels_in_file(&own, &patch, own_labels, cascade.options.nearest);
        warnings.extend(empty_warning(name, own_labels, &found));
        paint(&mut labels, &found);
        let found = ObjectBox { agreement, ..ObjectBox::new(name, own.region()) };
        warnings.extend(found.warning());
        boxes.push(found);
        timer.end(Phase::Restore);
    }
    Ok(Segmentation {
        classes: classes(&asked, &labels, volume.grid.voxel_mm3()),
        orientation: volume.grid.orientation(),
        timings: timer.timings(),
        labels,
        region: boxes.first().map_or(([0; 3], volume.grid.dims), ObjectBox::bounds),
        boxes,
        measured: maps.map_or_else(Vec::new, |maps| maps.measured(&card.measured, count, volume)),
        warnings,
    })
}

/// What is said of the file and of its field of view.
fn field_warnings(volume: &Volume, card: &Card, maps: Option<&ObjectMaps>, mm: [f64; 3]) -> Vec<String> {
    let cut = maps.map_or_else(Vec::new, |maps| maps.cut_warnings(&card.measured, card.objects.len(), mm));
    volume.warnings().into_iter().chain(card.field_mm.warning(mm)).chain(cut).collect()
}

/// Sets the box of an object: the one that is given, or that around what the whole network shows of it; `false` where there is none.
fn place(own: &mut SpatialTransform, given: Option<Bounds>, shown: &Shown, preset: &Preset) -> Result<bool> {
    match (given, shown) {
        (Some((start, end)), _) => own.set_box(start, end, preset)?,
        (None, Shown::Object { voxels, dims }) => own.set_box_around(voxels, *dims, preset)?,
        (None, _) => return Ok(false),
    }
    Ok(true)
}

/// Puts an object's labels where no other object's are.
fn paint(labels: &mut [u8], found: &[u8]) {
    let free = labels.iter_mut().zip(found).filter(|(label, _)| **label == 0);
    free.for_each(|(label, new)| *label = *new);
}

/// What is said of an object that is not in the mask.
fn unseen_warning(name: &str, shown: &Shown, card: &Card) -> String {
    match shown {
        Shown::InPlaceOf(other) => format!(
            "the whole network saw a {name} object only in the place of the {} one: it is not in the mask",
            card.objects[*other].name
        ),
        _ => format!("the whole network saw no {name} object: it is not in the mask"),
    }
}

/// What is said where all of an object's mask is empty, or one of its labels.
fn empty_warning(name: &str, own: &[Label], found: &[u8]) -> Option<String> {
    let mut empty = own.iter().filter(|label| !found.contains(&label.index));
    let first = empty.next()?;
    if empty.count() + 1 == own.len() {
        return Some(format!("the mask of the {name} object is empty"));
    }
    Some(format!("the mask of the {name} object has no {}: look at it before you trust it", first.name))
}

/// The patch network on one object.
struct ObjectRun<'a> {
    /// Those of the network's outputs.
    labels: &'a [Label],
    cascade: Cascade<'a>,
    image: &'a Image,
    object: &'a CardObject,
}

impl ObjectRun<'_> {
    /// Probabilities in the box of `own`, label after label. A box that was found grows where it cuts the mask, and the
    /// network runs again.
    async fn patch(
        &self,
        own: &mut SpatialTransform,
        grows: bool,
        warnings: &mut Vec<String>,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<(Vec<f32>, Option<f64>)> {
        let mut growths = 0;
        loop {
            let patch = self.view(own);
            patch.check_contrast(&format!("box of {}", self.object.name))?;
            let (mut probabilities, agreement) =
                fold_agreement(self.cascade, self.labels, &patch, on_progress).await?;
            if self.object.mirror {
                probabilities = mirrored(&probabilities, patch.dims, LEFT_RIGHT);
            }
            keep_largest_piece(&mut probabilities, patch.dims);
            let cut = own.open_faces(&faces(&probabilities, patch.dims));
            let touches = cut.iter().flatten().any(|face| *face);
            if grows && touches && growths < GROWTHS {
                own.grow(&cut, &self.cascade.card.preset)?;
                growths += 1;
                continue;
            }
            let name = &self.object.name;
            if !is_trusted(agreement) {
                let why = self.cascade.card.out_of_distribution(&patch.values, patch.dims);
                warnings.extend(why.map(|why| format!("{name}: {}", unlike_training_warning(&why))));
            }
            if touches {
                warnings.push(format!(
                    "the mask of the {name} object touches the border of its box: it may be cut"
                ));
            }
            return Ok((probabilities, agreement));
        }
    }

    /// What the network sees.
    fn view(&self, own: &SpatialTransform) -> Image {
        let mut patch = own.crop_patch(self.image);
        if self.cascade.card.normalize_box {
            let count: usize = patch.dims.iter().product();
            patch.values = patch.values.chunks_exact(count).flat_map(renormalized).collect();
        }
        if self.object.mirror {
            patch.values = mirrored(&patch.values, patch.dims, LEFT_RIGHT);
        }
        patch
    }
}

/// Clears what lies apart from the largest piece of an object, all its labels together: an object is in one piece.
fn keep_largest_piece(probabilities: &mut [f32], dims: [usize; 3]) {
    let mut inside = vec![false; dims.iter().product()];
    for channel in probabilities.chunks_exact(inside.len()) {
        inside.iter_mut().zip(channel).for_each(|(inside, value)| *inside |= *value > 0.5);
    }
    let largest = components::largest(&inside, dims);
    for channel in probabilities.chunks_exact_mut(inside.len()) {
        for (value, _) in
            channel.iter_mut().zip(inside.iter().zip(&largest)).filter(|(_, (any, own))| **any && !**own)
        {
            *value = 0.0;
        }
    }
}

/// By axis, whether a probability above one half lies in the first or the last plane.
fn faces(probabilities: &[f32], dims: [usize; 3]) -> [[bool; 2]; 3] {
    let mut touched = [[false; 2]; 3];
    for channel in probabilities.chunks_exact(dims.iter().product()) {
        for (index, _) in channel.iter().enumerate().filter(|(_, value)| **value > 0.5) {
            let at = [index % dims[0], index / dims[0] % dims[1], index / (dims[0] * dims[1])];
            for axis in 0..3 {
                touched[axis][0] |= at[axis] == 0;
                touched[axis][1] |= at[axis] + 1 == dims[axis];
            }
        }
    }
    touched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_piece_of_all_labels_together_stays() {
        let dims = [8, 1, 1];
        // Both labels make one piece of three; what is apart goes, whichever label it has, and what is below one half stays.
        let mut map = vec![0.9, 0.9, 0.2, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0, 0.7, 0.0, 0.3, 0.0, 0.0, 0.8];
        keep_largest_piece(&mut map, dims);
        assert_eq!(map, [0.9, 0.9, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.7, 0.0, 0.3, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn faces_that_a_mask_touches_are_found() {
        let dims = [4, 3, 5];
        let mut map = vec![0.0; 2 * 60];
        assert_eq!(faces(&map, dims), [[false; 2]; 3]);
        map[1 + 4 * (1 + 3 * 2)] = 0.9; // inside
        assert_eq!(faces(&map, dims), [[false; 2]; 3]);
        map[60 + 3 + 4 * (1 + 3 * 4)] = 0.6; // of the second label, at the last x and the last z
        assert_eq!(faces(&map, dims), [[false, true], [false, false], [false, true]]);
    }
}
