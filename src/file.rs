//! Bytes to [`Volume`] and back: NIfTI-1 in one file, plain or gzip.
//!
//! Nothing that a header says is believed before it is checked, and no memory is reserved for more than the
//! header's size allows within [`Limits`].

mod header;
mod read;
mod write;

pub use header::{DataType, Header};
pub use read::read_volume;
pub use write::write_labels;

use crate::error::{Error, Result};
use crate::grid::Grid;

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

/// A 3-D image as its file describes it: voxels in the file's own axis order.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Dimensions and affine.
    pub grid: Grid,
    /// Scaled values, x fastest, all finite.
    pub voxels: Vec<f32>,
    /// What an output on the same grid needs of the file's header.
    pub header: Header,
    /// Voxels that were NaN or infinite in the file; each was replaced by the smallest finite value.
    pub nonfinite: usize,
    /// What is odd about the file, in words.
    pub warnings: Vec<String>,
}

/// Smallest, largest and mean value of a volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean value.
    pub mean: f64,
}

impl Volume {
    /// Smallest, largest and mean value.
    pub fn statistics(&self) -> Statistics {
        let (mut min, mut max, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        for &value in &self.voxels {
            let value = f64::from(value);
            min = min.min(value);
            max = max.max(value);
            sum += value;
        }
        Statistics { min, max, mean: sum / self.voxels.len() as f64 }
    }

    /// The voxels as labels 0..=255; an error where a value is not a whole number in that range.
    ///
    /// # Errors
    /// `Malformed` at the first value that is no label.
    pub fn labels(&self) -> Result<Vec<u8>> {
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
}
