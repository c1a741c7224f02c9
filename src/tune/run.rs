//! [`tune`]: the whole road from annotated cases to a tuned model, or to a refusal.

use super::acceptance::{BeforeAfter, MIN_DICE, Verdict, decide};
use super::best_weights::BestWeights;
use super::case::{AnnotatedCase, check_annotations};
use super::config::{Defaults, IN_DISTRIBUTION, OUT_OF_DISTRIBUTION, TuneConfig};
use super::delta::{DeltaMetadata, Standing, WeightDelta, weight_hashes};
use super::evaluation::{Evaluation, agreement};
use super::fine_tuner::{FineTuneConfig, FineTuner, choose_start};
use super::gradient_check;
use super::original::{patch_samplers, share_outside_boxes};
use super::patch_sampler::PatchConfig;
use super::progress::{BudgetTracker, TunePhase, TuneProgressFn};
use super::report::TuneReport;
use super::scope::Scope;
use super::validation::{ValidationMasks, choose_validation};
use super::weights::ModelWeights;
use crate::card::Stage;
use crate::domain::DomainBuilder;
use crate::engine::compute::Compute;
use crate::engine::trainer::largest_patch;
use crate::error::Result;
use crate::predict::Model;
use crate::store;
use crate::train::augment::Augment;

/// Largest number of bytes that a step may need.
const STEP_BYTES: u64 = 1_500_000_000;
/// Longest side of a patch, so that a step stays short.
const MAX_SIDE: usize = 64;
/// Steps between two validations.
const VALIDATE_EVERY: usize = 40;
/// Share of the annotated object outside of the original boxes above which the whole network is tuned too.
const MAX_OUTSIDE: f64 = 0.05;

/// Result of a tuning.
#[derive(Debug, Clone)]
pub struct TuneOutcome {
    /// What was done, and why the result was accepted or refused.
    pub report: TuneReport,
    /// The tuned model and its delta, if it was accepted.
    pub tuned: Option<(ModelWeights, WeightDelta)>,
    /// The same, if it was refused after it was trained: to be looked at, or kept as a variant where the report offers it.
    pub refused: Option<(ModelWeights, WeightDelta)>,
}

/// Tunes a model on annotated cases. `base` stays as it is. `reference` is a case on which the model must not get worse.
///
/// # Errors
/// `Argument` for annotations from which nothing can be learned; `Cancelled` where `watch` breaks; `Device` where the
/// device fails or losses are not finite again and again; `Limit` where memory does not suffice.
pub async fn tune(
    base: &ModelWeights,
    cases: &[AnnotatedCase],
    reference: Option<&AnnotatedCase>,
    config: &TuneConfig,
    compute: &Compute,
    watch: &mut TuneProgressFn<'_>,
) -> Result<TuneOutcome> {
    config.check()?;
    check_annotations(cases, &base.card)?;
    let validation = choose_validation(cases)?;
    let tuning = Tuning::new(base, cases, &validation, config, compute);
    let mut tracker = BudgetTracker::new(config, tuning.defaults.steps);
    tuning.check_gradients().await?;

    let mut report = TuneReport::new(base, cases, &validation, config, tuning.scope);
    let model = base.model(compute)?;
    let before = tuning.evaluate(&model, reference, TunePhase::Before, &tracker, watch).await?;
    report.agreement = agreement(&base.card.labels, cases, &before.masks);
    if tuning.in_distribution && report.agreement < config.bounds.agreement {
        report.refuse_annotations(&before, config.bounds.agreement);
        return Ok(TuneOutcome { report, tuned: None, refused: None });
    }

    let mut tuned = base.clone();
    let original = Original { model, dice: before.dice };
    report.stages = tuning.stages(&original.model).await?;
    for stage in report.stages.clone() {
        tuning.tune_stage(stage, &original, &mut tuned, &mut report, &mut tracker, watch).await?;
    }

    let model = tuned.model(compute)?;
    let after = tuning.evaluate(&model, reference, TunePhase::After, &tracker, watch).await?;
    report.record_scores(&base.card, cases, &before, &after);
    let scores = BeforeAfter { before: before.dice, after: after.dice };
    let veto = tuning.in_distribution && reference.is_some_and(|case| case.out_of_distribution.is_none());
    let by_case: Vec<BeforeAfter> = report.cases.iter().map(|case| case.dice).collect();
    report.record_decision(decide(scores, &by_case, report.reference_dice, veto, &config.bounds));
    (report.steps, report.seconds) = (tracker.steps(), tracker.seconds());
    let found = Some(with_delta(base, &tuned, cases, &report)?);
    let (tuned, refused) = if report.accepted { (found, None) } else { (None, found) };
    Ok(TuneOutcome { report, tuned, refused })
}

/// The model before tuning, with its Dice on the validation voxels.
struct Original {
    model: Model,
    dice: f64,
}

/// What stays the same during a tuning.
struct Tuning<'a> {
    base: &'a ModelWeights,
    cases: &'a [AnnotatedCase],
    validation: &'a ValidationMasks,
    config: &'a TuneConfig,
    compute: &'a Compute,
    /// Whether all images resemble the model's training images.
    in_distribution: bool,
    defaults: &'static Defaults,
    scope: Scope,
}

impl<'a> Tuning<'a> {
    fn new(
        base: &'a ModelWeights,
        cases: &'a [AnnotatedCase],
        validation: &'a ValidationMasks,
        config: &'a TuneConfig,
        compute: &'a Compute,
    ) -> Self {
        let in_distribution = cases.iter().all(|case| case.out_of_distribution.is_none());
        let defaults = if in_distribution { &IN_DISTRIBUTION } else { &OUT_OF_DISTRIBUTION };
        let scope = config.scope.unwrap_or(defaults.scope);
        Self { base, cases, validation, config, compute, in_distribution, defaults, scope }
    }

