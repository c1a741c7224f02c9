//! Which samples each step of a run sees: a function of seed and step alone, so that a thread can prepare them ahead of
//! time and a resumed run sees what it would have seen.

use super::dataset::Dataset;
use super::random::seeded_rng;
use super::sample::{SampleConfig, TrainingSample, random_sample};
use crate::error::Result;
use rand::seq::SliceRandom;

/// Stream of random numbers that orders epoch 0; that of epoch `n` follows at `+ n`. Streams below it belong to samples.
const EPOCH_ORDER_STREAM: u64 = 1 << 40;

/// The samples of a run. Clones share the cases.
#[derive(Debug, Clone)]
pub struct Sampler {
    /// The cases to train on.
    pub cases: Dataset,
    /// How samples are made of them.
    pub config: SampleConfig,
    /// Samples per step.
    pub batch: usize,
    /// Seed of all random draws.
    pub seed: u64,
}

impl Sampler {
    /// Number of steps in which every case is shown once.
    pub fn steps_per_epoch(&self) -> usize {
        self.cases.len().div_ceil(self.batch)
    }

    /// The samples of a step, counted from 0 over all epochs. Every epoch has an order of its own.
    ///
    /// # Errors
    /// As [`Dataset::get`] and [`random_sample`].
    pub fn batch(&self, step: usize) -> Result<Vec<TrainingSample>> {
        let epoch = step / self.steps_per_epoch();
        let mut order: Vec<usize> = (0..self.cases.len()).collect();
        order.shuffle(&mut seeded_rng(self.seed, EPOCH_ORDER_STREAM | epoch as u64));
        let batch = order.chunks(self.batch).nth(step % self.steps_per_epoch()).unwrap_or(&[]);
        let sample = |(position, &index): (usize, &usize)| {
            let case = self.cases.get(index)?;
            let mut rng = seeded_rng(self.seed, (step * self.batch + position) as u64);
            random_sample(&case, &self.config, &mut rng)
        };
        batch.iter().enumerate().map(sample).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::augment::Augment;
    use super::super::case::LabeledCase;
    use super::*;
    use crate::card::{Preset, Stage};

    #[test]
    fn an_epoch_shows_every_case_once_and_a_step_can_be_made_again() {
        // The intensity of the image identifies the case.
        let case = |n: usize| {
            LabeledCase::new(n.to_string(), n, [24; 3], vec![n as f32; 24 * 24 * 24], vec![1; 24 * 24 * 24])
        };
        let augment = Augment { noise: [0.0; 2], ..Augment::default() };
        let config = SampleConfig { stage: Stage::Patch, labels: 1, preset: Preset::default(), augment };
        let sampler = Sampler { cases: Dataset::in_memory((0..7).map(case)), config, batch: 2, seed: 5 };
        assert_eq!(sampler.steps_per_epoch(), 4);
        let seen = |steps: std::ops::Range<usize>| -> Vec<usize> {
            let samples = steps.flat_map(|step| sampler.batch(step).unwrap());
            samples.map(|sample| sample.image[0].round() as usize).collect()
        };
        let (mut one, mut two) = (seen(0..4), seen(4..8));
        assert_ne!(one, two);
        assert_eq!(seen(4..8), two);
        one.sort_unstable();
        two.sort_unstable();
        assert_eq!((one, two), ((0..7).collect(), (0..7).collect()));
    }
}
