//! What a tuning says of itself.

use super::acceptance::{BeforeAfter, Evaluation, changed};
use super::validation::ValidationMasks;
use super::{AnnotatedCase, ModelWeights, Scope, TuneConfig};
use crate::card::Card;
use crate::error::{Error, Result};
use serde::Serialize;

/// The Dice of a label on the voxels that judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelChange {
    /// Its name.
    pub name: String,
    /// Before and after; none where no voxel of the label judges.
    pub dice: Option<BeforeAfter>,
}

/// What was done, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TuneReport {
    /// Whether the tuned weights were taken.
    pub accepted: bool,
    /// Why or why not, with the numbers, in words.
    pub reason: String,
    /// Mean Dice on the voxels that judge.
    pub check: Option<BeforeAfter>,
    /// The same by label.
    pub labels: Vec<LabelChange>,
    /// Mean Dice of the reference case.
    pub reference: Option<BeforeAfter>,
    /// Share of the cases' voxels whose label is another.
    pub changed: f64,
    /// Dice of the old masks with the same masks as the annotations correct them.
    pub agreement: f64,
    /// Whether all images are such as the model was trained on.
    pub inside: bool,
    /// By image, how it is unlike those.
    pub outside: Vec<String>,
    /// Cases that teach.
    pub teaching: Vec<String>,
    /// Cases that judge; the same where every case does both.
    pub judging: Vec<String>,
    /// Which networks learned.
    pub stages: Vec<&'static str>,
    /// What of them learned.
    pub scope: Scope,
    /// Whether the start was the model with its contrast turned round.
    pub turned: bool,
    /// FineTuner of all networks.
    pub steps: usize,
    /// Seconds of it all.
    pub seconds: f64,
    /// First loss, last loss.
    pub loss: Option<[f64; 2]>,
    /// FineTuner that were taken back because their loss was no number.
    pub taken_back: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// Weight of what nobody annotated.
    pub keep: f64,
    /// What the check must gain at least, and the reference may fall at most.
    pub bounds: [f64; 2],
    /// The model.
    pub model: String,
    /// What it is not.
    pub notice: &'static str,
}

impl TuneReport {
    /// Of what is known beforehand.
    pub(super) fn new(
        base: &ModelWeights,
        cases: &[AnnotatedCase],
        judging: &ValidationMasks,
        settings: &TuneConfig,
        scope: Scope,
    ) -> Self {
        let outside = |case: &AnnotatedCase| {
            case.out_of_distribution.as_ref().map(|why| format!("{}: {why}", case.name))
        };
        let outside: Vec<String> = cases.iter().filter_map(outside).collect();
        let named = |wanted: bool| {
            let pairs = cases.iter().zip(judging).filter(|(_, part)| part.contains(&wanted));
            pairs.map(|(case, _)| case.name.clone()).collect()
        };
        Self {
            accepted: false,
            reason: String::new(),
            check: None,
            labels: Vec::new(),
            reference: None,
            changed: 0.0,
            agreement: 0.0,
            inside: outside.is_empty(),
            outside,
            teaching: named(false),
            judging: named(true),
            stages: Vec::new(),
            scope,
            turned: false,
            steps: 0,
            seconds: 0.0,
            loss: None,
            taken_back: 0,
            seed: settings.seed,
            keep: settings.keep,
            bounds: [settings.bounds.gain, settings.bounds.fall],
            model: base.card.name.clone(),
            notice: "Not a medical device; not for diagnosis.",
        }
    }

    /// Before any step: the annotations are not of these images.
    pub(super) fn refuse_at_once(&mut self, before: &Evaluation, least: f64) {
        self.reason = format!(
            "refused: the annotations leave hardly anything of the masks that the model gives (Dice {:.4}, at least {least} \
             expected), though the images are such as it was trained on; masks may be exchanged between cases, or mirrored",
            self.agreement
        );
        self.check = Some(BeforeAfter { before: before.check, after: before.check });
        self.reference = before.reference.map(|dice| BeforeAfter { before: dice, after: dice });
    }

    /// A step's loss.
    pub(super) fn hears(&mut self, loss: Option<f64>) {
        match loss {
            Some(loss) => self.loss = Some([self.loss.map_or(loss, |[first, _]| first), loss]),
            None => self.taken_back += 1,
        }
    }

    /// Evaluation before and after.
    pub(super) fn figures(&mut self, card: &Card, before: &Evaluation, after: &Evaluation) {
        self.check = Some(BeforeAfter { before: before.check, after: after.check });
        self.reference =
            before.reference.zip(after.reference).map(|(before, after)| BeforeAfter { before, after });
        self.changed = changed(&before.masks, &after.masks);
        let pairs = card.labels.iter().zip(before.labels.iter().zip(&after.labels));
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
