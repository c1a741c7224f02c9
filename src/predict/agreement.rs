//! How much the folds of the patch network agree on an image.

use super::cascade::{Cascade, mean, threshold};
use super::progress::ProgressFn;
use crate::card::{Label, Stage};
use crate::error::Result;
use crate::metrics::dice;
use crate::prepare::Image;

/// The probabilities of the folds that segment, and the mean over labels of the Dice between the mask of the first and
/// that of all, further ones included; none where there is one fold. `labels`: those of the network's outputs.
///
/// # Errors
/// As [`super::segment`].
pub(super) async fn fold_agreement(
    cascade: Cascade<'_>,
    labels: &[Label],
    patch: &Image,
    on_progress: &mut ProgressFn<'_>,
) -> Result<(Vec<f32>, Option<f64>)> {
    let all = cascade.patch.iter().chain(cascade.peers);
    let folds = cascade.probabilities_by_fold(all, Stage::Patch, patch, on_progress).await?;
    let answer = mean(&folds[..cascade.patch.len()]);
    let [first, _, ..] = &folds[..] else { return Ok((answer, None)) };
    let [first, all] = [first, &mean(&folds)].map(|probabilities| threshold(probabilities, labels));
    let shares = labels.iter().map(|label| {
        let seen = first.contains(&label.index) && all.contains(&label.index);
        if seen { dice(&first, &all, label.index) } else { 0.0 }
    });
    Ok((answer, Some(shares.sum::<f64>() / labels.len() as f64)))
}
