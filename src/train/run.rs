//! The training loop: draw, step, average, validate, keep the best. What is kept, where it is written and how
//! progress is shown is the caller's, by way of [`TrainEvent`].

use super::dataset::Dataset;
use super::divergence::{Checkpoint, DivergenceGuard};
use super::prefetch::Prefetch;
use super::sample::{Augment, TrainingSample, plain, rng};
use super::sampler::Sampler;
use crate::card::{Preset, Stage};
use crate::engine::compute::Compute;
use crate::engine::network::Network;
use crate::engine::nn::adamw::AdamWConfig;
use crate::engine::nn::example::Example;
use crate::engine::nn::loss::Loss;
use crate::engine::trainer::Trainer;
use crate::error::{Error, Result};
use crate::metrics::dice;
use crate::model::{Architecture, Init};
use crate::store::{Array, Weights};
use rand::RngExt;
use std::ops::ControlFlow;
use std::time::Duration;
use web_time::Instant;

/// When training ends. The learning rate falls to its end over the same span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrainingBudget {
    /// After this much training time, validation included.
    Time(Duration),
    /// After this many steps.
    Steps(usize),
}

/// How the learning rate goes on after its rise over the first 50 steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateSchedule {
    /// Falls by a cosine to a hundredth at the budget's end.
    Cosine,
    /// Falls by a power of 0.9 to a hundredth at the budget's end.
    Power,
    /// Stays, as in the reference.
    Constant,
}

impl RateSchedule {
    /// The factor of the largest rate when the share `spent` (0..=1) of the budget is spent.
    fn factor(self, spent: f64) -> f64 {
        let left = match self {
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * spent).cos()),
            Self::Power => (1.0 - spent).powf(0.9),
            Self::Constant => 1.0,
        };
        0.01 + 0.99 * left
    }
}

/// Everything that decides how a stage is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainConfig {
    /// Which network.
    pub stage: Stage,
    /// Number of labels without background.
    pub labels: usize,
    /// Geometry of the cascade.
    pub preset: Preset,
    /// Disturbance of the samples.
    pub augment: Augment,
    /// Optimiser.
    pub settings: AdamWConfig,
    /// Largest learning rate.
    pub rate: f64,
    /// How it goes on.
    pub schedule: RateSchedule,
    /// Samples per step.
    pub batch: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// When to end.
    pub budget: TrainingBudget,
}

/// What is saved to go on later, beside the weights and the optimiser's state.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TrainProgress {
    /// Steps done.
    pub step: usize,
    /// Epochs done.
    pub epoch: usize,
    /// Steps of the epoch at hand, where it was interrupted.
    pub within: usize,
    /// Losses of that epoch: their sum, and how many they are.
    pub losses: (f64, usize),
    /// Seconds spent.
    pub seconds: f64,
    /// Best validation loss so far.
    pub best: Option<f64>,
    /// Share of the learning rate that the guard has left, see [`DivergenceGuard`].
    pub share: f32,
}

/// Result of an epoch, a line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochReport {
    /// Where training stands.
    pub progress: TrainProgress,
    /// Learning rate of the last step.
    pub rate: f64,
    /// Mean training loss.
    pub loss: f64,
    /// Loss of the averaged weights on the validation cases.
    pub validation_loss: f64,
    /// Mean Dice per output on the validation cases.
    pub validation_dice: Vec<f64>,
    /// Whether the validation loss is the best so far.
    pub improved: bool,
}

/// How a call of [`TrainingRun::epoch`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochEnd {
    /// With the epoch; the budget is not spent.
    Completed,
    /// Where the caller broke; the next call goes on there.
    Paused,
    /// With the budget.
    BudgetSpent,
}

/// What the caller hears.
pub enum TrainEvent<'a> {
    /// A step ended: the share of the budget spent (0..=1) and the step's loss, none where it was skipped.
    Step(f64, Option<f64>),
    /// An epoch ended, with the averaged weights.
    Epoch(&'a EpochReport, &'a Weights),
}

