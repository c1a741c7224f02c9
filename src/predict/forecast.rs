//! What a run will take, told before any work.

use super::Model;
use super::transform::whole_dims;
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
    /// The device in words.
    pub adapter: String,
    /// Bytes of maps, weights and scratch of a network at the worst moment.
    pub peak_bytes: u64,
    /// Seconds of both networks, if the object's box were the whole volume: less where it is smaller.
    pub seconds: f64,
    /// What the whole network will see, `[x, y, z]`; the patch network sees this much at most.
    pub dims: [usize; 3],
}

/// The largest patch on which the patch network can learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainablePatch {
    /// Side of the cube, voxels.
    pub side: usize,
    /// Bytes of a step on it at the worst moment, weights included.
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
        let dims = whole_dims(grid, limits, &self.card)?;
        let (mut peak_bytes, mut seconds) = (0, 0.0);
        for networks in [&self.whole, &self.patch] {
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
