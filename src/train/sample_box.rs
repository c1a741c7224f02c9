//! Which part of its case a training sample shows.

use super::case::Extent;
use crate::card::Stage;
use crate::grid::{BoxRule, Region};
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

/// Margins that are drawn from, as shares of the object's side.
const MARGINS: [f64; 3] = [0.1, 0.2, 0.3];
/// Share of patches that lie anywhere in the volume, so that the network sees background too.
const ANYWHERE: f64 = 0.2;

/// The patch stage's box around `object` in a volume of `dims`; all of the volume for the whole stage, and where there
/// is no object.
pub(crate) fn stage_box(stage: Stage, object: Option<Extent>, dims: [usize; 3], rule: &BoxRule) -> Region {
    match (stage, object) {
        (Stage::Patch, Some((first, last))) => Region::around(first, last, dims, dims, rule),
        _ => Region::whole(dims),
    }
}

/// A random margin per axis.
pub(crate) fn random_margin(rng: &mut Xoshiro256PlusPlus) -> [f64; 3] {
    std::array::from_fn(|_| MARGINS[rng.random_range(0..3)])
}

/// The box, or, for one patch in five, a box of the same size anywhere in the volume.
pub(crate) fn relocate_some(stage: Stage, mut region: Region, rng: &mut Xoshiro256PlusPlus) -> Region {
    if stage == Stage::Patch && rng.random_bool(ANYWHERE) {
        let (dims, full) = (region.dims(), region.full);
        region.start = std::array::from_fn(|axis| rng.random_range(0..=full[axis] - dims[axis]));
        region.end = std::array::from_fn(|axis| region.start[axis] + dims[axis]);
    }
    region
}

/// Source voxels per target voxel, per axis, where a box of `from` voxels is resample_isotropic to `to` voxels with the centres
/// of the corner voxels aligned.
pub(crate) fn stride(from: [usize; 3], to: [usize; 3]) -> [f64; 3] {
    std::array::from_fn(|a| (from[a].max(2) - 1) as f64 / (to[a].max(2) - 1) as f64)
}
