//! How a model is tuned, and the defaults.

use super::acceptance::AcceptanceBounds;
use super::scope::Scope;
use crate::error::{Error, Result};

/// How a model is tuned. Where a field is `None`, the value depends on whether the images resemble the model's training
/// images: see [`Defaults`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct TuneConfig {
    /// Which tensors are tuned.
    pub scope: Option<Scope>,
    /// Largest number of steps of the patch network.
    pub steps: Option<usize>,
    /// Largest number of minutes of training.
    pub minutes: Option<f64>,
    /// Peak learning rate.
    pub rate: Option<f64>,
    /// Seed of all random draws.
    pub seed: u64,
    /// Weight of unannotated voxels, on which the original model's output is to be preserved; that of annotated voxels
    /// is 1.
    pub keep_weight: f64,
    /// When tuned weights are accepted.
    pub bounds: AcceptanceBounds,
}

impl Default for TuneConfig {
    fn default() -> Self {
        let bounds = AcceptanceBounds::default();
        Self { scope: None, steps: None, minutes: None, rate: None, seed: 1, keep_weight: 0.3, bounds }
    }
}

impl TuneConfig {
    /// Refuses numbers that make no sense.
    ///
    /// # Errors
    /// `Argument` that names the field.
    pub fn check(&self) -> Result<()> {
        let wrong = |name: &str, found: String, expected: &str| Err(Error::argument(name, found, expected));
        for (name, value) in [("minutes", self.minutes), ("rate", self.rate)] {
            if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0 && *value <= 1e6)) {
                return wrong(name, value.to_string(), "a positive number");
            }
        }
        if self.steps == Some(0) {
            return wrong("steps", "0".to_owned(), "at least 1");
        }
        let AcceptanceBounds { gain, fall, agreement } = self.bounds;
        for (name, value, most) in [
            ("keep", self.keep_weight, 100.0),
            ("min gain", gain, 1.0),
            ("max fall", fall, 1.0),
            ("min agreement", agreement, 1.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return wrong(name, value.to_string(), &format!("0 to {most}"));
            }
        }
        Ok(())
    }
}

/// Defaults that depend on whether the images resemble the model's training images.
pub struct Defaults {
    /// Which tensors are tuned.
    pub scope: Scope,
    /// Peak learning rate.
    pub rate: f64,
    /// Steps of the patch network.
    pub steps: usize,
    /// Number of validations in a row without a gain after which tuning ends.
    pub patience: usize,
}

/// For images such as the model was trained on.
pub const IN_DISTRIBUTION: Defaults = Defaults { scope: Scope::Decoder, rate: 2e-4, steps: 240, patience: 6 };
/// For other images: there is more to learn.
pub const OUT_OF_DISTRIBUTION: Defaults =
    Defaults { scope: Scope::All, rate: 1e-3, steps: 600, patience: 12 };

/// Largest number of minutes where neither steps nor minutes are given.
pub const DEFAULT_MINUTES: f64 = 5.0;
