//! Fine-tunes one network on annotated cases.

use super::patch_sampler::{PatchConfig, PatchSampler};
use super::scope::Scope;
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
use crate::train::random::seeded_rng;
use crate::train::sample::TrainingSample;
use crate::train::schedule::RateSchedule;

/// The loss that is minimised.
const LOSS: Loss = Loss::DiceAndEntropy;
/// Steps over which the learning rate rises.
const WARMUP: f64 = 20.0;
/// Decay of the running average of the weights, shorter than in training as there are fewer steps.
const AVERAGE_DECAY: f32 = 0.98;

/// How a network is fine-tuned.
#[derive(Debug, Clone, Copy)]
pub struct FineTuneConfig {
    /// Which tensors are tuned.
    pub scope: Scope,
    /// Peak learning rate; a cosine decay follows the warm-up.
    pub rate: f64,
    /// Seed of all random draws.
    pub seed: u64,
}

/// One network that is being fine-tuned.
pub struct FineTuner<'a> {
    samplers: &'a [PatchSampler<'a>],
    patches: PatchConfig,
    config: FineTuneConfig,
    guard: DivergenceGuard,
    steps: usize,
}

impl<'a> FineTuner<'a> {
    /// Starts from weights. There must be at least one sampler.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub async fn new(
        architecture: Architecture,
        weights: &Weights,
        samplers: &'a [PatchSampler<'a>],
        patches: PatchConfig,
        config: FineTuneConfig,
        compute: &Compute,
    ) -> Result<Self> {
        let optimizer = AdamWConfig { average: AVERAGE_DECAY, ..AdamWConfig::default() };
        let learner = Trainer::new(architecture, weights.clone(), optimizer, LOSS, compute)?;
        Ok(Self { samplers, patches, config, guard: DivergenceGuard::new(learner).await?, steps: 0 })
    }

    /// One step. `spent` is the share of the budget that is spent, 0..=1. Returns the loss, or `None` where it was not finite
    /// and the step was undone.
    ///
    /// # Errors
    /// As [`DivergenceGuard::step`].
    pub async fn step(&mut self, spent: f64) -> Result<Option<f64>> {
        let FineTuneConfig { scope, rate, seed } = self.config;
        // Every case once per round, in an order that changes from round to round.
        let count = self.samplers.len();
        let round = self.steps / count;
        let index = (self.steps % count + round * round) % count;
        let mut rng = seeded_rng(seed, self.steps as u64);
        let sample = self.samplers[index].random_sample(&self.patches, &mut rng);
        let rate = RateSchedule::Cosine.rate(rate, self.steps, WARMUP, spent);
        self.steps += 1;
        self.guard.step(&[sample.example()], rate as f32, &|name| scope.contains(name)).await
    }

    /// Steps so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The running average of the weights. Saves the checkpoint that a diverging step returns to.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn averaged(&mut self) -> Result<Weights> {
        self.guard.save().await?;
        self.guard.learner().averaged().await
    }
}

/// The better start for images unlike the training images: the weights as they are, or with the first convolution negated,
/// which suits images of inverted contrast (see [`negate_first_convolution`]). The annotations decide, by the loss. Returns
/// the weights and whether they are negated.
///
/// # Errors
/// As [`Network::logits`].
pub async fn choose_start(
    architecture: &Architecture,
    weights: &Weights,
    samplers: &[PatchSampler<'_>],
    patches: &PatchConfig,
    compute: &Compute,
) -> Result<(Weights, bool)> {
    let negated = negate_first_convolution(weights);
    let samples: Vec<TrainingSample> = samplers.iter().map(|sampler| sampler.fixed_sample(patches)).collect();
    let examples: Vec<Example> = samples.iter().map(TrainingSample::example).collect();
    let as_it_is = mean_loss(architecture, weights, &examples, compute).await?;
    let other = mean_loss(architecture, &negated, &examples, compute).await?;
    Ok(if other < as_it_is { (negated, true) } else { (weights.clone(), false) })
}

/// The network that sees an image of inverted contrast as the given one sees the image: the image has mean 0, the first
/// convolution has no bias, and a normalisation follows it, so that a change of its sign undoes that of the image.
pub fn negate_first_convolution(weights: &Weights) -> Weights {
    let mut negated = weights.clone();
    if let Some(stem) = negated.get_mut("stem.conv.weight") {
        stem.values.iter_mut().for_each(|value| *value = -*value);
    }
    negated
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
        sum += LOSS.value(logits, target, weighting.as_ref(), architecture.outputs).loss;
    }
    Ok(sum / examples.len().max(1) as f64)
}
