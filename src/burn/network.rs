//! Inference on a device of burn.

use super::device::BurnDevice;
use super::layers::{Layers, Tensors};
use super::read::read;
use crate::engine::nn::graph::Graph;
use crate::engine::nn::labels;
use crate::error::{Error, Result};
use crate::model::Architecture;
use crate::store::{Weights, check_weights};

/// A network ready to run.
pub struct Network {
    architecture: Architecture,
    tensors: Tensors,
    graph: Graph,
    roi: bool,
    device: BurnDevice,
}

impl Network {
    /// Puts weights on a device.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn new(architecture: &Architecture, weights: &Weights, device: &BurnDevice) -> Result<Self> {
        check_weights(architecture, weights)?;
        let flat = |values: &[f32]| device.tensor(values, [values.len()]);
        let tensors = weights.iter().map(|(name, array)| (name.clone(), flat(&array.values))).collect();
        let graph = Graph::inference(architecture);
        Ok(Self { architecture: *architecture, tensors, graph, roi: false, device: device.clone() })
    }

    /// The network that finds the region of interest, for an architecture that has it.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn roi(architecture: &Architecture, weights: &Weights, device: &BurnDevice) -> Result<Self> {
        Ok(Self { graph: Graph::roi(architecture), roi: true, ..Self::new(architecture, weights, device)? })
    }

    /// The logits `[outputs, z, y, x]` of an image `[inputs, z, y, x]` of size `dims`, `[x, y, z]`. `pause` is told when all
    /// is done.
    ///
    /// # Errors
    /// What `pause` gives; `Device` where the device fails.
    pub async fn logits(
        &self,
        image: &[f32],
        dims: [usize; 3],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Vec<f32>> {
        let [x, y, z] = dims;
        let image = self.device.tensor(image, [1, self.architecture.inputs, z, y, x]);
        let mut layers = Layers::new(self.tensors.clone(), self.device.half());
        let logits = if self.roi {
            self.architecture.roi_pass(&mut layers, &image)
        } else {
            Some(self.architecture.pass(&mut layers, &image))
        };
        let missing =
            || Error::argument("architecture", "no head for the region of interest", "\"roi\": true");
        let logits = read(logits.ok_or_else(missing)?).await?;
        pause(1.0)?;
        Ok(logits)
    }

    /// As [`crate::engine::network::Network::labels`].
    ///
    /// # Errors
    /// As [`Self::logits`].
    pub async fn labels(
        &self,
        image: &[f32],
        dims: [usize; 3],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Vec<u8>> {
        let logits = self.logits(image, dims, pause).await?;
        Ok(labels::labels(&logits, self.graph.out_dims(dims).iter().product()))
    }

    /// What it computes.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Bytes of maps at the worst moment, were each kept no longer than it is read; burn decides for itself.
    pub fn peak_bytes(&self, dims: [usize; 3]) -> u64 {
        4 * self.graph.peak_values(dims) as u64
    }
}
