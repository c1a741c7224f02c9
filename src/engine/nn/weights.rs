//! Tensors of weights by name.

use crate::error::{Error, Result};
use crate::store::Weights;

/// The values of a tensor of weights.
///
/// # Errors
/// `Malformed` where it is missing.
pub fn tensor<'a>(weights: &'a Weights, name: &str) -> Result<&'a [f32]> {
    weights
        .get(name)
        .map(|array| array.values.as_slice())
        .ok_or_else(|| Error::malformed(name, "no such tensor", "every weight of the network"))
}