/// Weights to begin with.
pub fn initial_weights(architecture: &Architecture, seed: u64) -> Weights {
    let mut rng = rng(seed, 1 << 41);
    let mut tensor = |shape: &[usize], start: Init| {
        let count = shape.iter().product();
        match start {
            Init::Zeros => vec![0.0; count],
            Init::Ones => vec![1.0; count],
            Init::Glorot { fan_in, fan_out } => {
                let bound = (6.0 / (fan_in + fan_out) as f32).sqrt();
                (0..count).map(|_| rng.random_range(-bound..bound)).collect()
            }
        }
    };
    let parameters = architecture.parameters().into_iter();
    parameters.map(|p| (p.name, Array { values: tensor(&p.shape, p.init), shape: p.shape })).collect()
}

/// What is minimised: the reference's loss and what gives a gradient where that is flat.
const LOSS: Loss = Loss::DiceAndEntropy;

/// A training run.
pub struct TrainingRun {
    plan: TrainConfig,
    architecture: Architecture,
    draws: Sampler,
    /// The samples of the steps to come, where steps are under way.
    ahead: Option<Prefetch<Result<Vec<TrainingSample>>>>,
    steady: DivergenceGuard,
    compute: Compute,
    progress: TrainProgress,
}

impl TrainingRun {
    /// Starts from weights, on a device, to train on `cases`.
    ///
    /// # Errors
    /// `Argument` without cases; as [`Trainer::new`].
    pub async fn new(
        plan: TrainConfig,
        architecture: Architecture,
        weights: Weights,
        compute: Compute,
        cases: Dataset,
    ) -> Result<Self> {
        if cases.is_empty() {
            return Err(Error::argument("cases", "none to train on", "at least one"));
        }
        let TrainConfig { stage, labels, preset, augment, batch, seed, .. } = plan;
        let draws = Sampler { cases, stage, labels, preset, augment, batch, seed };
        let learner = Trainer::new(architecture, weights, plan.settings, LOSS, &compute)?;
        let steady = DivergenceGuard::new(learner).await?;
        let progress = TrainProgress {
            step: 0,
            epoch: 0,
            within: 0,
            losses: (0.0, 0),
            seconds: 0.0,
            best: None,
            share: steady.share(),
        };
        Ok(Self { plan, architecture, draws, ahead: None, steady, compute, progress })
    }

    /// Goes on from what [`Self::state`] gave: on the CPU, number by number as if it had never stopped.
    ///
    /// # Errors
    /// As [`Trainer::restore`].
    pub fn resume(&mut self, standing: Checkpoint, progress: TrainProgress) -> Result<()> {
        self.steady.resume(standing, progress.share)?;
        (self.progress, self.ahead) = (progress, None);
        Ok(())
    }

    /// Where the last epoch ended.
    pub fn state(&self) -> (&Checkpoint, TrainProgress) {
        (self.steady.good(), self.progress)
    }

    /// Share of the budget that is spent.
    fn spent(&self, since: Instant) -> f64 {
        match self.plan.budget {
            TrainingBudget::Time(limit) => {
                (self.progress.seconds + since.elapsed().as_secs_f64()) / limit.as_secs_f64()
            }
            TrainingBudget::Steps(limit) => self.progress.step as f64 / limit.max(1) as f64,
        }
    }

    fn rate(&self, spent: f64) -> f64 {
        let rise = ((self.progress.step + 1) as f64 / 50.0).min(1.0);
        self.plan.rate * rise * self.plan.schedule.factor(spent.min(1.0))
    }

