//! How fast a network runs and learns here, and a small one to be tried out.

use super::convert::{named, plain, thrown};
use super::device;
use crate::engine::bench::{self, Benchmark};
use crate::engine::cpu::known_answers;
use crate::engine::nn::adamw::AdamWConfig;
use crate::engine::nn::example::Example;
use crate::engine::nn::loss::Loss;
use crate::engine::nn::pseudo_random::random_weights;
use crate::engine::trainer::Trainer;
use crate::error::{Error, Result};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Sees to it that this machine's vectors are right, before anything is computed on them.
///
/// # Errors
/// `device` where they are not.
#[wasm_bindgen(js_name = checkVectors)]
pub fn check_vectors() -> std::result::Result<(), JsValue> {
    known_answers().map_err(|error| thrown(&error))
}

/// How fast a network of `base` channels runs here on an image of `x`, `y`, `z` voxels; see [`bench::forward`].
///
/// # Errors
/// An unknown backend, sizes that no network takes, a device that is missing.
#[wasm_bindgen]
pub async fn benchmark(
    backend: String,
    base: usize,
    x: usize,
    y: usize,
    z: usize,
    train: bool,
    runs: usize,
) -> std::result::Result<JsValue, JsValue> {
    measure(&backend, base, [x, y, z], train, runs).await.map_err(|error| thrown(&error))
}

async fn measure(backend: &str, base: usize, dims: [usize; 3], train: bool, runs: usize) -> Result<JsValue> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Found {
        forward_ms: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        train_ms: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        train_peak_bytes: Option<u64>,
        gflops: f64,
        peak_bytes: u64,
        backend: &'static str,
        adapter: String,
    }
    let architecture = bench::architecture(base, dims)?;
    let compute = device::open(named(backend)?).await?;
    let found = bench::forward(&architecture, dims, runs.max(1), &compute).await?;
    let Benchmark { forward_ms, gflops, peak_bytes, backend, adapter, .. } = found;
    let step = match train {
        true => Some(bench::step(&architecture, dims, 1, runs.max(1), &compute).await?),
        false => None,
    };
    let (train_ms, train_peak_bytes) = step.unzip();
    Ok(plain(&Found { forward_ms, train_ms, train_peak_bytes, gflops, peak_bytes, backend, adapter }))
}

/// A small network that learns from crops of one channel, two labels: what training is made of, to be tried out.
#[wasm_bindgen]
pub struct Practice {
    learner: Trainer,
}

#[wasm_bindgen]
impl Practice {
    /// Random weights, the same every time, on a backend (`webgpu` or `cpu`).
    ///
    /// # Errors
    /// An unknown backend, a device that is missing.
    pub async fn create(backend: String, base: usize) -> std::result::Result<Self, JsValue> {
        let create = async {
            let architecture = bench::architecture(base, [8; 3])?;
            let compute = device::open(named(&backend)?).await?;
            let (weights, settings) = (random_weights(&architecture), AdamWConfig::default());
            Trainer::new(architecture, weights, settings, Loss::DiceAndEntropy, &compute)
        };
        let learner = create.await.map_err(|error| thrown(&error))?;
        Ok(Self { learner })
    }

    /// A step on one crop of size `x`, `y`, `z`; the loss before it. `target` has a channel per label.
    ///
    /// # Errors
    /// Arrays of other lengths; a device that fails.
    #[allow(clippy::too_many_arguments, reason = "JavaScript has no tuples")]
    pub async fn step(
        &mut self,
        image: Vec<f32>,
        target: Vec<f32>,
        x: usize,
        y: usize,
        z: usize,
        rate: f32,
    ) -> std::result::Result<f64, JsValue> {
        let lengths = [image.len(), target.len()];
        if lengths != [x * y * z, 2 * x * y * z] || [x, y, z].iter().any(|&side| side < 8) {
            let found = format!("{lengths:?} values for {x} x {y} x {z}");
            return Err(thrown(&Error::argument(
                "crop",
                found,
                "sides from 8 on, an image and two channels",
            )));
        }
        let example = Example::new(&image, &target, [x, y, z]);
        self.learner.step(&[example], rate, &|_| true).await.map_err(|error| thrown(&error))
    }
}

/// Milliseconds of `runs` passes, or training steps, of the same network on burn's own kernels.
///
/// # Errors
/// Where there is no GPU, or it fails.
#[cfg(feature = "burn")]
#[wasm_bindgen]
pub async fn burn_benchmark(
    base: usize,
    x: usize,
    y: usize,
    z: usize,
    train: bool,
    runs: usize,
    backend: &str,
) -> std::result::Result<Vec<f64>, JsValue> {
    let device = crate::burn::bench::device(backend).await.map_err(|error| thrown(&error))?;
    crate::burn::bench::bench(base, [x, y, z], train, runs, &device).await.map_err(|error| thrown(&error))
}
