//! How whole scans are segmented by a model of one object: they show that object among all else, perhaps twice.

use super::label::Label;
use super::object::CardObject;
use super::preset::{FieldOfView, Preset};
use super::stages::StageCard;
use serde::{Deserialize, Serialize};

/// What a model does with a whole scan. Its patch network is one of the card's; its whole network is one of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanCard {
    /// Labels of a mask, object after object, those of the card for each.
    pub labels: Vec<Label>,
    /// What boxes are put around. An image of one object shows the first of them, or one that is mirrored.
    pub objects: Vec<CardObject>,
    /// From which agreement of its folds on an image of one object is taken as it is, without a look at its mirror image: more than
    /// they ever reach on an object of the other side. Without it both are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sure_agreement: Option<f64>,
    /// The fold of the card's patch stage that segments the objects, by its number; the first where nothing is said. One of the first
    /// two: no other is loaded for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch_fold: Option<usize>,
    /// Further outputs of the whole network, of which only the volume is of interest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<String>,
    /// Channels that it wants, in words.
    pub modalities: Vec<String>,
    /// Geometry of the cascade.
    pub preset: Preset,
    /// Size of the scans that it was trained on.
    pub field_mm: FieldOfView,
    /// The network that finds the objects.
    pub whole: StageCard,
    /// What it was trained on, and under which licence.
    pub training_data: String,
}
