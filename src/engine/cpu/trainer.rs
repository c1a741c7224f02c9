//! Training on the CPU.

use super::backward::LossGradients;
use super::buffers::Buffers;
use super::network::Network;
use crate::engine::nn::adamw::{AdamW, AdamWConfig};
use crate::engine::nn::example::Example;
use crate::engine::nn::graph::Graph;
use crate::engine::nn::loss::Loss;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::{Weights, check_weights};

/// Weights that are trained, and what the optimiser remembers.
#[derive(Debug, Clone)]
pub struct Trainer {
    architecture: Architecture,
    weights: Weights,
    adam: AdamW,
    loss: Loss,
    soft_dice: Vec<f64>,
    /// Memory of the last step.
    buffers: Buffers,
}

impl Trainer {
    /// Starts from weights.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn new(
        architecture: Architecture,
        weights: Weights,
        settings: AdamWConfig,
        loss: Loss,
    ) -> Result<Self> {
        check_weights(&architecture, &weights)?;
        Ok(Self {
            architecture,
            weights,
            adam: AdamW::new(settings),
            loss,
            soft_dice: Vec::new(),
            buffers: Buffers::default(),
        })
    }

    /// Mean loss of the examples and mean gradients, by the names of the tensors that are trained.
    ///
    /// # Errors
    /// `Limit` where memory does not suffice.
    pub fn gradients(
        &self,
        examples: &[Example],
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<(f64, Weights)> {
        let LossGradients { loss, gradients, .. } =
            self.mean(examples, trainable, &mut Buffers::default())?;
        Ok((loss, gradients))
    }

    /// Means over the examples.
    fn mean(
        &self,
        examples: &[Example],
        trainable: &dyn Fn(&str) -> bool,
        buffers: &mut Buffers,
    ) -> Result<LossGradients> {
        let network = Network::training(&self.architecture, &self.weights)?;
        let mut mean = LossGradients { loss: 0.0, soft_dice: Vec::new(), gradients: Weights::new() };
        for (number, example) in examples.iter().enumerate() {
            let found = network.loss_gradients_in(buffers, &self.weights, example, self.loss, trainable)?;
            if number == 0 {
                mean = found;
                continue;
            }
            mean.loss += found.loss;
            mean.soft_dice.iter_mut().zip(&found.soft_dice).for_each(|(sum, more)| *sum += more);
            for (sum, more) in mean.gradients.values_mut().zip(found.gradients.values()) {
                sum.values.iter_mut().zip(&more.values).for_each(|(sum, more)| *sum += more);
            }
        }
        let share = 1.0 / examples.len().max(1) as f32;
        mean.loss *= f64::from(share);
        mean.soft_dice.iter_mut().for_each(|value| *value *= f64::from(share));
        mean.gradients.values_mut().flat_map(|array| &mut array.values).for_each(|value| *value *= share);
        Ok(mean)
    }

    /// One step down the gradient; the loss before it. Where that is not finite nothing changes.
    ///
    /// # Errors
    /// As [`Self::gradients`].
    pub fn step(&mut self, examples: &[Example], rate: f32, trainable: &dyn Fn(&str) -> bool) -> Result<f64> {
        let mut buffers = std::mem::take(&mut self.buffers);
        let found = self.mean(examples, trainable, &mut buffers);
        self.buffers = buffers;
        let LossGradients { loss, soft_dice, gradients } = found?;
        if loss.is_finite() {
            self.adam.step(&mut self.weights, &gradients, rate);
        }
        self.soft_dice = soft_dice;
        Ok(loss)
    }

    /// Mean soft Dice of each label over the examples of the last step, before it.
    pub fn soft_dice(&self) -> &[f64] {
        &self.soft_dice
    }

    /// Bytes of a step on an example of `dims` at its worst moment: maps, gradients, and what is kept of each weight.
    pub fn peak_bytes(&self, dims: [usize; 3]) -> u64 {
        peak_bytes(&self.architecture, dims)
    }

    /// Steps of the optimiser so far.
    pub fn steps(&self) -> usize {
        self.adam.steps()
    }

    /// The weights as they are.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Their running average.
    pub fn averaged(&self) -> Weights {
        self.adam.averaged(&self.weights)
    }

    /// The optimiser's state.
    pub fn state(&self) -> Weights {
        self.adam.state()
    }

    /// Goes on from weights and a [`Self::state`] after `step` steps.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn restore(&mut self, weights: Weights, state: Weights, step: usize) -> Result<()> {
        check_weights(&self.architecture, &weights)?;
        self.weights = weights;
        self.adam.restore(state, step);
        Ok(())
    }
}

/// As [`Trainer::peak_bytes`]. Of each weight there are itself, its gradient, three numbers of the optimiser, and what the
/// kernels read, there and back.
pub fn peak_bytes(architecture: &Architecture, dims: [usize; 3]) -> u64 {
    let weights: usize =
        architecture.parameters().iter().map(|parameter| parameter.shape.iter().product::<usize>()).sum();
    4 * (Graph::training(architecture).peak_values_learning(dims) + 9 * weights) as u64
}
