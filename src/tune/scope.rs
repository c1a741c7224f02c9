//! Which tensors of a network are tuned.

use serde::{Deserialize, Serialize};

/// Which tensors of a network are tuned; the others are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The output convolutions.
    Head,
    /// The output convolutions, the decoder, and every normalisation and squeeze-and-excite.
    Decoder,
    /// All.
    All,
}

impl Scope {
    /// Whether the tensor of this name is tuned.
    pub fn contains(self, name: &str) -> bool {
        let head = ["head.", "out."].iter().any(|part| name.starts_with(part));
        let up = ["up.", "merge."].iter().any(|part| name.starts_with(part));
        match self {
            Self::Head => head,
            Self::Decoder => head || up || name.contains(".norm.") || name.contains(".se."),
            Self::All => true,
        }
    }

    /// `head`, `decoder` or `all`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Decoder => "decoder",
            Self::All => "all",
        }
    }
}
