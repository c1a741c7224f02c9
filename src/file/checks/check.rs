//! The input and the result of a check.

use crate::error::Error;
use crate::file::layout::Fields;
use crate::file::limits::Limits;

/// The result for one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The field's name in the standard, or what else was checked.
    pub field: &'static str,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::file) enum Outcome {
    /// The value.
    Ok(String),
    /// What is unusual, and how it is handled.
    Warning(String),
    /// Why the file is refused.
    Error(Error),
}

impl Check {
    pub(in crate::file) fn new(field: &'static str, outcome: Outcome) -> Self {
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

    /// The value, or what is unusual or wrong about it.
    pub fn message(&self) -> String {
        match &self.outcome {
            Outcome::Ok(words) | Outcome::Warning(words) => words.clone(),
            Outcome::Error(error) => format!("found {}, expected {}", error.found, error.expected),
        }
    }

    /// The error, if it is one.
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Error(error) => Some(error),
            _ => None,
        }
    }
}

/// What the checks read: the fields of a NIfTI header, or of another format's.
pub(in crate::file) struct CheckInput<'a, F = Fields> {
    pub fields: &'a F,
    /// Whether the voxels lie in a file of their own.
    pub pair: bool,
    /// The most bytes that the file with the voxels can decompress to.
    pub max_bytes: u64,
    pub gzip: bool,
    pub limits: &'a Limits,
}
