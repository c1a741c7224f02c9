//! Bytes to [`Volume`] and back: NIfTI-1 and NIfTI-2, in one file or two, plain or gzip.
//!
//! ```text
//! bytes -> source (gzip off) -> layout (fields) -> checks (all of them) -> sform_qform (affine) -> decode (RAS order)
//! bytes <- write: NIfTI on the file's own grid, nrrd: the same for 3D Slicer
//! ```
//!
//! Nothing that a header says is believed before it is checked. No memory is reserved for more than the header's
//! size allows within [`Limits`], nor for more than the bytes that are there can hold.

mod checks;
mod decode;
mod extension;
mod format;
mod header;
mod layout;
mod nrrd;
mod overlay;
mod path;
mod read;
mod sform_qform;
mod source;
mod values;
mod voxels;
mod write;

pub use checks::Check;
pub use header::{DataType, Header};
pub use layout::Version;
pub use nrrd::{Segment, write_seg_nrrd};
pub use overlay::Overlay;
pub use path::{open_path, parts, split_name};
pub use read::{Nifti, read_volume};
pub use source::ByteSource;
pub use voxels::Voxels;
pub use write::{write_labels, write_values};
#[cfg(feature = "net")]
pub(crate) use {nrrd::rgb, voxels::check_allocatable};

use crate::error::{Error, Result};
use crate::grid::{Grid, Reorientation};

/// Upper bounds, checked from the header before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of decoded voxels (4 per voxel). Default 2 GiB, which fits a browser tab.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 2 << 30 }
    }
}

/// An image: its voxels turned to RAS (x right, y anterior, z superior), and what finds the way back.
#[derive(Debug)]
pub struct Volume {
    /// Dimensions and affine of the file, in the file's own axis order.
    pub grid: Grid,
    /// How the file's axes were turned; its way back is exact.
    pub reorientation: Reorientation,
    /// Number of volumes; each has the dimensions of the grid.
    pub channels: usize,
    /// Scaled values, all finite, in RAS order (x fastest), channel after channel.
    pub voxels: Voxels,
    /// What an output on the same grid needs of the file's header.
    pub header: Header,
    /// Values that were NaN, infinite or beyond 32-bit floats; each was replaced by the smallest finite one.
    pub nonfinite: u64,
    /// What was checked.
    pub checks: Vec<Check>,
    /// The memory budget that it was read under, which holds for what is made of it.
    pub limits: Limits,
}

/// Smallest, largest and mean of the finite values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean value.
    pub mean: f64,
    /// Values that are NaN, infinite or beyond 32-bit floats.
    pub nonfinite: u64,
}

impl Volume {
    /// The voxels as labels 0..=255, in RAS order; `reorientation.undo` brings them into the file's.
    ///
    /// # Errors
    /// `Malformed` at the first value that is no label, `Unsupported` where there are several volumes.
    pub fn labels(&self) -> Result<Vec<u8>> {
        if self.channels > 1 {
            let found = format!("{} volumes", self.channels);
            return Err(Error::unsupported("labels", found, "one volume of labels"));
        }
        if self.nonfinite > 0 {
            let found = format!("{} values that are not finite", self.nonfinite);
            return Err(Error::malformed("label values", found, "whole numbers from 0 to 255"));
        }
        self.voxels
            .iter()
            .map(|&value| {
                let label = value.round();
                if (value - label).abs() < 1e-3 && (0.0..=255.0).contains(&label) {
                    Ok(label as u8)
                } else {
                    Err(Error::malformed("label value", value.to_string(), "a whole number from 0 to 255"))
                }
            })
            .collect()
    }

    /// What is odd about the file, in words.
    pub fn warnings(&self) -> Vec<String> {
        let odd = |check: &&Check| check.severity() == "warning";
        self.checks.iter().filter(odd).map(Check::message).collect()
    }
}
