//! The manifest of a task's folder, `dataset.json`, in the format of the Medical Segmentation Decathlon
//! (<http://medicaldecathlon.com>).

use crate::error::{Error, Result};
use crate::file::split_name;
use crate::intensity::Intensity;
use crate::task::{Task, is_ct};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `dataset.json`: the fields that training reads.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// Name of the task.
    pub name: String,
    /// Origin of the data.
    #[serde(default)]
    pub reference: String,
    /// Licence of the data.
    #[serde(default)]
    pub licence: String,
    /// Names of the channels, by their index from 0.
    pub modality: BTreeMap<String, String>,
    /// Names of the labels, by their value; 0 is the background.
    pub labels: BTreeMap<String, String>,
    /// The files of the training cases.
    pub training: Vec<CaseFiles>,
}

/// Files of one case, relative to the task's folder.
#[derive(Debug, Clone, Deserialize)]
pub struct CaseFiles {
    /// The image.
    pub image: PathBuf,
    /// Its labels.
    pub label: PathBuf,
    /// The person that the case is of, where several cases are of one. (Not in the decathlon's format.)
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
        numbered(&self.modality).ok_or_else(|| {
            let found = comma_list(self.modality.keys());
            Error::malformed("dataset.json: modality", found, "0, 1, 2 and so on without a gap")
        })
    }

    /// Names of the labels 1, 2, ... in order.
    ///
    /// # Errors
    /// `Malformed` where the values have a gap, or are none or more than 254.
    pub fn label_names(&self) -> Result<Vec<String>> {
        let names = numbered(&self.labels).filter(|names| (2..=255).contains(&names.len()));
        names.map(|names| names[1..].to_vec()).ok_or_else(|| {
            let expected = "0 for the background, then 1, 2, 3 and so on without a gap, up to 254";
            Error::malformed("dataset.json: labels", comma_list(self.labels.keys()), expected)
        })
    }

    /// The decathlon's task with this name and these channels, if there is one.
    pub fn task(&self) -> Option<&'static Task> {
        let same = |task: &&Task| {
            task.modalities.len() == self.modality.len()
                && self.modality.values().all(|name| is_ct(name) == is_ct(task.modalities[0]))
        };
        Task::find(&self.name).filter(same)
    }

    /// How intensities are normalised; `None` for CT whose window has to be computed from the training cases
    /// ([`super::dataset::ReadOptions::intensity`]). A channel named "CT" is CT, any other is MR.
    ///
    /// # Errors
    /// `Unsupported` where some channels are CT and others are not.
    pub fn intensity(&self) -> Result<Option<Intensity>> {
        match self.modality.values().filter(|name| is_ct(name)).count() {
            0 => Ok(Some(Intensity::Mr)),
            n if n == self.modality.len() => Ok(self.task().and_then(|task| task.window)),
            _ => {
                let expected = "channels that are all CT or none of them CT: they are normalised in one way";
                Err(Error::unsupported(
                    "dataset.json: modality",
                    comma_list(self.modality.values()),
                    expected,
                ))
            }
        }
    }

    /// The subject number of each training case. Cases of one person share it, so that no person is on both sides of a
    /// split. Subjects are numbered in the order of their names.
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

/// The names in the order of their numbers 0, 1, 2, ...; `None` where there is a gap.
fn numbered(names: &BTreeMap<String, String>) -> Option<Vec<String>> {
    (0..names.len()).map(|index| names.get(&index.to_string()).cloned()).collect()
}

fn comma_list<'a>(words: impl Iterator<Item = &'a String>) -> String {
    let words: Vec<&str> = words.map(String::as_str).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// The name of an image file without folder and extensions: `imagesTr/hippocampus_003.nii.gz` -> `hippocampus_003`.
pub fn case_id(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match split_name(&name) {
        Some((bare, _)) => bare.to_owned(),
        None => name.strip_suffix(".gz").unwrap_or(&name).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
