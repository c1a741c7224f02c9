//! Progress of a tuning, and how much of its budget is spent.

use super::config::{DEFAULT_MINUTES, TuneConfig};
use crate::card::Stage;
use crate::error::{Error, Result};
use crate::predict;
use std::ops::ControlFlow;
use web_time::Instant;

/// Share of the budget for the whole network, where it is tuned too.
const WHOLE_SHARE: f64 = 0.3;

/// What a tuning is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunePhase {
    /// Evaluates the original model.
    Before,
    /// Tunes the whole network.
    Whole,
    /// Tunes the patch network.
    Patch,
    /// Evaluates the tuned model.
    After,
}

impl TunePhase {
    /// `before`, `whole`, `patch` or `after`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Whole => "whole",
            Self::Patch => "patch",
            Self::After => "after",
        }
    }
}

impl From<Stage> for TunePhase {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Whole => Self::Whole,
            Stage::Patch => Self::Patch,
        }
    }
}

/// Where a tuning stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneProgress {
    /// What it is doing.
    pub phase: TunePhase,
    /// Steps done, of both networks.
    pub step: usize,
    /// Share of the stage's budget that is spent, 0..=1.
    pub spent: f64,
    /// Seconds left at most: tuning may end early.
    pub seconds_left: Option<f64>,
    /// Loss of the last step: what is missing of a Dice of 1, plus the cross-entropy; 0 is the least.
    pub loss: Option<f64>,
    /// Best Dice on the validation voxels so far.
    pub validation_dice: Option<f64>,
}

/// Is told about progress; a `Break` cancels the tuning.
pub type TuneProgressFn<'a> = dyn FnMut(TuneProgress) -> ControlFlow<()> + 'a;

/// How much a stage or a tuning may take. Whatever is reached first counts.
#[derive(Clone, Copy)]
struct Budget {
    steps: Option<usize>,
    seconds: f64,
}

/// Follows how much of the budget is spent, and reports it.
pub struct BudgetTracker {
    started: Instant,
    steps: usize,
    budget: Budget,
    stage_started: Instant,
    stage_first_step: usize,
    stage_budget: Budget,
    latest: TuneProgress,
}

impl BudgetTracker {
    /// Starts now. `default_steps`: the number of steps where the configuration names neither steps nor minutes.
    pub fn new(config: &TuneConfig, default_steps: usize) -> Self {
        let budget = match (config.steps, config.minutes) {
            (None, None) => Budget { steps: Some(default_steps), seconds: 60.0 * DEFAULT_MINUTES },
            (steps, minutes) => Budget { steps, seconds: 60.0 * minutes.unwrap_or(f64::INFINITY) },
        };
        let (now, phase) = (Instant::now(), TunePhase::Before);
        Self {
            started: now,
            steps: 0,
            budget,
            stage_started: now,
            stage_first_step: 0,
            stage_budget: budget,
            latest: TuneProgress {
                phase,
                step: 0,
                spent: 0.0,
                seconds_left: None,
                loss: None,
                validation_dice: None,
            },
        }
    }

    /// A stage begins. Where both networks are tuned, each has its share of the time.
    pub fn start_stage(&mut self, stage: Stage, both: bool) {
        let Budget { steps, seconds } = self.budget;
        (self.stage_started, self.stage_first_step) = (Instant::now(), self.steps);
        self.stage_budget = match stage {
            Stage::Whole => Budget {
                steps: steps.map(|n| (n as f64 * WHOLE_SHARE).ceil() as usize),
                seconds: seconds * WHOLE_SHARE,
            },
            Stage::Patch if both => Budget { steps, seconds: seconds * (1.0 - WHOLE_SHARE) },
            Stage::Patch => self.budget,
        };
        self.latest.phase = stage.into();
    }

    /// Share of the stage's budget that is spent, in time or in steps, whichever is larger; above 1 where it is exceeded.
    pub fn spent(&self) -> f64 {
        let time = self.stage_started.elapsed().as_secs_f64() / self.stage_budget.seconds;
        let done = (self.steps - self.stage_first_step) as f64;
        let steps = self.stage_budget.steps.map_or(0.0, |most| done / most.max(1) as f64);
        time.max(steps)
    }

    /// Counts a step and reports it.
    ///
    /// # Errors
    /// `Cancelled` where `watch` breaks.
    pub fn count_step(
        &mut self,
        loss: Option<f64>,
        validation_dice: Option<f64>,
        watch: &mut TuneProgressFn<'_>,
    ) -> Result<()> {
        self.steps += 1;
        let (spent, elapsed) = (self.spent(), self.stage_started.elapsed().as_secs_f64());
        self.latest = TuneProgress {
            step: self.steps,
            spent: spent.min(1.0),
            seconds_left: Some((elapsed / spent - elapsed).max(0.0)),
            loss: loss.or(self.latest.loss),
            validation_dice: validation_dice.or(self.latest.validation_dice),
            ..self.latest
        };
        match watch(self.latest) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::cancelled("tuning")),
        }
    }

    /// Steps counted so far, of both networks.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// A listener for predictions: passes each of their reports on as one of phase `phase`.
    pub fn prediction_watch<'a>(
        &self,
        phase: TunePhase,
        watch: &'a mut TuneProgressFn<'_>,
    ) -> impl FnMut(predict::SegmentProgress) -> ControlFlow<()> + 'a {
        let latest = TuneProgress { phase, ..self.latest };
        move |_| watch(latest)
    }
}
