//! What a device of burn computed, read from it.

use crate::error::{Error, Result};
use burn::tensor::Tensor;

/// The values of a tensor, read from its device.
///
/// # Errors
/// `Device` if the device fails.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let fault = |error: String| Error::device("reading a tensor", error, "values");
    let data = tensor.into_data_async().await.map_err(|error| fault(format!("{error:?}")))?;
    data.try_into_vec_as::<f32>().map_err(|error| fault(format!("{error:?}")))
}
