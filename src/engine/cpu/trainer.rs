//! Training on the CPU.

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
        Ok(Self { architecture, weights, adam: AdamW::new(settings), loss })
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
        let network = Network::training(&self.architecture, &self.weights)?;
        let (mut loss, mut sum) = (0.0, Weights::new());
        for example in examples {
            let found = network.loss_gradients(&self.weights, example, self.loss, trainable)?;
            loss += found.loss;
            if sum.is_empty() {
                sum = found.gradients;
                continue;
            }
            for (sum, more) in sum.values_mut().zip(found.gradients.values()) {
                sum.values.iter_mut().zip(&more.values).for_each(|(sum, more)| *sum += more);
            }
        }
        let share = 1.0 / examples.len().max(1) as f32;
        sum.values_mut().flat_map(|array| &mut array.values).for_each(|value| *value *= share);
        Ok((loss * f64::from(share), sum))
    }

    /// One step down the gradient; the loss before it. Where that is not finite nothing changes.
    ///
    /// # Errors
    /// As [`Self::gradients`].
    pub fn step(&mut self, examples: &[Example], rate: f32, trainable: &dyn Fn(&str) -> bool) -> Result<f64> {
        let (loss, gradients) = self.gradients(examples, trainable)?;
        if loss.is_finite() {
            self.adam.step(&mut self.weights, &gradients, rate);
        }
        Ok(loss)
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
