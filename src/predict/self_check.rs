//! A GPU's networks against the CPU's.

use super::model::Model;
use crate::error::{Error, Result};
use crate::prepare::Image;

/// Largest difference of a GPU's logits from the CPU's in the self-check. A probability, as the sigmoid of a logit,
/// differs by a quarter of that at most.
const TOLERANCE: f32 = 5e-3;

/// Runs the networks of a GPU's model on a small known input and compares with the CPU, so that a device that
/// computes wrongly is refused before it is trusted with an image.
///
/// # Errors
/// `Device` where the results differ or the device fails.
pub async fn self_check(gpu: &Model, cpu: &Model) -> Result<f32> {
    let side = 16;
    let count = gpu.card.channels() * side * side * side;
    let values = (0..count).map(|i| ((i * i) as f32 * 0.37).sin() * 1.5).collect();
    let image = Image { dims: [side; 3], values };
    let mut worst = 0f32;
    for ((stage, ours), (_, theirs)) in gpu.networks().zip(cpu.networks()) {
        let found = ours.logits(&image.values, image.dims, &mut |_| Ok(())).await?;
        let expected = theirs.logits(&image.values, image.dims, &mut |_| Ok(())).await?;
        let place = || format!("self-check of the {stage} network on {}", gpu.compute().adapter());
        worst = worst.max(largest_difference(&found, &expected).map_err(|error| error.within(place()))?);
    }
    Ok(worst)
}

/// The largest difference of logits from those of the CPU.
///
/// # Errors
/// `Device` where it is above [`TOLERANCE`], or there are not as many of them.
fn largest_difference(found: &[f32], expected: &[f32]) -> Result<f32> {
    if found.len() != expected.len() {
        let expected = format!("{}, as on the CPU", expected.len());
        return Err(Error::device("logits", format!("{} values", found.len()), expected));
    }
    let mut worst = 0f32;
    for (found, expected) in found.iter().zip(expected) {
        let difference = (found - expected).abs();
        // Written as !(x <= tolerance) so that NaN fails.
        let within = difference <= TOLERANCE;
        if !within {
            return Err(Error::device(
                "logits",
                format!("a logit of {found} where the CPU has {expected}"),
                format!("a difference of at most {TOLERANCE}"),
            ));
        }
        worst = worst.max(difference);
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_self_check_compares_logits_and_names_them() {
        let small = 1.0 / 256.0; // exact in 32 bits, and below the tolerance
        assert_eq!(largest_difference(&[1.0, -2.0], &[1.0, -2.0 - small]).unwrap(), small);
        for found in [[1.0, -2.01], [1.0, f32::NAN], [f32::INFINITY, -2.0]] {
            let error = largest_difference(&found, &[1.0, -2.0]).unwrap_err();
            assert_eq!((error.code(), error.found.contains("a logit of")), ("device", true), "{error}");
        }
        assert_eq!(largest_difference(&[1.0], &[1.0, 2.0]).unwrap_err().code(), "device");
    }
}
