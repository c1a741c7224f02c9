//! Memory and time of a run, estimated before it.

use super::model::Model;
use super::transform::{field_mm, whole_dims};
use crate::card::{Card, Stage};
use crate::engine::trainer::largest_patch;
use crate::error::Result;
use crate::file::Limits;
use crate::grid::Grid;
use crate::prepare::CropResize;

/// A forecast for one volume.
#[derive(Debug, Clone, PartialEq)]
pub struct RunForecast {
    /// `cpu` or `webgpu`.
    pub backend: &'static str,
    /// Name of the device.
    pub adapter: String,
    /// Peak bytes of a network's activations, weights and scratch.
    pub peak_bytes: u64,
    /// Seconds of all passes of both networks over an image that is read once: as if the box of its one object were the
    /// whole volume, or that of each object of a scan as large as the largest that the patch network learned from.
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

    /// Plans a run over a volume on `grid` by the networks that are there (see [`Model::missing`]), after a short probe of
    /// the device.
    ///
    /// # Errors
    /// As [`super::segment`], where the volume would be refused; `Device` where the device fails.
    pub async fn plan(&self, grid: &Grid, limits: &Limits) -> Result<RunForecast> {
        let cascade = self.cascade_for(field_mm(grid));
        let dims = whole_dims(grid, limits, cascade.card)?;
        let whole = (cascade.whole.first(), dims, cascade.whole.len());
        let folds = self.patch.len() + self.peers.len();
        let boxes = object_dims(&self.card, cascade.card, dims)?;
        let patch = (cascade.patch.first(), boxes, folds * cascade.card.object_count());
        let views = self.options.tta_flips().len();
        let (mut peak_bytes, mut seconds) = (0, 0.0);
        for (network, dims, passes) in [whole, patch] {
            let Some(network) = network else { continue };
            seconds += network.forecast(dims).await? * (passes * views) as f64;
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

/// What the patch network sees of one object at most, where the whole network sees `dims`.
fn object_dims(crop: &Card, seen: &Card, dims: [usize; 3]) -> Result<[usize; 3]> {
    if seen.objects.is_empty() {
        return Ok(dims);
    }
    let voxels = crop.field_mm.max.map(|mm| mm.round() as usize);
    Ok(CropResize::whole(voxels, &crop.preset)?.resize.to)
}
