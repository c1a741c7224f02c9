//! Which annotated voxels only validate, and which train: whole cases where there are four or more, two of them at least,
//! as one image says little of others; else strokes or slices that are connected; else blocks of slices of one mask.

use super::case::{AnnotatedCase, MIN_VOXELS, UNANNOTATED, is_object};
use crate::components;
use crate::error::{Error, Result};
use crate::grid::Region;

/// Number of blocks that one mask is divided into.
const BLOCKS: usize = 6;
/// Of strokes or blocks in their order, every third validates, from the second on.
const EVERY: usize = 3;

/// Per case and voxel of its file: whether the voxel validates.
pub type ValidationMasks = Vec<Vec<bool>>;

/// Chooses the voxels that validate.
///
/// # Errors
/// `Argument` where there are too few annotated voxels to divide.
pub fn choose_validation(cases: &[AnnotatedCase]) -> Result<ValidationMasks> {
    let masks = match cases.len() {
        0..=3 => cases.iter().map(within_case).collect(),
        count => {
            // The last quarter: a run of cases, as neighbours by name may be of one person.
            let first = count - count.div_ceil(4).max(2);
            cases.iter().enumerate().map(|(n, case)| vec![n >= first; case.file_labels.len()]).collect()
        }
    };
    for validates in [false, true] {
        let object_voxels = |(case, mask): (&AnnotatedCase, &Vec<bool>)| {
            let pairs = case.file_labels.iter().zip(mask);
            pairs.filter(|(label, mask)| **mask == validates && is_object(**label)).count()
        };
        let count: usize = cases.iter().zip(&masks).map(object_voxels).sum();
        if count < MIN_VOXELS {
            let purpose = if validates { "held out to test what is learned" } else { "to learn from" };
            let found = format!("{count} voxels of the object {purpose}");
            let expected = format!(
                "at least {MIN_VOXELS} to learn from and {MIN_VOXELS} held out to test it: two strokes or slices \
                 that do not touch, or more"
            );
            return Err(Error::argument("annotations", found, expected));
        }
    }
    Ok(masks)
}

/// Every third stroke of the object; blocks of slices where there is a single stroke.
fn within_case(case: &AnnotatedCase) -> Vec<bool> {
    let annotated: Vec<bool> = case.file_labels.iter().map(|&label| label != UNANNOTATED).collect();
    let (strokes, sizes) = components::connected_components(&annotated, case.dims);
    let mut has_object = vec![false; sizes.len() + 1];
    for (&stroke, label) in strokes.iter().zip(&case.file_labels) {
        has_object[stroke as usize] |= is_object(*label);
    }
    // Position of each stroke among those that show the object.
    let mut position = vec![0; has_object.len()];
    let mut count = 0;
    for (stroke, _) in has_object.iter().enumerate().skip(1).filter(|(_, has_object)| **has_object) {
        position[stroke] = count;
        count += 1;
    }
    if count >= 2 {
        let validates = |&s: &u32| has_object[s as usize] && position[s as usize] % EVERY == 1;
        return strokes.iter().map(validates).collect();
    }
    blocks(case)
}

/// Every third block of slices along the axis of the object's largest extent.
fn blocks(case: &AnnotatedCase) -> Vec<bool> {
    let (dims, count) = (case.dims, case.file_labels.len());
    let Some((first, last)) = Region::extent(dims, |index| is_object(case.file_labels[index])) else {
        return vec![false; count];
    };
    let side = |axis: usize| last[axis] - first[axis] + 1;
    let axis = (0..3).max_by_key(|&axis| side(axis)).unwrap_or(0);
    let stride = [1, dims[0], dims[0] * dims[1]][axis];
    let block = side(axis).div_ceil(BLOCKS).max(1);
    let validates = |index: usize| {
        let at = index / stride % dims[axis];
        at >= first[axis] && at <= last[axis] && (at - first[axis]) / block % EVERY == 1
    };
    (0..count).map(validates).collect()
}
