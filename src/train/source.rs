//! Where a training run has its samples from: cases of a data set ([`super::sampler`]) or images made of label maps
//! ([`super::synthesis`]).

use super::dataset::Dataset;
use super::sample::{SampleConfig, TrainingSample, validation_sample};
use super::sampler::Sampler;
use crate::error::Result;

/// Samples to train on. What a step sees is a function of the step alone.
pub trait SampleSource: Send + Sync {
    /// Steps of an epoch.
    fn steps_per_epoch(&self) -> usize;

    /// The samples of a step, counted from 0 over all epochs.
    ///
    /// # Errors
    /// Those of reading or making them.
    fn batch(&self, step: usize) -> Result<Vec<TrainingSample>>;
}

/// Samples to validate on: what the network sees at inference.
pub trait ValidationSet {
    /// How many.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sample at `index`.
    ///
    /// # Errors
    /// Those of reading or making it.
    fn sample(&self, index: usize, config: &SampleConfig) -> Result<TrainingSample>;
}

impl SampleSource for Sampler {
    fn steps_per_epoch(&self) -> usize {
        self.steps_per_epoch()
    }

    fn batch(&self, step: usize) -> Result<Vec<TrainingSample>> {
        self.batch(step)
    }
}

impl ValidationSet for Dataset {
    fn len(&self) -> usize {
        self.len()
    }

    fn sample(&self, index: usize, config: &SampleConfig) -> Result<TrainingSample> {
        validation_sample(&*self.get(index)?, config)
    }
}
