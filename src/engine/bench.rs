//! How fast a network runs here: random weights, a random image, a median.

use super::compute::Compute;
use super::network::Network;
use super::nn::adamw::AdamWConfig;
use super::nn::example::Example;
use super::nn::graph::Graph;
use super::nn::loss::Loss;
use super::nn::pseudo_random::{pseudo_random, random_weights};
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::model::Architecture;
use serde::Serialize;
use web_time::Instant;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Benchmark {
    /// Milliseconds of a forward pass, the median.
    pub forward_ms: f64,
    /// Milliseconds of a training step, the median, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_ms: Option<f64>,
    /// Bytes of maps, gradients and all that is kept of the weights at a training step's worst moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_peak_bytes: Option<u64>,
    /// Billions of additions and multiplications per second, of the plain convolutions that the network is made of.
    pub gflops: f64,
    /// Bytes of maps, weights and scratch at the worst moment.
    pub peak_bytes: u64,
    /// `cpu` or `webgpu`.
    pub backend: &'static str,
    /// The device in words.
    pub adapter: String,
}

/// The network that is measured: one channel, two labels, three poolings.
///
/// # Errors
/// `Argument` for sizes that it does not take.
pub fn architecture(base: usize, dims: [usize; 3]) -> Result<Architecture> {
    if !(1..=256).contains(&base) {
        return Err(Error::argument("base", base.to_string(), "1 to 256 channels"));
    }
    if !dims.iter().all(|side| (8..=1024).contains(side)) {
        return Err(Error::argument("size", format!("{dims:?}"), "sides of 8 to 1024"));
    }
    Ok(Architecture { base, depth: 3, inputs: 1, outputs: 2, ..Architecture::default() })
}

/// Runs a network of `architecture` on an image of `dims` (`[x, y, z]`), once to warm up and `runs` times more.
///
/// # Errors
/// As [`Network::logits`].
pub async fn forward(
    architecture: &Architecture,
    dims: [usize; 3],
    runs: usize,
    compute: &Compute,
) -> Result<Benchmark> {
    let network = Network::new(architecture, &random_weights(architecture), compute)?;
    let image = pseudo_random(architecture.inputs * dims.iter().product::<usize>(), 0);
    network.logits(&image, dims, &mut |_| Ok(())).await?;
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let since = Instant::now();
        network.logits(&image, dims, &mut |_| Ok(())).await?;
        times.push(since.elapsed().as_secs_f64() * 1e3);
    }
    let forward_ms = median(&mut times);
    Ok(Benchmark {
        forward_ms,
        train_ms: None,
        train_peak_bytes: None,
        gflops: Graph::inference(architecture).total_flops(dims) / forward_ms / 1e6,
        peak_bytes: network.peak_bytes(dims)?,
        backend: compute.name(),
        adapter: compute.adapter().to_owned(),
    })
}

/// Milliseconds of a training step on `batch` images of `dims`, the median of `runs` after one more; and its bytes at
/// the worst moment.
///
/// # Errors
/// As [`Trainer::step`].
pub async fn step(
    architecture: &Architecture,
    dims: [usize; 3],
    batch: usize,
    runs: usize,
    compute: &Compute,
) -> Result<(f64, u64)> {
    let (weights, loss) = (random_weights(architecture), Loss::DiceAndEntropy);
    let mut learner = Trainer::new(*architecture, weights, AdamWConfig::default(), loss, compute)?;
    let volume = dims.iter().product::<usize>();
    let image = pseudo_random(architecture.inputs * volume, 0);
    let target = pseudo_random(architecture.outputs * volume, 1);
    let target: Vec<f32> = target.iter().map(|v| f32::from(*v > 0.0)).collect();
    let example = Example::new(&image, &target, dims);
    let mut times = Vec::with_capacity(runs);
    for run in 0..=runs {
        let since = Instant::now();
        learner.step(&vec![example; batch], 1e-3, &|_| true).await?;
        if run > 0 {
            times.push(since.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok((median(&mut times), learner.peak_bytes(dims)?))
}

/// Median.
pub fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
