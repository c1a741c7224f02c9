//! A model of several objects: the whole network has one output for each; every object has its own box and its own run of the
//! patch network. An object that is not seen is said, and not invented.

use super::boxes::{Bounds, MeasuredVolume, NamedBox, ObjectBox};
use super::cascade::Model;
use super::options::mirrored;
use super::progress::{Phase, PhaseTimer, ProgressFn, report_progress};
use super::segment::out_of_distribution_warning;
use super::segmentation::{Segmentation, classes};
use super::transform::SpatialTransform;
use crate::card::{CardObject, Label, Preset};
use crate::components;
use crate::error::{Error, Result};
use crate::file::Volume;
use crate::intensity::renormalized;
use crate::prepare::Image;

/// How often a box grows, at most.
const GROWTHS: usize = 3;

/// Mean probabilities of the whole network over its folds, output after output.
struct WholeMaps {
    dims: [usize; 3],
    values: Vec<f32>,
}

impl WholeMaps {
    /// Where an output is above one half.
    fn mask(&self, output: usize) -> Vec<bool> {
        let count: usize = self.dims.iter().product();
        self.values[output * count..(output + 1) * count].iter().map(|value| *value > 0.5).collect()
    }
}

/// Segments a volume with a model of several objects. Objects of `chosen` are segmented in the box that is given, the
/// others where the whole network finds them; it does not run where every object has a box.
///
/// # Errors
/// As [`super::segment`]; `Argument` for the name of no object, or a box that is empty or not within the file.
pub async fn segment_objects(
    model: &Model,
    volume: &Volume,
    chosen: &[NamedBox],
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    let card = &model.card;
    check_names(&card.objects, chosen)?;
    let mut timer = PhaseTimer::start();
    report_progress(on_progress, Phase::Prepare, 0.0)?;
    let (transform, image) = SpatialTransform::forward(volume, card)?;
    timer.end(Phase::Prepare);
    let box_of = |object: &CardObject| chosen.iter().find(|(name, _)| *name == object.name).map(|(_, b)| *b);
    let mut maps = None;
    if card.objects.iter().any(|object| box_of(object).is_none()) {
        maps = Some(whole_maps(model, &transform, &image, on_progress).await?);
        timer.end(Phase::Whole);
    }
    let mut warnings = volume.warnings();
    warnings.extend(card.field_mm.warning(transform.field_mm()));
    let mut labels = vec![0; volume.grid.len()];
    let mut boxes = Vec::new();
    let groups = card.labels.chunks(card.labels.len() / card.object_count());
    for (output, (object, own_labels)) in card.objects.iter().zip(groups).enumerate() {
        let mut own = transform;
        let given = box_of(object);
        if !place(&mut own, given, maps.as_ref(), output, &card.preset)? {
            warnings.push(format!("the whole network saw no {} object: it is not in the mask", object.name));
            continue;
        }
        let run = ObjectRun { model, image: &image, object, labels: own_labels };
        let patch = run.patch(&mut own, given.is_none(), &mut warnings, on_progress).await?;
        timer.end(Phase::Patch);
        let found = run.labels(&own, &patch);
        if found.iter().all(|&label| label == 0) {
            warnings.push(format!("the mask of the {} object is empty", object.name));
        }
        labels.iter_mut().zip(found).filter(|(label, _)| **label == 0).for_each(|(label, new)| *label = new);
        boxes.push(ObjectBox::new(&object.name, own.region()));
        timer.end(Phase::Restore);
    }
    let measured = maps.map_or_else(Vec::new, |maps| measured(model, &maps, volume));
    let region = boxes.first().map_or(([0; 3], volume.grid.dims), ObjectBox::bounds);
    Ok(Segmentation {
        classes: classes(card, &labels, volume.grid.voxel_mm3()),
        orientation: volume.grid.orientation(),
        timings: timer.timings(),
        labels,
        region,
        boxes,
        measured,
        warnings,
    })
}

/// Sets the box of an object: the one that is given, or that around the largest component that the whole network sees;
/// `false` where it sees none.
fn place(
    own: &mut SpatialTransform,
    given: Option<Bounds>,
    maps: Option<&WholeMaps>,
    output: usize,
    preset: &Preset,
) -> Result<bool> {
    if let Some((start, end)) = given {
        return own.set_box(start, end, preset).map(|()| true);
    }
    let Some((maps, mask)) = maps.map(|maps| (maps, maps.mask(output))) else { return Ok(false) };
    if !mask.contains(&true) {
        return Ok(false);
    }
    own.set_box_around(&components::largest(&mask, maps.dims), maps.dims, preset).map(|()| true)
}

fn check_names(objects: &[CardObject], chosen: &[(String, Bounds)]) -> Result<()> {
    for (position, (name, _)) in chosen.iter().enumerate() {
        if chosen[..position].iter().any(|(other, _)| other == name) {
            return Err(Error::argument("box", format!("{name} twice"), "one box for each object"));
        }
        if !objects.iter().any(|object| object.name == *name) {
            let names: Vec<&str> = objects.iter().map(|object| &object.name[..]).collect();
            return Err(Error::argument("box", format!("of \"{name}\""), names.join(" or ")));
        }
    }
    Ok(())
}

