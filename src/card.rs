//! `model.json`: what a model folder says about itself.

mod checks;
mod stages;

pub use stages::{FileRef, Fold, Reference, Stage, StageCard, Stages};

use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::grid::BoxRule;
use crate::intensity::Intensity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the folder's form.
const FORMAT: u32 = 1;
/// Most input channels of a model.
pub const MAX_CHANNELS: usize = 16;

/// A label as users see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Value in a mask.
    pub index: u8,
    /// Name.
    pub name: String,
    /// `#rrggbb`
    pub color: String,
}

/// Settings of the cascade's geometry, in voxels of 1 mm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Sides of the object's box grow to this before the margin is added.
    pub min_box: usize,
    /// Sides that are shorter after the crop are stretched to this.
    pub min_side: usize,
    /// Share of a side added at each of its ends.
    pub margin: f64,
    /// Larger volumes shrink to about this many voxels.
    pub max_voxels: usize,
}

impl Default for Preset {
    fn default() -> Self {
        Self { min_box: 24, min_side: 24, margin: 0.2, max_voxels: 180 * 180 * 180 }
    }
}

impl Preset {
    /// The rule of the box around the object.
    pub fn box_rule(&self) -> BoxRule {
        BoxRule { min_box: self.min_box, margin: [self.margin; 3] }
    }
}

/// Smallest and largest side of the training volumes in mm, `[right, anterior, superior]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FieldOfView {
    /// Smallest side along each axis.
    pub min: [f64; 3],
    /// Largest side along each axis.
    pub max: [f64; 3],
}

impl FieldOfView {
    /// A sentence where sides `mm` lie outside the training range by more than a fifth, else `None`.
    pub fn warning(&self, mm: [f64; 3]) -> Option<String> {
        let outside = (0..3).any(|a| mm[a] < 0.8 * self.min[a] || mm[a] > 1.2 * self.max[a]);
        let text = |v: [f64; 3]| format!("{:.0} x {:.0} x {:.0} mm", v[0], v[1], v[2]);
        outside.then(|| {
            format!(
                "the field of view is {}, this model was trained on {} to {}: do not expect a right mask",
                text(mm),
                text(self.min),
                text(self.max)
            )
        })
    }
}

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

/// What a tuned model says of its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// Name of the model that it was before.
    pub base: String,
    /// SHA-256 of that model's weight files, by stage.
    pub files: BTreeMap<String, String>,
    /// What its images have that those of the base have not, where it is a variant for another domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
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
    /// What the training images have in common, by channel; empty where nobody looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domain: Vec<Domain>,
    /// A case whose labels are known and that may be given on: what tuning must not make worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Where it is tuned: of what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuned: Option<Tuned>,
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

    /// Refuses an image that has not the channels that the model takes.
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

    /// Reads and checks `model.json`.
    ///
    /// # Errors
    /// `Malformed` where it is not one; `Unsupported` for a later format.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let card: Self = serde_json::from_slice(bytes)
            .map_err(|error| Error::malformed("model.json", error.to_string(), "a model card"))?;
        if card.format != FORMAT {
            return Err(Error::unsupported(
                "model.json: format",
                card.format.to_string(),
                FORMAT.to_string(),
            ));
        }
        checks::check(&card)?;
        Ok(card)
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

    /// How a normalised image at 1 mm, of size `dims`, is unlike those that the model was trained on, in words; none where
    /// it is like them, or where the card does not say what they are like.
    pub fn out_of_distribution(&self, values: &[f32], dims: [usize; 3]) -> Option<String> {
        let channels = values.chunks_exact(dims.iter().product::<usize>().max(1));
        self.domain
            .iter()
            .zip(channels)
            .find_map(|(domain, channel)| domain.out_of_distribution(channel, dims))
    }

    /// `model.json`, readable by people too.
    ///
    /// # Errors
    /// `Argument` for values that JSON cannot hold.
    pub fn write(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::argument("model card", error.to_string(), "values that JSON can hold"))?;
        bytes.push(b'\n');
        Ok(bytes)
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

/// Colours that the colour-blind tell apart (Okabe and Ito).
const PALETTE: [&str; 8] =
    ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Architecture;

    #[test]
    fn a_card_comes_back_as_it_was_written() {
        let card =
            Card::draft("a", "b", &["one".into(), "two".into()], vec!["MRI".into()], "data", "licence");
        let card = Card { field_mm: FieldOfView { min: [1.0; 3], max: [2.0; 3] }, ..card };
        assert_eq!(Card::read(&card.write().unwrap()).unwrap(), card);
    }

    #[test]
    fn settings_that_would_do_harm_are_refused() {
        let card = Card::draft("a", "b", &["one".into()], vec!["MRI".into()], "", "");
        for preset in [
            Preset { min_side: 1_000_000_000, ..card.preset },
            Preset { min_side: 0, ..card.preset },
            Preset { margin: -1.0, ..card.preset },
            Preset { max_voxels: usize::MAX, ..card.preset },
        ] {
            let bytes = Card { preset, ..card.clone() }.write().unwrap();
            assert_eq!(Card::read(&bytes).unwrap_err().code(), "malformed");
        }
        let fold = |file: &str| Fold {
            fold: 0,
            file: file.into(),
            sha256: String::new(),
            next: None,
            steps: 1,
            validation_dice: vec![],
            command: String::new(),
        };
        for file in ["../a.safetensors", "/a", "", ".hidden"] {
            let architecture =
                Architecture { base: 2, depth: 3, inputs: 1, outputs: 1, ..Architecture::default() };
            let whole = Some(StageCard { architecture, folds: vec![fold(file)] });
            let bytes = Card { stages: Stages { whole, patch: None }, ..card.clone() }.write().unwrap();
            assert_eq!(Card::read(&bytes).unwrap_err().code(), "malformed", "{file}");
        }
        let labels = vec![Label { index: 7, name: "x".into(), color: "#000000".into() }];
        assert_eq!(Card::read(&Card { labels, ..card }.write().unwrap()).unwrap_err().code(), "malformed");
    }
}
