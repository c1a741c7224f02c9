//! The file of a tuning: the tensors that changed, in 16 bits, with the hashes of the model that they belong to and the
//! report in its header. The command and the browser use the same file.

use super::weights::ModelWeights;
use crate::card::{Card, Stage};
use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::store::{self, WeightPrecision, Weights, by_name};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Key of the header that marks a delta, and the version of its format.
const FORMAT: (&str, &str) = ("insitu_delta", "1");

/// The tuned tensors of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightDelta {
    /// The model that they belong to, and how they were tuned.
    pub about: DeltaMetadata,
    /// Tuned tensors, `whole/NAME` and `patch/NAME`.
    pub weights: Weights,
}

/// What a tuned model is to those who use it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It was accepted.
    #[default]
    Accepted,
    /// It was kept, under that name, as a variant of somebody's own: it is better on their images and worse on the model's
    /// reference case.
    Variant(String),
    /// It was refused, and is there to be looked at.
    Refused,
}

/// Most letters of the name of a variant.
const NAME_LENGTH: usize = 60;

/// The header of a delta.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeltaMetadata {
    /// Name of the model that it belongs to.
    pub base: String,
    /// SHA-256 of that model's weight files, by stage.
    pub files: BTreeMap<String, String>,
    /// How the images of a variant for another domain differ from those of the base.
    pub variant: Option<String>,
    /// What the images that a variant was tuned on have in common, by channel; empty for others.
    pub domain: Vec<Domain>,
    /// The report of the tuning, with its settings.
    pub report: serde_json::Value,
    /// Licence of the weights.
    pub licence: String,
    /// What became of it.
    #[serde(default)]
    pub standing: Standing,
}

/// SHA-256 of a model's weight files as its card states them, by stage, of the fold that is tuned.
///
/// # Errors
/// `Malformed` where a stage is missing.
pub fn weight_hashes(card: &Card) -> Result<BTreeMap<String, String>> {
    let named = |stage: Stage| Ok((stage.name().to_owned(), card.stage(stage)?.folds[0].sha256.clone()));
    Ok(by_name([named(Stage::Whole)?, named(Stage::Patch)?].into_iter()))
}

impl WeightDelta {
    /// The tensors that differ between a model and its tuned version.
    pub fn between(base: &ModelWeights, tuned: &ModelWeights, about: DeltaMetadata) -> Self {
        let mut weights = Weights::new();
        for stage in [Stage::Whole, Stage::Patch] {
            for (name, array) in tuned.get(stage) {
                if base.get(stage).get(name) != Some(array) {
                    weights.insert(format!("{}/{name}", stage.name()), array.clone());
                }
            }
        }
        Self { about, weights }
    }

    /// The same tuned model as a delta of `origin`, where its base was itself `origin` with the delta `earlier`. The latest
    /// statement on the domain counts.
    ///
    /// # Errors
    /// `Malformed` where a stage is missing.
    pub fn onto(&self, origin: &ModelWeights, tuned: &ModelWeights, earlier: Option<&Self>) -> Result<Self> {
        let mut about = DeltaMetadata {
            base: origin.card.name.clone(),
            files: weight_hashes(&origin.card)?,
            ..self.about.clone()
        };
        if let (None, Some(earlier)) = (&about.variant, earlier) {
            about.variant.clone_from(&earlier.about.variant);
            about.domain.clone_from(&earlier.about.domain);
        }
        // What goes on from a variant is one.
        if let (Standing::Accepted, Some(Standing::Variant(name))) =
            (&about.standing, earlier.map(|one| &one.about.standing))
        {
            about.standing = Standing::Variant(name.clone());
        }
        Ok(Self::between(origin, tuned, about))
    }

