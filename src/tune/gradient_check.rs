//! Before the first step on a GPU its gradients are held against the CPU's, of what is to learn, on a small patch: every
//! kernel has given its known answer by then, and this is what they give together.

use crate::engine::compute::Compute;
#[cfg(feature = "gpu")]
use crate::engine::nn::{
    adamw::AdamWConfig, example::Example, loss::Loss, loss::Weighting, pseudo_random::pseudo_random,
};
#[cfg(feature = "gpu")]
use crate::engine::{cpu, gpu};
#[cfg(feature = "gpu")]
use crate::error::Error;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::Weights;

/// Largest difference of a tensor's gradient, as a share of its norm, where it is no more than rounding.
#[cfg(feature = "gpu")]
const TOLERANCE: f64 = 1e-2;

/// Compares them; nothing to do on the CPU.
///
/// # Errors
/// `Device` that names the kernel or the tensor whose gradient is wrong.
#[cfg(feature = "gpu")]
pub async fn check(
    architecture: &Architecture,
    weights: &Weights,
    learns: &dyn Fn(&str) -> bool,
    compute: &Compute,
) -> Result<()> {
    let Compute::Gpu(device) = compute else { return Ok(()) };
    let dims = [architecture.min_side().max(12); 3];
    let count: usize = dims.iter().product();
    let image = pseudo_random(architecture.inputs * count, 1);
    let target: Vec<f32> =
        pseudo_random(architecture.outputs * count, 2).iter().map(|v| f32::from(*v > 0.2)).collect();
    let overlap: Vec<f32> = pseudo_random(count, 3).iter().map(|v| f32::from(*v > 0.0)).collect();
    let entropy: Vec<f32> = pseudo_random(count, 4).iter().map(|v| v.abs()).collect();
    let weighting = Some(Weighting { overlap: &overlap, entropy: &entropy });
    let example = Example { image: &image, target: &target, weighting, dims };
    let (settings, loss) = (AdamWConfig::default(), Loss::DiceAndEntropy);
    let mut ours = gpu::trainer::Trainer::new(*architecture, weights, settings, loss, device)?;
    let cpu = cpu::trainer::Trainer::new(*architecture, weights.clone(), settings, loss)?;
    let (_, found) = ours.gradients(&[example], learns).await?;
    let (_, expected) = cpu.gradients(&[example], learns)?;
    // A tensor's rounding is measured against the typical gradient too: some are nearly 0.
    let norm = |values: &[f32]| values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    let typical = expected.values().map(|array| norm(&array.values)).fold(0.0, f64::max);
    for (name, expected) in &expected {
        let found = found.get(name).map(|array| array.values.as_slice()).unwrap_or_default();
        let apart: Vec<f32> = found.iter().zip(&expected.values).map(|(a, b)| a - b).collect();
        let off = norm(&apart) / (norm(&expected.values) + 1e-3 * typical);
        // Asked for what is right, so that NaN fails.
        let right = found.len() == expected.values.len() && off <= TOLERANCE;
        if !right {
            return Err(Error::device(
                format!("gradient of {name} on {}", device.adapter),
                format!("{:.2} % apart from the CPU's", 100.0 * off),
                format!("at most {} %", 100.0 * TOLERANCE),
            ));
        }
    }
    Ok(())
}

/// Nothing to do without a GPU.
///
/// # Errors
/// Never.
#[cfg(not(feature = "gpu"))]
#[allow(clippy::unused_async, reason = "the same face as with a GPU")]
pub async fn check(_: &Architecture, _: &Weights, _: &dyn Fn(&str) -> bool, _: &Compute) -> Result<()> {
    Ok(())
}
