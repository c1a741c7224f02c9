//! AdamW with a clipped gradient, and the running average of the weights that is what gets kept.
//!
//! ```text
//! g <- g * min(1, clip / |g|)                      |g| over all tensors
//! m <- b1 m + (1 - b1) g          v <- b2 v + (1 - b2) g^2
//! w <- w (1 - lr decay) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//! a <- d a + (1 - d) w            d = min(average, (1 + t) / (10 + t))
//! ```
//! Loshchilov and Hutter, arXiv 1711.05101.

use super::parallel;
use crate::store::{Array, Weights, by_name};
use std::collections::BTreeMap;

/// A norm of the gradient that clips nothing, and that 32 bits hold divided by any norm.
pub const NO_CLIP: f32 = 1e20;

/// AdamWConfig of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWConfig {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decoupled weight decay.
    pub decay: f32,
    /// Largest norm of the gradient over all tensors; [`NO_CLIP`] for any.
    pub clip: f32,
    /// Decay of the running average of the weights.
    pub average: f32,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, decay: 1e-4, clip: 12.0, average: 0.995 }
    }
}

/// Numbers of one step, the same for all values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// AdamWConfig.
    pub settings: AdamWConfig,
    /// Learning rate.
    pub rate: f32,
    /// `1 - b1^t` and `1 - b2^t`.
    pub unbiased: [f32; 2],
    /// Decay of the running average.
    pub keep: f32,
}

impl AdamWStep {
    /// Of step `number`, counted from 1.
    pub fn new(settings: AdamWConfig, number: usize, rate: f32) -> Self {
        // In 64 bits: 1 - 0.999 has few digits in 32.
        let unbiased = |beta: f32| (1.0 - f64::from(beta).powi(number as i32)) as f32;
        let unbiased = [settings.beta1, settings.beta2].map(unbiased);
        let keep = settings.average.min((1 + number) as f32 / (10 + number) as f32);
        Self { settings, rate, unbiased, keep }
    }
}

/// First moment, second moment and average of one tensor.
#[derive(Debug, Clone, PartialEq)]
struct Slot {
    first: Vec<f32>,
    second: Vec<f32>,
    average: Vec<f32>,
}

impl Slot {
    fn new(weight: &[f32]) -> Self {
        let zeros = vec![0.0; weight.len()];
        Self { first: zeros.clone(), second: zeros, average: weight.to_vec() }
    }

    fn update(&mut self, weight: &mut [f32], gradient: &[f32], clip: f32, step: &AdamWStep) {
        let AdamWStep { settings: AdamWConfig { beta1, beta2, epsilon, decay, .. }, rate, unbiased, keep } =
            *step;
        let moments = self.first.iter_mut().zip(&mut self.second).zip(&mut self.average);
        for (((first, second), average), (weight, gradient)) in moments.zip(weight.iter_mut().zip(gradient)) {
            let gradient = gradient * clip;
            *first = *first * beta1 + gradient * (1.0 - beta1);
            *second = *second * beta2 + gradient * gradient * (1.0 - beta2);
            let direction = (*first / unbiased[0]) / ((*second / unbiased[1]).sqrt() + epsilon);
            *weight = *weight * (1.0 - rate * decay) - direction * rate;
            *average = *average * keep + *weight * (1.0 - keep);
        }
    }
}

/// The optimiser and its state, by the names of the tensors.
#[derive(Debug, Clone)]
pub struct AdamW {
    settings: AdamWConfig,
    step: usize,
    slots: BTreeMap<String, Slot>,
}

impl AdamW {
    /// A fresh optimiser.
    pub fn new(settings: AdamWConfig) -> Self {
        Self { settings, step: 0, slots: BTreeMap::new() }
    }

    /// One step down the gradient. Tensors without a gradient (frozen ones) stay as they are, and so do all where it
    /// is not finite.
    pub fn step(&mut self, weights: &mut Weights, gradients: &Weights, rate: f32) {
        let squares =
            gradients.values().flat_map(|array| &array.values).map(|&v| f64::from(v) * f64::from(v));
        let norm = squares.sum::<f64>().sqrt();
        if !norm.is_finite() {
            return;
        }
        let clip = (f64::from(self.settings.clip) / (norm + 1e-12)).min(1.0) as f32;
        self.step += 1;
        let step = AdamWStep::new(self.settings, self.step, rate);
        for (name, array) in weights.iter().filter(|(name, _)| gradients.contains_key(*name)) {
            self.slots.entry(name.clone()).or_insert_with(|| Slot::new(&array.values));
        }
        // Both are in the order of their names.
        let (mut slots, mut work) = (self.slots.iter_mut().peekable(), Vec::new());
        for (name, weight) in weights {
            while slots.next_if(|(other, _)| *other < name).is_some() {}
            if let Some(gradient) = gradients.get(name)
                && let Some((_, slot)) = slots.next_if(|(own, _)| *own == name)
            {
                work.push((slot, weight, gradient));
            }
        }
        parallel::map(
            work,
            || (),
            |(), (slot, weight, gradient)| slot.update(&mut weight.values, &gradient.values, clip, &step),
        );
    }

    /// Steps so far.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// The weights with the running averages in place of those that have one.
    pub fn averaged(&self, weights: &Weights) -> Weights {
        let mut averaged = weights.clone();
        for (name, slot) in &self.slots {
            if let Some(array) = averaged.get_mut(name) {
                array.values.clone_from(&slot.average);
            }
        }
        averaged
    }

    /// The state as named tensors: `first/NAME`, `second/NAME`, `average/NAME`.
    pub fn state(&self) -> Weights {
        let named = |(name, slot): (&String, &Slot)| {
            [("first", &slot.first), ("second", &slot.second), ("average", &slot.average)].map(
                |(part, values)| {
                    (format!("{part}/{name}"), Array { shape: vec![values.len()], values: values.clone() })
                },
            )
        };
        by_name(self.slots.iter().flat_map(named))
    }

    /// Goes on from a [`Self::state`] after `step` steps. Tensors that the state lacks start afresh.
    pub fn restore(&mut self, mut state: Weights, step: usize) {
        self.step = step;
        self.slots.clear();
        let names: Vec<String> =
            state.keys().filter_map(|key| key.strip_prefix("first/").map(str::to_owned)).collect();
        for name in names {
            let mut take = |part: &str| state.remove(&format!("{part}/{name}")).map(|array| array.values);
            if let (Some(first), Some(second), Some(average)) =
                (take("first"), take("second"), take("average"))
                && first.len() == second.len()
                && first.len() == average.len()
            {
                self.slots.insert(name, Slot { first, second, average });
            }
        }
    }
}
