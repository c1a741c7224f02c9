//! Arguments of `insitu train` on loss, optimiser and length.

use super::refusals::{refuse, within};
use clap::{Args, ValueEnum};
use insitu_seg::Result;
use insitu_seg::engine::nn::loss::Loss;
use insitu_seg::train::schedule::RateSchedule;
use insitu_seg::train::{TrainingBudget, TrainingRecipe};
use std::time::Duration;

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleName {
    /// Falls by a cosine
    Cosine,
    /// Falls by a power of 0.9
    Power,
    /// Stays
    Constant,
}

#[derive(Clone, Copy, ValueEnum)]
enum LossName {
    /// Soft Dice, as in the publication
    Dice,
    /// Soft Dice and cross-entropy
    DiceEntropy,
}

/// The arguments on loss, optimiser and length.
#[derive(Args)]
pub struct LearningArguments {
    /// The loss that is minimised (dice-entropy)
    #[arg(long)]
    loss: Option<LossName>,
    /// Samples per step (1)
    #[arg(long)]
    batch: Option<usize>,
    /// Seed of all random draws (1)
    #[arg(long)]
    seed: Option<u64>,
    /// Largest learning rate (0.0015)
    #[arg(long)]
    rate: Option<f64>,
    /// Steps over which the learning rate rises to it (50)
    #[arg(long, value_name = "STEPS")]
    warmup: Option<usize>,
    /// How the learning rate goes on after its rise (cosine)
    #[arg(long)]
    schedule: Option<ScheduleName>,
    /// Decoupled weight decay; 0 makes AdamW Adam (0.0001)
    #[arg(long)]
    decay: Option<f32>,
    /// Largest norm of the gradient; 0 for any (12)
    #[arg(long)]
    clip: Option<f32>,
    /// Decay of the running average of the weights, which is what is kept; 0 keeps the last weights (0.995)
    #[arg(long)]
    average: Option<f32>,
    /// Train for so many minutes
    #[arg(long, conflicts_with_all = ["epochs", "steps"])]
    minutes: Option<f64>,
    /// Train for so many epochs (1000)
    #[arg(long, conflicts_with = "steps")]
    epochs: Option<usize>,
    /// Train for so many steps
    #[arg(long)]
    steps: Option<usize>,
}

impl LearningArguments {
    /// Puts what is given in place of what the recipe has.
    pub fn apply(&self, recipe: &mut TrainingRecipe) -> Result<()> {
        let loss = self.loss.map(|name| match name {
            LossName::Dice => Loss::Dice,
            LossName::DiceEntropy => Loss::DiceAndEntropy,
        });
        let schedule = self.schedule.map(|name| match name {
            ScheduleName::Cosine => RateSchedule::Cosine,
            ScheduleName::Power => RateSchedule::Power,
            ScheduleName::Constant => RateSchedule::Constant,
        });
        recipe.loss = loss.unwrap_or(recipe.loss);
        recipe.schedule = schedule.unwrap_or(recipe.schedule);
        recipe.batch = self.batch.unwrap_or(recipe.batch);
        recipe.seed = self.seed.unwrap_or(recipe.seed);
        recipe.rate = self.rate.unwrap_or(recipe.rate);
        recipe.warmup = self.warmup.unwrap_or(recipe.warmup);
        recipe.decay = self.decay.unwrap_or(recipe.decay);
        recipe.average = self.average.unwrap_or(recipe.average);
        recipe.clip = match self.clip {
            Some(clip) => (clip != 0.0).then_some(clip),
            None => recipe.clip,
        };
        check(recipe)?;
        recipe.budget = self.budget(recipe.budget)?;
        Ok(())
    }

    fn budget(&self, recipe: TrainingBudget) -> Result<TrainingBudget> {
        if self.steps == Some(0) || self.epochs == Some(0) {
            return refuse("--steps or --epochs", &0, "at least 1");
        }
        if let Some(minutes) = self.minutes.filter(|m| !m.is_finite() || *m <= 0.0 || *m > 1e6) {
            return refuse("--minutes", &minutes, "a positive number");
        }
        Ok(match (self.minutes, self.epochs, self.steps) {
            (Some(minutes), _, _) => TrainingBudget::Time(Duration::from_secs_f64(minutes * 60.0)),
            (_, Some(epochs), _) => TrainingBudget::Epochs(epochs),
            (_, _, Some(steps)) => TrainingBudget::Steps(steps),
            _ => recipe,
        })
    }
}

fn check(recipe: &TrainingRecipe) -> Result<()> {
    if recipe.batch == 0 {
        return refuse("--batch", &recipe.batch, "at least 1");
    }
    if !recipe.rate.is_finite() || recipe.rate <= 0.0 {
        return refuse("--rate", &recipe.rate, "a positive number");
    }
    for (name, share) in [("--decay", recipe.decay), ("--average", recipe.average)] {
        if !(0.0..1.0).contains(&share) {
            return refuse(name, &share, "a share from 0 to below 1");
        }
    }
    recipe.clip.map_or(Ok(()), |clip| within("--clip", clip, 0.0..=f32::MAX))
}
