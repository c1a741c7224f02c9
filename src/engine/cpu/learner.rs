//! Learning on the CPU.

use super::super::adam::{AdamW, Settings};
use super::super::graph::Graph;
use super::super::learner::Example;
use super::super::loss::Loss;
use super::Network;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::{Weights, check_weights};

/// Weights that learn, and what the optimiser remembers.
#[derive(Debug, Clone)]
pub struct Learner {
    architecture: Architecture,
    weights: Weights,
    adam: AdamW,
    loss: Loss,
}

impl Learner {
    /// Starts from weights.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn new(architecture: Architecture, weights: Weights, settings: Settings, loss: Loss) -> Result<Self> {
        check_weights(&architecture, &weights)?;
        Ok(Self { architecture, weights, adam: AdamW::new(settings), loss })
    }

    /// Mean loss of the examples and mean gradients, by the names of the tensors that learn.
    ///
    /// # Errors
    /// `Limit` where memory does not suffice.
    pub fn gradients(&self, examples: &[Example], learns: &dyn Fn(&str) -> bool) -> Result<(f64, Weights)> {
        let network = Network::learning(&self.architecture, &self.weights)?;
        let (mut loss, mut sum) = (0.0, Weights::new());
        for example in examples {
            let lesson = network.learn(&self.weights, example, self.loss, learns)?;
            loss += lesson.loss;
            if sum.is_empty() {
                sum = lesson.gradients;
                continue;
            }
            for (sum, more) in sum.values_mut().zip(lesson.gradients.values()) {
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
    pub fn step(&mut self, examples: &[Example], rate: f32, learns: &dyn Fn(&str) -> bool) -> Result<f64> {
        let (loss, gradients) = self.gradients(examples, learns)?;
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

/// As [`Learner::peak_bytes`]. Of each weight there are itself, its gradient, three numbers of the optimiser, and what the
/// kernels read, there and back.
pub fn peak_bytes(architecture: &Architecture, dims: [usize; 3]) -> u64 {
    let weights: usize =
        architecture.parameters().iter().map(|parameter| parameter.shape.iter().product::<usize>()).sum();
    4 * (Graph::learning(architecture).peak_values_learning(dims) + 9 * weights) as u64
}
