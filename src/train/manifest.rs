//! A task's folder in the form of the Medical Segmentation Decathlon (`dataset.json`, images, labels), and how its
//! cases are split.

use super::dataset::Dataset;
use crate::error::{Error, Result};
use crate::file::{Limits, Nifti, Volume, open_path, split_name};
use crate::intensity::Intensity;
use crate::task::{Task, is_ct};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `dataset.json`, as far as it is used.
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
    pub training: Vec<CaseFiles>,
}

/// Files of one case, relative to the task's folder.
#[derive(Debug, Clone, Deserialize)]
pub struct CaseFiles {
    /// The image.
    pub image: PathBuf,
    /// Its labels.
    pub label: PathBuf,
    /// Who it is of, where several cases are of one person. (Not in the decathlon's form.)
    #[serde(default)]
    pub subject: Option<String>,
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

    /// Names of the channels in order.
    ///
    /// # Errors
    /// `Malformed` where the indices have a gap.
    pub fn modalities(&self) -> Result<Vec<String>> {
        numbered(&self.modality, 0).ok_or_else(|| {
            let found = list(self.modality.keys());
            Error::malformed("dataset.json: modality", found, "0, 1, 2 and so on without a gap")
        })
    }

    /// Names of the labels 1, 2, ... in order.
    ///
    /// # Errors
    /// `Malformed` where the values have a gap, or are none or more than 254.
    pub fn label_names(&self) -> Result<Vec<String>> {
        let names = numbered(&self.labels, 0).filter(|names| (2..=255).contains(&names.len()));
        names.map(|names| names[1..].to_vec()).ok_or_else(|| {
            let expected = "0 for the background, then 1, 2, 3 and so on without a gap, up to 254";
            Error::malformed("dataset.json: labels", list(self.labels.keys()), expected)
        })
    }

    /// The task of the decathlon whose name and channels these are.
    pub fn task(&self) -> Option<&'static Task> {
        let same = |task: &&Task| {
            task.modalities.len() == self.modality.len()
                && self.modality.values().all(|name| is_ct(name) == is_ct(task.modalities[0]))
        };
        Task::find(&self.name).filter(same)
    }

    /// How intensities are normalised, as far as it is known beforehand: `None` for CT whose window is to be computed
    /// from the training cases ([`Dataset::read`]). A channel named "CT" is CT, any other MR.
    ///
    /// # Errors
    /// `Unsupported` where some channels are CT and others are not.
    pub fn intensity(&self) -> Result<Option<Intensity>> {
        match self.modality.values().filter(|name| is_ct(name)).count() {
            0 => Ok(Some(Intensity::Mr)),
            n if n == self.modality.len() => Ok(self.task().and_then(|task| task.window)),
            _ => {
                let expected = "channels that are all CT or none of them CT: they are normalised in one way";
                Err(Error::unsupported("dataset.json: modality", list(self.modality.values()), expected))
            }
        }
    }

    /// Numbers of the subjects, one per training case: cases of one person share theirs, and nobody is on both sides
    /// of a split. Persons count in the order of their names.
    pub fn subjects(&self) -> Vec<usize> {
        let per = self.task().map_or(1, |task| task.cases_per_subject);
        let person = |pair: &CaseFiles| {
            let id = case_id(&pair.image);
            let number: String = id.chars().filter(char::is_ascii_digit).collect();
            match (&pair.subject, number.parse::<usize>()) {
                (Some(name), _) => (0, name.clone()),
                (None, Ok(number)) if per > 1 => (number.div_ceil(per), String::new()),
                _ => (0, id),
            }
        };
        let persons: Vec<_> = self.training.iter().map(person).collect();
        let mut known = persons.clone();
        known.sort_unstable();
        known.dedup();
        persons.iter().map(|person| known.binary_search(person).unwrap_or(0)).collect()
    }
}

/// The names by number from `first` on, where there is no gap.
fn numbered(names: &BTreeMap<String, String>, first: usize) -> Option<Vec<String>> {
    (first..first + names.len()).map(|index| names.get(&index.to_string()).cloned()).collect()
}

