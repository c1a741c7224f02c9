//! The card's fields.

use super::label::{Label, PALETTE};
use super::object::{CardObject, is_false};
use super::preset::{FieldOfView, Preset};
use super::scan_card::ScanCard;
use super::stages::{Reference, Stage, StageCard, Stages};
use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::intensity::Intensity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the format.
pub(super) const FORMAT: u32 = 1;
/// Most input channels of a model.
pub const MAX_CHANNELS: usize = 16;

/// Dice of the whole cascade per label, on cases that no training saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestScore {
    /// Which cases.
    pub cases: String,
    /// The command that measured it.
    pub command: String,
    /// Mean Dice by label name.
    pub dice: serde_json::Map<String, serde_json::Value>,
    /// The same of all folds together, with `--ensemble`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The origin of a tuned model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// Name of the model that it was before.
    pub base: String,
    /// SHA-256 of that model's weight files, by stage.
    pub files: BTreeMap<String, String>,
    /// What its images have that those of the base have not, where it is a variant for another domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The name under which somebody keeps it as a variant of their own: better on their images, worse on the reference case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_variant: Option<String>,
    /// Whether it was refused, and is there to be looked at.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refused: bool,
}

/// The model card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version of this form.
    pub format: u32,
    /// Short name: that of the folder.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Task it was trained for.
    pub task: String,
    /// Labels in the order of the network's outputs.
    pub labels: Vec<Label>,
    /// Channels that it wants.
    pub modalities: Vec<String>,
    /// How intensities are normalised.
    pub intensity: Intensity,
    /// Geometry of the cascade.
    pub preset: Preset,
    /// Size of the volumes that it was trained on.
    pub field_mm: FieldOfView,
    /// What the training images have in common, by channel; empty where it was not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domain: Vec<Domain>,
    /// A case whose labels are known and that may be given on: what tuning must not make worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The origin, of a tuned model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuned: Option<Tuned>,
    /// What boxes are put around, where that is more than one object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<CardObject>,
    /// Further outputs of the whole network, of which only the volume is of interest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<String>,
    /// Whether the patch network sees its box normalised as an image of its own, whatever surrounds it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub normalize_box: bool,
    /// How whole scans are segmented, of a model of one object that takes them too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanCard>,
    /// The networks.
    pub stages: Stages,
    /// What it was trained on.
    pub training_data: String,
    /// Licence of the weights.
    pub licence: String,
    /// What it is for.
    pub intended_use: String,
    /// What it is not for.
    pub limits: String,
    /// How good it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<TestScore>,
}

impl Card {
    /// Channels of the images that it takes.
    pub fn channels(&self) -> usize {
        self.modalities.len()
    }

    /// Refuses an image whose number of channels is not the model's.
    ///
    /// # Errors
    /// `Unsupported`, with both numbers and the names of the channels.
    pub fn check_channels(&self, channels: usize) -> Result<()> {
        let found = match channels {
            n if n == self.channels() => return Ok(()),
            1 => "one volume in the file".to_owned(),
            n => format!("{n} volumes in the file"),
        };
        let names = self.modalities.join(", ");
        let expected = match self.channels() {
            1 => format!("one ({names}), as the model {} takes", self.name),
            n => format!("{n} in one 4-D file, in this order: {names}; as the model {} takes", self.name),
        };
        Err(Error::unsupported("channels", found, expected))
    }

    /// The networks of a stage.
    ///
    /// # Errors
    /// `Malformed` where it has none.
    pub fn stage(&self, stage: Stage) -> Result<&StageCard> {
        self.stages.get(stage).filter(|form| !form.folds.is_empty()).ok_or_else(|| {
            Error::malformed("model.json", format!("no {} stage", stage.name()), "networks of both stages")
        })
    }

    /// How a normalised image at 1 mm, of size `dims`, differs from the training images, in words; `None` where it does not,
    /// or where the card has no domain.
    pub fn out_of_distribution(&self, values: &[f32], dims: [usize; 3]) -> Option<String> {
        let channels = values.chunks_exact(dims.iter().product::<usize>().max(1));
        self.domain
            .iter()
            .zip(channels)
            .find_map(|(domain, channel)| domain.out_of_distribution(channel, dims))
    }

    /// A card for a task in training: everything but the networks.
    pub fn draft(
        name: &str,
        task: &str,
        labels: &[String],
        modalities: Vec<String>,
        data: &str,
        licence: &str,
    ) -> Self {
        let labels = labels.iter().enumerate().map(|(i, label)| Label {
            index: (i + 1) as u8,
            name: label.clone(),
            color: PALETTE[i % PALETTE.len()].to_owned(),
        });
        Self {
            format: FORMAT,
            name: name.to_owned(),
            title: task.to_owned(),
            task: task.to_owned(),
            labels: labels.collect(),
            modalities,
            intensity: Intensity::Mr,
            preset: Preset::default(),
            field_mm: FieldOfView { min: [f64::MAX; 3], max: [0.0; 3] },
            domain: Vec::new(),
            reference: None,
            tuned: None,
            objects: Vec::new(),
            measured: Vec::new(),
            normalize_box: false,
            scan: None,
            stages: Stages::default(),
            training_data: data.to_owned(),
            licence: licence.to_owned(),
            intended_use: "Research. Not a medical device; not for diagnosis.".to_owned(),
            limits: "Made for images like those of the training data; other contrasts, ages, diseases and fields of \
                     view were not tested."
                .to_owned(),
            test: None,
        }
    }
}
