//! Inference on a device.

use super::compute::Compute;
use super::cpu::network as cpu;
#[cfg(feature = "gpu")]
use super::gpu::network as gpu;
use super::nn::graph::Graph;
#[cfg(feature = "burn")]
use crate::burn::network as burn;
use crate::error::{Error, Result};
use crate::model::Architecture;
use crate::store::Weights;
use web_time::Instant;

/// Sides of the two images of a probe.
const PROBE: [usize; 2] = [16, 32];

/// A network on a device.
pub enum Network {
    /// On the CPU.
    Cpu(cpu::Network),
    /// On a GPU.
    #[cfg(feature = "gpu")]
    Gpu(gpu::Network),
    /// On a device of burn.
    #[cfg(feature = "burn")]
    Burn(Box<burn::Network>),
}

impl Network {
    /// Puts weights that fit the architecture ([`crate::store::check_weights`]) on a device.
    ///
    /// # Errors
    /// `Malformed` where a weight is missing.
    pub fn new(architecture: &Architecture, weights: &Weights, compute: &Compute) -> Result<Self> {
        match compute {
            Compute::Cpu => cpu::Network::new(architecture, weights).map(Self::Cpu),
            #[cfg(feature = "gpu")]
            Compute::Gpu(gpu) => gpu::Network::new(architecture, weights, gpu).map(Self::Gpu),
            #[cfg(feature = "burn")]
            Compute::Burn(device) => {
                burn::Network::new(architecture, weights, device).map(|network| Self::Burn(Box::new(network)))
            }
            #[cfg(feature = "burn-gpu")]
            Compute::BurnGpu(device) => gpu::Network::new(architecture, weights, &device.gpu).map(Self::Gpu),
        }
    }

    /// The network that finds the region of interest, for an architecture that has it ([`Architecture::roi_pass`]).
    ///
    /// # Errors
    /// `Malformed` where a weight is missing; `Argument` where the architecture has none.
    pub fn roi(architecture: &Architecture, weights: &Weights, compute: &Compute) -> Result<Self> {
        if !architecture.roi {
            return Err(Error::argument(
                "architecture",
                "no head for the region of interest",
                "\"roi\": true",
            ));
        }
        match compute {
            Compute::Cpu => cpu::Network::roi(architecture, weights).map(Self::Cpu),
            #[cfg(feature = "gpu")]
            Compute::Gpu(gpu) => gpu::Network::roi(architecture, weights, gpu).map(Self::Gpu),
            #[cfg(feature = "burn")]
            Compute::Burn(device) => {
                burn::Network::roi(architecture, weights, device).map(|network| Self::Burn(Box::new(network)))
            }
            #[cfg(feature = "burn-gpu")]
            Compute::BurnGpu(device) => gpu::Network::roi(architecture, weights, &device.gpu).map(Self::Gpu),
        }
    }

    /// Size of the logits of an image of `dims`, `[x, y, z]`: the same, or an eighth for a region of interest.
    pub fn out_dims(&self, dims: [usize; 3]) -> [usize; 3] {
        self.graph().out_dims(dims)
    }

    /// The logits `[outputs, z, y, x]`, of size [`Self::out_dims`], of an image `[inputs, z, y, x]` of size `dims`,
    /// `[x, y, z]`. `pause` is told the share that is done, many times; its error stops the work.
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
            #[cfg(feature = "gpu")]
            Self::Gpu(network) => network.logits(image, dims, pause).await,
            #[cfg(feature = "burn")]
            Self::Burn(network) => network.logits(image, dims, pause).await,
        }
    }

    /// The labels `[z, y, x]` of an image: of every voxel the last output whose probability is above
    /// one half, counted from 1, or 0.
    /// A voxel without a number is [`super::nn::labels::NOT_A_NUMBER`].
    ///
    /// # Errors
    /// As [`Self::logits`].
    pub async fn labels(
        &self,
        image: &[f32],
        dims: [usize; 3],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Vec<u8>> {
        match self {
            Self::Cpu(network) => network.labels(image, dims, pause),
            #[cfg(feature = "gpu")]
            Self::Gpu(network) => network.labels(image, dims, pause).await,
            #[cfg(feature = "burn")]
            Self::Burn(network) => network.labels(image, dims, pause).await,
        }
    }

    /// Bytes of maps and weights at the worst moment of a pass over an image of `dims`, `[x, y, z]`.
    ///
    /// # Errors
    /// `Limit` where no plan fits the device.
    pub fn peak_bytes(&self, dims: [usize; 3]) -> Result<u64> {
        match self {
            Self::Cpu(network) => Ok(network.peak_bytes(dims)),
            #[cfg(feature = "gpu")]
            Self::Gpu(network) => network.peak_bytes(dims),
            #[cfg(feature = "burn")]
            Self::Burn(network) => Ok(network.peak_bytes(dims)),
        }
    }

    /// Additions and multiplications of a pass.
    pub fn flops(&self, dims: [usize; 3]) -> f64 {
        self.graph().total_flops(dims)
    }

    fn graph(&self) -> &Graph {
        match self {
            Self::Cpu(network) => network.graph(),
            #[cfg(feature = "gpu")]
            Self::Gpu(network) => network.graph(),
            #[cfg(feature = "burn")]
            Self::Burn(network) => network.graph(),
        }
    }

    /// Seconds that a pass over an image of `dims` will take. The device is probed by two small images, whose times
    /// give a line: what a pass costs anyway, and what an operation costs.
    ///
    /// # Errors
    /// As [`Self::logits`].
    pub async fn forecast(&self, dims: [usize; 3]) -> Result<f64> {
        #[cfg(feature = "gpu")]
        if let Self::Gpu(network) = self {
            network.prepare(dims).await?;
        }
        let mut points = [(0.0, 0.0); 2];
        for (point, side) in points.iter_mut().zip(PROBE) {
            let image = vec![0.5; self.graph().maps[0].channels * side * side * side];
            // The second pass counts: the first compiles.
            for _ in 0..2 {
                let since = Instant::now();
                self.logits(&image, [side; 3], &mut |_| Ok(())).await?;
                *point = (self.flops([side; 3]), since.elapsed().as_secs_f64());
            }
        }
        let [(few, short), (many, long)] = points;
        let each = ((long - short) / (many - few)).max(0.5 * long / many);
        Ok((short - few * each).max(0.0) + each * self.flops(dims))
    }
}
