//! The label maps of a folder, turned to RAS and cut to what is not background. Grids may differ, from map to map and
//! along each axis: everything downstream counts in mm.

use super::classes::Classes;
use super::recipe::Recipe;
use crate::error::{Error, Result};
use crate::file::{Volume, split_name};
use crate::grid::Region;
use crate::train::manifest::case_id;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A label map.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelMap {
    /// File name without its endings.
    pub id: String,
    /// Size, `[right, anterior, superior]`, without the background around.
    pub dims: [usize; 3],
    /// Size of a voxel.
    pub spacing_mm: [f64; 3],
    /// Class of each voxel, x fastest.
    pub classes: Vec<u8>,
}

/// Labels as a file has them.
#[derive(Debug, Clone, PartialEq)]
pub struct RawMap {
    /// File name without its endings.
    pub id: String,
    /// Size, `[right, anterior, superior]`.
    pub dims: [usize; 3],
    /// Size of a voxel.
    pub spacing_mm: [f64; 3],
    /// Label of each voxel, x fastest.
    pub labels: Vec<u16>,
}

/// Label maps with the recipe by which images are made of them. Copies share the maps.
#[derive(Debug, Clone)]
pub struct MapSet {
    /// How.
    pub recipe: Arc<Recipe>,
    /// What the recipe says of each label that occurs.
    pub classes: Arc<Classes>,
    /// The maps.
    pub maps: Vec<Arc<LabelMap>>,
    /// Maps that the recipe leaves out, by name.
    pub excluded: Vec<String>,
}

impl MapSet {
    /// Reads all NIfTI and MGH files of a folder, in the order of their names, but those that the recipe excludes. `tell` is
    /// called with each name.
    ///
    /// # Errors
    /// As [`Volume::open`]; `Malformed` where a file is no label map; as [`Self::new`].
    pub fn read(folder: &Path, recipe: Recipe, tell: &mut dyn FnMut(&str)) -> Result<Self> {
        let (mut raw, mut excluded) = (Vec::new(), Vec::new());
        for path in files(folder)? {
            let id = case_id(&path);
            if recipe.exclude.contains(&id) {
                excluded.push(id);
                continue;
            }
            let volume = Volume::open(&path)?;
            raw.push(raw_map(id, &volume).map_err(|error| error.of_file(&path))?);
            tell(&raw[raw.len() - 1].id);
        }
        if raw.is_empty() {
            let found = format!("no label map, {} left out by the synthesis", excluded.len());
            return Err(Error::argument(folder.display().to_string(), found, "NIfTI or MGH files of labels"));
        }
        Ok(Self { excluded, ..Self::new(recipe, raw)? })
    }

    /// Of maps at hand.
    ///
    /// # Errors
    /// As [`Classes::new`]; `Malformed` where a map lacks a target or everything that a field of view has to keep.
    pub fn new(recipe: Recipe, raw: Vec<RawMap>) -> Result<Self> {
        let mut occurs = vec![false; 1 << 16];
        raw.iter().flat_map(|map| &map.labels).for_each(|&label| occurs[usize::from(label)] = true);
        let occurring = (0..=u16::MAX).filter(|label| occurs[usize::from(*label)]);
        let classes = Classes::new(&recipe, occurring)?;
        let maps = raw.into_iter().map(|map| label_map(&recipe, &classes, map).map(Arc::new));
        let maps = maps.collect::<Result<_>>()?;
        Ok(Self { classes: Arc::new(classes), recipe: Arc::new(recipe), maps, excluded: Vec::new() })
    }

    /// The value of a class in a mask of all targets: the number of the first that it belongs to, counted from 1; 0 where
    /// there is none.
    pub fn label_in_mask(&self, class: u8) -> u8 {
        let first = (0..self.recipe.targets.len()).find(|target| self.classes.belongs(class, *target));
        first.map_or(0, |target| target as u8 + 1)
    }

    /// The maps of one fold of a cross-validation to train on, and those to validate on: every `folds`-th from `fold`
    /// on. Of one fold, all of them for both.
    #[must_use]
    pub fn split(self, fold: usize, folds: usize) -> (Self, Self) {
        if folds == 1 {
            return (self.clone(), self);
        }
        let part = |held: bool| {
            let maps = self.maps.iter().enumerate().filter(|(index, _)| (index % folds == fold) == held);
            Self { maps: maps.map(|(_, map)| map.clone()).collect(), ..self.clone() }
        };
        (part(false), part(true))
    }
}

