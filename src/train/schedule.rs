//! The learning rate over a run: a linear warm-up, then a schedule.

use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Share of the peak rate at the end of a schedule that falls.
const FLOOR: f64 = 0.01;

/// How the learning rate changes after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateSchedule {
    /// Cosine decay to 1 % at the end of the budget.
    #[default]
    Cosine,
    /// Polynomial decay with exponent 0.9, to 1 % at the end of the budget.
    Power,
    /// Constant, as in the reference implementation.
    Constant,
}

impl RateSchedule {
    /// The learning rate of a step. `step` counts from 0; the rate rises linearly over `warmup` steps, none for 0, to `peak`;
    /// `spent` is the share of the training budget that is used up (values above 1 count as 1).
    pub fn rate(self, peak: f64, step: usize, warmup: f64, spent: f64) -> f64 {
        let rise = ((step + 1) as f64 / warmup).min(1.0);
        peak * rise * self.decay(spent.min(1.0))
    }

    fn decay(self, spent: f64) -> f64 {
        let left = match self {
            Self::Cosine => 0.5 * (1.0 + (PI * spent).cos()),
            Self::Power => (1.0 - spent).powf(0.9),
            Self::Constant => 1.0,
        };
        FLOOR + (1.0 - FLOOR) * left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_to_its_peak_and_falls_to_a_hundredth() {
        for schedule in [RateSchedule::Cosine, RateSchedule::Power] {
            let rate = |step, spent| schedule.rate(2.0, step, 50.0, spent);
            assert!((rate(0, 0.0) - 0.04).abs() < 1e-12 && (rate(49, 0.0) - 2.0).abs() < 1e-12);
            assert!(rate(100, 0.4) > rate(200, 0.6));
            assert!((rate(300, 1.0) - 0.02).abs() < 1e-12 && (rate(300, 1.5) - 0.02).abs() < 1e-12);
        }
        assert_eq!(RateSchedule::Constant.rate(2.0, 80, 50.0, 0.9), 2.0);
        assert_eq!(RateSchedule::Constant.rate(2.0, 0, 0.0, 0.0), 2.0);
    }
}
