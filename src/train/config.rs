//! How a stage is trained.

use super::augment::Augment;
use super::sample::SampleConfig;
use super::schedule::RateSchedule;
use crate::card::{Card, Stage};
use crate::engine::nn::adamw::AdamWConfig;
use crate::engine::nn::loss::Loss;
use crate::model::Architecture;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When a training ends. The learning rate follows its schedule over the same span.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingBudget {
    /// After this much training time, validation included.
    Time(Duration),
    /// After this many epochs.
    Epochs(usize),
    /// After this many steps.
    Steps(usize),
}

/// Everything that decides how a stage is trained, but for the cases and the weights to start from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrainConfig {
    /// The network.
    pub architecture: Architecture,
    /// How samples are made of the cases.
    pub samples: SampleConfig,
    /// The loss that is minimised.
    pub loss: Loss,
    /// AdamWConfig of the optimiser, AdamW.
    pub optimizer: AdamWConfig,
    /// Largest learning rate, reached after the warm-up.
    pub peak_rate: f64,
    /// Steps over which the learning rate rises; 0 for none.
    pub warmup: usize,
    /// How the learning rate goes on from there.
    pub schedule: RateSchedule,
    /// Samples per step.
    pub batch: usize,
    /// Seed of all random draws.
    pub seed: u64,
    /// When to end.
    pub budget: TrainingBudget,
}

impl TrainConfig {
    /// The defaults of `insitu train` for one stage of the model that `card` describes.
    pub fn new(stage: Stage, card: &Card) -> Self {
        let (labels, preset) = (card.labels.len(), card.preset);
        let (inputs, outputs) = (card.channels(), card.outputs(stage));
        Self {
            architecture: Architecture { inputs, outputs, ..Architecture::default() },
            samples: SampleConfig { stage, labels, preset, augment: Augment::default() },
            loss: Loss::DiceAndEntropy,
            optimizer: AdamWConfig::default(),
            peak_rate: 1.5e-3,
            warmup: 50,
            schedule: RateSchedule::default(),
            batch: 1,
            seed: 1,
            budget: TrainingBudget::Epochs(1000),
        }
    }
}
