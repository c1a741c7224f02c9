//! Weights of other programs: read from the files of safetensors and PyTorch, and matched with the names of a network.

use half::{bf16, f16};
use insitu_seg::model::{Architecture, Parameter};
use insitu_seg::native::read_file;
use insitu_seg::store::{Array, Weights};
use insitu_seg::{Error, Result};
use pytorch_reader::{DType, PytorchReader};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::Path;

/// A tensor that every network has, and by which it is found in a file that holds more.
const FIRST: &str = "stem.conv.weight";

/// What numbers are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    F64,
    F32,
    F16,
    Bf16,
}

impl Number {
    fn read(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            Self::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Self::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Self::Bf16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        }
    }
}

/// The tensors of a file, by the names that it gives them. Those that hold no numbers with a point are left out: counters.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignTensors(BTreeMap<String, Array>);

impl ForeignTensors {
    /// Reads a file by what it is, whatever its name.
    ///
    /// # Errors
    /// `Io` where there is none; `Malformed` where it is neither.
    pub fn read(path: &Path) -> Result<Self> {
        let is_torch = path.extension().is_some_and(|extension| extension != "safetensors");
        if is_torch { Self::of_pytorch(path) } else { Self::of_safetensors(&read_file(path)?) }
    }

    fn of_safetensors(bytes: &[u8]) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| Error::malformed("weights", error.to_string(), "a safetensors file"))?;
        let tensors = file.iter().filter_map(|(name, view)| {
            let number = match view.dtype() {
                Dtype::F64 => Number::F64,
                Dtype::F32 => Number::F32,
                Dtype::F16 => Number::F16,
                Dtype::BF16 => Number::Bf16,
                _ => return None,
            };
            Some((name.to_owned(), Array { shape: view.shape().to_vec(), values: number.read(view.data()) }))
        });
        Ok(Self(tensors.collect()))
    }

    fn of_pytorch(path: &Path) -> Result<Self> {
        std::fs::metadata(path).map_err(|error| Error::io(path, &error))?;
        let expected = "a file of torch.save, or a name that ends in .safetensors";
        let fault = |error: String| Error::malformed("weights", error, expected);
        let file = PytorchReader::new(path).map_err(|error| fault(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in file.into_tensors() {
            let number = match tensor.dtype() {
                DType::F64 => Number::F64,
                DType::F32 => Number::F32,
                DType::F16 => Number::F16,
                DType::BF16 => Number::Bf16,
                _ => continue,
            };
            let bytes = tensor.read().map_err(|error| fault(error.to_string()))?;
            tensors.insert(name, Array { shape: tensor.shape().to_vec(), values: number.read(&bytes) });
        }
        Ok(Self(tensors))
    }

    /// With NEW in place of OLD in every name, for each pair in turn.
    pub fn renamed(self, pairs: &[(String, String)]) -> Self {
        let renamed =
            |name: String| pairs.iter().fold(name, |name, (old, new)| name.replace(old.as_str(), new));
        Self(self.0.into_iter().map(|(name, array)| (renamed(name), array)).collect())
    }
}

/// The network in a file. It may lie in something larger, such as `model.` or `state_dict.` (what lies beside it is left
/// alone), and its normalisations may be called as PyTorch calls them.
///
/// # Errors
/// `Malformed` that names the tensor which is missing, of another shape, not finite, or not the network's.
pub fn take_network(architecture: &Architecture, tensors: ForeignTensors) -> Result<Weights> {
    let mut tensors = tensors.0;
    let outer = tensors.keys().filter_map(|name| name.strip_suffix(FIRST)).min_by_key(|outer| outer.len());
    let Some(outer) = outer.map(str::to_owned) else {
        let names: Vec<&str> = tensors.keys().take(3).map(String::as_str).collect();
        let found = match names.len() {
            0 => "no tensor of floats".to_owned(),
            _ => format!("{} tensors, such as {}", tensors.len(), names.join(", ")),
        };
        return Err(Error::malformed("names", found, format!("{FIRST} and the others; see --rename")));
    };
    let mut weights = Weights::new();
    for Parameter { name, shape, .. } in architecture.parameters() {
        let [own, torch] = [name.clone(), name_in_pytorch(&name)].map(|name| format!("{outer}{name}"));
        let Some(array) = tensors.remove(&own).or_else(|| tensors.remove(&torch)) else {
            return Err(Error::malformed(own, "no such tensor", format!("shape {shape:?}")));
        };
        if array.shape != shape {
            let found = format!("shape {:?}", array.shape);
            return Err(Error::malformed(own, found, format!("shape {shape:?}, as --like has it")));
        }
        if array.values.iter().any(|value| !value.is_finite()) {
            return Err(Error::malformed(own, "a value that is not finite", "finite weights"));
        }
        weights.insert(name, array);
    }
    match tensors.keys().find(|name| name.starts_with(&outer)) {
        Some(extra) if !outer.is_empty() || !is_beside(extra) => {
            Err(Error::malformed(extra, "a tensor that the network of --like lacks", "only its own"))
        }
        _ => Ok(weights),
    }
}

/// Whether a name has no path: such a tensor belongs to no layer.
fn is_beside(name: &str) -> bool {
    !name.contains('.')
}

/// What PyTorch calls the scale and the offset of a normalisation.
fn name_in_pytorch(name: &str) -> String {
    name.replace(".norm.gamma", ".norm.weight").replace(".norm.beta", ".norm.bias")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> (Architecture, BTreeMap<String, Array>) {
        let architecture = Architecture { base: 1, ..Architecture::default() };
        let array =
            |shape: &[usize]| Array { shape: shape.to_vec(), values: vec![0.5; shape.iter().product()] };
        let parameters = architecture.parameters().into_iter();
        (architecture, parameters.map(|p| (p.name, array(&p.shape))).collect())
    }

    fn refused(change: impl FnOnce(&mut BTreeMap<String, Array>)) -> String {
        let (architecture, mut tensors) = network();
        change(&mut tensors);
        take_network(&architecture, ForeignTensors(tensors)).unwrap_err().to_string()
    }

    #[test]
    fn names_of_pytorch_inside_something_larger_are_found() {
        let (architecture, tensors) = network();
        let expected: Weights = tensors.clone();
        let mut foreign: BTreeMap<String, Array> = tensors
            .into_iter()
            .map(|(name, array)| (format!("state_dict.net.{}", name_in_pytorch(&name)), array))
            .collect();
        foreign.insert("optimizer.stem.moment".to_owned(), expected["out.bias"].clone());
        let renames = [("state_dict".to_owned(), "model".to_owned())];
        let found = take_network(&architecture, ForeignTensors(foreign).renamed(&renames)).unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let said = refused(|tensors| drop(tensors.remove("out.bias")));
        assert_eq!(said, "out.bias: found no such tensor, expected shape [1]");
        let said = refused(|tensors| tensors.get_mut("up.0.weight").unwrap().shape = vec![1, 2, 2, 2, 2]);
        assert!(
            said.contains("up.0.weight: found shape [1, 2, 2, 2, 2], expected shape [2, 1, 2, 2, 2]"),
            "{said}"
        );
        let said = refused(|tensors| tensors.get_mut("out.bias").unwrap().values[0] = f32::NAN);
        assert!(said.contains("out.bias: found a value that is not finite"), "{said}");
        let said = refused(|tensors| {
            tensors.insert("down.9.a".to_owned(), Array { shape: vec![1], values: vec![0.0] });
        });
        assert!(said.contains("down.9.a: found a tensor that the network of --like lacks"), "{said}");
        let said = refused(|tensors| drop(tensors.remove(FIRST)));
        assert!(said.starts_with("names: found") && said.contains("--rename"), "{said}");
    }
}
