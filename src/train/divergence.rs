//! Steps that cannot break a network: a loss that is no number changes nothing, takes the weights back to where all
//! was well, and halves the learning rate. After the third such step the training stops, in words.

use crate::engine::nn::example::Example;
use crate::engine::trainer::Trainer;
use crate::error::{Error, Result};
use crate::store::Weights;

/// How many steps without a finite loss end a training.
const FAULTS: usize = 3;

/// Where a learner stood: all that it takes to go on from there, number by number.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The weights.
    pub weights: Weights,
    /// The optimiser's state, as [`Trainer::state`] has it.
    pub optimizer: Weights,
    /// Steps of the optimiser.
    pub steps: usize,
}

/// A learner that is taken back where it strays.
pub struct DivergenceGuard {
    learner: Trainer,
    good: Checkpoint,
    share: f32,
    faults: usize,
}

impl DivergenceGuard {
    /// From a learner that stands well.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn new(learner: Trainer) -> Result<Self> {
        let good = standing(&learner).await?;
        Ok(Self { learner, good, share: 1.0, faults: 0 })
    }

    /// Goes on from where another stood, with the share of the learning rate that was left to it.
    ///
    /// # Errors
    /// As [`Trainer::restore`].
    pub fn resume(&mut self, from: Checkpoint, share: f32) -> Result<()> {
        self.learner.restore(from.weights.clone(), from.optimizer.clone(), from.steps)?;
        (self.good, self.share, self.faults) = (from, share, 0);
        Ok(())
    }

    /// One step, as [`Trainer::step`]; none where the loss was no number and the learner was taken back.
    ///
    /// # Errors
    /// As [`Trainer::step`]; `Device` at the third loss since [`Self::keep`] that is no number.
    pub async fn step(
        &mut self,
        examples: &[Example<'_>],
        rate: f32,
        learns: &dyn Fn(&str) -> bool,
    ) -> Result<Option<f64>> {
        let loss = self.learner.step(examples, rate * self.share, learns).await?;
        if loss.is_finite() {
            return Ok(Some(loss));
        }
        let Checkpoint { weights, optimizer, steps } = self.good.clone();
        self.learner.restore(weights, optimizer, steps)?;
        self.share *= 0.5;
        self.faults += 1;
        if self.faults < FAULTS {
            return Ok(None);
        }
        let found =
            format!("a loss of {loss} for the {FAULTS}rd time, at {:e} of the learning rate", self.share);
        Err(Error::device(
            "training",
            found,
            "finite losses; lower the learning rate, or look for odd images",
        ))
    }

    /// Takes the weights as they are for good: where to come back to.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn keep(&mut self) -> Result<&Checkpoint> {
        self.good = standing(&self.learner).await?;
        self.faults = 0;
        Ok(&self.good)
    }

    /// What was last taken for good.
    pub fn good(&self) -> &Checkpoint {
        &self.good
    }

    /// The share of the learning rate that is left.
    pub fn share(&self) -> f32 {
        self.share
    }

    /// The learner.
    pub fn learner(&self) -> &Trainer {
        &self.learner
    }
}

async fn standing(learner: &Trainer) -> Result<Checkpoint> {
    let (weights, optimizer) = (learner.weights().await?, learner.state().await?);
    Ok(Checkpoint { weights, optimizer, steps: learner.steps() })
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

    fn steady() -> DivergenceGuard {
        let architecture = architecture(2, [SIDE; 3]).unwrap();
        let weights = random_weights(&architecture);
        let loss = Loss::DiceAndEntropy;
        let learner =
            Trainer::new(architecture, weights, AdamWConfig::default(), loss, &Compute::Cpu).unwrap();
        pollster::block_on(DivergenceGuard::new(learner)).unwrap()
    }

    fn step(steady: &mut DivergenceGuard, value: f32) -> Result<Option<f64>> {
        let image: Vec<f32> = (0..COUNT).map(|i| value * (i % 7) as f32).collect();
        let target: Vec<f32> = (0..2 * COUNT).map(|i| f32::from(i % 3 == 0)).collect();
        let example = Example::new(&image, &target, [SIDE; 3]);
        pollster::block_on(steady.step(&[example], 1e-2, &|_| true))
    }

    #[test]
    fn a_loss_that_is_no_number_takes_the_weights_back_and_halves_the_rate() {
        let mut steady = steady();
        assert!(step(&mut steady, 1.0).unwrap().is_some());
        pollster::block_on(steady.keep()).unwrap();
        let good = steady.good().clone();
        assert!(step(&mut steady, 1.0).unwrap().is_some());
        assert_eq!(step(&mut steady, f32::NAN).unwrap(), None);
        assert_eq!(steady.share(), 0.5);
        let now = pollster::block_on(standing(steady.learner())).unwrap();
        assert_eq!((now.weights, now.optimizer, now.steps), (good.weights, good.optimizer, good.steps));
    }

    #[test]
    fn the_third_fault_ends_in_words_and_a_new_standing_forgets_them() {
        let mut steady = steady();
        for _ in 0..2 {
            assert_eq!(step(&mut steady, f32::INFINITY).unwrap(), None);
        }
        pollster::block_on(steady.keep()).unwrap();
        for _ in 0..2 {
            assert_eq!(step(&mut steady, f32::NAN).unwrap(), None);
        }
        let error = step(&mut steady, f32::NAN).unwrap_err();
        assert_eq!(error.code(), "device");
        assert!(error.to_string().contains("for the 3rd time"), "{error}");
    }
}
