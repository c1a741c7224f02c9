//! `model.json`: what a model folder says about itself.

use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::file::rgb;
use crate::grid::BoxRule;
use crate::intensity::Intensity;
use crate::model::Architecture;
use crate::store::hash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the folder's form.
const FORMAT: u32 = 1;
/// Most input channels of a model.
pub const MOST_CHANNELS: usize = 16;

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
    /// Refuses settings that no network was trained with, before they decide about memory.
    fn check(&self) -> Result<()> {
        let Self { min_box, min_side, margin, max_voxels } = *self;
        let sane = (1..=1024).contains(&min_box)
            && (16..=256).contains(&min_side)
            && (0.0..=4.0).contains(&margin)
            && (min_side.pow(3)..=1 << 28).contains(&max_voxels);
        if sane {
            return Ok(());
        }
        Err(Error::malformed(
            "model.json: preset",
            format!("min_box {min_box}, min_side {min_side}, margin {margin}, max_voxels {max_voxels}"),
            "min_box 1 to 1024, min_side 16 to 256, margin 0 to 4, max_voxels from min_side^3 to 2^28",
        ))
    }

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

/// One trained network of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fold {
    /// Which quarter of the subjects it was validated on.
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
}

impl Fold {
    /// Checks the bytes of its file.
    ///
    /// # Errors
    /// `Malformed` where they are others.
    pub fn check(&self, bytes: &[u8]) -> Result<()> {
        let found = hash(bytes);
        if found == self.sha256 || self.next.as_ref() == Some(&found) {
            return Ok(());
        }
        let expected = format!("{}, as model.json says", self.sha256);
        Err(Error::malformed(&self.file, format!("SHA-256 {found}"), expected))
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
    pub fn slot(&mut self, stage: Stage) -> &mut Option<StageCard> {
        match stage {
            Stage::Whole => &mut self.whole,
            Stage::Patch => &mut self.patch,
        }
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

/// A case that is shipped with a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The image, in the model's folder.
    pub image: Named,
    /// Its labels, in the model's folder.
    pub labels: Named,
    /// Where it is from.
    pub origin: String,
}

/// A file of a model's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
}

impl Named {
    /// Checks its bytes.
    ///
    /// # Errors
    /// `Malformed` where they are others.
    pub fn check(&self, bytes: &[u8]) -> Result<()> {
        let found = hash(bytes);
        if found == self.sha256 {
            return Ok(());
        }
        let expected = format!("{}, as model.json says", self.sha256);
        Err(Error::malformed(&self.file, format!("SHA-256 {found}"), expected))
    }
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
        card.preset.check()?;
        if let Intensity::Ct { center, width, mean, sd } = card.intensity
            && !([center, width, mean, sd].iter().all(|v| v.is_finite()) && width > 0.0 && sd > 0.0)
        {
            let found = format!("center {center}, width {width}, mean {mean}, sd {sd}");
            return Err(Error::malformed(
                "model.json: intensity",
                found,
                "finite values, width and sd above 0",
            ));
        }
        let indices = card.labels.iter().map(|label| usize::from(label.index));
        if !indices.eq(1..=card.labels.len()) {
            return Err(Error::malformed("model.json: labels", "other indices", "1, 2, 3 and so on"));
        }
        for Label { name, color, .. } in &card.labels {
            let plain = !name.trim().is_empty() && name.len() <= 100 && !name.chars().any(char::is_control);
            if !plain || rgb(color).is_none() {
                let found = format!("{name:?} in {color:?}");
                return Err(Error::malformed("model.json: labels", found, "a name in one line, and #rrggbb"));
            }
        }
        if !(1..=MOST_CHANNELS).contains(&card.channels()) {
            let found = format!("{} names", card.channels());
            return Err(Error::malformed(
                "model.json: modalities",
                found,
                format!("the names of its input channels, 1 to {MOST_CHANNELS}"),
            ));
        }
        card.check_files()?;
        card.domain.iter().try_for_each(Domain::check)?;
        for stage in [Stage::Whole, Stage::Patch] {
            let Some(card_of) = card.stages.get(stage) else { continue };
            let Architecture { base, depth, inputs, outputs, .. } = card_of.architecture;
            let wanted = stage.outputs(card.labels.len());
            let sane = (1..=256).contains(&base) && (3..=4).contains(&depth) && inputs == card.channels();
            if !sane || outputs != wanted || card.labels.len() > 254 {
                return Err(Error::malformed(
                    format!("model.json: {} architecture", stage.name()),
                    format!("base {base}, depth {depth}, {inputs} inputs, {outputs} outputs"),
                    format!("depth 3 or 4, base 1 to 256, {} inputs and {wanted} outputs", card.channels()),
                ));
            }
        }
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

    /// Names that are names of files, and no ways out of the folder.
    fn check_files(&self) -> Result<()> {
        let folds =
            [&self.stages.whole, &self.stages.patch].into_iter().flatten().flat_map(|stage| &stage.folds);
        let reference = self.reference.iter().flat_map(|case| [&case.image.file, &case.labels.file]);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        for file in folds.map(|fold| &fold.file).chain(reference) {
            if file.is_empty() || file.starts_with('.') || !file.chars().all(plain) {
                let expected = "the name of a file in the model's folder";
                return Err(Error::malformed("model.json: file", format!("\"{file}\""), expected));
            }
        }
        Ok(())
    }

    /// How a normalised image at 1 mm, of size `dims`, is unlike those that the model was trained on, in words; none where
    /// it is like them, or where the card does not say what they are like.
    pub fn outside(&self, values: &[f32], dims: [usize; 3]) -> Option<String> {
        let channels = values.chunks_exact(dims.iter().product::<usize>().max(1));
        self.domain.iter().zip(channels).find_map(|(domain, channel)| domain.outside(channel, dims))
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
