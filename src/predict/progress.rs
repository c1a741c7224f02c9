//! How far a run is, and how long its phases took.

use crate::card::Stage;
use crate::error::{Error, Result};
use serde::Serialize;
use std::fmt;
use std::ops::ControlFlow;
use web_time::Instant;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Phase {
    /// The image is resampled and normalised.
    Prepare,
    /// The whole network runs.
    Whole,
    /// The patch network runs, on the mirror image too where the side is to be found.
    Patch,
    /// The mask is brought back to the file's grid.
    Restore,
}

impl Phase {
    /// As reports have it: `prepare`, `whole`, `patch`, `restore`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Whole => "whole",
            Self::Patch => "patch",
            Self::Restore => "restore",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<Stage> for Phase {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Whole => Self::Whole,
            Stage::Patch => Self::Patch,
        }
    }
}

/// How far a run is: the phase, and the share of it that is done, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SegmentProgress {
    /// What is being done.
    pub stage: Phase,
    /// Share of the phase that is done.
    pub done: f64,
}

/// Called with the progress; a `Break` stops the work.
pub type ProgressFn<'a> = dyn FnMut(SegmentProgress) -> ControlFlow<()> + 'a;

/// Calls `on_progress`.
///
/// # Errors
/// `Cancelled` where it breaks.
pub(super) fn report_progress(on_progress: &mut ProgressFn<'_>, stage: Phase, done: f64) -> Result<()> {
    match on_progress(SegmentProgress { stage, done }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::cancelled(stage.name())),
    }
}

/// How long a phase took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Timing {
    /// The phase.
    pub stage: Phase,
    /// Milliseconds.
    pub ms: f64,
}

/// Measures one phase after the other.
pub(crate) struct PhaseTimer {
    since: Instant,
    timings: Vec<Timing>,
}

impl PhaseTimer {
    /// Starts the first phase.
    pub(crate) fn start() -> Self {
        Self { since: Instant::now(), timings: Vec::new() }
    }

    /// Ends a phase and starts the next.
    pub(super) fn end(&mut self, stage: Phase) {
        let ms = (self.since.elapsed().as_secs_f64() * 1e4).round() / 10.0;
        self.since = Instant::now();
        self.timings.push(Timing { stage, ms });
    }

    /// What each phase took.
    pub(super) fn timings(self) -> Vec<Timing> {
        self.timings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_written_by_its_name() {
        for phase in [Phase::Prepare, Phase::Whole, Phase::Patch, Phase::Restore] {
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.name());
        }
        assert_eq!(format!("{:8}|", Phase::Whole), "whole   |");
    }
}
