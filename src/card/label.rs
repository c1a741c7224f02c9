//! Labels, their names and colours.

use serde::{Deserialize, Serialize};

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

/// Colours that are distinguishable with colour blindness (Okabe and Ito).
pub(super) const PALETTE: [&str; 8] =
    ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999"];
