//! Compares a GPU's gradients with the CPU's on a small patch before the first step. Each kernel has passed its own test by
//! then; this tests them together.

use crate::engine::compute::Compute;
#[cfg(feature = "gpu")]
use crate::engine::nn::{
    adamw::AdamWConfig, example::Example, loss::Loss, loss::Weighting, pseudo_random::pseudo_random,
};
#[cfg(feature = "gpu")]
use crate::engine::{cpu, trainer::Trainer};
#[cfg(feature = "gpu")]
use crate::error::Error;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::Weights;

/// Largest difference of a tensor's gradient, relative to its norm, that rounding explains.
#[cfg(feature = "gpu")]
const TOLERANCE: f64 = 1e-2;

/// Compares the gradients of the tensors that `learns` selects. On the CPU there is nothing to do.
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
    if !compute.is_gpu() {
        return Ok(());
    }
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
    let mut ours = Trainer::new(*architecture, weights.clone(), settings, loss, compute)?;
    let cpu = cpu::trainer::Trainer::new(*architecture, weights.clone(), settings, loss)?;
    let (_, found) = ours.gradients(&[example], learns).await?;
    let (_, expected) = cpu.gradients(&[example], learns)?;
    // Relative to the largest gradient too, as some are nearly 0.
    let norm = |values: &[f32]| values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    let largest = expected.values().map(|array| norm(&array.values)).fold(0.0, f64::max);
    for (name, expected) in &expected {
        let found = found.get(name).map(|array| array.values.as_slice()).unwrap_or_default();
        let difference: Vec<f32> = found.iter().zip(&expected.values).map(|(a, b)| a - b).collect();
        let off = norm(&difference) / (norm(&expected.values) + 1e-3 * largest);
        // Written so that NaN fails.
        let equal = found.len() == expected.values.len() && off <= TOLERANCE;
        if !equal {
            return Err(Error::device(
                format!("gradient of {name} on {}", compute.adapter()),
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
#[allow(clippy::unused_async, reason = "the same signature as with a GPU")]
pub async fn check(_: &Architecture, _: &Weights, _: &dyn Fn(&str) -> bool, _: &Compute) -> Result<()> {
    Ok(())
}
