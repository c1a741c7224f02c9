//! How fast a training step is here.

use super::loss;
use super::network::{Network, read};
use super::optimizer::{AdamW, Settings};
use crate::engine::bench::{median, noise, random_weights};
use crate::error::Result;
use crate::model::Architecture;
use burn::tensor::{Device, Tensor, TensorData};
use web_time::Instant;

/// Milliseconds of a step on the CPU for an image of `dims` (`[x, y, z]`): the median of `runs`, after one more.
///
/// # Errors
/// `Device` if the device fails.
pub async fn step(architecture: Architecture, [x, y, z]: [usize; 3], runs: usize) -> Result<f64> {
    let device = Device::flex().autodiff();
    let mut network = Network::load(architecture, random_weights(&architecture), &device)?;
    let mut adam = AdamW::new(Settings::default());
    let volume = x * y * z;
    let image = noise(architecture.inputs * volume, 0);
    let target: Vec<f32> = noise(architecture.outputs * volume, 1).iter().map(|v| f32::from(*v > 0.0)).collect();
    let tensor = |values: &[f32], channels| -> Tensor<5> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, channels, z, y, x]), &device)
    };
    let mut times = Vec::new();
    for _ in 0..=runs {
        let since = Instant::now();
        let logits = network.logits(tensor(&image, architecture.inputs));
        let loss = loss::training(logits, tensor(&target, architecture.outputs));
        adam.step(&mut network, loss.backward(), 1e-3);
        read(loss).await?;
        times.push(since.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&mut times[1..]))
}
