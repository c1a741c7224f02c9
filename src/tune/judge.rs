//! Judging weights that were tuned elsewhere, such as the mean of two people's, on the annotations of one of them.

use super::acceptance::{BeforeAfter, decide_merged};
use super::case::{AnnotatedCase, check_annotations};
use super::config::TuneConfig;
use super::evaluation::{Evaluation, agreement};
use super::progress::{BudgetTracker, TunePhase, TuneProgressFn};
use super::report::TuneReport;
use super::scope::Scope;
use super::validation::choose_validation;
use super::weights::ModelWeights;
use crate::engine::compute::Compute;
use crate::error::Result;

/// Compares `merged` with the model `base` that runs now, on the voxels that [`super::tune`] would hold out of the same
/// annotations: they may fall by no more than the reference case may. No step is taken.
///
/// # Errors
/// As [`super::tune`].
pub async fn judge(
    base: &ModelWeights,
    merged: &ModelWeights,
    (cases, reference): (&[AnnotatedCase], Option<&AnnotatedCase>),
    config: &TuneConfig,
    compute: &Compute,
    watch: &mut TuneProgressFn<'_>,
) -> Result<TuneReport> {
    config.check()?;
    check_annotations(cases, &base.card)?;
    let validation = choose_validation(cases)?;
    let tracker = BudgetTracker::new(config, 1);
    let mut report = TuneReport::new(base, cases, &validation, config, Scope::All);
    let mut scores = Vec::new();
    for (weights, phase) in [(base, TunePhase::Before), (merged, TunePhase::After)] {
        let model = weights.model(compute)?;
        let mut watch = tracker.prediction_watch(phase, watch);
        scores.push(Evaluation::of(&model, cases, &validation, reference, &mut watch).await?);
    }
    if let [before, after] = &scores[..] {
        report.agreement = agreement(&base.card.labels, cases, &before.masks);
        report.record_scores(&base.card, cases, before, after);
        let scores = BeforeAfter { before: before.dice, after: after.dice };
        let veto = report.in_distribution && reference.is_some_and(|case| case.out_of_distribution.is_none());
        report.record_decision(decide_merged(scores, report.reference_dice, veto, &config.bounds));
    }
    report.seconds = tracker.seconds();
    Ok(report)
}
