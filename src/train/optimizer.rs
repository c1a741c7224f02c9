//! AdamW with a clipped gradient, and the running average of the weights that is what gets kept.
//!
//! ```text
//! g <- g * min(1, clip / |g|)                      |g| over all tensors
//! m <- b1 m + (1 - b1) g          v <- b2 v + (1 - b2) g^2
//! w <- w (1 - lr decay) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//! a <- d a + (1 - d) w            d = min(average, (1 + t) / (10 + t))
//! ```
//! Loshchilov and Hutter, arXiv 1711.05101. Nothing is read back from the device.

use super::network::{Network, read};
use crate::error::Result;
use crate::store::{Array, Weights};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use std::collections::BTreeMap;

/// Settings of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decoupled weight decay.
    pub decay: f32,
    /// Largest norm of the gradient over all tensors.
    pub clip: f32,
    /// Decay of the running average of the weights.
    pub average: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, decay: 1e-4, clip: 12.0, average: 0.995 }
    }
}

/// First moment, second moment and average of one tensor, flat.
#[derive(Debug, Clone)]
struct Slot {
    first: Tensor<1>,
    second: Tensor<1>,
    average: Tensor<1>,
}

/// The optimiser and its state, by the names of the tensors.
#[derive(Debug, Clone)]
pub struct AdamW {
    settings: Settings,
    step: usize,
    slots: BTreeMap<String, Slot>,
}

impl AdamW {
    /// A fresh optimiser.
    pub fn new(settings: Settings) -> Self {
        Self { settings, step: 0, slots: BTreeMap::new() }
    }

    /// One step down the gradient. Tensors without a gradient (frozen ones) stay as they are.
    pub fn step(&mut self, network: &mut Network, mut gradients: Gradients, rate: f32) {
        let squares = network.tensors.values().filter_map(|tensor| tensor.grad(&gradients));
        let Some(square) = squares.map(|gradient| gradient.square().sum()).reduce(|a, b| a + b) else {
            return;
        };
        let clip = (square.sqrt() + 1e-12).recip().mul_scalar(self.settings.clip).clamp_max(1.0);
        self.step += 1;
        for (name, tensor) in &mut network.tensors {
            if let Some(gradient) = tensor.grad_remove(&mut gradients) {
                let weight = self.update(name, tensor.clone().inner(), gradient * clip.clone(), rate);
                *tensor = Tensor::from_inner(weight).require_grad();
            }
        }
    }

    /// The new weight of one tensor.
    fn update(&mut self, name: &str, weight: Tensor<1>, gradient: Tensor<1>, rate: f32) -> Tensor<1> {
        let Settings { beta1, beta2, epsilon, decay, average, .. } = self.settings;
        let step = self.step as i32;
        let slot = self.slots.remove(name).unwrap_or_else(|| Slot {
            first: gradient.zeros_like(),
            second: gradient.zeros_like(),
            average: weight.clone(),
        });
        let first = slot.first * beta1 + gradient.clone() * (1.0 - beta1);
        let second = slot.second * beta2 + gradient.square() * (1.0 - beta2);
        let unbiased1 = 1.0 - beta1.powi(step);
        let unbiased2 = 1.0 - beta2.powi(step);
        let direction = (first.clone() / unbiased1) / ((second.clone() / unbiased2).sqrt() + epsilon);
        let weight = weight * (1.0 - rate * decay) - direction * rate;
        let keep = average.min((1 + step) as f32 / (10 + step) as f32);
        let average = slot.average * keep + weight.clone() * (1.0 - keep);
        self.slots.insert(name.to_owned(), Slot { first, second, average });
        weight
    }

    /// The network with the averaged weights in place of its own, without gradients.
    pub fn averaged(&self, network: &Network) -> Network {
        let mut network = network.valid();
        for (name, tensor) in &mut network.tensors {
            if let Some(slot) = self.slots.get(name) {
                *tensor = slot.average.clone();
            }
        }
        network
    }

    /// The state as named tensors: `first/NAME`, `second/NAME`, `average/NAME`.
    ///
    /// # Errors
    /// `Device` if the device fails.
    pub async fn state(&self) -> Result<Weights> {
        let mut state = Weights::new();
        for (name, slot) in &self.slots {
            for (part, tensor) in
                [("first", &slot.first), ("second", &slot.second), ("average", &slot.average)]
            {
                let values = read(tensor.clone()).await?;
                state.insert(format!("{part}/{name}"), Array { shape: vec![values.len()], values });
            }
        }
        Ok(state)
    }

    /// Goes on from a [`Self::state`] after `step` steps. Tensors that the state lacks start afresh.
    pub fn restore(&mut self, mut state: Weights, step: usize, device: &Device) {
        self.step = step;
        let names: Vec<String> =
            state.keys().filter_map(|key| key.strip_prefix("first/").map(str::to_owned)).collect();
        for name in names {
            let mut take = |part: &str| {
                let array = state.remove(&format!("{part}/{name}"))?;
                Some(Tensor::from_data(TensorData::new(array.values, [array.shape[0]]), device))
            };
            if let (Some(first), Some(second), Some(average)) =
                (take("first"), take("second"), take("average"))
            {
                self.slots.insert(name, Slot { first, second, average });
            }
        }
    }
}
