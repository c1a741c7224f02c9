//! How good a model's masks of the annotated cases are.

use super::case::{AnnotatedCase, UNANNOTATED};
use super::validation::ValidationMasks;
use crate::card::Label;
use crate::error::Result;
use crate::metrics::dice;
use crate::predict::{Model, PhaseTimer, ProgressFn, segment_patch};

/// A model's masks of the cases, and their scores.
pub struct Evaluation {
    /// The masks, by case, in the order of the file's voxels.
    pub masks: Vec<Vec<u8>>,
    /// Dice on the validation voxels, by label: the mean over the cases that show the label there; `None` without such a
    /// case.
    pub dice_by_label: Vec<Option<f64>>,
    /// The same by case: the mean over the labels that it shows there; `None` where it shows none.
    pub dice_by_case: Vec<Option<f64>>,
    /// Mean over the labels.
    pub dice: f64,
    /// Mean Dice on the reference case.
    pub reference_dice: Option<f64>,
}

impl Evaluation {
    /// Runs the cascade over all cases.
    ///
    /// # Errors
    /// As [`crate::predict::segment`].
    pub async fn of(
        model: &Model,
        cases: &[AnnotatedCase],
        validation: &ValidationMasks,
        reference: Option<&AnnotatedCase>,
        watch: &mut ProgressFn<'_>,
    ) -> Result<Self> {
        let mut masks = Vec::new();
        for case in cases {
            masks.push(predict_mask(model, case, watch).await.map_err(|error| error.within(&case.name))?);
        }
        let known = &model.card.labels;
        let scores = validation_scores(known, cases, validation, &masks);
        let dice_by_label = by_label(&scores, known.len());
        let dice_by_case = scores.iter().map(|labels| mean_of_some(labels.iter().copied())).collect();
        let reference_dice = match reference {
            Some(case) => {
                let mask = predict_mask(model, case, watch).await;
                let mask = mask.map_err(|error| error.within("the reference case"))?;
                let each = known.iter().map(|label| dice(&case.file_labels, &mask, label.index));
                Some(each.sum::<f64>() / known.len() as f64)
            }
            None => None,
        };
        let dice = mean(dice_by_label.iter().flatten().copied());
        Ok(Self { dice, masks, dice_by_label, dice_by_case, reference_dice })
    }
}

/// The mean Dice on the validation voxels. Runs only the cases that have any.
///
/// # Errors
/// As [`Evaluation::of`].
pub async fn validation_dice(
    model: &Model,
    cases: &[AnnotatedCase],
    validation: &ValidationMasks,
    watch: &mut ProgressFn<'_>,
) -> Result<f64> {
    let mut masks = Vec::new();
    for (case, validation) in cases.iter().zip(validation) {
        let needed = validation.contains(&true);
        masks.push(if needed {
            predict_mask(model, case, watch).await?
        } else {
            vec![0; case.file_labels.len()]
        });
    }
    let known = &model.card.labels;
    let scores = validation_scores(known, cases, validation, &masks);
    Ok(mean(by_label(&scores, known.len()).into_iter().flatten()))
}

/// The cascade's mask of a case, in the order of the file's voxels.
///
/// # Errors
/// As [`crate::predict::segment`].
pub async fn predict_mask(
    model: &Model,
    case: &AnnotatedCase,
    watch: &mut ProgressFn<'_>,
) -> Result<Vec<u8>> {
    let transform = case.locate(model, &case.image, watch).await?;
    let labels = &model.card.labels;
    let mut timer = PhaseTimer::start();
    segment_patch(model.cascade(), &transform, labels, &case.image, &mut timer, watch).await
}

/// The mean; 0 of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

/// The mean of those that are there; `None` where none is.
fn mean_of_some(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let there: Vec<f64> = values.flatten().collect();
    (!there.is_empty()).then(|| mean(there.into_iter()))
}

/// Dice on the validation voxels, by case and label; `None` where these voxels of a case do not show the label.
fn validation_scores(
    known: &[Label],
    cases: &[AnnotatedCase],
    validation: &ValidationMasks,
    masks: &[Vec<u8>],
) -> Vec<Vec<Option<f64>>> {
    let of_case = |((case, validation), mask): ((&AnnotatedCase, &Vec<bool>), &Vec<u8>)| {
        let labels = &case.file_labels;
        let voxels = || (0..mask.len()).filter(|&i| validation[i] && labels[i] != UNANNOTATED);
        let truth: Vec<u8> = voxels().map(|i| labels[i]).collect();
        let found: Vec<u8> = voxels().map(|i| mask[i]).collect();
        let score = |label: &Label| truth.contains(&label.index).then(|| dice(&truth, &found, label.index));
        known.iter().map(score).collect()
    };
    cases.iter().zip(validation).zip(masks).map(of_case).collect()
}

/// The means over the cases, by label.
fn by_label(scores: &[Vec<Option<f64>>], labels: usize) -> Vec<Option<f64>> {
    (0..labels).map(|label| mean_of_some(scores.iter().map(|case| case[label]))).collect()
}

/// How well the annotations agree with the original masks: a mean Dice over cases and labels. For slices that are
/// annotated completely it compares mask and annotation there. For strokes it compares the mask with itself after the
/// strokes are drawn into it, because people annotate what is wrong and leave what is right. Annotations that belong to
/// other images agree badly either way.
pub fn agreement(known: &[Label], cases: &[AnnotatedCase], masks: &[Vec<u8>]) -> f64 {
    let of_case = |(case, mask): (&AnnotatedCase, &Vec<u8>)| {
        let labels = &case.file_labels;
        let complete = complete_slices(labels, case.dims);
        let has_complete = complete.contains(&true);
        let compared = (0..mask.len()).filter(|&i| !has_complete || complete[i]);
        let corrected = |i: usize| if labels[i] == UNANNOTATED { mask[i] } else { labels[i] };
        let (corrected, original): (Vec<u8>, Vec<u8>) = compared.map(|i| (corrected(i), mask[i])).unzip();
        mean(known.iter().map(|label| dice(&corrected, &original, label.index)))
    };
    mean(cases.iter().zip(masks).map(of_case))
}

/// By voxel, whether it lies in a slice, along any axis, that is annotated completely.
fn complete_slices(labels: &[u8], dims: [usize; 3]) -> Vec<bool> {
    let mut inside = vec![false; labels.len()];
    for (axis, stride) in [1, dims[0], dims[0] * dims[1]].into_iter().enumerate() {
        let mut complete = vec![true; dims[axis]];
        let slice = |voxel: usize| voxel / stride % dims[axis];
        labels.iter().enumerate().for_each(|(i, label)| complete[slice(i)] &= *label != UNANNOTATED);
        inside.iter_mut().enumerate().for_each(|(i, inside)| *inside |= complete[slice(i)]);
    }
    inside
}

/// Share of voxels whose label differs.
pub fn changed_share(before: &[Vec<u8>], after: &[Vec<u8>]) -> f64 {
    let all: usize = before.iter().map(Vec::len).sum();
    let pairs = before.iter().flatten().zip(after.iter().flatten());
    pairs.filter(|(a, b)| a != b).count() as f64 / all.max(1) as f64
}
