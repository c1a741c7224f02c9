//! Protection against divergence: after a step whose loss is not finite, weights and optimiser return to the last
//! checkpoint and the learning rate is halved. The third such step since a checkpoint ends the training with an error.

use crate::engine::nn::example::Example;
use crate::engine::trainer::Trainer;
use crate::error::{Error, Result};
use crate::store::Weights;

/// Number of steps without a finite loss, since the last checkpoint, that end a training.
const MAX_FAULTS: usize = 3;

/// Everything that is needed to continue a training exactly where it was.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The weights.
    pub weights: Weights,
    /// The optimiser's state, as [`Trainer::state`] returns it.
    pub optimizer: Weights,
    /// Steps of the optimiser so far.
    pub steps: usize,
}

impl Checkpoint {
    async fn of(learner: &Trainer) -> Result<Self> {
        let (weights, optimizer) = (learner.weights().await?, learner.state().await?);
        Ok(Self { weights, optimizer, steps: learner.steps() })
    }
}

/// A learner with a checkpoint to return to.
pub struct DivergenceGuard {
    learner: Trainer,
    checkpoint: Checkpoint,
    rate_scale: f32,
    faults: usize,
}

impl DivergenceGuard {
    /// Takes the learner's present state as the first checkpoint.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn new(learner: Trainer) -> Result<Self> {
        let checkpoint = Checkpoint::of(&learner).await?;
        Ok(Self { learner, checkpoint, rate_scale: 1.0, faults: 0 })
    }

    /// Continues from a checkpoint, with the [`Self::rate_scale`] that belongs to it.
    ///
    /// # Errors
    /// As [`Trainer::restore`].
    pub fn resume(&mut self, checkpoint: Checkpoint, rate_scale: f32) -> Result<()> {
        let Checkpoint { weights, optimizer, steps } = checkpoint.clone();
        self.learner.restore(weights, optimizer, steps)?;
        (self.checkpoint, self.rate_scale, self.faults) = (checkpoint, rate_scale, 0);
        Ok(())
    }

    /// One step, as [`Trainer::step`]; `None` where the loss was not finite and the checkpoint was restored.
    ///
    /// # Errors
    /// As [`Trainer::step`]; `Device` at the third loss since the last checkpoint that is not finite.
    pub async fn step(
        &mut self,
        examples: &[Example<'_>],
        rate: f32,
        learns: &dyn Fn(&str) -> bool,
    ) -> Result<Option<f64>> {
        let loss = self.learner.step(examples, rate * self.rate_scale, learns).await?;
        if loss.is_finite() {
            return Ok(Some(loss));
        }
        let Checkpoint { weights, optimizer, steps } = self.checkpoint.clone();
        self.learner.restore(weights, optimizer, steps)?;
        self.rate_scale *= 0.5;
        self.faults += 1;
        if self.faults < MAX_FAULTS {
            return Ok(None);
        }
        let scale = self.rate_scale;
        let found =
            format!("a loss of {loss} for the {MAX_FAULTS}rd time, at {scale:e} of the learning rate");
        let expected = "finite losses; lower the learning rate, or look for odd images";
        Err(Error::device("training", found, expected))
    }

    /// Saves the present state as the checkpoint to return to.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn save(&mut self) -> Result<()> {
        self.checkpoint = Checkpoint::of(&self.learner).await?;
        self.faults = 0;
        Ok(())
    }

    /// The last checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Factor on the learning rate: 1, halved at every loss that was not finite.
    pub fn rate_scale(&self) -> f32 {
        self.rate_scale
    }

    /// The learner.
    pub fn learner(&self) -> &Trainer {
        &self.learner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::bench::architecture;
    use crate::engine::compute::Compute;
    use crate::engine::nn::adamw::AdamWConfig;
    use crate::engine::nn::loss::Loss;
    use crate::engine::nn::pseudo_random::random_weights;

    const SIDE: usize = 8;
    const COUNT: usize = SIDE * SIDE * SIDE;

    fn guard() -> DivergenceGuard {
        let architecture = architecture(2, [SIDE; 3]).unwrap();
        let weights = random_weights(&architecture);
        let loss = Loss::DiceAndEntropy;
        let learner =
            Trainer::new(architecture, weights, AdamWConfig::default(), loss, &Compute::Cpu).unwrap();
        pollster::block_on(DivergenceGuard::new(learner)).unwrap()
    }

    fn step(guard: &mut DivergenceGuard, value: f32) -> Result<Option<f64>> {
        let image: Vec<f32> = (0..COUNT).map(|i| value * (i % 7) as f32).collect();
        let target: Vec<f32> = (0..2 * COUNT).map(|i| f32::from(i % 3 == 0)).collect();
        let example = Example::new(&image, &target, [SIDE; 3]);
        pollster::block_on(guard.step(&[example], 1e-2, &|_| true))
    }

    #[test]
    fn a_loss_that_is_no_number_takes_the_weights_back_and_halves_the_rate() {
        let mut guard = guard();
        assert!(step(&mut guard, 1.0).unwrap().is_some());
        pollster::block_on(guard.save()).unwrap();
        let good = guard.checkpoint().clone();
        assert!(step(&mut guard, 1.0).unwrap().is_some());
        assert_eq!(step(&mut guard, f32::NAN).unwrap(), None);
        assert_eq!(guard.rate_scale(), 0.5);
        let now = pollster::block_on(Checkpoint::of(guard.learner())).unwrap();
        assert_eq!((now.weights, now.optimizer, now.steps), (good.weights, good.optimizer, good.steps));
    }

    #[test]
    fn the_third_fault_ends_in_words_and_a_new_checkpoint_forgets_them() {
        let mut guard = guard();
        for _ in 0..2 {
            assert_eq!(step(&mut guard, f32::INFINITY).unwrap(), None);
        }
        pollster::block_on(guard.save()).unwrap();
        for _ in 0..2 {
            assert_eq!(step(&mut guard, f32::NAN).unwrap(), None);
        }
        let error = step(&mut guard, f32::NAN).unwrap_err();
        assert_eq!(error.code(), "device");
        assert!(error.to_string().contains("for the 3rd time"), "{error}");
    }
}
