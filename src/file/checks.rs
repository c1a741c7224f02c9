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
    Ok(String),
    /// A sentence: what is odd, and what is done about it.
    Warning(String),
    /// Why the file is refused.
    Error(Error),
}

impl Check {
    pub(super) fn new(field: &'static str, outcome: Outcome) -> Self {
        Self { field, outcome }
    }

    /// `ok`, `warning` or `error`.
    pub fn severity(&self) -> &'static str {
        match self.outcome {
            Outcome::Ok(_) => "ok",
            Outcome::Warning(_) => "warning",
            Outcome::Error(_) => "error",
        }
    }

    /// The value, or what is odd or wrong about it.
    pub fn message(&self) -> String {
        match &self.outcome {
            Outcome::Ok(words) | Outcome::Warning(words) => words.clone(),
            Outcome::Error(error) => format!("found {}, expected {}", error.found, error.expected),
        }
    }

    /// The refusal, if it is one.
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Error(error) => Some(error),
            _ => None,
        }
    }
}

/// What the checks look at.
pub(super) struct CheckInput<'a> {
    pub fields: &'a Fields,
    /// Whether the voxels lie in a file of their own.
    pub pair: bool,
    /// Bytes that can come at most from the file that holds the voxels.
    pub max_bytes: u64,
    pub gzip: bool,
    pub limits: &'a Limits,
}

type CheckList = [(&'static str, fn(&CheckInput) -> Outcome)];

/// In the order in which a reader would ask.
const CHECKS: &CheckList = &[
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
pub(super) fn run(input: &CheckInput) -> Vec<Check> {
    CHECKS.iter().map(|(field, check)| Check::new(field, check(input))).collect()
}
