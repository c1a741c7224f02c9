//! Which part of its case a training sample shows.

use super::augment::Augment;
use super::case::Extent;
use crate::card::Stage;
use crate::grid::{BoxRule, Region};
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

/// The patch stage's box around `object` in a volume of `dims`; all of the volume for the whole stage, and where there
/// is no object.
pub(crate) fn stage_box(stage: Stage, object: Option<Extent>, dims: [usize; 3], rule: &BoxRule) -> Region {
    match (stage, object) {
        (Stage::Patch, Some((first, last))) => Region::around(first, last, dims, dims, rule),
        _ => Region::whole(dims),
    }
}

/// A random margin per axis around that of inference: for 0.2 and a spread of one half 0.1, 0.2 or 0.3.
pub(crate) fn random_margin(margin: f64, augment: &Augment, rng: &mut Xoshiro256PlusPlus) -> [f64; 3] {
    let spread = augment.margin_spread;
    std::array::from_fn(|_| {
        let factor = [1.0 - spread, 1.0, 1.0 + spread][rng.random_range(0..3)];
        // To millionths: a margin of 0.30000000000000004 of ten voxels would be rounded up to four of them.
        (margin * factor * 1e6).round() / 1e6
    })
}

/// The box, or, for the share [`Augment::anywhere`] of patches, a box of the same size anywhere in the volume.
pub(crate) fn relocate_some(
    stage: Stage,
    mut region: Region,
    augment: &Augment,
    rng: &mut Xoshiro256PlusPlus,
) -> Region {
    if stage == Stage::Patch && rng.random_bool(augment.anywhere.clamp(0.0, 1.0)) {
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

#[cfg(test)]
mod tests {
    use super::super::random::seeded_rng;
    use super::*;

    #[test]
    fn margins_are_those_of_the_publication_or_always_the_same() {
        let drawn = |margin, margin_spread| {
            let augment = Augment { margin_spread, ..Augment::default() };
            let mut found: Vec<f64> =
                (0..20).flat_map(|n| random_margin(margin, &augment, &mut seeded_rng(1, n))).collect();
            found.sort_by(f64::total_cmp);
            found.dedup();
            found
        };
        assert_eq!(drawn(0.2, 0.5), [0.1, 0.2, 0.3]);
        assert_eq!(drawn(0.4, 0.5), [0.2, 0.4, 0.6]);
        assert_eq!(drawn(0.2, 0.0), [0.2]);
    }

    #[test]
    fn boxes_lie_anywhere_only_where_that_is_said() {
        let region = Region { full: [90; 3], start: [30; 3], end: [60; 3] };
        let moved = |anywhere| {
            let augment = Augment { anywhere, ..Augment::default() };
            let draw = |n| relocate_some(Stage::Patch, region, &augment, &mut seeded_rng(1, n)) != region;
            (0..100).filter(|n| draw(*n)).count()
        };
        assert_eq!((moved(0.0), moved(1.0)), (0, 100));
        assert!((10..30).contains(&moved(0.2)));
    }
}