    /// Refuses a GPU whose gradients are wrong, before any other work on it.
    async fn check_gradients(&self) -> Result<()> {
        for stage in [Stage::Whole, Stage::Patch] {
            let architecture = self.base.card.stage(stage)?.architecture;
            let tuned = |name: &str| self.scope.contains(name);
            gradient_check::check(&architecture, self.base.get(stage), &tuned, self.compute).await?;
        }
        Ok(())
    }

    async fn evaluate(
        &self,
        model: &Model,
        reference: Option<&AnnotatedCase>,
        phase: TunePhase,
        tracker: &BudgetTracker,
        watch: &mut TuneProgressFn<'_>,
    ) -> Result<Evaluation> {
        let watch = &mut tracker.prediction_watch(phase, watch);
        Evaluation::of(model, self.cases, self.validation, reference, watch).await
    }

    /// Which networks are tuned: the whole network only where it misses a part of the object.
    async fn stages(&self, original: &Model) -> Result<Vec<Stage>> {
        let whole = !self.in_distribution || share_outside_boxes(original, self.cases).await? > MAX_OUTSIDE;
        Ok(if whole { vec![Stage::Whole, Stage::Patch] } else { vec![Stage::Patch] })
    }

    fn patch_config(&self, stage: Stage) -> Result<PatchConfig> {
        let architecture = self.base.card.stage(stage)?.architecture;
        let largest = largest_patch(&architecture, self.compute, STEP_BYTES);
        let side = largest.map_or(architecture.min_side(), |(side, _)| side).min(MAX_SIDE);
        let preset = self.base.card.preset;
        Ok(PatchConfig {
            preset,
            augment: Augment::default(),
            keep_weight: self.config.keep_weight,
            max_side: side.max(preset.min_side),
        })
    }

    /// Tunes one network and puts its weights into `tuned`.
    async fn tune_stage(
        &self,
        stage: Stage,
        original: &Original,
        tuned: &mut ModelWeights,
        report: &mut TuneReport,
        tracker: &mut BudgetTracker,
        watch: &mut TuneProgressFn<'_>,
    ) -> Result<()> {
        let Self { base, cases, validation, config, compute, .. } = *self;
        let architecture = base.card.stage(stage)?.architecture;
        let patches = self.patch_config(stage)?;
        let samplers =
            patch_samplers(&original.model, cases, validation, stage, architecture.outputs).await?;
        // Where the original masks are mostly right, the contrast is no stranger to the model, whatever the losses say.
        let (start, inverted) = if self.in_distribution || original.dice >= MIN_DICE {
            (base.get(stage).clone(), false)
        } else {
            choose_start(&architecture, base.get(stage), &samplers, &patches, compute).await?
        };
        report.contrast_inverted |= inverted;
        let rate = config.rate.unwrap_or(self.defaults.rate);
        let fine_tune = FineTuneConfig { scope: self.scope, rate, seed: config.seed };
        let mut tuner = FineTuner::new(architecture, &start, &samplers, patches, fine_tune, compute).await?;
        tracker.start_stage(stage, report.stages.len() > 1);
        let validates = stage == Stage::Patch;
        let mut best = BestWeights::new(tuned.get(stage).clone());
        if validates {
            let watch = &mut tracker.prediction_watch(TunePhase::Patch, watch);
            best.consider(store::round_to_f16(&start), tuned, cases, validation, compute, watch).await?;
        }
        while tracker.spent() < 1.0 && best.since_gain() < self.defaults.patience {
            // The Dice is minimised as its negative, and told as what it lacks.
            let loss = tuner.step(tracker.spent()).await?.map(|loss| loss + 1.0);
            report.record_loss(loss);
            tracker.count_step(loss, best.dice(), watch)?;
            if validates && (tuner.steps() % VALIDATE_EVERY == 0 || tracker.spent() >= 1.0) {
                let weights = store::round_to_f16(&tuner.averaged().await?);
                let watch = &mut tracker.prediction_watch(TunePhase::Patch, watch);
                best.consider(weights, tuned, cases, validation, compute, watch).await?;
            }
        }
        *tuned.get_mut(stage) =
            if validates { best.into_weights() } else { store::round_to_f16(&tuner.averaged().await?) };
        Ok(())
    }
}

/// The tuned model with its card, and its delta.
fn with_delta(
    base: &ModelWeights,
    tuned: &ModelWeights,
    cases: &[AnnotatedCase],
    report: &TuneReport,
) -> Result<(ModelWeights, WeightDelta)> {
    let variant = cases.iter().find_map(|case| case.out_of_distribution.clone());
    let mut builder = DomainBuilder::default();
    cases.iter().for_each(|case| builder.add(&case.image.values, case.image.dims));
    let standing = match report.verdict {
        Verdict::Accepted => Standing::Accepted,
        Verdict::Variant | Verdict::Refused => Standing::Refused,
    };
    let about = DeltaMetadata {
        standing,
        base: base.card.name.clone(),
        files: weight_hashes(&base.card)?,
        domain: if variant.is_some() { builder.build() } else { Vec::new() },
        variant,
        report: report.value()?,
        licence: base.card.licence.clone(),
    };
    let delta = WeightDelta::between(base, tuned, about);
    Ok((delta.apply(base)?, delta))
}