    /// The same as a variant of one's own, which its file and the model's card say.
    ///
    /// # Errors
    /// `Argument` where its report does not offer that, or for a name of no letters or too many.
    pub fn kept_as_variant(mut self, name: &str) -> Result<Self> {
        let name = name.trim();
        let letters = name.chars().count();
        if letters == 0 || letters > NAME_LENGTH || name.chars().any(char::is_control) {
            return Err(Error::argument(
                "variant",
                format!("the name {name:?}"),
                format!("1 to {NAME_LENGTH} letters"),
            ));
        }
        let verdict = self.about.report.get("verdict").and_then(serde_json::Value::as_str).unwrap_or("none");
        if verdict != "variant" {
            let expected =
                "variant: two images or more that gain clearly, where only the reference case falls";
            return Err(Error::argument("variant", format!("a tuning whose verdict is {verdict}"), expected));
        }
        self.about.standing = Standing::Variant(name.to_owned());
        Ok(self)
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// As [`store::write_weights`].
    pub fn write(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_string(&self.about)
            .map_err(|error| Error::argument("report", error.to_string(), "values that JSON can hold"))?;
        let metadata =
            HashMap::from([(FORMAT.0.to_owned(), FORMAT.1.to_owned()), ("about".to_owned(), text)]);
        store::write_weights(&self.weights, WeightPrecision::F16, metadata)
    }

    /// Whether it was refused, and is there to be looked at.
    pub fn is_refused(&self) -> bool {
        self.about.standing == Standing::Refused
    }

    /// Whether bytes are those of a delta, of any version.
    pub fn is_one(bytes: &[u8]) -> bool {
        store::read_metadata(bytes).is_ok_and(|words| words.contains_key(FORMAT.0))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `Malformed` for bytes that are no delta; `Unsupported` for another version of the format.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let words = store::read_metadata(bytes).map_err(|error| error.within("delta"))?;
        match words.get(FORMAT.0).map(String::as_str) {
            Some(version) if version == FORMAT.1 => {}
            Some(version) => return Err(Error::unsupported("delta: form", version, FORMAT.1)),
            None => {
                let expected = "the tuned weights that `insitu tune` or saveModel() wrote";
                return Err(Error::malformed("delta", "weights without a word of what they are", expected));
            }
        }
        let about = words.get("about").map(String::as_str).unwrap_or_default();
        let about: DeltaMetadata = serde_json::from_str(about)
            .map_err(|error| Error::malformed("delta: about", error.to_string(), "what it belongs to"))?;
        about.domain.iter().try_for_each(Domain::check).map_err(|error| error.within("delta"))?;
        Ok(Self { about, weights: store::read_weights(bytes).map_err(|error| error.within("delta"))? })
    }

    /// The tuned model. Its card says that it is tuned, and states no test scores.
    ///
    /// # Errors
    /// `Argument` on another base than its own; `Malformed` where it holds tensors that the base lacks.
    pub fn apply(&self, base: &ModelWeights) -> Result<ModelWeights> {
        self.check_base(base)?;
        let mut tuned = base.clone();
        for (path, array) in &self.weights {
            let place = path.split_once('/').and_then(|(stage, name)| {
                let stage = [Stage::Whole, Stage::Patch].into_iter().find(|known| known.name() == stage)?;
                tuned.get_mut(stage).get_mut(name)
            });
            match place {
                Some(place) if place.shape == array.shape => place.clone_from(array),
                _ => {
                    let found = format!("a tensor {path} of shape {:?}", array.shape);
                    return Err(Error::malformed("delta", found, "tensors of its model, in their shapes"));
                }
            }
        }
        let card = &mut tuned.card;
        let DeltaMetadata { variant, domain, standing, .. } = &self.about;
        card.tuned = Some(crate::card::Tuned {
            base: base.card.name.clone(),
            files: self.about.files.clone(),
            variant: variant.clone(),
            own_variant: match standing {
                Standing::Variant(name) => Some(name.clone()),
                Standing::Accepted | Standing::Refused => None,
            },
            refused: *standing == Standing::Refused,
        });
        card.title = match (standing, variant) {
            (Standing::Variant(name), _) => format!("{}, own variant: {name}", base.card.title),
            (Standing::Refused, _) => format!("{}, tuned and refused", base.card.title),
            (Standing::Accepted, Some(_)) => format!("{}, a variant for other images", base.card.title),
            (Standing::Accepted, None) => format!("{}, tuned", base.card.title),
        };
        if !domain.is_empty() {
            card.domain.clone_from(domain);
        }
        card.test = None;
        Ok(tuned)
    }

    fn check_base(&self, base: &ModelWeights) -> Result<()> {
        let (expected, found) = (&self.about.files, weight_hashes(&base.card)?);
        if found != *expected {
            let short = |files: &BTreeMap<String, String>| {
                let each =
                    files.iter().map(|(stage, hash)| format!("{stage} {}", hash.get(..12).unwrap_or(hash)));
                each.collect::<Vec<_>>().join(", ")
            };
            let found = format!("the model {} ({})", base.card.name, short(&found));
            let expected =
                format!("the one that it was tuned from, {} ({})", self.about.base, short(expected));
            return Err(Error::argument("delta", found, expected));
        }
        Ok(())
    }
}
