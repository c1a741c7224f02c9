//! What decides whether tuned weights take the place of the old ones: figures before and after, and rules in words.

use super::case::{AnnotatedCase, UNANNOTATED};
use super::validation::ValidationMasks;
use crate::card::Label;
use crate::error::Result;
use crate::metrics::dice;
use crate::predict::{Model, ProgressFn};
use serde::Serialize;

/// A figure before tuning and after it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BeforeAfter {
    /// With the old weights.
    pub before: f64,
    /// With the tuned ones, as their file holds them.
    pub after: f64,
}

/// The bounds of the guard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AcceptanceBounds {
    /// What the judging Dice must gain at least.
    pub gain: f64,
    /// What the reference's Dice may fall at most.
    pub fall: f64,
    /// The least agreement of annotations with the old masks, of images that the model knows.
    pub agreement: f64,
}

/// Least judging Dice of tuned weights, in the model's domain and in another.
pub const LEAST: f64 = 0.5;

/// A model's masks of the cases, in the files' own order, and how good they are.
pub struct Evaluation {
    /// By case.
    pub masks: Vec<Vec<u8>>,
    /// Dice on the voxels that judge, by label: the mean over the cases that show it there.
    pub labels: Vec<Option<f64>>,
    /// Mean over the labels.
    pub check: f64,
    /// Mean Dice of the reference case.
    pub reference: Option<f64>,
}

impl Evaluation {
    /// Runs the cascade over all cases.
    ///
    /// # Errors
    /// As [`crate::predict::segment`].
    pub async fn of(
        model: &Model,
        cases: &[AnnotatedCase],
        judging: &ValidationMasks,
        reference: Option<&AnnotatedCase>,
        watch: &mut ProgressFn<'_>,
    ) -> Result<Self> {
        let mut masks = Vec::new();
        for case in cases {
            masks.push(mask(model, case, watch).await.map_err(|error| error.within(&case.name))?);
        }
        let known = &model.card.labels;
        let labels = by_label(known, cases, judging, &masks);
        let reference = match reference {
            Some(case) => {
                let found =
                    mask(model, case, watch).await.map_err(|error| error.within("the reference case"))?;
                let each = known.iter().map(|label| dice(&case.own, &found, label.index));
                Some(each.sum::<f64>() / known.len() as f64)
            }
            None => None,
        };
        Ok(Self { check: mean(labels.iter().flatten().copied()), masks, labels, reference })
    }
}

/// The judging Dice alone.
///
/// # Errors
/// As [`Evaluation::of`].
pub async fn check(
    model: &Model,
    cases: &[AnnotatedCase],
    judging: &ValidationMasks,
    watch: &mut ProgressFn<'_>,
) -> Result<f64> {
    let mut masks = Vec::new();
    for (case, judging) in cases.iter().zip(judging) {
        // A case none of whose voxels judge is not asked.
        let wanted = judging.contains(&true);
        masks.push(if wanted { mask(model, case, watch).await? } else { vec![0; case.own.len()] });
    }
    Ok(mean(by_label(&model.card.labels, cases, judging, &masks).into_iter().flatten()))
}

