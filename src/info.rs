//! The facts of a file, as the command and the package report them.

use crate::error::{Error, Result};
use crate::file::{Check, Header, Statistics, VolumeFile};
use serde::Serialize;

/// The answer of `insitu info --json` and of `inspect` in the browser.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VolumeInfo {
    /// The sizes that the file declares: 2 for a slice, 3 for a volume, 4 with channels.
    pub dims: Vec<usize>,
    /// Distance of voxel centres in mm along x, y, z.
    pub spacing_mm: [f64; 3],
    /// Where the axes point, for example `RAS`.
    pub orientation: String,
    /// Type of the stored values, for example `int16`.
    pub datatype: &'static str,
    /// Number of volumes; 1 for a 3-D image.
    pub channels: usize,
    /// `NIfTI-1`, `NIfTI-2`, or `MGH` of a .mgz or .mgh.
    pub format: &'static str,
    /// Whether header and voxels are two files.
    pub pair: bool,
    /// The unit of lengths that the file states.
    pub units: &'static str,
    /// The file's affine, rows.
    pub affine: [[f64; 4]; 4],
    /// Code of the affine form; of MGH 1 where the file says how the image lies, else 0.
    pub sform_code: i32,
    /// Code of the quaternion form; of MGH 0.
    pub qform_code: i32,
    /// Slope that is applied (1 where the file says none).
    pub slope: f64,
    /// Intercept that is applied.
    pub inter: f64,
    /// Smallest finite value after scaling.
    pub min: f64,
    /// Largest finite value.
    pub max: f64,
    /// Mean of the finite values.
    pub mean: f64,
    /// Number of voxels that are not finite in the file.
    pub nonfinite: u64,
    /// What is unusual.
    pub warnings: Vec<String>,
    /// Every check of the file.
    pub checks: Vec<CheckInfo>,
}

/// One check of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckInfo {
    /// The field that was checked.
    pub field: &'static str,
    /// `ok`, `warning` or `error`.
    pub severity: &'static str,
    /// Its value, or what is odd or wrong about it.
    pub words: String,
}

/// Why a file is refused, with the checks that its header passed and failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The first error.
    pub error: Error,
    /// Every check; none where there was no header.
    pub checks: Vec<CheckInfo>,
}

impl Refusal {
    /// Adds an error after the checks, such as a wrong checksum, to them.
    fn of(error: Error, mut checks: Vec<CheckInfo>) -> Self {
        if checks.iter().all(|check| check.severity != "error") {
            let words = format!("found {}, expected {}", error.found, error.expected);
            checks.push(CheckInfo { field: "content", severity: "error", words });
        }
        Self { error, checks }
    }
}

impl VolumeInfo {
    /// Reads a file to its end, keeping no voxel.
    ///
    /// # Errors
    /// What refuses the file, with its checks.
    pub fn of(opened: Result<VolumeFile>) -> std::result::Result<Self, Refusal> {
        let opened = opened.map_err(|error| Refusal { error, checks: Vec::new() })?;
        let (pair, checks) = (opened.pair(), check_infos(&opened.checks));
        match opened.read_statistics() {
            Ok((header, statistics, checks)) => Ok(Self::facts(&header, statistics, pair, &checks)),
            Err(error) => Err(Refusal::of(error, checks)),
        }
    }

    fn facts(header: &Header, statistics: Statistics, pair: bool, checks: &[Check]) -> Self {
        let (slope, inter) = header.applied_scaling().unwrap_or((1.0, 0.0));
        let checks = check_infos(checks);
        let odd = checks.iter().filter(|check| check.severity == "warning");
        Self {
            dims: header.shape.clone(),
            spacing_mm: header.grid.spacing(),
            orientation: header.grid.orientation(),
            datatype: header.datatype.name(),
            channels: header.channels,
            format: header.format.name(),
            pair,
            units: header.units(),
            affine: header.grid.affine,
            sform_code: header.sform_code(),
            qform_code: header.qform_code(),
            slope,
            inter,
            min: statistics.min,
            max: statistics.max,
            mean: statistics.mean,
            nonfinite: statistics.nonfinite,
            warnings: odd.map(|check| check.words.clone()).collect(),
            checks,
        }
    }
}

fn check_infos(checks: &[Check]) -> Vec<CheckInfo> {
    let info =
        |check: &Check| CheckInfo { field: check.field, severity: check.severity(), words: check.message() };
    checks.iter().map(info).collect()
}
