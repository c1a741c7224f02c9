//! The command: one level or the other.

use super::arguments::{Arguments, Level};
use super::{group, participant};
use insitu_seg::Result;
use std::process::ExitCode;

/// Runs one level.
///
/// # Errors
/// Where nothing can be done: no data set, no model, no folder to write.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    match arguments.level {
        Level::Participant => participant::run(arguments),
        Level::Group => group::run(arguments),
    }
}