/// The cascade's mask of a case, on the file's own grid.
///
/// # Errors
/// As [`crate::predict::segment`].
pub async fn mask(model: &Model, case: &AnnotatedCase, watch: &mut ProgressFn<'_>) -> Result<Vec<u8>> {
    let transform = case.locate(model, &case.image, watch).await?;
    let patch = transform.crop_patch(&case.image);
    if transform.is_exact() {
        return Ok(transform.inverse(&model.patch_labels(&patch, watch).await?));
    }
    let indices: Vec<u8> = model.card.labels.iter().map(|label| label.index).collect();
    Ok(transform.inverse_probabilities(&model.patch_probabilities(&patch, watch).await?, &indices))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

fn by_label(
    known: &[Label],
    cases: &[AnnotatedCase],
    judging: &ValidationMasks,
    masks: &[Vec<u8>],
) -> Vec<Option<f64>> {
    let judged = |label: &Label| {
        let each = cases.iter().zip(judging).zip(masks).filter_map(|((case, judging), mask)| {
            let voxels = || (0..mask.len()).filter(|&i| judging[i] && case.own[i] != UNANNOTATED);
            let truth: Vec<u8> = voxels().map(|i| case.own[i]).collect();
            let found: Vec<u8> = voxels().map(|i| mask[i]).collect();
            truth.contains(&label.index).then(|| dice(&truth, &found, label.index))
        });
        let each: Vec<f64> = each.collect();
        (!each.is_empty()).then(|| mean(each.into_iter()))
    };
    known.iter().map(judged).collect()
}

/// How far the annotations leave the old masks as they are, as a mean Dice over cases and labels. Of slices that are annotated
/// all over it is that of mask and annotation there; of strokes that of a mask and the same mask with the strokes put in, as
/// people correct what is wrong and not what is right. Masks that belong to other images leave hardly anything, either way.
pub fn agreement(known: &[Label], cases: &[AnnotatedCase], masks: &[Vec<u8>]) -> f64 {
    let one = |(case, mask): (&AnnotatedCase, &Vec<u8>)| {
        let full = full_slices(&case.own, case.dims);
        let slices = full.contains(&true);
        let looked = (0..mask.len()).filter(|&i| !slices || full[i]);
        let put = |i: usize| if case.own[i] == UNANNOTATED { mask[i] } else { case.own[i] };
        let (corrected, old): (Vec<u8>, Vec<u8>) = looked.map(|i| (put(i), mask[i])).unzip();
        mean(known.iter().map(|label| dice(&corrected, &old, label.index)))
    };
    mean(cases.iter().zip(masks).map(one))
}

/// By voxel, whether it lies in a slice, square to any axis, all of which is annotated.
fn full_slices(own: &[u8], dims: [usize; 3]) -> Vec<bool> {
    let mut inside = vec![false; own.len()];
    for (axis, stride) in [1, dims[0], dims[0] * dims[1]].into_iter().enumerate() {
        let mut full = vec![true; dims[axis]];
        own.iter().enumerate().for_each(|(i, label)| full[i / stride % dims[axis]] &= *label != UNANNOTATED);
        inside.iter_mut().enumerate().for_each(|(i, inside)| *inside |= full[i / stride % dims[axis]]);
    }
    inside
}

/// Share of voxels whose label is another.
pub fn changed(before: &[Vec<u8>], after: &[Vec<u8>]) -> f64 {
    let all: usize = before.iter().map(Vec::len).sum();
    let pairs = before.iter().flatten().zip(after.iter().flatten());
    pairs.filter(|(a, b)| a != b).count() as f64 / all.max(1) as f64
}

/// Whether tuned weights are taken, and why or why not, with the numbers. `veto`: whether the reference counts.
pub fn judge(
    check: BeforeAfter,
    reference: Option<BeforeAfter>,
    veto: bool,
    bounds: &AcceptanceBounds,
) -> (bool, String) {
    let BeforeAfter { before, after } = check;
    let told = format!("Dice on the voxels that judge {before:.4} before, {after:.4} after");
    let against = reference
        .map(|BeforeAfter { before, after }| format!("; reference {before:.4} before, {after:.4} after"));
    let told = told + &against.unwrap_or_else(|| "; no reference case".to_owned());
    // Asked for what is right, so that NaN is refused.
    let better = after > before;
    if !better {
        return (false, format!("refused: it judges no better than before ({told})"));
    }
    let AcceptanceBounds { gain, fall, .. } = *bounds;
    if after - before < gain {
        return (
            false,
            format!("refused: a gain of less than {gain} on the voxels that judge may be chance ({told})"),
        );
    }
    if after < LEAST {
        return (
            false,
            format!("refused: what was learned does not fit what judges, it must reach {LEAST} ({told})"),
        );
    }
    let kept = reference.is_none_or(|BeforeAfter { before, after }| after >= before - fall);
    if veto && !kept {
        return (false, format!("refused: the reference case falls by more than {fall} ({told})"));
    }
    let note = if veto || reference.is_none() { "" } else { ", which does not count in another domain" };
    (true, format!("accepted: {told}{note}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_those_that_are_stated() {
        let bounds = AcceptanceBounds { gain: 0.0, fall: 0.02, agreement: 0.6 };
        let change = |before, after| BeforeAfter { before, after };
        let accepted = |check, reference, veto| judge(check, reference, veto, &bounds).0;
        assert!(accepted(change(0.8, 0.85), Some(change(0.9, 0.89)), true));
        assert!(!accepted(change(0.8, 0.8), Some(change(0.9, 0.9)), true));
        assert!(!accepted(change(0.8, 0.85), Some(change(0.9, 0.87)), true));
        assert!(accepted(change(0.1, 0.85), Some(change(0.9, 0.1)), false));
        assert!(!accepted(change(0.1, 0.45), None, false));
        assert!(!accepted(change(0.1, f64::NAN), None, false));
        assert!(!accepted(change(0.8, 0.85), Some(change(0.9, f64::NAN)), true));
        let bounds = AcceptanceBounds { gain: 0.005, ..bounds };
        let words = |before, after| judge(change(before, after), None, true, &bounds).1;
        assert!(words(0.8, 0.804).starts_with("refused: a gain of less than 0.005"));
        assert!(words(0.8, 0.79).starts_with("refused: it judges no better"));
        assert!(words(0.8, 0.806).starts_with("accepted"));
    }
}
