//! The steps of one network: what learns, from where it starts, how fast.

use super::patches::{PatchSampler, SamplingConfig, TrainingSample};
use crate::engine::compute::Compute;
use crate::engine::network::Network;
use crate::engine::nn::adamw::AdamWConfig;
use crate::engine::nn::example::Example;
use crate::engine::nn::loss::Loss;
use crate::engine::trainer::Trainer;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::Weights;
use crate::train::divergence::DivergenceGuard;
use crate::train::sample::rng;
use serde::{Deserialize, Serialize};

/// What is minimised.
const LOSS: Loss = Loss::DiceAndEntropy;
/// Over how many steps the learning rate rises.
const RISE: f64 = 20.0;

/// Which tensors of a network learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The last convolutions.
    Head,
    /// Those and the way up, and every normalisation and squeeze-and-excite.
    Decoder,
    /// All.
    All,
}

impl Scope {
    /// Whether the tensor of this name learns.
    pub fn learns(self, name: &str) -> bool {
        let head = ["head.", "out."].iter().any(|part| name.starts_with(part));
        let up = ["up.", "merge."].iter().any(|part| name.starts_with(part));
        match self {
            Self::Head => head,
            Self::Decoder => head || up || name.contains(".norm.") || name.contains(".se."),
            Self::All => true,
        }
    }

    /// `head`, `decoder` or `all`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Decoder => "decoder",
            Self::All => "all",
        }
    }
}

/// One network on its way.
pub struct FineTuner<'a> {
    lessons: &'a [PatchSampler<'a>],
    drawing: SamplingConfig,
    steady: DivergenceGuard,
    scope: Scope,
    rate: f64,
    seed: u64,
    /// FineTuner done.
    pub done: usize,
}

/// How a network learns.
#[derive(Debug, Clone, Copy)]
pub struct FineTuneConfig {
    /// What learns.
    pub scope: Scope,
    /// Largest learning rate; it rises at first and then falls by a cosine.
    pub rate: f64,
    /// Seed of all draws.
    pub seed: u64,
}

impl<'a> FineTuner<'a> {
    /// Starts from weights.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub async fn new(
        architecture: Architecture,
        weights: &Weights,
        lessons: &'a [PatchSampler<'a>],
        drawing: SamplingConfig,
        FineTuneConfig { scope, rate, seed }: FineTuneConfig,
        compute: &Compute,
    ) -> Result<Self> {
        let settings = AdamWConfig { average: 0.98, ..AdamWConfig::default() };
        let learner = Trainer::new(architecture, weights.clone(), settings, LOSS, compute)?;
        Ok(Self {
            lessons,
            drawing,
            steady: DivergenceGuard::new(learner).await?,
            scope,
            rate,
            seed,
            done: 0,
        })
    }

    /// One step, where `spent` (0 to 1) of all is done: its loss, none where it was no number and was taken back.
    ///
    /// # Errors
    /// As [`DivergenceGuard::step`].
    pub async fn step(&mut self, spent: f64) -> Result<Option<f64>> {
        let number = self.done as u64;
        // Every lesson has its turn, in an order that changes from round to round.
        let count = self.lessons.len();
        let round = self.done / count;
        let at = (self.done % count + round * round) % count;
        let shown = self.lessons[at].draw(&self.drawing, &mut rng(self.seed, number));
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * spent.min(1.0)).cos());
        let rate = self.rate * ((self.done + 1) as f64 / RISE).min(1.0) * (0.01 + 0.99 * cosine);
        self.done += 1;
        let scope = self.scope;
        self.steady.step(&[shown.example()], rate as f32, &|name| scope.learns(name)).await
    }

    /// The running average of the weights; from here on a fault leads back to here.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn weights(&mut self) -> Result<Weights> {
        self.steady.keep().await?;
        self.steady.learner().averaged().await
    }
}

/// The better of two starts, for images that are unlike what the network knows: its weights as they are, or with the sign of
/// the first convolution turned, which reads an image of turned contrast as the network knew it (the image has mean 0, that
/// convolution has no bias, and a normalisation follows). Which one it is, the annotations decide.
///
/// # Errors
/// As [`Network::logits`].
pub async fn start(
    architecture: &Architecture,
    weights: &Weights,
    lessons: &[PatchSampler<'_>],
    drawing: &SamplingConfig,
    compute: &Compute,
) -> Result<(Weights, bool)> {
    let turned = turned(weights);
    let shown: Vec<TrainingSample> = lessons.iter().map(|lesson| lesson.plain(drawing)).collect();
    let examples: Vec<Example> = shown.iter().map(TrainingSample::example).collect();
    let as_it_is = mean_loss(architecture, weights, &examples, compute).await?;
    let other = mean_loss(architecture, &turned, &examples, compute).await?;
    Ok(if other < as_it_is { (turned, true) } else { (weights.clone(), false) })
}

/// The network that sees an image of turned contrast as the one that is given sees the image.
pub fn turned(weights: &Weights) -> Weights {
    let mut turned = weights.clone();
    if let Some(stem) = turned.get_mut("stem.conv.weight") {
        stem.values.iter_mut().for_each(|value| *value = -*value);
    }
    turned
}

async fn mean_loss(
    architecture: &Architecture,
    weights: &Weights,
    examples: &[Example<'_>],
    compute: &Compute,
) -> Result<f64> {
    let network = Network::new(architecture, weights, compute)?;
    let mut sum = 0.0;
    for Example { image, target, weighting, dims } in examples {
        let logits = network.logits(image, *dims, &mut |_| Ok(())).await?;
        sum += LOSS.gradient(&logits, target, weighting.as_ref(), architecture.outputs).0;
    }
    Ok(sum / examples.len().max(1) as f64)
}
