//! How much of a budget is spent, and who hears of it.

use super::config::{MINUTES, TuneConfig};
use crate::card::Stage;
use crate::error::{Error, Result};
use crate::predict;
use std::ops::ControlFlow;
use web_time::Instant;

/// Part of the budget that goes to the whole network, where it learns too.
const WHOLE: f64 = 0.3;

/// Where tuning stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneProgress {
    /// `before`, `whole`, `patch` or `after`.
    pub stage: &'static str,
    /// FineTuner done, of all networks.
    pub step: usize,
    /// Share of the budget that is spent, 0..=1.
    pub spent: f64,
    /// Seconds left, at most: it may end early.
    pub seconds_left: Option<f64>,
    /// Loss of the last step.
    pub loss: Option<f64>,
    /// Dice on the voxels that judge, when last looked at.
    pub check: Option<f64>,
}

/// Hears about progress; a `Break` stops the work and leaves the model as it is.
pub type TuneProgressFn<'a> = dyn FnMut(TuneProgress) -> ControlFlow<()> + 'a;

/// How much of the budget is spent, and who hears of it.
pub struct BudgetTracker {
    /// When tuning began.
    pub since: Instant,
    /// FineTuner done, of all networks.
    pub steps: usize,
    /// Of the stage at hand: when it began, at which step, what it may take.
    began: (Instant, usize),
    most: (Option<usize>, f64),
    budget: (Option<usize>, f64),
    latest: TuneProgress,
}

impl BudgetTracker {
    /// Begins now. `steps` is the budget where nothing is said.
    pub fn new(settings: &TuneConfig, steps: usize) -> Self {
        let budget = match (settings.steps, settings.minutes) {
            (None, None) => (Some(steps), 60.0 * MINUTES),
            (steps, minutes) => (steps, 60.0 * minutes.unwrap_or(f64::INFINITY)),
        };
        let now = Instant::now();
        let latest = TuneProgress {
            stage: "before",
            step: 0,
            spent: 0.0,
            seconds_left: None,
            loss: None,
            check: None,
        };
        Self { since: now, steps: 0, began: (now, 0), most: budget, budget, latest }
    }

    /// A stage begins. Where both networks learn, the whole network has its part and the patch network what is left of the time.
    pub fn stage(&mut self, stage: Stage, both: bool) {
        let (steps, seconds) = self.budget;
        self.began = (Instant::now(), self.steps);
        self.most = match stage {
            Stage::Whole => (steps.map(|n| (n as f64 * WHOLE).ceil() as usize), seconds * WHOLE),
            Stage::Patch if both => (steps, seconds * (1.0 - WHOLE)),
            Stage::Patch => (steps, seconds),
        };
        self.latest.stage = stage.name();
    }

    /// Share of the stage's budget, by time or by steps, whichever is more; above 1 where it is overrun.
    pub fn spent(&self) -> f64 {
        let time = self.began.0.elapsed().as_secs_f64() / self.most.1;
        let steps = self.most.0.map_or(0.0, |most| (self.steps - self.began.1) as f64 / most.max(1) as f64);
        time.max(steps)
    }

    /// One more step is done.
    ///
    /// # Errors
    /// `Cancelled` where `watch` breaks.
    pub fn step(
        &mut self,
        loss: Option<f64>,
        check: Option<f64>,
        watch: &mut TuneProgressFn<'_>,
    ) -> Result<()> {
        self.steps += 1;
        let (spent, took) = (self.spent(), self.began.0.elapsed().as_secs_f64());
        self.latest = TuneProgress {
            step: self.steps,
            spent: spent.min(1.0),
            seconds_left: Some((took / spent - took).max(0.0)),
            loss: loss.or(self.latest.loss),
            check: check.or(self.latest.check),
            ..self.latest
        };
        match watch(self.latest) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::cancelled("tuning")),
        }
    }

    /// Passes on what a look at the cases has to say.
    pub fn looking<'a>(
        &self,
        stage: &'static str,
        watch: &'a mut TuneProgressFn<'_>,
    ) -> impl FnMut(predict::SegmentProgress) -> ControlFlow<()> + 'a {
        let latest = TuneProgress { stage, ..self.latest };
        move |_| watch(latest)
    }
}
