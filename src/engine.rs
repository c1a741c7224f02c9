//! What computes a network, without burn: one graph, by kernels of our own on the CPU or on a GPU.

pub mod bench;
pub mod cpu;
pub mod graph;
pub mod norm;

use crate::device::Compute;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::Weights;

/// A network on a device.
pub enum Network {
    /// On the CPU.
    Cpu(cpu::Network),
}

impl Network {
    /// Puts weights that fit the architecture ([`crate::store::check_weights`]) on a device.
    ///
    /// # Errors
    /// `Malformed` where a weight is missing; `Device` where the device fails.
    pub fn new(architecture: &Architecture, weights: &Weights, compute: &Compute) -> Result<Self> {
        match compute {
            Compute::Cpu => cpu::Network::new(architecture, weights).map(Self::Cpu),
        }
    }

    /// The logits `[outputs, z, y, x]` of an image `[inputs, z, y, x]` of size `dims`, `[x, y, z]`. `pause` is told
    /// the share that is done, many times; its error stops the work.
    ///
    /// # Errors
    /// What `pause` gives; `Limit` where memory does not suffice; `Device` where the device fails.
    pub async fn logits(
        &self,
        image: &[f32],
        dims: [usize; 3],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Vec<f32>> {
        match self {
            Self::Cpu(network) => network.logits(image, dims, pause),
        }
    }

    /// Bytes of maps at the worst moment of a pass over an image of `dims`, `[x, y, z]`.
    pub fn peak_bytes(&self, dims: [usize; 3]) -> u64 {
        match self {
            Self::Cpu(network) => network.peak_bytes(dims),
        }
    }

    /// Additions and multiplications of a pass.
    pub fn flops(&self, dims: [usize; 3]) -> f64 {
        match self {
            Self::Cpu(network) => network.graph().total_flops(dims),
        }
    }
}