async fn whole_maps(
    model: &Model,
    transform: &SpatialTransform,
    image: &Image,
    on_progress: &mut ProgressFn<'_>,
) -> Result<WholeMaps> {
    let whole = transform.crop_whole(image, &model.card.preset)?;
    let mut values = model.object_probabilities(&whole, on_progress).await?;
    let share = 1.0 / model.whole.len() as f32;
    values.iter_mut().for_each(|value| *value *= share);
    Ok(WholeMaps { dims: whole.dims, values })
}

/// Volumes of the outputs that are only measured: their share of the field of view.
fn measured(model: &Model, maps: &WholeMaps, volume: &Volume) -> Vec<MeasuredVolume> {
    let field_ml = volume.grid.len() as f64 * volume.grid.voxel_mm3() / 1000.0;
    let first = model.card.objects.len();
    let each = model.card.measured.iter().enumerate().map(|(index, name)| {
        let mask = maps.mask(first + index);
        let share = mask.iter().filter(|inside| **inside).count() as f64 / mask.len() as f64;
        MeasuredVolume { name: name.clone(), milliliters: share * field_ml }
    });
    each.collect()
}

/// The patch network on one object.
struct ObjectRun<'a> {
    model: &'a Model,
    image: &'a Image,
    object: &'a CardObject,
    labels: &'a [Label],
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
    ) -> Result<Vec<f32>> {
        let mut growths = 0;
        loop {
            let patch = self.view(own);
            let why = self.model.card.out_of_distribution(&patch.values, patch.dims);
            let mut probabilities = self.model.patch_probabilities(&patch, on_progress).await?;
            if self.object.mirror {
                probabilities = mirrored(&probabilities, patch.dims, [true, false, false]);
            }
            let cut = own.open_faces(&faces(&probabilities, patch.dims));
            let touches = cut.iter().flatten().any(|face| *face);
            if grows && touches && growths < GROWTHS {
                own.grow(&cut, &self.model.card.preset)?;
                growths += 1;
                continue;
            }
            let name = &self.object.name;
            warnings.extend(why.map(|why| format!("{name}: {}", out_of_distribution_warning(&why))));
            if touches {
                warnings.push(format!(
                    "the mask of the {name} object touches the border of its box: it may be cut"
                ));
            }
            return Ok(probabilities);
        }
    }

    /// What the network sees.
    fn view(&self, own: &SpatialTransform) -> Image {
        let mut patch = own.crop_patch(self.image);
        if self.model.card.normalize_box {
            let count: usize = patch.dims.iter().product();
            patch.values = patch.values.chunks_exact(count).flat_map(renormalized).collect();
        }
        if self.object.mirror {
            patch.values = mirrored(&patch.values, patch.dims, [true, false, false]);
        }
        patch
    }

    /// The object's labels on the file's own grid.
    fn labels(&self, own: &SpatialTransform, probabilities: &[f32]) -> Vec<u8> {
        let indices: Vec<u8> = self.labels.iter().map(|label| label.index).collect();
        if !own.is_exact() && !self.model.options.nearest {
            return own.inverse_probabilities(probabilities, &indices);
        }
        let count = probabilities.len() / indices.len();
        let mut labels = vec![0; count];
        for (channel, &index) in probabilities.chunks_exact(count).zip(&indices) {
            labels
                .iter_mut()
                .zip(channel)
                .filter(|(_, value)| **value > 0.5)
                .for_each(|(label, _)| *label = index);
        }
        own.inverse(&labels)
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
    fn faces_that_a_mask_touches_are_found() {
        let dims = [4, 3, 5];
        let mut map = vec![0.0; 2 * 60];
        assert_eq!(faces(&map, dims), [[false; 2]; 3]);
        map[1 + 4 * (1 + 3 * 2)] = 0.9; // inside
        assert_eq!(faces(&map, dims), [[false; 2]; 3]);
        map[60 + 3 + 4 * (1 + 3 * 4)] = 0.6; // of the second label, at the last x and the last z
        assert_eq!(faces(&map, dims), [[false, true], [false, false], [false, true]]);
    }

    #[test]
    fn boxes_of_no_object_are_refused_by_name() {
        let objects = ["left", "right"].map(|name| CardObject { name: name.into(), mirror: false });
        let chosen = |names: &[&str]| -> Vec<(String, Bounds)> {
            names.iter().map(|name| ((*name).into(), ([0; 3], [9; 3]))).collect()
        };
        assert_eq!(check_names(&objects, &chosen(&["right", "left"])), Ok(()));
        let error = check_names(&objects, &chosen(&["middle"])).unwrap_err();
        assert!(error.to_string().contains("left or right"), "{error}");
        assert!(check_names(&objects, &chosen(&["left", "left"])).is_err());
    }
}
