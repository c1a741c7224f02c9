//! An object of a model of several.

use serde::{Deserialize, Serialize};

/// An object that a box is put around.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardObject {
    /// Its name: that of its box, and what is said where it is not found.
    pub name: String,
    /// Whether the patch network sees its box mirrored left to right.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mirror: bool,
}

/// Whether a field is not written.
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
