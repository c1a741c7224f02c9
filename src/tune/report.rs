//! The report of a tuning.

use super::acceptance::{BeforeAfter, Cause, Decision, Verdict};
use super::case::AnnotatedCase;
use super::config::TuneConfig;
use super::evaluation::{Evaluation, changed_share};
use super::scope::Scope;
use super::validation::ValidationMasks;
use super::weights::ModelWeights;
use crate::card::{Card, Stage};
use crate::error::{Error, Result};
use serde::Serialize;

/// The Dice of a label on the validation voxels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelChange {
    /// Name of the label.
    pub name: String,
    /// Before and after; `None` where the label has no validation voxel.
    pub dice: Option<BeforeAfter>,
}

/// The Dice of a case on its validation voxels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseChange {
    /// Name of the case.
    pub name: String,
    /// Before and after.
    pub dice: BeforeAfter,
}

/// What was done, and what came of it. The JSON names are part of the public contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TuneReport {
    /// Whether the tuned weights were accepted.
    pub accepted: bool,
    /// Whether they were; or may be kept as a variant of one's own, which is not done unasked.
    pub verdict: Verdict,
    /// Which rule decided.
    pub cause: Cause,
    /// Why or why not, in words, with the figures.
    pub reason: String,
    /// Mean Dice on the validation voxels.
    #[serde(rename = "check")]
    pub validation_dice: Option<BeforeAfter>,
    /// The same by label.
    pub labels: Vec<LabelChange>,
    /// The same by case, of those that validate.
    pub cases: Vec<CaseChange>,
    /// Mean Dice on the reference case.
    #[serde(rename = "reference")]
    pub reference_dice: Option<BeforeAfter>,
    /// Share of the cases' voxels whose label differs between the masks before and after.
    #[serde(rename = "changed")]
    pub changed_share: f64,
    /// Agreement of the annotations with the original masks, a Dice; see [`super::evaluation::agreement`].
    pub agreement: f64,
    /// Whether all images resemble those that the model was trained on.
    #[serde(rename = "inside")]
    pub in_distribution: bool,
    /// By image, how it differs from those.
    #[serde(rename = "outside")]
    pub out_of_distribution: Vec<String>,
    /// Names of the cases that train.
    #[serde(rename = "teaching")]
    pub training_cases: Vec<String>,
    /// Names of the cases that validate; a case may do both, with different voxels.
    #[serde(rename = "judging")]
    pub validation_cases: Vec<String>,
    /// Which networks were tuned.
    pub stages: Vec<Stage>,
    /// Which of their tensors.
    pub scope: Scope,
    /// Whether a network was started with its first convolution negated, for images of inverted contrast.
    #[serde(rename = "turned")]
    pub contrast_inverted: bool,
    /// Steps of both networks.
    pub steps: usize,
    /// Seconds, evaluation included.
    pub seconds: f64,
    /// First and last loss: what is missing of a Dice of 1, plus the cross-entropy; 0 is the least.
    pub loss: Option<[f64; 2]>,
    /// Steps that were undone because their loss was not finite.
    #[serde(rename = "taken_back")]
    pub undone_steps: usize,
    /// Seed of all random draws.
    pub seed: u64,
    /// Weight of unannotated voxels.
    #[serde(rename = "keep")]
    pub keep_weight: f64,
    /// Least gain on the validation voxels, and largest loss on the reference case.
    pub bounds: [f64; 2],
    /// Name of the model.
    pub model: String,
    /// What the result must not be used for.
    pub notice: &'static str,
}

