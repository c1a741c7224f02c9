//! Upsamples probabilities to the file's grid by linear interpolation, so that a mask on a grid finer than 1 mm has no
//! steps of a millimetre. Nearest labels ([`super::SpatialTransform::inverse`]) are the reference's way; where no
//! resampling is on the road both are the same.

use super::transform::SpatialTransform;
use super::upright::labelled;

/// Where a voxel of the file's grid lies between two of the network's, along one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Neighbours {
    low: usize,
    high: usize,
    /// How far it is from `low` to `high`, 0..=1.
    share: f32,
}

impl SpatialTransform {
    /// Whether every voxel that the patch network sees is one of the file's.
    pub fn is_exact(&self) -> bool {
        self.upright.is_none()
            && self.isotropic.from == self.isotropic.to
            && self.crop_resize.resize.from == self.crop_resize.resize.to
    }

    /// Labels on the file's own grid from probabilities of the patch, one map per entry of `labels`: the last label
    /// whose probability is above one half.
    pub fn inverse_probabilities(&self, probabilities: &[f32], labels: &[u8]) -> Vec<u8> {
        if let Some(upright) = self.upright_box() {
            return self.reorientation.undo(&upright.undo(|near| labelled(probabilities, labels, near)));
        }
        let [xs, ys, zs] = [0, 1, 2].map(|axis| self.neighbours(axis));
        let [nx, ny, nz] = self.crop_resize.resize.to;
        let dims = self.isotropic.from;
        let mut found = vec![0; dims.iter().product()];
        for (z, near_z) in zs.iter().enumerate() {
            for (y, near_y) in ys.iter().enumerate() {
                let (Some(bz), Some(by)) = (near_z, near_y) else { continue };
                let row = dims[0] * (y + dims[1] * z);
                // The four rows of voxels around this one, with their weights.
                let rows = [(bz.low, 1.0 - bz.share), (bz.high, bz.share)].map(|(z, share)| {
                    [(by.low, share * (1.0 - by.share)), (by.high, share * by.share)]
                        .map(|(y, share)| (nx * (y + ny * z), share))
                });
                for (map, &label) in probabilities.chunks_exact(nx * ny * nz).zip(labels) {
                    let at = |x: usize| {
                        rows.iter().flatten().map(|(row, share)| share * map[row + x]).sum::<f32>()
                    };
                    for (voxel, bx) in found[row..row + dims[0]].iter_mut().zip(&xs) {
                        let Some(bx) = bx else { continue };
                        if at(bx.low) * (1.0 - bx.share) + at(bx.high) * bx.share > 0.5 {
                            *voxel = label;
                        }
                    }
                }
            }
        }
        self.reorientation.undo(&found)
    }

    /// Of each voxel of the file's grid, turned to RAS, along an axis; none outside the box.
    fn neighbours(&self, axis: usize) -> Vec<Option<Neighbours>> {
        let count = self.isotropic.from[axis];
        let (start, end) = (self.crop_resize.region.start[axis], self.crop_resize.region.end[axis]);
        let (side, fitted) = (end - start, self.crop_resize.resize.to[axis]);
        let (to_mm, to_fitted) =
            (self.isotropic.reversed().step(axis), self.crop_resize.resize.reversed().step(axis));
        let place = |k: usize| {
            let mm = k as f64 * to_mm;
            let nearest = (mm + 0.5).floor() as usize;
            (start..end).contains(&nearest).then(|| {
                let inside = (mm - start as f64).clamp(0.0, (side - 1) as f64) * to_fitted;
                let low = (inside.floor() as usize).min(fitted - 1);
                Neighbours { low, high: (low + 1).min(fitted - 1), share: (inside - low as f64) as f32 }
            })
        };
        (0..count).map(place).collect()
    }
}
