//! Overlap of two masks, and distance of their surfaces.

use super::surface::{Element, Surfaces, element_areas};
use crate::error::{Error, Result};
use crate::grid::Region;

/// The share of the surface whose distance is the robust Hausdorff distance.
const HAUSDORFF_SHARE: f64 = 0.95;

/// How well two masks agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Dice similarity coefficient of the volumes, 0 to 1. Two empty masks agree: 1.
    pub dsc: f64,
    /// Normalised surface Dice: the share of both surfaces, by area, that lies within the tolerance of the other
    /// surface, 0 to 1. Two empty masks: 1; one empty mask: 0.
    pub nsd: f64,
    /// Robust Hausdorff distance in mm: 95 % of each surface, by area, lie within it of the other surface.
    /// Two empty masks: 0; one empty mask: [`f64::INFINITY`].
    pub hd95_mm: f64,
}

/// Compares where `truth` and `prediction` carry `label`.
///
/// Both volumes have `dims` voxels along x, y, z (x fastest) of `spacing_mm`. A surface element counts for the
/// NSD if its distance to the other surface is at most `tolerance_mm`. What touches the border of the volume has
/// a surface there, as if background went on outside.
///
/// Memory: ten bytes per voxel of the box around both masks, and sixteen per element of their surfaces.
///
/// # Errors
/// An argument error where a length is not the product of `dims`, a spacing is not a finite number above 0, or
/// the tolerance is not a finite number of at least 0.
///
/// # Differences from the source
/// There an empty pair has no DSC (NaN) and an infinite distance. Where the area up to an element is 95 % to the
/// last digit, rounding decides between that element and the next, and may do so differently: areas are added up
/// in another order there. This is seen on masks of a few voxels only.
pub fn agreement(
    truth: &[u8],
    prediction: &[u8],
    label: u8,
    dims: [usize; 3],
    spacing_mm: [f64; 3],
    tolerance_mm: f64,
) -> Result<Agreement> {
    check(truth, prediction, dims, spacing_mm, tolerance_mm)?;
    let dsc = dice(truth, prediction, label);
    let either = |i: usize| truth[i] == label || prediction[i] == label;
    let Some(extent) = Region::extent(dims, either) else {
        return Ok(Agreement { dsc, nsd: 1.0, hd95_mm: 0.0 });
    };
    if !truth.contains(&label) || !prediction.contains(&label) {
        return Ok(Agreement { dsc, nsd: 0.0, hd95_mm: f64::INFINITY });
    }
    let surfaces = Surfaces { dims, extent, spacing_mm, areas_mm2: element_areas(spacing_mm) };
    let codes = [truth, prediction].map(|labels| surfaces.codes(|i| labels[i] == label));
    let mut both = [surfaces.elements(&codes[0], &codes[1]), surfaces.elements(&codes[1], &codes[0])];
    let hd95_mm = both.iter_mut().map(|elements| distance_at_share(elements)).fold(0.0, f64::max);
    let [mut area, mut near] = [0.0; 2];
    for element in both.iter().flatten() {
        area += element.area_mm2;
        if element.distance_mm <= tolerance_mm {
            near += element.area_mm2;
        }
    }
    Ok(Agreement { dsc, nsd: near / area, hd95_mm })
}

/// Dice similarity coefficient of the voxels that carry `label`: `2 |A and B| / (|A| + |B|)`, 1 where neither
/// has any.
///
/// The volumes are of the same dimensions; where one ends early, the voxels that it lacks are background.
pub fn dice(truth: &[u8], prediction: &[u8], label: u8) -> f64 {
    let count = |labels: &[u8]| labels.iter().filter(|&&at| at == label).count();
    let sum = count(truth) + count(prediction);
    let common = truth.iter().zip(prediction).filter(|&(&a, &b)| a == label && b == label).count();
    if sum == 0 { 1.0 } else { 2.0 * common as f64 / sum as f64 }
}

/// The distance within which [`HAUSDORFF_SHARE`] of the area lies; sorts the elements by distance.
///
/// The rule of the source: the first element at which the running area reaches the share, without interpolation.
fn distance_at_share(elements: &mut [Element]) -> f64 {
    elements.sort_unstable_by(|a, b| {
        a.distance_mm.total_cmp(&b.distance_mm).then(a.area_mm2.total_cmp(&b.area_mm2))
    });
    let total: f64 = elements.iter().map(|element| element.area_mm2).sum();
    let mut so_far = 0.0;
    let reached = elements.iter().find(|element| {
        so_far += element.area_mm2;
        so_far / total >= HAUSDORFF_SHARE
    });
    reached.or(elements.last()).map_or(f64::INFINITY, |element| element.distance_mm)
}