    /// Runs one epoch, or the rest of one, then validates on `check`. An epoch that the budget cuts short is validated
    /// too. The caller may break after any step, to save [`Self::state`] or to stop.
    ///
    /// # Errors
    /// `Argument` without cases; what reading them and [`DivergenceGuard::step`] give.
    pub async fn epoch(
        &mut self,
        check: &Dataset,
        tell: &mut dyn FnMut(TrainEvent) -> ControlFlow<()>,
    ) -> Result<EpochEnd> {
        if check.is_empty() {
            return Err(Error::argument("cases", "none to validate on", "at least one"));
        }
        let since = Instant::now();
        if self.spent(since) >= 1.0 {
            return Ok(EpochEnd::BudgetSpent);
        }
        let mut rate = 0.0;
        while self.progress.within < self.draws.steps_per_epoch() {
            let spent = self.spent(since);
            if spent >= 1.0 {
                self.ahead = None; // of an epoch that ends here
                break;
            }
            rate = self.rate(spent);
            let loss = self.step(rate).await?;
            if let Some(loss) = loss {
                let (sum, count) = self.progress.losses;
                self.progress.losses = (sum + loss, count + 1);
            }
            if tell(TrainEvent::Step(self.spent(since).min(1.0), loss)).is_break() {
                self.stand(since).await?;
                return Ok(EpochEnd::Paused);
            }
        }
        let weights = self.steady.learner().averaged().await?;
        let (validation_loss, validation_dice) = self.validate(&weights, check).await?;
        let improved =
            validation_loss.is_finite() && self.progress.best.is_none_or(|best| validation_loss < best);
        if improved {
            self.progress.best = Some(validation_loss);
        }
        let (sum, count) = std::mem::take(&mut self.progress.losses);
        self.progress.within = 0;
        self.progress.epoch += 1;
        self.stand(since).await?;
        let loss = sum / count.max(1) as f64;
        let epoch =
            EpochReport { progress: self.progress, rate, loss, validation_loss, validation_dice, improved };
        // The epoch is over, whatever the caller says to it.
        let _ = tell(TrainEvent::Epoch(&epoch, &weights));
        Ok(if self.spent(Instant::now()) < 1.0 { EpochEnd::Completed } else { EpochEnd::BudgetSpent })
    }

    /// Takes this moment as one to go on from.
    async fn stand(&mut self, since: Instant) -> Result<()> {
        self.steady.keep().await?;
        self.progress.share = self.steady.share();
        self.progress.seconds += since.elapsed().as_secs_f64();
        Ok(())
    }

    /// One step; the loss, none where the step was skipped.
    async fn step(&mut self, rate: f64) -> Result<Option<f64>> {
        let (draws, number) =
            (&self.draws, self.progress.epoch * self.draws.steps_per_epoch() + self.progress.within);
        let ahead = self.ahead.get_or_insert_with(|| {
            let draws = draws.clone();
            Prefetch::new(number..usize::MAX, move |step| draws.step(step))
        });
        let samples = ahead.next().unwrap_or_else(|| draws.step(number))?;
        let examples: Vec<Example> = samples.iter().map(TrainingSample::example).collect();
        self.progress.step += 1;
        self.progress.within += 1;
        self.steady.step(&examples, rate as f32, &|_| true).await
    }

    /// Loss and mean Dice per output of `weights`.
    async fn validate(&self, weights: &Weights, check: &Dataset) -> Result<(f64, Vec<f64>)> {
        let network = Network::new(&self.architecture, weights, &self.compute)?;
        let channels = self.plan.stage.outputs(self.plan.labels);
        let (mut loss, mut scores) = (0.0, vec![0.0; channels]);
        for index in 0..check.len() {
            let TrainingSample { dims, image, target } =
                plain(&*check.get(index)?, self.plan.stage, self.plan.labels, &self.plan.preset)?;
            let logits = network.logits(&image, dims, &mut |_| Ok(())).await?;
            loss += LOSS.value(&logits, &target, channels);
            let truth: Vec<u8> = target.iter().map(|&v| v as u8).collect();
            let found: Vec<u8> = logits.iter().map(|&v| u8::from(v > 0.0)).collect();
            let count = found.len() / channels;
            for (channel, score) in scores.iter_mut().enumerate() {
                let part = channel * count..(channel + 1) * count;
                *score += dice(&truth[part.clone()], &found[part], 1);
            }
        }
        let n = check.len() as f64;
        Ok((loss / n, scores.into_iter().map(|score| score / n).collect()))
    }
}
