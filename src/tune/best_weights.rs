//! The best patch weights of a tuning so far.

use super::case::AnnotatedCase;
use super::evaluation::validation_dice;
use super::validation::ValidationMasks;
use super::weights::ModelWeights;
use crate::engine::compute::Compute;
use crate::error::Result;
use crate::predict::ProgressFn;
use crate::store::Weights;

/// Early stopping: keeps the patch weights with the best validation Dice.
pub struct BestWeights {
    weights: Weights,
    dice: Option<f64>,
    since_gain: usize,
}

impl BestWeights {
    /// Starts with weights that are not yet validated.
    pub fn new(weights: Weights) -> Self {
        Self { weights, dice: None, since_gain: 0 }
    }

    /// Validates `candidate` with the whole network of `model`, and keeps it if it is better than all before.
    ///
    /// # Errors
    /// As [`crate::predict::segment`].
    pub async fn consider(
        &mut self,
        candidate: Weights,
        model: &ModelWeights,
        cases: &[AnnotatedCase],
        validation: &ValidationMasks,
        compute: &Compute,
        watch: &mut ProgressFn<'_>,
    ) -> Result<()> {
        let model = ModelWeights { patch: candidate, ..model.clone() };
        let dice = validation_dice(&model.model(compute)?, cases, validation, watch).await?;
        if self.dice.is_none_or(|best| dice > best) {
            (self.weights, self.dice, self.since_gain) = (model.patch, Some(dice), 0);
        } else {
            self.since_gain += 1;
        }
        Ok(())
    }

    /// The best validation Dice so far.
    pub fn dice(&self) -> Option<f64> {
        self.dice
    }

    /// Number of validations since the last gain.
    pub fn since_gain(&self) -> usize {
        self.since_gain
    }

    /// The best weights.
    pub fn into_weights(self) -> Weights {
        self.weights
    }
}