fn check(truth: &[u8], prediction: &[u8], dims: [usize; 3], spacing: [f64; 3], tolerance: f64) -> Result<()> {
    let [nx, ny, nz] = dims;
    let voxels = nx.checked_mul(ny).and_then(|n| n.checked_mul(nz));
    for (place, labels) in [("truth", truth), ("prediction", prediction)] {
        if voxels != Some(labels.len()) {
            let expected = format!("{nx} x {ny} x {nz} voxels");
            return Err(Error::argument(place, format!("{} voxels", labels.len()), expected));
        }
    }
    if !spacing.iter().all(|mm| mm.is_finite() && *mm > 0.0) {
        return Err(Error::argument("spacing_mm", format!("{spacing:?}"), "finite numbers above 0"));
    }
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return Err(Error::argument("tolerance_mm", tolerance.to_string(), "a finite number of at least 0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMS: [usize; 3] = [7, 6, 5];
    const SPACING: [f64; 3] = [0.5, 1.0, 3.0];

    /// A volume with label 1 in the given voxels.
    fn volume(inside: &[[usize; 3]]) -> Vec<u8> {
        let mut labels = vec![0; DIMS.iter().product()];
        for [x, y, z] in inside {
            labels[x + DIMS[0] * (y + DIMS[1] * z)] = 1;
        }
        labels
    }

    fn compare(truth: &[[usize; 3]], prediction: &[[usize; 3]], tolerance_mm: f64) -> Result<Agreement> {
        agreement(&volume(truth), &volume(prediction), 1, DIMS, SPACING, tolerance_mm)
    }

    #[test]
    fn a_mask_agrees_with_itself() -> Result<()> {
        let perfect = Agreement { dsc: 1.0, nsd: 1.0, hd95_mm: 0.0 };
        let shape = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [6, 5, 4]];
        assert_eq!(compare(&shape, &shape, 0.0)?, perfect);
        let full = vec![1; DIMS.iter().product()];
        assert_eq!(agreement(&full, &full, 1, DIMS, SPACING, 0.0)?, perfect);
        Ok(())
    }

    #[test]
    fn empty_masks_agree_with_each_other_and_with_nothing_else() -> Result<()> {
        let nothing_shared = Agreement { dsc: 0.0, nsd: 0.0, hd95_mm: f64::INFINITY };
        assert_eq!(compare(&[], &[], 1.0)?, Agreement { dsc: 1.0, nsd: 1.0, hd95_mm: 0.0 });
        assert_eq!(compare(&[[1, 2, 3]], &[], 1.0)?, nothing_shared);
        assert_eq!(compare(&[], &[[1, 2, 3]], 1.0)?, nothing_shared);
        assert_eq!(agreement(&[], &[], 1, [0, 3, 3], SPACING, 1.0)?.nsd, 1.0);
        Ok(())
    }

    #[test]
    fn a_single_voxel_that_moves_by_k_is_k_spacings_away() -> Result<()> {
        // Each of the eight corners finds the nearest of the other eight: half of them k voxels away,
        // half k - 1, and those of a move by one voxel meet in four.
        for (axis, spacing) in SPACING.into_iter().enumerate() {
            for k in 1..4 {
                let mut moved = [1, 1, 1];
                moved[axis] += k;
                let [near, far] = [(k - 1) as f64 * spacing, k as f64 * spacing];
                for (tolerance, nsd) in [(near - 1e-9, 0.0), (near, 0.5), (far - 1e-9, 0.5), (far, 1.0)] {
                    if tolerance >= 0.0 {
                        let found = compare(&[[1, 1, 1]], &[moved], tolerance)?;
                        assert_eq!((found.dsc, found.hd95_mm), (0.0, far), "axis {axis}, {k} voxels");
                        assert!((found.nsd - nsd).abs() < 1e-12, "axis {axis}, {k} voxels: {found:?}");
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn hd95_leaves_out_the_farthest_twentieth_of_the_area() {
        let element = |distance_mm| Element { distance_mm, area_mm2: 0.25 };
        let mut elements: Vec<Element> = (0..40).rev().map(|i| element(f64::from(i))).collect();
        assert_eq!(distance_at_share(&mut elements), 37.0); // 38 of 40 elements are 95 %
        elements.push(Element { distance_mm: 99.0, area_mm2: 1.0 });
        assert_eq!(distance_at_share(&mut elements), 99.0);
    }

    #[test]
    fn dice_counts_one_label() {
        assert_eq!(dice(&[1, 1, 2, 0], &[1, 2, 2, 2], 1), 2.0 / 3.0);
        assert_eq!(dice(&[1, 1, 2, 0], &[1, 2, 2, 2], 2), 0.5);
        assert_eq!(dice(&[1, 1, 2, 0], &[1, 2, 2, 2], 3), 1.0);
    }

    #[test]
    fn wrong_arguments_are_named() {
        let place = |truth: usize, dims, spacing, tolerance| {
            agreement(&vec![1; truth], &[1; 8], 1, dims, spacing, tolerance)
                .map_err(|error| error.place)
                .err()
        };
        assert_eq!(place(7, [2; 3], SPACING, 1.0).as_deref(), Some("truth"));
        assert_eq!(place(9, [1, 3, 3], SPACING, 1.0).as_deref(), Some("prediction"));
        assert_eq!(place(8, [usize::MAX; 3], SPACING, 1.0).as_deref(), Some("truth"));
        assert_eq!(place(8, [2; 3], [1.0, 0.0, 1.0], 1.0).as_deref(), Some("spacing_mm"));
        assert_eq!(place(8, [2; 3], [1.0, f64::NAN, 1.0], 1.0).as_deref(), Some("spacing_mm"));
        assert_eq!(place(8, [2; 3], SPACING, -1.0).as_deref(), Some("tolerance_mm"));
        assert_eq!(place(8, [2; 3], SPACING, 1.0), None);
    }
}
