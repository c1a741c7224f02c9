//! A task's folder (`dataset.json`, images, labels) as cases ready to be sampled.

use crate::error::{Error, Result};
use crate::file::{Limits, Nifti, Volume, open_path, split_name};
use crate::grid::{Resample, isotropic_dims};
use crate::intensity::Intensity;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `dataset.json` of the Medical Segmentation Decathlon, as far as it is used.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// Name of the task.
    pub name: String,
    /// Where the data is from.
    #[serde(default)]
    pub reference: String,
    /// Licence of the data.
    #[serde(default)]
    pub licence: String,
    /// Channels by index.
    pub modality: BTreeMap<String, String>,
    /// Label names by value.
    pub labels: BTreeMap<String, String>,
    /// Image and label files.
    pub training: Vec<Pair>,
}

/// Files of one case, relative to the task's folder.
#[derive(Debug, Clone, Deserialize)]
pub struct Pair {
    /// The image.
    pub image: PathBuf,
    /// Its labels.
    pub label: PathBuf,
}

impl Manifest {
    /// Reads `dataset.json` of the folder `task`.
    ///
    /// # Errors
    /// `Io` or `Malformed`, with the path.
    pub fn read(task: &Path) -> Result<Self> {
        let path = task.join("dataset.json");
        let text = std::fs::read(&path).map_err(|error| Error::io(&path, &error))?;
        serde_json::from_slice(&text).map_err(|error| {
            Error::malformed(path.display().to_string(), error.to_string(), "an MSD dataset.json")
        })
    }

    /// Names of the labels 1, 2, ... in order.
    pub fn label_names(&self) -> Vec<String> {
        (1..self.labels.len()).filter_map(|i| self.labels.get(&i.to_string()).cloned()).collect()
    }

    /// How many cases in a row of the numbering are of one person. In the hippocampus task ids 2k-1 and 2k are
    /// the two sides of one subject.
    pub fn cases_per_subject(&self) -> usize {
        if self.name == "Hippocampus" { 2 } else { 1 }
    }
}

/// One image with its labels, canonical and at 1 mm, normalised.
#[derive(Debug, Clone)]
pub struct Case {
    /// File name without its endings.
    pub id: String,
    /// Cases of one subject share this number.
    pub subject: usize,
    /// Size, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Normalised intensities, x fastest.
    pub image: Vec<f32>,
    /// Labels, x fastest.
    pub labels: Vec<u8>,
}

/// Resamples voxels in RAS order to 1 mm by nearest neighbour.
fn isotropic<T: Copy>(volume: &Volume, voxels: &[T]) -> (Vec<T>, [usize; 3]) {
    let from = volume.turn.turned_dims();
    let to = isotropic_dims(from, volume.turn.turned(volume.grid.spacing()));
    (Resample { from, to }.apply(voxels), to)
}

/// Reads a file (of a pair, either) as a volume, with the path in every error.
///
/// # Errors
/// As [`open_path`] and [`Nifti::read`].
pub fn open(path: &Path) -> Result<Volume> {
    let read = open_path(path, &Limits::default()).and_then(Nifti::read);
    read.map_err(|error| error.of_file(path))
}

/// Reads one case of the task in the folder `task`.
///
/// # Errors
/// As [`open`]; `Malformed` where image and labels differ in size.
pub fn read_case(task: &Path, pair: &Pair, manifest: &Manifest, intensity: &Intensity) -> Result<Case> {
    let id = case_id(&pair.image);
    let image = open(&task.join(&pair.image))?;
    let label = open(&task.join(&pair.label))?;
    if image.grid.dims != label.grid.dims {
        let (found, expected) =
            (format!("{:?}", label.grid.dims), format!("{:?}, as the image", image.grid.dims));
        return Err(Error::malformed(format!("{id}: size of the labels"), found, expected));
    }
    let (values, dims) = isotropic(&image, &image.voxels);
    let (labels, _) = isotropic(&label, &label.labels().map_err(|error| error.within(&id))?);
    let number: usize = id.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let subject = number.div_ceil(manifest.cases_per_subject());
    Ok(Case { id, subject, dims, image: intensity.normalize(&values), labels })
}

/// `imagesTr/hippocampus_003.nii.gz` -> `hippocampus_003`
pub fn case_id(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match split_name(&name) {
        Some((bare, _)) => bare.to_owned(),
        None => name.strip_suffix(".gz").unwrap_or(&name).to_owned(),
    }
}

/// Splits cases into training and validation: fold `fold` of `folds` validates on every `folds`-th *subject*, so
/// that no person is on both sides.
pub fn split(cases: Vec<Case>, fold: usize, folds: usize) -> (Vec<Case>, Vec<Case>) {
    let mut subjects: Vec<usize> = cases.iter().map(|case| case.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    cases
        .into_iter()
        .partition(|case| subjects.binary_search(&case.subject).map_or(true, |i| i % folds != fold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_subject_is_on_both_sides() {
        let case = |n: usize| Case {
            id: n.to_string(),
            subject: n.div_ceil(2),
            dims: [1; 3],
            image: vec![0.0],
            labels: vec![0],
        };
        let (train, check) = split((1..=40).map(case).collect(), 1, 4);
        assert_eq!((train.len(), check.len()), (30, 10));
        assert!(train.iter().all(|a| check.iter().all(|b| a.subject != b.subject)));
    }
}
