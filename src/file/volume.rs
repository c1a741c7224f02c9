//! A file's image in memory.

use super::checks::Check;
use super::header::Header;
use super::limits::Limits;
use super::voxels::Voxels;
use crate::error::{Error, Result};
use crate::grid::{Grid, Reorientation};

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

    /// The same file seen in a mirror: left and right of the body change places, and the way back leads to the same voxels of
    /// the file.
    pub fn mirrored(&self) -> Self {
        let width = self.reorientation.ras_dims()[0];
        let rows = self.voxels.chunks_exact(width);
        let voxels: Vec<f32> = rows.flat_map(|row| row.iter().rev()).copied().collect();
        Self {
            grid: self.grid.clone(),
            reorientation: self.reorientation.mirrored(),
            channels: self.channels,
            voxels: voxels.into(),
            header: self.header.clone(),
            nonfinite: self.nonfinite,
            checks: self.checks.clone(),
            limits: self.limits,
        }
    }

    /// What is unusual about the file.
    pub fn warnings(&self) -> Vec<String> {
        let odd = |check: &&Check| check.severity() == "warning";
        self.checks.iter().filter(odd).map(Check::message).collect()
    }
}