fn list<'a>(words: impl Iterator<Item = &'a String>) -> String {
    let words: Vec<&str> = words.map(String::as_str).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// Reads a file (of a pair, either) as a volume, with the path in every error.
///
/// # Errors
/// As [`open_path`] and [`Nifti::read`].
pub fn open(path: &Path) -> Result<Volume> {
    let read = open_path(path, &Limits::default()).and_then(Nifti::read);
    read.map_err(|error| error.of_file(path))
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
pub fn split(cases: Dataset, fold: usize, folds: usize) -> (Dataset, Dataset) {
    let mut subjects = cases.subjects();
    subjects.sort_unstable();
    subjects.dedup();
    cases.partition(|subject| subjects.binary_search(&subject).map_or(true, |i| i % folds != fold))
}

#[cfg(test)]
mod tests {
    use super::super::dataset::LabeledCase;
    use super::*;

    #[test]
    fn no_subject_is_on_both_sides() {
        let case = |n: usize| LabeledCase::new(n.to_string(), n.div_ceil(2), [1; 3], vec![0.0], vec![0]);
        let (train, check) = split(Dataset::held((1..=40).map(case)), 1, 4);
        assert_eq!((train.len(), check.len()), (30, 10));
        let checked = check.subjects();
        assert!(train.subjects().iter().all(|subject| !checked.contains(subject)));
    }

    fn manifest(name: &str, modality: &[&str], images: &[(&str, Option<&str>)]) -> Manifest {
        let pair = |(image, subject): &(&str, Option<&str>)| CaseFiles {
            image: image.into(),
            label: PathBuf::new(),
            subject: subject.map(str::to_owned),
        };
        let numbered = |(i, name): (usize, &&str)| (i.to_string(), (*name).to_owned());
        Manifest {
            name: name.into(),
            reference: String::new(),
            licence: String::new(),
            modality: modality.iter().enumerate().map(numbered).collect(),
            labels: ["background", "one"].iter().enumerate().map(numbered).collect(),
            training: images.iter().map(pair).collect(),
        }
    }

    #[test]
    fn subjects_are_told_by_the_task_by_the_manifest_or_by_the_case() {
        let names = |list: &[&'static str]| list.iter().map(|name| (*name, None)).collect::<Vec<_>>();
        let pairs = names(&["hippocampus_004.nii.gz", "hippocampus_001.nii.gz", "hippocampus_003.nii.gz"]);
        assert_eq!(manifest("Hippocampus", &["MRI"], &pairs).subjects(), [1, 0, 1]);
        assert_eq!(manifest("Balls", &["MRI"], &pairs).subjects(), [2, 0, 1]);
        assert_eq!(manifest("Balls", &["MRI"], &names(&["ben.nii", "anna.nii"])).subjects(), [1, 0]);
        let given = [("a.nii", Some("x")), ("b.nii", Some("y")), ("c.nii", Some("x"))];
        assert_eq!(manifest("Balls", &["MRI"], &given).subjects(), [0, 1, 0]);
    }

    #[test]
    fn channels_say_how_intensities_are_normalised() {
        assert_eq!(manifest("Balls", &["T2", "ADC"], &[]).intensity(), Ok(Some(Intensity::Mr)));
        assert_eq!(manifest("Balls", &["CT"], &[]).intensity(), Ok(None));
        assert_eq!(manifest("Liver", &["ct"], &[]).intensity(), Ok(Task::find("Liver").unwrap().window));
        assert_eq!(manifest("Liver", &["MRI"], &[]).intensity(), Ok(Some(Intensity::Mr)));
        let mixed = manifest("Balls", &["CT", "PET"], &[]).intensity().unwrap_err();
        assert_eq!(mixed.code(), "unsupported");
        assert!(mixed.to_string().contains("CT, PET"), "{mixed}");
    }

    #[test]
    fn channels_and_labels_stand_in_their_order() {
        let many: Vec<String> = (0..12).map(|i| format!("c{i}")).collect();
        let names: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(manifest("Balls", &names, &[]).modalities().unwrap(), many);
        let mut gap = manifest("Balls", &["MRI"], &[]);
        gap.labels.insert("3".into(), "three".into());
        assert_eq!(gap.label_names().unwrap_err().code(), "malformed");
    }
}
