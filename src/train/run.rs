//! The training loop: sample, step, average, validate. The caller keeps what it wants of the results and shows progress, by
//! way of [`TrainEvent`]; [`super::fit()`] keeps the best weights in memory.

use super::config::{TrainConfig, TrainingBudget};
use super::dataset::Dataset;
use super::divergence::{Checkpoint, DivergenceGuard};
use super::prefetch::Prefetch;
use super::sample::TrainingSample;
use super::sampler::Sampler;
use super::source::{SampleSource, ValidationSet};
use crate::engine::compute::Compute;
use crate::engine::network::Network;
use crate::engine::nn::example::Example;
use crate::engine::trainer::Trainer;
use crate::error::{Error, Result};
use crate::metrics::dice;
use crate::store::Weights;
use std::ops::ControlFlow;
use std::sync::Arc;
use web_time::Instant;

/// Where a training stands: saved, beside a [`Checkpoint`], to continue later.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TrainProgress {
    /// Steps done.
    pub step: usize,
    /// Epochs completed.
    pub epoch: usize,
    /// Steps done of the current epoch.
    #[serde(rename = "within")]
    pub step_in_epoch: usize,
    /// Sum and number of the losses of the current epoch.
    pub losses: (f64, usize),
    /// Sum of the soft Dice of each label over the same steps; empty where the device does not tell.
    #[serde(default)]
    pub soft_dice: Vec<f64>,
    /// Seconds spent.
    pub seconds: f64,
    /// Best validation loss so far.
    #[serde(rename = "best")]
    pub best_loss: Option<f64>,
    /// Factor on the learning rate, see [`DivergenceGuard::rate_scale`].
    #[serde(rename = "share")]
    pub rate_scale: f32,
}

/// Result of an epoch: one line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochReport {
    /// Where training stands.
    pub progress: TrainProgress,
    /// Learning rate of the last step.
    pub rate: f64,
    /// Mean training loss.
    pub loss: f64,
    /// Mean loss of the averaged weights on the validation cases.
    pub validation_loss: f64,
    /// Mean Dice of the averaged weights on the validation cases, per output of the network.
    pub validation_dice: Vec<f64>,
    /// Mean soft Dice of the training steps, per output of the network: what the loss is made of. Empty where the device does
    /// not tell.
    pub soft_dice: Vec<f64>,
    /// The same of the averaged weights on the validation cases.
    pub validation_soft_dice: Vec<f64>,
    /// Whether the validation loss is the best so far.
    pub improved: bool,
}

/// Means over the validation samples, of each label where there are several.
struct Validation {
    loss: f64,
    dice: Vec<f64>,
    soft_dice: Vec<f64>,
}

/// Why [`TrainingRun::epoch`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochEnd {
    /// The epoch is complete and the budget is not yet spent.
    Completed,
    /// The caller broke off; the next call continues there.
    Paused,
    /// The budget is spent.
    BudgetSpent,
}

/// What the caller is told.
pub enum TrainEvent<'a> {
    /// A step ended: the share of the budget that is spent (0..=1), and the loss; `None` where the step was undone.
    Step(f64, Option<f64>),
    /// An epoch ended, with the averaged weights.
    Epoch(&'a EpochReport, &'a Weights),
}

/// A training run of one stage.
pub struct TrainingRun {
    config: TrainConfig,
    source: Arc<dyn SampleSource>,
    /// The samples of the next steps, while a thread prepares them.
    prefetch: Option<Prefetch<Result<Vec<TrainingSample>>>>,
    guard: DivergenceGuard,
    compute: Compute,
    progress: TrainProgress,
}

impl TrainingRun {
    /// Starts from weights, on a device, to train on `cases`.
    ///
    /// # Errors
    /// `Argument` without cases, or where no case has a labelled voxel; as [`Trainer::new`].
    pub async fn new(
        config: TrainConfig,
        weights: Weights,
        compute: Compute,
        cases: Dataset,
    ) -> Result<Self> {
        if cases.is_empty() {
            return Err(Error::argument("cases", "none to train on", "at least one"));
        }
        if !cases.has_object() {
            let found = format!("no labelled voxel in any of the {} cases to train on", cases.len());
            return Err(Error::argument(
                "labels",
                found,
                "the object to be found, labelled in at least one case",
            ));
        }
        let sampler = Sampler { cases, config: config.samples, batch: config.batch, seed: config.seed };
        Self::from_source(config, weights, compute, Arc::new(sampler)).await
    }

