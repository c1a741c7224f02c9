//! The record of a scan: what was made of it, and of what. It is written last, so that a scan with a record is finished.

use super::dataset::Scan;
use super::name::label;
use insitu_seg::card::Card;
use insitu_seg::native::{parent_folder, read_file, remove_unfinished, write_file};
use insitu_seg::predict::InferenceOptions;
use insitu_seg::{Error, Result, store};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What a mask is made of: where one of these differs, it is made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeOf {
    /// SHA-256 of the image's file; empty where it cannot be read.
    pub input_sha256: String,
    /// SHA-256 of all of the model that has a say in a mask.
    pub model_sha256: String,
    /// Version of the program.
    pub version: String,
    /// How the model was applied.
    pub options: RunOptions,
}

/// The options that have a say in a mask. What computes has none: GPU and CPU are held against each other before a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// Whether all folds of the model were averaged.
    pub ensemble: bool,
    /// Axes `[right, anterior, superior]` along which the image was mirrored too.
    pub flip: [bool; 3],
    /// Whether labels were brought back as the nearest ones.
    pub nearest: bool,
}

impl RunOptions {
    /// Of the command's options.
    pub fn new(ensemble: bool, inference: InferenceOptions) -> Self {
        Self { ensemble, flip: inference.flips, nearest: inference.nearest }
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Outcome {
    /// There is a mask.
    Done {
        /// The report of `insitu segment`.
        run: Value,
    },
    /// There is none.
    Failed {
        /// Stable code of the error.
        code: String,
        /// One sentence.
        reason: String,
    },
}

impl Outcome {
    /// The end by an error, whose sentence names no folder of this machine.
    pub fn failed(error: &Error, root: &Path) -> Self {
        let folder = root.join("").display().to_string();
        Self::Failed { code: error.code().to_owned(), reason: error.to_string().replace(&folder, "") }
    }

    /// Whether another try could not end otherwise: the mask is there, or the fault is the file's own.
    fn is_settled(&self) -> bool {
        match self {
            Self::Done { .. } => true,
            Self::Failed { code, .. } => ["malformed", "unsupported", "argument"].contains(&&code[..]),
        }
    }
}

/// The record of a scan, as JSON beside its mask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Label of the participant with `sub-`.
    pub participant_id: String,
    /// Label of the session with `ses-`.
    pub session_id: Option<String>,
    /// The image, from the data set's folder.
    pub source: String,
    /// What the outputs are made of.
    pub made_of: MadeOf,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Record {
    /// The record of a scan.
    pub fn new(scan: &Scan, made_of: MadeOf, outcome: Outcome) -> Self {
        Self {
            participant_id: format!("sub-{}", scan.participant),
            session_id: scan.session.as_ref().map(|session| format!("ses-{session}")),
            source: scan.source.clone(),
            made_of,
            outcome,
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// `Io` where it cannot be read, `Malformed` where it is none.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read_file(path)?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Error::malformed(path.display().to_string(), error.to_string(), "a report of insitu bids")
        })
    }

    /// Writes it.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::argument("report", error.to_string(), "values that JSON can hold"))?;
        write_file(path, format!("{text}\n").as_bytes())
    }
}

/// The files that are made of a scan.
pub struct Outputs {
    /// The mask, on the image's own grid.
    pub mask: PathBuf,
    /// What the mask is, as BIDS wants it.
    pub sidecar: PathBuf,
    /// Names and colours of its labels.
    pub labels: PathBuf,
    /// Volumes of its labels.
    pub volumes: PathBuf,
    /// Three slices with the outlines of the mask.
    pub picture: PathBuf,
    /// The record, written last.
    pub record: PathBuf,
}

impl Outputs {
    /// The outputs of a scan by a model in the folder of the derivatives.
    pub fn new(root: &Path, scan: &Scan, model: &str) -> Self {
        let folder = root.join(scan.folder());
        let (own, volumes) = (scan.name.derived(&label(model)), scan.name.derived("volumes"));
        let at = |ending: &str| folder.join(format!("{own}_{ending}"));
        Self {
            mask: at("dseg.nii.gz"),
            sidecar: at("dseg.json"),
            labels: at("dseg.tsv"),
            volumes: folder.join(format!("{volumes}.tsv")),
            picture: at(PICTURE),
            record: at(RECORD),
        }
    }

    fn made(&self) -> [&PathBuf; 5] {
        [&self.mask, &self.sidecar, &self.labels, &self.volumes, &self.picture]
    }

    /// The record of what is there, if it is all that would be made of these things.
    pub fn current(&self, made_of: &MadeOf) -> Option<Record> {
        let record = Record::read(&self.record).ok()?;
        let complete = match record.outcome {
            Outcome::Done { .. } => self.made().iter().all(|path| path.is_file()),
            Outcome::Failed { .. } => true,
        };
        (record.made_of == *made_of && record.outcome.is_settled() && complete).then_some(record)
    }

    /// Removes what was made before, and what a killed run left: the record first, so that what remains is not taken for a
    /// whole.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn remove(&self) -> Result<()> {
        for path in std::iter::once(&self.record).chain(self.made()) {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io(path, &error));
                }
                _ => {}
            }
        }
        remove_unfinished(parent_folder(&self.record))
    }
}

/// End of the name of a record.
pub const RECORD: &str = "report.json";
/// End of the name of a picture.
pub const PICTURE: &str = "report.png";

/// SHA-256 of what a card says of the computation: labels, normalisation, geometry, and the hashes of all weights.
///
/// # Errors
/// As [`Card::write`].
pub fn model_sha256(card: &Card) -> Result<String> {
    const WORDS: [&str; 8] =
        ["name", "title", "task", "training_data", "licence", "intended_use", "limits", "test"];
    let mut facts: Value = serde_json::from_slice(&card.write()?)
        .map_err(|error| Error::malformed("model.json", error.to_string(), "a model card"))?;
    if let Some(facts) = facts.as_object_mut() {
        facts.retain(|key, _| !WORDS.contains(&&key[..]));
    }
    Ok(store::sha256(facts.to_string().as_bytes()))
}