impl TuneReport {
    /// The report before the first step.
    pub(super) fn new(
        base: &ModelWeights,
        cases: &[AnnotatedCase],
        validation: &ValidationMasks,
        config: &TuneConfig,
        scope: Scope,
    ) -> Self {
        let reason = |case: &AnnotatedCase| {
            case.out_of_distribution.as_ref().map(|why| format!("{}: {why}", case.name))
        };
        let out_of_distribution: Vec<String> = cases.iter().filter_map(reason).collect();
        let named = |wanted: bool| {
            let pairs = cases.iter().zip(validation).filter(|(_, part)| part.contains(&wanted));
            pairs.map(|(case, _)| case.name.clone()).collect()
        };
        Self {
            accepted: false,
            verdict: Verdict::Refused,
            cause: Cause::NoGain,
            reason: String::new(),
            validation_dice: None,
            labels: Vec::new(),
            cases: Vec::new(),
            reference_dice: None,
            changed_share: 0.0,
            agreement: 0.0,
            in_distribution: out_of_distribution.is_empty(),
            out_of_distribution,
            training_cases: named(false),
            validation_cases: named(true),
            stages: Vec::new(),
            scope,
            contrast_inverted: false,
            steps: 0,
            seconds: 0.0,
            loss: None,
            undone_steps: 0,
            seed: config.seed,
            keep_weight: config.keep_weight,
            bounds: [config.bounds.gain, config.bounds.fall],
            model: base.card.name.clone(),
            notice: "Not a medical device; not for diagnosis.",
        }
    }

    /// Refuses before any step: the annotations do not belong to these images.
    pub(super) fn refuse_annotations(&mut self, before: &Evaluation, least: f64) {
        self.cause = Cause::Annotations;
        self.reason = format!(
            "refused: the annotations leave hardly anything of the masks that the model gives (Dice {:.4}, at least {least} \
             expected), though the images are such as it was trained on; masks may be exchanged between cases, or mirrored",
            self.agreement
        );
        self.validation_dice = Some(BeforeAfter { before: before.dice, after: before.dice });
        self.reference_dice = before.reference_dice.map(|dice| BeforeAfter { before: dice, after: dice });
    }

    /// Records the loss of a step.
    pub(super) fn record_loss(&mut self, loss: Option<f64>) {
        match loss {
            Some(loss) => self.loss = Some([self.loss.map_or(loss, |[first, _]| first), loss]),
            None => self.undone_steps += 1,
        }
    }

    /// Records what became of the tuned weights.
    pub(super) fn record_decision(&mut self, Decision { verdict, cause, reason }: Decision) {
        self.accepted = verdict == Verdict::Accepted;
        (self.verdict, self.cause, self.reason) = (verdict, cause, reason);
    }

    /// Records the scores before and after.
    pub(super) fn record_scores(
        &mut self,
        card: &Card,
        cases: &[AnnotatedCase],
        before: &Evaluation,
        after: &Evaluation,
    ) {
        self.validation_dice = Some(BeforeAfter { before: before.dice, after: after.dice });
        self.reference_dice = before
            .reference_dice
            .zip(after.reference_dice)
            .map(|(before, after)| BeforeAfter { before, after });
        self.changed_share = changed_share(&before.masks, &after.masks);
        let scores = before.dice_by_case.iter().zip(&after.dice_by_case);
        let changes = cases.iter().zip(scores).filter_map(|(case, (before, after))| {
            let (before, after) = before.zip(*after)?;
            Some(CaseChange { name: case.name.clone(), dice: BeforeAfter { before, after } })
        });
        self.cases = changes.collect();
        let pairs = card.labels.iter().zip(before.dice_by_label.iter().zip(&after.dice_by_label));
        self.labels = pairs
            .map(|(label, (before, after))| LabelChange {
                name: label.name.clone(),
                dice: before.zip(*after).map(|(before, after)| BeforeAfter { before, after }),
            })
            .collect();
    }

    /// As JSON.
    ///
    /// # Errors
    /// `Argument` for values that JSON cannot hold.
    pub fn value(&self) -> Result<serde_json::Value> {
        serde_json::to_value(self)
            .map_err(|error| Error::argument("report", error.to_string(), "values that JSON can hold"))
    }
}
