//! Memory and time of a run, estimated before it.

use super::model::Model;
use super::transform::{field_mm, whole_dims};
use crate::card::Stage;
use crate::engine::trainer::largest_patch;
use crate::error::Result;
use crate::file::Limits;
use crate::grid::Grid;

/// A forecast for one volume.
#[derive(Debug, Clone, PartialEq)]
pub struct RunForecast {
    /// `cpu` or `webgpu`.
    pub backend: &'static str,
    /// Name of the device.
    pub adapter: String,
    /// Peak bytes of a network's activations, weights and scratch.
    pub peak_bytes: u64,
    /// Seconds of both networks, as if the object's box were the whole volume; an upper estimate.
    pub seconds: f64,
    /// Size of the whole network's input, `[x, y, z]`; the patch network's is this large at most.
    pub dims: [usize; 3],
}

/// The largest patch on which the patch network can be trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainablePatch {
    /// Side of the cube, voxels.
    pub side: usize,
    /// Peak bytes of a training step on it, weights included.
    pub peak_bytes: u64,
}

impl Model {
    /// Plans training the patch network within `budget` bytes; none where not even the smallest patch fits.
    pub fn plan_training(&self, budget: u64) -> Option<TrainablePatch> {
        let stage = self.card.stages.get(Stage::Patch)?;
        let (side, peak_bytes) = largest_patch(&stage.architecture, self.compute(), budget)?;
        Some(TrainablePatch { side, peak_bytes })
    }

    /// Plans a run over a volume on `grid`, after a short probe of the device.
    ///
    /// # Errors
    /// As [`super::segment`], where the volume would be refused; `Device` where the device fails.
    pub async fn plan(&self, grid: &Grid, limits: &Limits) -> Result<RunForecast> {
        let cascade = self.cascade_for(field_mm(grid));
        let dims = whole_dims(grid, limits, cascade.card)?;
        let (mut peak_bytes, mut seconds) = (0, 0.0);
        for networks in [cascade.whole, cascade.patch] {
            let Some(network) = networks.first() else { continue };
            seconds += network.forecast(dims).await? * networks.len() as f64;
            peak_bytes = network.peak_bytes(dims)?.max(peak_bytes);
        }
        let compute = self.compute();
        Ok(RunForecast {
            backend: compute.name(),
            adapter: compute.adapter().to_owned(),
            peak_bytes,
            seconds,
            dims,
        })
    }
}
