//! burn's AdamW with the engine's settings.

use crate::engine::nn::adamw::AdamWConfig;
use burn::optim::AdamW;

/// The optimiser; the gradient is clipped before, over all tensors.
pub fn optimizer(settings: &AdamWConfig) -> AdamW {
    let AdamWConfig { beta1, beta2, epsilon, decay, .. } = *settings;
    burn::optim::AdamWConfig::new()
        .with_beta_1(beta1)
        .with_beta_2(beta2)
        .with_epsilon(epsilon)
        .with_weight_decay(decay)
        .build()
}