    /// As [`Self::new`], with samples of any source; the configuration's seed and batch are the source's own business.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub async fn from_source(
        config: TrainConfig,
        weights: Weights,
        compute: Compute,
        source: Arc<dyn SampleSource>,
    ) -> Result<Self> {
        let TrainConfig { architecture, loss, optimizer, .. } = config;
        let learner = Trainer::new(architecture, weights, optimizer, loss, &compute)?;
        let guard = DivergenceGuard::new(learner).await?;
        let progress = TrainProgress {
            step: 0,
            epoch: 0,
            step_in_epoch: 0,
            losses: (0.0, 0),
            soft_dice: Vec::new(),
            seconds: 0.0,
            best_loss: None,
            rate_scale: guard.rate_scale(),
        };
        Ok(Self { config, source, prefetch: None, guard, compute, progress })
    }

    /// Continues from what [`Self::state`] returned. On the CPU every number is as if the run had never stopped.
    ///
    /// # Errors
    /// As [`Trainer::restore`].
    pub fn resume(&mut self, checkpoint: Checkpoint, progress: TrainProgress) -> Result<()> {
        self.guard.resume(checkpoint, progress.rate_scale)?;
        (self.progress, self.prefetch) = (progress, None);
        Ok(())
    }

    /// The last checkpoint, and where training stood then.
    pub fn state(&self) -> (&Checkpoint, TrainProgress) {
        (self.guard.checkpoint(), self.progress.clone())
    }

    /// Share of the budget that is spent.
    fn spent(&self, since: Instant) -> f64 {
        let steps = |limit: usize| self.progress.step as f64 / limit.max(1) as f64;
        match self.config.budget {
            TrainingBudget::Time(limit) => {
                (self.progress.seconds + since.elapsed().as_secs_f64()) / limit.as_secs_f64()
            }
            TrainingBudget::Epochs(limit) => steps(limit * self.source.steps_per_epoch()),
            TrainingBudget::Steps(limit) => steps(limit),
        }
    }

    /// Runs one epoch, or the rest of one, then validates on `validation`; so it does where the budget ends within an epoch.
    /// The caller may break after any step, to save [`Self::state`] or to stop.
    ///
    /// # Errors
    /// `Argument` without validation cases; as [`SampleSource::batch`] and [`DivergenceGuard::step`].
    pub async fn epoch(
        &mut self,
        validation: &dyn ValidationSet,
        on_event: &mut dyn FnMut(TrainEvent) -> ControlFlow<()>,
    ) -> Result<EpochEnd> {
        if validation.is_empty() {
            return Err(Error::argument("cases", "none to validate on", "at least one"));
        }
        let since = Instant::now();
        if self.spent(since) >= 1.0 {
            return Ok(EpochEnd::BudgetSpent);
        }
        let mut rate = 0.0;
        while self.progress.step_in_epoch < self.source.steps_per_epoch() {
            let spent = self.spent(since);
            if spent >= 1.0 {
                self.prefetch = None; // It is ahead within an epoch that ends here.
                break;
            }
            let TrainConfig { schedule, peak_rate, warmup, .. } = self.config;
            rate = schedule.rate(peak_rate, self.progress.step, warmup as f64, spent);
            let loss = self.step(rate).await?;
            if on_event(TrainEvent::Step(self.spent(since).min(1.0), loss)).is_break() {
                self.save(since).await?;
                return Ok(EpochEnd::Paused);
            }
        }
        let (report, weights) = self.end_epoch(rate, validation, since).await?;
        // The epoch is over, whatever the caller answers.
        let _ = on_event(TrainEvent::Epoch(&report, &weights));
        Ok(if self.spent(Instant::now()) < 1.0 { EpochEnd::Completed } else { EpochEnd::BudgetSpent })
    }

    /// One step; its loss, or `None` where the step was undone.
    async fn step(&mut self, rate: f64) -> Result<Option<f64>> {
        let (source, progress) = (&self.source, &mut self.progress);
        let number = progress.epoch * source.steps_per_epoch() + progress.step_in_epoch;
        let prefetch = self.prefetch.get_or_insert_with(|| {
            let source = source.clone();
            Prefetch::new(number..usize::MAX, move |step| source.batch(step))
        });
        let samples = prefetch.next().unwrap_or_else(|| source.batch(number))?;
        let examples: Vec<Example> = samples.iter().map(TrainingSample::example).collect();
        progress.step += 1;
        progress.step_in_epoch += 1;
        let loss = self.guard.step(&examples, rate as f32, &|_| true).await?;
        if let Some(loss) = loss {
            let (sum, count) = progress.losses;
            progress.losses = (sum + loss, count + 1);
            let dice = self.guard.learner().soft_dice();
            progress.soft_dice.resize(dice.len(), 0.0);
            progress.soft_dice.iter_mut().zip(dice).for_each(|(sum, dice)| *sum += dice);
        }
        Ok(loss)
    }

    /// Validates the averaged weights and saves a checkpoint.
    async fn end_epoch(
        &mut self,
        rate: f64,
        validation: &dyn ValidationSet,
        since: Instant,
    ) -> Result<(EpochReport, Weights)> {
        let weights = self.guard.learner().averaged().await?;
        let Validation { loss: validation_loss, dice, soft_dice: validation_soft_dice } =
            self.validate(&weights, validation).await?;
        let best = self.progress.best_loss;
        let improved = validation_loss.is_finite() && best.is_none_or(|best| validation_loss < best);
        if improved {
            self.progress.best_loss = Some(validation_loss);
        }
        let (sum, count) = std::mem::take(&mut self.progress.losses);
        let sums = std::mem::take(&mut self.progress.soft_dice);
        self.progress.step_in_epoch = 0;
        self.progress.epoch += 1;
        self.save(since).await?;
        let mean = |sum: f64| sum / count.max(1) as f64;
        let report = EpochReport {
            progress: self.progress.clone(),
            rate,
            loss: mean(sum),
            validation_loss,
            validation_dice: dice,
            soft_dice: sums.into_iter().map(mean).collect(),
            validation_soft_dice,
            improved,
        };
        Ok((report, weights))
    }

    /// Saves a checkpoint, and the time since `since`.
    async fn save(&mut self, since: Instant) -> Result<()> {
        self.guard.save().await?;
        self.progress.rate_scale = self.guard.rate_scale();
        self.progress.seconds += since.elapsed().as_secs_f64();
        Ok(())
    }

    /// What `weights` do on the validation samples.
    async fn validate(&self, weights: &Weights, validation: &dyn ValidationSet) -> Result<Validation> {
        let network = Network::new(&self.config.architecture, weights, &self.compute)?;
        let channels = self.config.architecture.outputs;
        let (mut loss, mut scores, mut soft) = (0.0, vec![0.0; channels], vec![0.0; channels]);
        for index in 0..validation.len() {
            let TrainingSample { dims, image, target, .. } =
                validation.sample(index, &self.config.samples)?;
            let logits = network.logits(&image, dims, &mut |_| Ok(())).await?;
            let found: Vec<u8> = logits.iter().map(|&v| u8::from(v > 0.0)).collect();
            let value = self.config.loss.value(logits, &target, None, channels);
            loss += value.loss;
            soft.iter_mut().zip(value.soft_dice).for_each(|(sum, dice)| *sum += dice);
            let truth: Vec<u8> = target.iter().map(|&v| v as u8).collect();
            let count = found.len() / channels;
            for (channel, score) in scores.iter_mut().enumerate() {
                let part = channel * count..(channel + 1) * count;
                *score += dice(&truth[part.clone()], &found[part], 1);
            }
        }
        let n = validation.len() as f64;
        let mean = |sums: Vec<f64>| sums.into_iter().map(|sum| sum / n).collect();
        Ok(Validation { loss: loss / n, dice: mean(scores), soft_dice: mean(soft) })
    }
}