/// NIfTI and MGH files by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let fault = |error: std::io::Error| Error::io(folder, &error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if matches!(split_name(&name), Some((_, ".nii" | ".mgz" | ".mgh"))) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn raw_map(id: String, volume: &Volume) -> Result<RawMap> {
    if volume.channels != 1 {
        let found = format!("{} volumes", volume.channels);
        return Err(Error::malformed("label map", found, "one volume of labels"));
    }
    let label = |&value: &f32| {
        let label = value as u16;
        if f32::from(label) == value { Ok(label) } else { Err(value) }
    };
    let labels = volume.voxels.iter().map(label).collect::<std::result::Result<Vec<u16>, f32>>();
    let labels = labels
        .map_err(|value| Error::malformed("label map", value.to_string(), "whole numbers from 0 to 65535"))?;
    let spacing_mm = volume.reorientation.permuted(volume.grid.spacing());
    Ok(RawMap { id, dims: volume.reorientation.ras_dims(), spacing_mm, labels })
}

fn label_map(recipe: &Recipe, classes: &Classes, raw: RawMap) -> Result<LabelMap> {
    let RawMap { id, dims, spacing_mm, labels } = raw;
    let lacks = |what: String, expected: &str| Err(Error::malformed(&id, what, expected));
    for target in &recipe.targets {
        if !labels.iter().any(|label| target.labels.contains(*label)) {
            let what = format!("no voxel of the target {} (labels {})", target.name, target.labels);
            return lacks(what, "every target in every map; leave this one out by \"exclude\"");
        }
    }
    let Some((first, last)) = Region::extent(dims, |i| labels[i] > 0 && recipe.keep.contains(labels[i]))
    else {
        let what = format!("no voxel of \"keep\" (labels {})", recipe.keep);
        return lacks(what, "what a field of view has to show");
    };
    let (first, last) = Region::extent(dims, |i| labels[i] > 0).unwrap_or((first, last));
    let region = Region { full: dims, start: first, end: last.map(|n| n + 1) };
    let inside = region.crop(&labels).into_iter().map(|label| classes.of(label).unwrap_or(0)).collect();
    Ok(LabelMap { id, dims: region.dims(), spacing_mm, classes: inside })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let text = r#"{"name": "a", "targets": [{"name": "one", "labels": [1]}], "keep": ["1-2"],
            "tissues": [{"name": "all", "rest": true}]}"#;
        Recipe::read(text.as_bytes()).unwrap()
    }

    fn raw(id: &str, labels: Vec<u16>) -> RawMap {
        RawMap { id: id.into(), dims: [labels.len() / 2, 2, 1], spacing_mm: [1.0; 3], labels }
    }

    #[test]
    fn maps_share_their_classes_and_lose_the_background_around() {
        let maps = vec![raw("a", vec![0, 9, 1, 0, 0, 0, 1, 0]), raw("b", vec![5, 1, 0, 0])];
        let set = MapSet::new(recipe(), maps).unwrap();
        assert_eq!((set.maps[0].dims, &set.maps[0].classes[..]), ([2, 2, 1], &[3, 1, 0, 1][..]));
        assert_eq!(set.maps[1].classes, [2, 1]);
    }

    #[test]
    fn a_map_without_a_target_is_refused_by_name() {
        let said = MapSet::new(recipe(), vec![raw("x07", vec![0, 2, 2, 0])]).unwrap_err().to_string();
        assert!(said.contains("x07") && said.contains("target one") && said.contains("exclude"), "{said}");
    }

    #[test]
    fn folds_of_maps_are_apart_and_one_fold_is_all() {
        let maps = (0..7).map(|n| raw(&n.to_string(), vec![1, 2])).collect();
        let set = MapSet::new(recipe(), maps).unwrap();
        let names = |set: &MapSet| set.maps.iter().map(|map| map.id.clone()).collect::<Vec<_>>();
        let (train, check) = set.clone().split(1, 3);
        assert_eq!(
            (names(&train), names(&check)),
            (["0", "2", "3", "5", "6"].map(String::from).to_vec(), vec!["1".into(), "4".into()])
        );
        let (train, check) = set.split(0, 1);
        assert_eq!((train.maps.len(), check.maps.len()), (7, 7));
    }
}
