//! A row for each scan: of its record, or of what is missing.

use super::dataset::{Scan, Selection, names};
use super::record::{Outcome, PICTURE, RECORD, Record};
use insitu_seg::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// How a scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is a mask.
    Done,
    /// There is none, for a reason.
    Failed,
    /// The participant level has not been there.
    Missing,
}

impl Status {
    /// As tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Missing => "missing",
        }
    }
}

/// A volume of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// Of what: a label's name, or what the model measures beside them.
    pub name: String,
    /// `#rrggbb` of a label.
    pub color: Option<String>,
    /// In mL.
    pub milliliters: f64,
}

/// A scan in the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Label of the participant with `sub-`.
    pub participant_id: String,
    /// Label of the session with `ses-`.
    pub session_id: Option<String>,
    /// The image, from the data set's folder.
    pub source: String,
    /// How it stands.
    pub status: Status,
    /// Why there is no mask.
    pub reason: Option<String>,
    /// Volumes of labels, then what is measured beside them.
    pub volumes: Vec<Volume>,
    /// What the reader of the mask should know.
    pub warnings: Vec<String>,
    /// How much the folds agree, from 0 to 1; the least of all objects.
    pub agreement: Option<f64>,
    /// Version of the program.
    pub version: Option<String>,
    /// SHA-256 of the image's file.
    pub input_sha256: Option<String>,
    /// SHA-256 of the model.
    pub model_sha256: Option<String>,
    /// The picture, from the folder of the derivatives.
    pub picture: Option<String>,
}

/// What a row needs of the report of a run.
#[derive(Deserialize)]
struct RunFacts {
    classes: Vec<ClassFacts>,
    #[serde(default)]
    boxes: Vec<BoxFacts>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct ClassFacts {
    name: String,
    color: String,
    milliliters: f64,
}

#[derive(Deserialize)]
struct BoxFacts {
    agreement: Option<f64>,
}

/// End of the keys in a report under which measured volumes stand.
const MEASURED: &str = "_ml";

/// The rows of the wanted scans in the order of their sources: a record each, or that it is missing. Records of images that
/// the data set no longer has stay, with a warning.
///
/// # Errors
/// `Io` where a folder cannot be read.
pub fn rows(out: &Path, scans: &[Scan], wanted: &Selection) -> Result<Vec<Row>> {
    let mut rows = BTreeMap::new();
    for file in records(out)? {
        let row = match Record::read(&out.join(&file)) {
            Ok(record) => of_record(record, &file, out),
            Err(error) => unreadable(&file, &error),
        };
        if wanted.takes(label(&row.participant_id), row.session_id.as_deref().map(label)) {
            rows.insert(row.source.clone(), row);
        }
    }
    for row in rows.values_mut().filter(|row| scans.iter().all(|scan| scan.source != row.source)) {
        row.warnings.push("the data set no longer has this image".to_owned());
    }
    for scan in scans {
        rows.entry(scan.source.clone()).or_insert_with(|| missing(scan));
    }
    Ok(rows.into_values().collect())
}

/// The files of all records, from the folder of the derivatives, with `/`.
fn records(out: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for participant in names(out)?.into_iter().filter(|name| name.starts_with("sub-")) {
        let sessions = names(&out.join(&participant))?.into_iter().filter(|name| name.starts_with("ses-"));
        let folders = sessions.map(|session| format!("{participant}/{session}/anat"));
        for folder in std::iter::once(format!("{participant}/anat")).chain(folders) {
            let files = names(&out.join(&folder))?;
            let ours = files.into_iter().filter(|name| name.ends_with(&format!("_{RECORD}")));
            found.extend(ours.map(|name| format!("{folder}/{name}")));
        }
    }
    Ok(found)
}

fn of_record(record: Record, file: &str, out: &Path) -> Row {
    let Record { participant_id, session_id, source, made_of, outcome } = record;
    let known = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut row = Row {
        participant_id,
        session_id,
        version: known(made_of.version),
        input_sha256: known(made_of.input_sha256),
        model_sha256: known(made_of.model_sha256),
        ..bare(source, Status::Failed)
    };
    match outcome {
        Outcome::Failed { reason, .. } => row.reason = Some(reason),
        Outcome::Done { run } => match RunFacts::deserialize(&run) {
            Ok(facts) => {
                row.status = Status::Done;
                row.picture =
                    Some(file.replace(RECORD, PICTURE)).filter(|picture| out.join(picture).is_file());
                row.volumes = volumes(&facts, &run);
                let agreements = facts.boxes.iter().filter_map(|one| one.agreement);
                row.agreement = agreements.reduce(f64::min);
                row.warnings = facts.warnings;
            }
            Err(error) => row.reason = Some(format!("{file}: found {error}, expected a report of a run")),
        },
    }
    row
}

/// The label in an identifier: `01` of `sub-01`.
fn label(id: &str) -> &str {
    id.split_once('-').map_or(id, |(_, label)| label)
}

fn volumes(facts: &RunFacts, run: &Value) -> Vec<Volume> {
    let label = |class: &ClassFacts| Volume {
        name: class.name.clone(),
        color: Some(class.color.clone()),
        milliliters: class.milliliters,
    };
    let measured = run.as_object().into_iter().flatten().filter_map(|(key, value)| {
        let name = key.strip_suffix(MEASURED)?.to_owned();
        Some(Volume { name, color: None, milliliters: value.as_f64()? })
    });
    facts.classes.iter().map(label).chain(measured).collect()
}

/// The row of a record that cannot be read: what its name says.
fn unreadable(file: &str, error: &Error) -> Row {
    let part = |prefix: &str| file.split('/').find(|part| part.starts_with(prefix)).map(str::to_owned);
    Row {
        participant_id: part("sub-").unwrap_or_default(),
        session_id: part("ses-"),
        reason: Some(format!("found {}, expected {}", error.found, error.expected)),
        ..bare(file.to_owned(), Status::Failed)
    }
}

fn missing(scan: &Scan) -> Row {
    let (status, reason) = match &scan.twin {
        Some(twin) => (Status::Failed, format!("found {twin} beside it, expected one image of this name")),
        None => (Status::Missing, "the participant level did not run on it, or did not end".to_owned()),
    };
    Row {
        participant_id: format!("sub-{}", scan.participant),
        session_id: scan.session.as_ref().map(|session| format!("ses-{session}")),
        reason: Some(reason),
        ..bare(scan.source.clone(), status)
    }
}

/// A row of which nothing but this is known.
fn bare(source: String, status: Status) -> Row {
    Row {
        participant_id: String::new(),
        session_id: None,
        source,
        status,
        reason: None,
        volumes: Vec::new(),
        warnings: Vec::new(),
        agreement: None,
        version: None,
        input_sha256: None,
        model_sha256: None,
        picture: None,
    }
}

#[cfg(test)]
impl Row {
    /// A finished scan of which only one volume matters.
    pub fn with_volume(name: &str, milliliters: f64) -> Self {
        let volume = Volume { name: name.to_owned(), color: None, milliliters };
        Self { volumes: vec![volume], ..bare(format!("{milliliters}"), Status::Done) }
    }
}
