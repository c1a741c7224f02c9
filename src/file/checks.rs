//! The battery: one check per header field, each with a severity and words. Nothing that a header says is used
//! before it has passed; the first error refuses the file, all of them are reported.

mod geometry;
mod storage;

use super::Limits;
use super::layout::Fields;
use crate::error::Error;

/// What is said of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The field's name in the standard, or what else was checked.
    pub field: &'static str,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// The value, in words.
    Fine(String),
    /// A sentence: what is odd, and what is done about it.
    Odd(String),
    /// Why the file is refused.
    Wrong(Error),
}

impl Check {
    pub(super) fn new(field: &'static str, outcome: Outcome) -> Self {
        Self { field, outcome }
    }

    /// `ok`, `warning` or `error`.
    pub fn severity(&self) -> &'static str {
        match self.outcome {
            Outcome::Fine(_) => "ok",
            Outcome::Odd(_) => "warning",
            Outcome::Wrong(_) => "error",
        }
    }

    /// The value, or what is odd or wrong about it.
    pub fn words(&self) -> String {
        match &self.outcome {
            Outcome::Fine(words) | Outcome::Odd(words) => words.clone(),
            Outcome::Wrong(error) => format!("found {}, expected {}", error.found, error.expected),
        }
    }

    /// The refusal, if it is one.
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Wrong(error) => Some(error),
            _ => None,
        }
    }
}

/// What the checks look at.
pub(super) struct Seen<'a> {
    pub fields: &'a Fields,
    /// Whether the voxels lie in a file of their own.
    pub pair: bool,
    /// Bytes that can come at most from the file that holds the voxels.
    pub most: u64,
    pub gzip: bool,
    pub limits: &'a Limits,
}

type Battery = [(&'static str, fn(&Seen) -> Outcome)];

/// In the order in which a reader would ask.
const BATTERY: &Battery = &[
    ("sizeof_hdr", storage::sizeof_hdr),
    ("magic", storage::magic),
    ("intent_code", storage::intent_code),
    ("datatype", storage::datatype),
    ("bitpix", storage::bitpix),
    ("dim", storage::dim),
    ("memory", storage::memory),
    ("vox_offset", storage::vox_offset),
    ("length", storage::length),
    ("scl_slope", storage::scl_slope),
    ("scl_inter", storage::scl_inter),
    ("xyzt_units", geometry::xyzt_units),
    ("pixdim", geometry::pixdim),
    ("qfac", geometry::qfac),
    ("qform", geometry::qform),
    ("sform", geometry::sform),
    ("orientation", geometry::orientation),
    ("spacing", geometry::spacing),
    ("axes", geometry::axes),
    ("texts", storage::texts),
];

/// Runs every check.
pub(super) fn run(seen: &Seen) -> Vec<Check> {
    BATTERY.iter().map(|(field, check)| Check::new(field, check(seen))).collect()
}
