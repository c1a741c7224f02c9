//! The networks of a model, and the files that its folder holds.

use crate::error::{Error, Result};
use crate::model::Architecture;
use crate::store::sha256;
use serde::{Deserialize, Serialize};

/// Which of the two networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Finds where the object is, in the full volume.
    Whole,
    /// Segments it in the box around it.
    Patch,
}

impl Stage {
    /// `whole` or `patch`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Patch => "patch",
        }
    }

    /// Output channels of its network: the whole network merges all labels.
    pub fn outputs(self, labels: usize) -> usize {
        match self {
            Self::Whole => 1,
            Self::Patch => labels,
        }
    }
}

/// One trained network of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fold {
    /// Which part of the subjects it was validated on.
    pub fold: usize,
    /// Weights, in the model's folder.
    pub file: String,
    /// SHA-256 of that file.
    pub sha256: String,
    /// SHA-256 of the file that is about to take its place: two files cannot change at the same moment, and a training
    /// may be killed in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Steps of training until these weights.
    pub steps: usize,
    /// Dice per label on the validation cases, within the stage.
    pub validation_dice: Vec<f64>,
    /// The command that trained it.
    pub command: String,
    /// Every setting of that training, as `train::recipe` reads and writes it: `insitu train --recipe` repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<serde_json::Value>,
}

impl Fold {
    /// Checks the bytes of its file.
    ///
    /// # Errors
    /// `Malformed` where they are others.
    pub fn check(&self, bytes: &[u8]) -> Result<()> {
        check_hash(bytes, &self.file, &self.sha256, self.next.as_deref())
    }
}

/// All networks of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageCard {
    /// Their common form.
    pub architecture: Architecture,
    /// One per fold.
    pub folds: Vec<Fold>,
}

/// Both stages; either may be missing while a model is being trained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stages {
    /// Finds the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<StageCard>,
    /// Segments it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<StageCard>,
}

impl Stages {
    /// The card of one stage.
    pub fn get(&self, stage: Stage) -> Option<&StageCard> {
        match stage {
            Stage::Whole => self.whole.as_ref(),
            Stage::Patch => self.patch.as_ref(),
        }
    }

    /// The place of one stage's card.
    pub fn get_mut(&mut self, stage: Stage) -> &mut Option<StageCard> {
        match stage {
            Stage::Whole => &mut self.whole,
            Stage::Patch => &mut self.patch,
        }
    }
}

/// A case that is shipped with a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The image, in the model's folder.
    pub image: FileRef,
    /// Its labels, in the model's folder.
    pub labels: FileRef,
    /// Where it is from.
    pub origin: String,
}

/// A file of a model's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// Its name.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
}

impl FileRef {
    /// Checks its bytes.
    ///
    /// # Errors
    /// `Malformed` where they are others.
    pub fn check(&self, bytes: &[u8]) -> Result<()> {
        check_hash(bytes, &self.file, &self.sha256, None)
    }
}

/// Refuses bytes whose SHA-256 is neither of those that the card names.
fn check_hash(bytes: &[u8], file: &str, expected: &str, next: Option<&str>) -> Result<()> {
    let found = sha256(bytes);
    if found == expected || next == Some(&found[..]) {
        return Ok(());
    }
    Err(Error::malformed(file, format!("SHA-256 {found}"), format!("{expected}, as model.json says")))
}
