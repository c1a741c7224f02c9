//! Weights to bytes and back: safetensors, tensors named by their path in the network.

use crate::error::{Error, Kind, Result};
use crate::model::Network;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Gradients, Tensor, TensorData, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// How weights lie on disk. Computation is in 32 bits in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 16 bits: half the size, what is shipped.
    F16,
    /// 32 bits: what training goes on from.
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

/// SHA-256 of `bytes` as lower-case hexadecimal digits.
pub fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same of all that a reader gives.
///
/// # Errors
/// Where it cannot be read.
pub fn hash_all(mut reader: impl std::io::Read) -> std::io::Result<String> {
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
    precision: Precision,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>> {
    let refused = |error: safetensors::SafeTensorError| {
        Error::argument("weights", error.to_string(), "tensors whose shapes fit their values")
    };
    let dtype = match precision {
        Precision::F16 => Dtype::F16,
        Precision::F32 => Dtype::F32,
    };
    let encoded: Vec<(&String, &Array, Vec<u8>)> = weights
        .iter()
        .map(|(name, array)| {
            let bytes = match precision {
                Precision::F16 => array.values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect(),
                Precision::F32 => array.values.iter().flat_map(|v| v.to_le_bytes()).collect(),
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

/// The tensors of a safetensors file, whatever their precision.
///
/// # Errors
/// `Malformed` for bytes that are no safetensors file or hold values that are not finite; `Unsupported` for
/// integer tensors.
pub fn read_weights(bytes: &[u8]) -> Result<Weights> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| Error::malformed("weights", error.to_string(), "a safetensors file"))?;
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

/// The weights of a network, read from its device.
///
/// # Errors
/// `Device` if the device fails.
pub async fn weights_of(network: &Network) -> Result<Weights> {
    collect(network, None).await
}

/// The gradients of a network's weights, under the weights' names; those without a gradient are left out.
///
/// # Errors
/// `Device` if the device fails.
pub async fn gradients_of(network: &Network, gradients: &Gradients) -> Result<Weights> {
    collect(network, Some(gradients)).await
}

async fn collect(network: &Network, gradients: Option<&Gradients>) -> Result<Weights> {
    let mut walk = Collect { path: Vec::new(), gradients, tensors: Vec::new() };
    network.visit(&mut walk);
    let mut weights = Weights::new();
    for (name, shape, tensor) in walk.tensors {
        weights.insert(name, Array { shape, values: read_tensor(tensor).await? });
    }
    Ok(weights)
}

/// The values of a tensor, read from its device.
///
/// # Errors
/// `Device` if the device fails.
pub async fn read_tensor<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let fault = |error: String| Error::device("reading a tensor", error, "values");
    let data = tensor.into_data_async().await.map_err(|error| fault(format!("{error:?}")))?;
    data.try_into_vec_as::<f32>().map_err(|error| fault(format!("{error:?}")))
}

/// Puts weights into a network; parameters get an identity made from their names, so that the state of an
/// optimiser finds them again in another process.
///
/// # Errors
/// `Malformed` where a tensor is missing, has another shape, or is not part of the network.
pub fn load_weights(network: Network, weights: Weights) -> Result<Network> {
    let (network, left, faults) = apply(network, weights);
    match (faults.into_iter().next(), left.into_keys().next()) {
        (Some(fault), _) => Err(fault),
        (None, Some(extra)) => {
            Err(Error::malformed(extra, "a tensor that the network lacks", "only its own"))
        }
        (None, None) => Ok(network),
    }
}

/// As [`load_weights`], but keeps a parameter as it is where `weights` has none of its name and shape.
/// Returns the number of parameters that were not loaded.
pub fn load_what_fits(network: Network, weights: Weights) -> (Network, usize) {
    let (network, _, faults) = apply(network, weights);
    (network, faults.len())
}

fn apply(network: Network, weights: Weights) -> (Network, Weights, Vec<Error>) {
    let mut walk = Apply { path: Vec::new(), weights, faults: Vec::new() };
    let network = network.map(&mut walk);
    (network, walk.weights, walk.faults)
}

struct Collect<'a> {
    path: Vec<String>,
    /// Collect these in place of the values.
    gradients: Option<&'a Gradients>,
    tensors: Vec<(String, Vec<usize>, Tensor<1>)>,
}

impl ModuleVisitor for Collect<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = match self.gradients {
            Some(gradients) => param.val().grad(gradients),
            None => Some(param.val()),
        };
        if let Some(tensor) = value {
            self.tensors.push((self.path.join("."), tensor.dims().to_vec(), tensor.reshape([-1])));
        }
    }
}

struct Apply {
    path: Vec<String>,
    weights: Weights,
    faults: Vec<Error>,
}

impl ModuleMapper for Apply {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let (_, old, mapper) = param.consume();
        let shape = old.dims();
        let new = match self.weights.remove(&name) {
            Some(array) if array.shape == shape => {
                let data = TensorData::new(array.values, shape);
                Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad())
            }
            Some(array) => {
                let (found, expected) = (format!("shape {:?}", array.shape), format!("shape {shape:?}"));
                self.faults.push(Error::malformed(&name, found, expected));
                old
            }
            None => {
                self.faults.push(Error::malformed(&name, "no such tensor", format!("shape {shape:?}")));
                old
            }
        };
        Param::from_mapped_value(identity(&name), new, mapper)
    }
}

/// A stable identity of a parameter: the first 8 bytes of its name's hash.
fn identity(name: &str) -> ParamId {
    let digest = Sha256::digest(name.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    ParamId::from(u64::from_le_bytes(first))
}

/// Checks bytes against the hash that a model card states.
///
/// # Errors
/// `Malformed` if they differ.
pub fn check_hash(name: &str, bytes: &[u8], expected: &str) -> Result<()> {
    let found = hash(bytes);
    if found == expected {
        return Ok(());
    }
    Err(Error::new(
        Kind::Malformed,
        name,
        format!("SHA-256 {found}"),
        format!("{expected}, as model.json says"),
    ))
}
