//! A network's weights in safetensors files, by burn-store: the files that the engine reads.

use super::module::SeResUNet;
use crate::error::{Error, Result};
use burn::module::{Module, ModuleMapper, Param};
use burn::store::{ApplyError, ModuleSnapshot, SafetensorsStore};
use burn::tensor::{FloatDType, Tensor};
use std::path::Path;

impl SeResUNet {
    /// Writes the weights, in 32 bits; a file of that name is replaced.
    ///
    /// # Errors
    /// `Io` where it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut store = SafetensorsStore::from_file(path).overwrite(true);
        self.save_into(&mut store).map_err(|error| fault(path, &error))
    }

    /// Reads weights of 16 or 32 bits in place of those that it has; it keeps its device.
    ///
    /// # Errors
    /// `Io` where there is no such file; `Malformed` where a tensor is missing, has another shape, or is not part of the
    /// network. It then has the weights that fit.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let mut store = SafetensorsStore::from_file(path).validate(false).allow_partial(true);
        let found = self.load_from(&mut store).map_err(|error| fault(path, &error))?;
        let malformed =
            |name: &str, found: String, expected: &str| Error::malformed(name, found, expected).of_file(path);
        if let Some(error) = found.errors.first() {
            return Err(match error {
                ApplyError::ShapeMismatch { path, expected, found } => {
                    malformed(path, format!("shape {found:?}"), &format!("shape {expected:?}"))
                }
                other => malformed("weights", other.to_string(), "tensors of the network"),
            });
        }
        if let Some((name, _)) = found.missing.first() {
            return Err(malformed(name, "no such tensor".to_owned(), "every weight of the network"));
        }
        if let Some(name) = found.unused.first() {
            return Err(malformed(name, "a tensor that the network lacks".to_owned(), "only its own"));
        }
        *self = self.clone().map(&mut Widen);
        Ok(())
    }
}

fn fault(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::io(path, &std::io::Error::other(error.to_string()))
}

/// burn keeps the precision of the file; we learn in 32 bits.
struct Widen;

impl ModuleMapper for Widen {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let learns = tensor.is_require_grad();
            let wide = tensor.cast(FloatDType::F32).detach();
            if learns { wide.require_grad() } else { wide }
        })
    }
}
