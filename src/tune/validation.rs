//! Which annotated voxels are learned from, and which only judge: whole cases where there are several, else strokes or
//! slices that hang together, else blocks of slices of one mask.

use super::case::{AnnotatedCase, LEAST, UNANNOTATED};
use crate::components;
use crate::error::{Error, Result};
use crate::grid::Region;

/// Number of parts of one mask, of which every third judges.
const BLOCKS: usize = 6;

/// Of each case, by its own voxels, whether a voxel judges.
pub type ValidationMasks = Vec<Vec<bool>>;

/// Chooses the voxels that judge.
///
/// # Errors
/// `Argument` where what is annotated is too little to be divided.
pub fn split(cases: &[AnnotatedCase]) -> Result<ValidationMasks> {
    let parts = match cases.len() {
        0..=2 => cases.iter().map(within).collect(),
        count => {
            // Neighbours by name may be of one person: a run of them.
            let first = count - count.div_ceil(4);
            cases.iter().enumerate().map(|(n, case)| vec![n >= first; case.own.len()]).collect()
        }
    };
    for judging in [false, true] {
        let object = |(case, part): (&AnnotatedCase, &Vec<bool>)| {
            let pairs = case.own.iter().zip(part);
            pairs.filter(|(label, part)| **part == judging && ![0, UNANNOTATED].contains(label)).count()
        };
        let count: usize = cases.iter().zip(&parts).map(object).sum();
        if count < LEAST {
            let found = format!(
                "{count} voxels of the object {}",
                if judging { "to judge by" } else { "to learn from" }
            );
            let expected = format!(
                "at least {LEAST} to learn from and {LEAST} to judge by: two strokes or slices that do not touch, or more"
            );
            return Err(Error::argument("annotations", found, expected));
        }
    }
    Ok(parts)
}

/// Part of one case's annotations.
fn within(case: &AnnotatedCase) -> Vec<bool> {
    let annotated: Vec<bool> = case.own.iter().map(|&label| label != UNANNOTATED).collect();
    let (strokes, sizes) = components::connected_components(&annotated, case.dims);
    let mut holds = vec![false; sizes.len() + 1];
    for (&stroke, label) in strokes.iter().zip(&case.own) {
        holds[stroke as usize] |= *label != 0 && *label != UNANNOTATED;
    }
    // Those that show the object are dealt out; every third judges.
    let mut dealt = vec![0; holds.len()];
    let mut next = 0;
    for (stroke, _) in holds.iter().enumerate().skip(1).filter(|(_, holds)| **holds) {
        dealt[stroke] = next;
        next += 1;
    }
    if next >= 2 {
        return strokes.iter().map(|&s| holds[s as usize] && dealt[s as usize] % 3 == 1).collect();
    }
    blocks(case)
}

/// One mask in blocks along the axis of the object's largest extent; every third judges.
fn blocks(case: &AnnotatedCase) -> Vec<bool> {
    let dims = case.dims;
    let object = |index: usize| case.own[index] != 0 && case.own[index] != UNANNOTATED;
    let Some((first, last)) = Region::extent(dims, object) else {
        return vec![false; case.own.len()];
    };
    let side = |axis: usize| last[axis] - first[axis] + 1;
    let axis = (0..3).max_by_key(|&axis| side(axis)).unwrap_or(0);
    let stride = [1, dims[0], dims[0] * dims[1]][axis];
    let block = side(axis).div_ceil(BLOCKS).max(1);
    let judges = |index: usize| {
        let at = index / stride % dims[axis];
        at >= first[axis] && at <= last[axis] && (at - first[axis]) / block % 3 == 1
    };
    (0..case.own.len()).map(judges).collect()
}
