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
    let target: Vec<f32> =
        noise(architecture.outputs * volume, 1).iter().map(|v| f32::from(*v > 0.0)).collect();
    let tensor = |values: &[f32], channels| -> Tensor<5> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, channels, z, y, x]), &device)
    };
    let mut times = Vec::new();
    for _ in 0..=runs {
        let since = Instant::now();
        let logits = network.logits(&tensor(&image, architecture.inputs));
        let loss = loss::training(logits, tensor(&target, architecture.outputs));
        adam.step(&mut network, loss.backward(), 1e-3);
        read(loss).await?;
        times.push(since.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&mut times[1..]))
}

/// Milliseconds of `runs` forward passes on burn's own GPU kernels, after one more. A network of `base` channels on an
/// image of `dims` (`[x, y, z]`).
///
/// # Errors
/// `Device` where there is no GPU, or it fails.
#[cfg(feature = "stock")]
pub async fn stock(base: usize, dims: [usize; 3], runs: usize) -> Result<Vec<f64>> {
    use std::sync::OnceLock;
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let [x, y, z] = dims;
    let architecture = crate::engine::bench::architecture(base, dims)?;
    let device = match DEVICE.get() {
        Some(device) => device.clone(),
        None => {
            let opened = Device::wgpu_options().init_async().await;
            let missing = |error: String| crate::Error::device("GPU", error, "an adapter");
            let device = opened.map_err(|error| missing(error.to_string()))?;
            DEVICE.get_or_init(|| device).clone()
        }
    };
    let network = Network::frozen(architecture, random_weights(&architecture), &device)?;
    let image = noise(x * y * z, 0);
    let mut times = Vec::new();
    for _ in 0..=runs {
        let since = Instant::now();
        let data = TensorData::new(image.clone(), [1, 1, z, y, x]);
        read(network.logits(&Tensor::from_data(data, &device))).await?;
        times.push(since.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times.split_off(1))
}
