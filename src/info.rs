//! What a file says of itself, as the command and the package report it.

use crate::file::Volume;
use serde::Serialize;

/// The answer of `insitu info --json` and of `inspect` in the browser.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VolumeInfo {
    /// Number of voxels along x, y, z.
    pub dims: [usize; 3],
    /// Distance of voxel centres in mm.
    pub spacing_mm: [f64; 3],
    /// Where the axes point, for example `RAS`.
    pub orientation: String,
    /// Type of the stored values, for example `int16`.
    pub datatype: &'static str,
    /// The file's affine, rows.
    pub affine: [[f64; 4]; 4],
    /// Code of the affine form.
    pub sform_code: i16,
    /// Code of the quaternion form.
    pub qform_code: i16,
    /// Slope that is applied (1 where the file says none).
    pub slope: f64,
    /// Intercept that is applied.
    pub inter: f64,
    /// Smallest value after scaling.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean value.
    pub mean: f64,
    /// Number of voxels that are not finite in the file.
    pub nonfinite: usize,
    /// What is odd, in words.
    pub warnings: Vec<String>,
}

impl VolumeInfo {
    /// The facts of a volume.
    pub fn of(volume: &Volume) -> Self {
        let statistics = volume.statistics();
        let (slope, inter) = volume.header.applied_scaling().unwrap_or((1.0, 0.0));
        Self {
            dims: volume.grid.dims,
            spacing_mm: volume.grid.spacing(),
            orientation: volume.grid.orientation(),
            datatype: volume.header.datatype.name(),
            affine: volume.grid.affine,
            sform_code: volume.header.sform_code,
            qform_code: volume.header.qform_code,
            slope,
            inter,
            min: statistics.min,
            max: statistics.max,
            mean: statistics.mean,
            nonfinite: volume.nonfinite,
            warnings: volume.warnings.clone(),
        }
    }
}
