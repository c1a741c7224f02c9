//! Where the values of a file go that is resampled while it is decoded: a voxel of the file is read by none, one or several of
//! the new size.

use crate::grid::{Reorientation, Resample};
use std::ops::Range;

/// The way of a file's voxels to a new size in RAS order.
pub(super) struct Resampled {
    /// By axis of the file and index along it: the indices of the new size that read it.
    readers: [Vec<Range<usize>>; 3],
    /// By axis of the file, the stride of the new size.
    strides: [usize; 3],
}

impl Resampled {
    /// `step` resamples voxels in the order that `reorientation` turns them to.
    pub fn new(step: &Resample, reorientation: &Reorientation) -> Self {
        let [nx, ny, _] = step.to;
        let (mut readers, mut strides) = ([const { Vec::new() }; 3], [0; 3]);
        for (world, (mut along, stride)) in step.readers().into_iter().zip([1, nx, nx * ny]).enumerate() {
            if reorientation.flipped()[world] {
                along.reverse();
            }
            let axis = reorientation.from_axis()[world];
            (readers[axis], strides[axis]) = (along, stride);
        }
        Self { readers, strides }
    }

    /// Writes values along the file's first axis, from a voxel on.
    pub fn write(&self, [i, j, k]: [usize; 3], values: &[f32], to: &mut [f32]) {
        let [along_x, along_y, along_z] = &self.readers;
        for z in along_z[k].clone() {
            for y in along_y[j].clone() {
                let row = z * self.strides[2] + y * self.strides[1];
                for (value, readers) in values.iter().zip(&along_x[i..]) {
                    readers.clone().for_each(|x| to[row + x * self.strides[0]] = *value);
                }
            }
        }
    }
}
