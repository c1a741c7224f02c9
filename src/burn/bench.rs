//! The network on burn's own kernels, timed: what ours are compared with.

use super::loss::loss;
use super::module::SeResUNet;
use super::read::read;
use crate::engine::bench::architecture;
use crate::engine::nn::loss::Loss;
use crate::engine::nn::pseudo_random::{pseudo_random, random_weights};
use crate::error::{Error, Result};
use burn::tensor::{Device, Tensor, TensorData};
use web_time::Instant;

/// What burn computes on: its CPU kernels (`cpu`), or in a browser the GPU (`webgpu`), which is opened once.
///
/// # Errors
/// `Device` where there is no GPU.
#[allow(clippy::unused_async, reason = "a browser's GPU is waited for")]
pub async fn device(backend: &str) -> Result<Device> {
    #[cfg(target_arch = "wasm32")]
    if backend == "webgpu" {
        static DEVICE: std::sync::OnceLock<Device> = std::sync::OnceLock::new();
        if let Some(device) = DEVICE.get() {
            return Ok(device.clone());
        }
        let missing = |error: String| Error::device("GPU", error, "an adapter");
        let device = Device::wgpu_options().init_async().await.map_err(|error| missing(error.to_string()))?;
        return Ok(DEVICE.get_or_init(|| device).clone());
    }
    if backend == "cpu" {
        return Ok(Device::flex());
    }
    Err(Error::argument("backend", backend, "\"cpu\", or in a browser \"webgpu\""))
}

/// Milliseconds of `runs` runs, after one more: forward passes or, with `train`, these with the loss and all
/// gradients, but without a step. A network of `base` channels on an image of `dims` (`[x, y, z]`).
///
/// # Errors
/// `Device` where there is no GPU, or it fails.
pub async fn bench(
    base: usize,
    dims: [usize; 3],
    train: bool,
    runs: usize,
    device: &Device,
) -> Result<Vec<f64>> {
    let [x, y, z] = dims;
    let architecture = architecture(base, dims)?;
    let device = if train { device.clone().autodiff() } else { device.clone() };
    let network = SeResUNet::from_weights(architecture, random_weights(&architecture), &device)?;
    let (image, target) = (pseudo_random(x * y * z, 0), pseudo_random(architecture.outputs * x * y * z, 1));
    let target: Vec<f32> = target.iter().map(|v| f32::from(*v > 0.0)).collect();
    let tensor = |values: &[f32], channels| -> Tensor<5> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, channels, z, y, x]), &device)
    };
    let mut times = Vec::new();
    for _ in 0..=runs {
        let since = Instant::now();
        let logits = network.forward(&tensor(&image, 1));
        if train {
            let target = tensor(&target, architecture.outputs);
            let gradients = loss(Loss::DiceAndEntropy, logits, target, None).backward();
            network.gradients(&gradients).await?;
        } else {
            read(logits).await?;
        }
        times.push(since.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times.split_off(1))
}
