//! Which samples each step of a run is shown: a function of the seed and the step alone, so that a thread can make them
//! ahead and a run that goes on sees what it would have seen.

use super::dataset::Dataset;
use super::sample::{Augment, TrainingSample, draw, rng};
use crate::card::{Preset, Stage};
use crate::error::Result;
use rand::seq::SliceRandom;

/// The samples of a run. Copies share the cases.
#[derive(Debug, Clone)]
pub struct Sampler {
    /// The cases to train on.
    pub cases: Dataset,
    /// Which network.
    pub stage: Stage,
    /// Number of labels without background.
    pub labels: usize,
    /// Geometry of the cascade.
    pub preset: Preset,
    /// Disturbance of the samples.
    pub augment: Augment,
    /// Samples per step.
    pub batch: usize,
    /// Seed of all draws.
    pub seed: u64,
}

impl Sampler {
    /// Steps in which every case is shown once.
    pub fn steps_per_epoch(&self) -> usize {
        self.cases.len().div_ceil(self.batch)
    }

    /// The samples of a step, counted from 0 over all epochs; each epoch has an order of its own.
    ///
    /// # Errors
    /// As [`Dataset::get`] and [`draw`].
    pub fn step(&self, step: usize) -> Result<Vec<TrainingSample>> {
        let epoch = step / self.steps_per_epoch();
        let mut order: Vec<usize> = (0..self.cases.len()).collect();
        order.shuffle(&mut rng(self.seed, 1 << 40 | epoch as u64));
        let batch = order.chunks(self.batch).nth(step % self.steps_per_epoch()).unwrap_or(&[]);
        let sample = |(position, &index): (usize, &usize)| {
            let case = self.cases.get(index)?;
            let mut rng = rng(self.seed, (step * self.batch + position) as u64);
            draw(&case, self.stage, self.labels, &self.preset, &self.augment, &mut rng)
        };
        batch.iter().enumerate().map(sample).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::dataset::LabeledCase;
    use super::*;

    #[test]
    fn an_epoch_shows_every_case_once_and_a_step_can_be_made_again() {
        // The image tells the case.
        let case = |n: usize| {
            LabeledCase::new(n.to_string(), n, [24; 3], vec![n as f32; 24 * 24 * 24], vec![1; 24 * 24 * 24])
        };
        let augment = Augment { noise: 0.0, ..Augment::default() };
        let draws = Sampler {
            cases: Dataset::held((0..7).map(case)),
            stage: Stage::Patch,
            labels: 1,
            preset: Preset::default(),
            augment,
            batch: 2,
            seed: 5,
        };
        assert_eq!(draws.steps_per_epoch(), 4);
        let seen = |steps: std::ops::Range<usize>| -> Vec<usize> {
            steps.flat_map(|step| draws.step(step).unwrap()).map(|s| s.image[0].round() as usize).collect()
        };
        let (mut one, mut two) = (seen(0..4), seen(4..8));
        assert_ne!(one, two);
        assert_eq!(seen(4..8), two);
        one.sort_unstable();
        two.sort_unstable();
        assert_eq!((one, two), ((0..7).collect(), (0..7).collect()));
    }
}
