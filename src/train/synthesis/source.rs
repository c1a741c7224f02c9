//! Images for a training run. What a step sees is a function of the seed and the step alone: a thread can make it ahead,
//! and a run that goes on sees what it would have seen.

use super::image::{SyntheticImage, synthesize};
use super::maps::MapSet;
use crate::card::Preset;
use crate::error::Result;
use crate::intensity::Intensity;
use crate::train::random::seeded_rng;
use crate::train::sample::{SampleConfig, TrainingSample};
use crate::train::source::{SampleSource, ValidationSet};
use rand::seq::SliceRandom;

/// Draws of images; of the orders of maps; of validation images.
const IMAGES: u64 = 1 << 42;
const ORDERS: u64 = 1 << 43;
const VALIDATION: u64 = 1 << 44;

/// Images to train on, without end. Copies share the maps.
#[derive(Debug, Clone)]
pub struct SyntheticSource {
    /// What they are made of.
    pub set: MapSet,
    /// Geometry of the network's view.
    pub preset: Preset,
    /// Images per step.
    pub batch: usize,
    /// Steps that are called an epoch.
    pub steps: usize,
    /// Seed of all draws.
    pub seed: u64,
}

impl SyntheticSource {
    /// The image of this number, counted from 0. Every map is shown once before any is shown again.
    ///
    /// # Errors
    /// As [`synthesize`].
    pub fn image(&self, number: usize) -> Result<SyntheticImage> {
        let count = self.set.maps.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut seeded_rng(self.seed, ORDERS | (number / count) as u64));
        let mut rng = seeded_rng(self.seed, IMAGES | number as u64);
        synthesize(&self.set, order[number % count], &self.preset, &mut rng)
    }
}

impl SampleSource for SyntheticSource {
    fn steps_per_epoch(&self) -> usize {
        self.steps
    }

    fn batch(&self, step: usize) -> Result<Vec<TrainingSample>> {
        let numbers = step * self.batch..(step + 1) * self.batch;
        numbers.map(|number| Ok(sample(&self.set, &self.image(number)?))).collect()
    }
}

/// Images to validate on: always the same, of no training's draws, whatever the seed of the training.
#[derive(Debug, Clone)]
pub struct SyntheticValidation {
    /// What they are made of.
    pub set: MapSet,
    /// How many.
    pub count: usize,
}

impl SyntheticValidation {
    /// The image of this number. The maps take turns.
    ///
    /// # Errors
    /// As [`synthesize`].
    pub fn image(&self, number: usize, preset: &Preset) -> Result<SyntheticImage> {
        synthesize(
            &self.set,
            number % self.set.maps.len(),
            preset,
            &mut seeded_rng(0, VALIDATION | number as u64),
        )
    }
}

impl ValidationSet for SyntheticValidation {
    fn len(&self) -> usize {
        self.count
    }

    fn sample(&self, index: usize, config: &SampleConfig) -> Result<TrainingSample> {
        Ok(sample(&self.set, &self.image(index, &config.preset)?))
    }
}

/// Normalised as every image of magnetic resonance is, with a binary channel per target.
fn sample(set: &MapSet, image: &SyntheticImage) -> TrainingSample {
    let plane = |target: usize| {
        let inside = image.classes.iter().map(move |&class| set.classes.belongs(class, target));
        inside.map(|inside| f32::from(u8::from(inside)))
    };
    TrainingSample {
        dims: image.dims,
        image: Intensity::Mr.normalize(&image.values),
        target: (0..set.recipe.targets.len()).flat_map(plane).collect(),
        weights: None,
    }
}
