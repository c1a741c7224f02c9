//! Weights as safetensors files; tensors are named by their path in the network.

use crate::error::{Error, Result};
use crate::model::{Architecture, Parameter};
use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// The precision of weights on disk. Computation uses 32 bits in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightPrecision {
    /// 16 bits, of shipped models.
    F16,
    /// 32 bits, from which training continues.
    F32,
}

/// A tensor in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Size of each axis, outermost first.
    pub shape: Vec<usize>,
    /// Values in row-major order.
    pub values: Vec<f32>,
}

/// Tensors by name, for example `down.0.a.conv.weight`.
pub type Weights = BTreeMap<String, Array>;

/// Arrays by their names. One after the other: what `collect` does would be compiled anew for each kind of iterator.
pub(crate) fn by_name<T>(named: impl Iterator<Item = (String, T)>) -> BTreeMap<String, T> {
    let mut all = BTreeMap::new();
    named.for_each(|(name, one)| drop(all.insert(name, one)));
    all
}

/// SHA-256 of `bytes` as lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of everything that a reader returns.
///
/// # Errors
/// Where it cannot be read.
pub fn sha256_of_reader(mut reader: impl std::io::Read) -> std::io::Result<String> {
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&buffer[..n]),
        }
    }
}

/// The bytes of a safetensors file with `metadata` in its header.
///
/// # Errors
/// `Argument` if a shape does not fit its values.
pub fn write_weights(
    weights: &Weights,
    precision: WeightPrecision,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>> {
    let refused = |error: safetensors::SafeTensorError| {
        Error::argument("weights", error.to_string(), "tensors whose shapes fit their values")
    };
    let dtype = match precision {
        WeightPrecision::F16 => Dtype::F16,
        WeightPrecision::F32 => Dtype::F32,
    };
    let encoded: Vec<(&String, &Array, Vec<u8>)> = weights
        .iter()
        .map(|(name, array)| {
            let bytes = match precision {
                WeightPrecision::F16 => {
                    array.values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect()
                }
                WeightPrecision::F32 => array.values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            };
            (name, array, bytes)
        })
        .collect();
    let views = encoded
        .iter()
        .map(|(name, array, bytes)| Ok((*name, TensorView::new(dtype, array.shape.clone(), bytes)?)))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(refused)?;
    safetensors::serialize(views, Some(metadata)).map_err(refused)
}

/// The metadata of a safetensors file, without its tensors.
///
/// # Errors
/// `Malformed` for bytes that are no safetensors file.
pub fn read_metadata(bytes: &[u8]) -> Result<HashMap<String, String>> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| not_safetensors(&error))?;
    Ok(header.metadata().clone().unwrap_or_default())
}

fn not_safetensors(error: &safetensors::SafeTensorError) -> Error {
    Error::malformed("weights", error.to_string(), "a safetensors file")
}

/// Weights rounded to 16 bits, as they are read back from a shipped file.
#[must_use]
pub fn round_to_f16(weights: &Weights) -> Weights {
    let round = |array: &Array| Array {
        shape: array.shape.clone(),
        values: array.values.iter().map(|&v| f16::from_f32(v).to_f32()).collect(),
    };
    by_name(weights.iter().map(|(name, array)| (name.clone(), round(array))))
}

/// The tensors of a safetensors file, whatever their precision.
///
/// # Errors
/// `Malformed` for bytes that are no safetensors file or hold values that are not finite; `Unsupported` for
/// integer tensors.
pub fn read_weights(bytes: &[u8]) -> Result<Weights> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| not_safetensors(&error))?;
    let mut weights = Weights::new();
    for (name, view) in file.iter() {
        let data = view.data();
        let values: Vec<f32> = match view.dtype() {
            Dtype::F16 => data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::F32 => {
                data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            other => return Err(Error::unsupported(name, format!("{other:?} values"), "f16 or f32 values")),
        };
        if values.iter().any(|v| !v.is_finite()) {
            return Err(Error::malformed(name, "a value that is not finite", "finite weights"));
        }
        weights.insert(name.to_owned(), Array { shape: view.shape().to_vec(), values });
    }
    Ok(weights)
}

/// Checks that the weights are exactly those of an architecture.
///
/// # Errors
/// `Malformed` where a tensor is missing, has another shape, or is not part of the network.
pub fn check_weights(architecture: &Architecture, weights: &Weights) -> Result<()> {
    let parameters = architecture.parameters();
    for Parameter { name, shape, .. } in &parameters {
        match weights.get(name) {
            Some(array) if array.shape == *shape => {}
            Some(array) => {
                let (found, expected) = (format!("shape {:?}", array.shape), format!("shape {shape:?}"));
                return Err(Error::malformed(name, found, expected));
            }
            None => return Err(Error::malformed(name, "no such tensor", format!("shape {shape:?}"))),
        }
    }
    match weights.keys().find(|name| parameters.iter().all(|parameter| parameter.name != **name)) {
        Some(extra) => Err(Error::malformed(extra, "a tensor that the network lacks", "only its own")),
        None => Ok(()),
    }
}
