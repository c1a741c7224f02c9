//! Labels of one file laid over the image of another.

use super::volume::Volume;
use crate::error::{Error, Result};

/// Labels of an image's voxels.
#[derive(Debug)]
pub struct Overlay {
    /// In the image's RAS order.
    pub labels: Vec<u8>,
    /// The largest distance of the two grids' corners in mm, where it is more than half a voxel.
    pub misalignment_mm: Option<f64>,
}

impl Volume {
    /// The labels of another file for this image. Its axes may point in other directions: each label is placed by its
    /// header. Where one of the headers has no orientation, voxels are matched in the order of the files.
    ///
    /// # Errors
    /// As [`Volume::labels`]; `Malformed` where the sizes differ.
    pub fn overlay(&self, labels: &Self) -> Result<Overlay> {
        let values = labels.labels()?;
        let wrong = |found: [usize; 3], turned: &str, expected: [usize; 3]| {
            let found = format!("{} voxels{turned}", found.map(|n| n.to_string()).join(" x "));
            let expected = format!("{}, as the image has", expected.map(|n| n.to_string()).join(" x "));
            Err(Error::malformed("labels", found, expected))
        };
        if !self.has_orientation() || !labels.has_orientation() {
            if labels.grid.dims != self.grid.dims {
                return wrong(labels.grid.dims, "", self.grid.dims);
            }
            return Ok(Overlay {
                labels: self.reorientation.apply(&labels.reorientation.undo(&values)),
                misalignment_mm: None,
            });
        }
        let [found, expected] = [labels, self].map(|file| file.reorientation.ras_dims());
        if found != expected {
            return wrong(found, ", turned to RAS", expected);
        }
        let (off, voxel) =
            (self.max_corner_distance(labels), self.grid.spacing().into_iter().fold(f64::INFINITY, f64::min));
        Ok(Overlay { labels: values, misalignment_mm: (off > 0.5 * voxel).then_some(off) })
    }

    fn has_orientation(&self) -> bool {
        self.header.sform_code() > 0 || self.header.qform_code() > 0
    }

    /// The largest distance between corresponding corners of two grids of one size, in RAS order, in mm.
    fn max_corner_distance(&self, other: &Self) -> f64 {
        let corner = |file: &Self, which: usize| {
            let mut at = [0.0; 3];
            for (axis, from) in file.reorientation.from_axis().into_iter().enumerate() {
                let far = (which >> axis & 1 == 1) != file.reorientation.flipped()[axis];
                at[from] = if far { (file.grid.dims[from] - 1) as f64 } else { 0.0 };
            }
            let row = |row: &[f64; 4]| row[0] * at[0] + row[1] * at[1] + row[2] * at[2] + row[3];
            [0, 1, 2].map(|r| row(&file.grid.affine[r]))
        };
        let apart = |which: usize| {
            let (p, q) = (corner(self, which), corner(other, which));
            p.iter().zip(q).map(|(p, q)| (p - q).powi(2)).sum::<f64>().sqrt()
        };
        (0..8).map(apart).fold(0.0, f64::max)
    }
}

impl Overlay {
    /// The labels, if they lie on the image's grid.
    ///
    /// # Errors
    /// `Malformed` where they lie off it.
    pub fn require_aligned(self) -> Result<Vec<u8>> {
        match self.misalignment_mm {
            None => Ok(self.labels),
            Some(off) => Err(Error::malformed(
                "labels",
                format!("a grid of which a corner lies {off:.1} mm off the image's"),
                "labels on the grid of the image: resample them, or give both the same affine",
            )),
        }
    }
}
