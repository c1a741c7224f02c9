//! Tuning a model on corrections, and never making it worse.
//!
//! ```text
//! case       an image, and what somebody says of it: labels, 255 where nothing is said
//! domain     is it such as the model was trained on? (crate::domain)
//! before     what the old model makes of it
//! split      which annotated voxels teach, and which judge
//! lesson     what a network is shown of a case, and what is wanted of it there: the weights of the loss
//! steps      what learns, from where, how fast
//! guard      figures before and after: taken, or refused in words
//! settings, clock   how it is asked for, and how far it is
//! base, delta       the model in memory, and what was tuned of it as a file
//! ```
//! [`tune`] is that road. Nothing of the model that is given changes; what comes out is another, or none. Next to it,
//! [`suggest`]: where an annotation would teach most.

pub mod acceptance;
pub mod case;
mod config;
pub mod delta;
pub mod fine_tuner;
mod gradient_check;
mod original;
pub mod patches;
mod progress;
pub mod report;
pub mod suggest;
mod validation;
mod weights;

pub use case::{AnnotatedCase, UNANNOTATED};
pub use config::TuneConfig;
pub use delta::WeightDelta;
pub use fine_tuner::Scope;
pub use progress::{TuneProgress, TuneProgressFn};
pub use report::TuneReport;
pub use weights::{Files, ModelWeights};

use crate::card::Stage;
use crate::domain::DomainBuilder;
use crate::engine::compute::Compute;
use crate::engine::trainer::largest_patch;
use crate::error::Result;
use crate::predict;
use crate::store::{self, Weights};
use crate::train::augment::Augment;
use acceptance::{BeforeAfter, Evaluation};
use config::{INSIDE, OUTSIDE};
use fine_tuner::{FineTuneConfig, FineTuner};
use original::{cut_off, lessons};
use patches::SamplingConfig;
use progress::BudgetTracker;
use validation::ValidationMasks;

/// Bytes that a step may take, and the longest side of a patch, so that a step stays short.
const STEP: (u64, usize) = (1_500_000_000, 64);
/// FineTuner between two looks at the voxels that judge.
const LOOK: usize = 40;
/// Share of the annotated object that the old whole network may cut off before it learns too.
const CUT: f64 = 0.05;

/// What came out.
#[derive(Debug, Clone)]
pub struct TuneOutcome {
    /// What was done, and what is to be said of it.
    pub report: TuneReport,
    /// The tuned model, if it was accepted.
    pub tuned: Option<(ModelWeights, WeightDelta)>,
}

/// Tunes a model on cases. `reference` is a case that it must not get worse on.
///
/// # Errors
/// `Argument` for annotations that teach nothing; `Cancelled` where `watch` breaks; `Device` where the device fails or
/// losses are no numbers again and again; `Limit` where memory does not suffice.
pub async fn tune(
    base: &ModelWeights,
    cases: &[AnnotatedCase],
    reference: Option<&AnnotatedCase>,
    settings: &TuneConfig,
    compute: &Compute,
    watch: &mut TuneProgressFn<'_>,
) -> Result<TuneOutcome> {
    case::check(cases, &base.card)?;
    let judging = validation::split(cases)?;
    let known = cases.iter().all(|case| case.out_of_distribution.is_none());
    let defaults = if known { INSIDE } else { OUTSIDE };
    let scope = settings.scope.unwrap_or(defaults.scope);
    let mut clock = BudgetTracker::new(settings, defaults.steps);

    // A GPU whose gradients are wrong is refused before anything else is asked of it.
    for stage in [Stage::Whole, Stage::Patch] {
        let form = base.card.stage(stage)?.architecture;
        gradient_check::check(&form, base.get(stage), &|name| scope.learns(name), compute).await?;
    }
    let old = base.model(compute)?;
    let before =
        Evaluation::of(&old, cases, &judging, reference, &mut clock.looking("before", watch)).await?;
    let mut report = TuneReport::new(base, cases, &judging, settings, scope);
    let agreement = acceptance::agreement(&base.card.labels, cases, &before.masks);
    report.agreement = agreement;
    if known && agreement < settings.bounds.agreement {
        report.refuse_at_once(&before, settings.bounds.agreement);
        return Ok(TuneOutcome { report, tuned: None });
    }

    let room = |stage: Stage| -> Result<usize> {
        let form = base.card.stage(stage)?.architecture;
        Ok(largest_patch(&form, compute, STEP.0).map_or(form.min_side(), |(side, _)| side).min(STEP.1))
    };
    let mut tuned = base.clone();
    let mut stages = vec![Stage::Patch];
    if !known || cut_off(&old, cases).await? > CUT {
        stages.insert(0, Stage::Whole);
    }
    for &stage in &stages {
        let form = base.card.stage(stage)?.architecture;
        let augment = Augment::default();
        let drawing = SamplingConfig {
            preset: base.card.preset,
            augment,
            keep: settings.keep,
            longest: room(stage)?.max(base.card.preset.min_side),
        };
        let lessons = lessons(&old, cases, &judging, stage, form.outputs).await?;
        let rate = settings.rate.unwrap_or(defaults.rate);
        // A model that finds most of what judges is no stranger to the contrast, whatever the losses of a few lessons say.
        let (from, turned) = if known || before.check >= acceptance::LEAST {
            (base.get(stage).clone(), false)
        } else {
            fine_tuner::start(&form, base.get(stage), &lessons, &drawing, compute).await?
        };
        report.turned |= turned;
        let way = FineTuneConfig { scope, rate, seed: settings.seed };
        let mut steps = FineTuner::new(form, &from, &lessons, drawing, way, compute).await?;
        let mut best = Best::new(stage, &tuned, store::round_to_f16(&from));
        clock.stage(stage, stages.len() > 1);
        if stage == Stage::Patch {
            best.look(&tuned, cases, &judging, compute, &mut clock.looking("patch", watch)).await?;
        }
        while clock.spent() < 1.0 && best.idle < defaults.patience {
            let loss = steps.step(clock.spent()).await?;
            report.hears(loss);
            clock.step(loss, best.check, watch)?;
            if stage == Stage::Patch && (steps.done % LOOK == 0 || clock.spent() >= 1.0) {
                best.weights = store::round_to_f16(&steps.weights().await?);
                best.look(&tuned, cases, &judging, compute, &mut clock.looking("patch", watch)).await?;
            }
        }
        *tuned.get_mut(stage) =
            if stage == Stage::Patch { best.kept } else { store::round_to_f16(&steps.weights().await?) };
    }

    let after = Evaluation::of(
        &tuned.model(compute)?,
        cases,
        &judging,
        reference,
        &mut clock.looking("after", watch),
    )
    .await?;
    let veto = known && reference.is_some_and(|case| case.out_of_distribution.is_none());
    let change = BeforeAfter { before: before.check, after: after.check };
    let reference =
        before.reference.zip(after.reference).map(|(before, after)| BeforeAfter { before, after });
    (report.accepted, report.reason) = acceptance::judge(change, reference, veto, &settings.bounds);
    report.figures(&base.card, &before, &after);
    (report.steps, report.seconds) = (clock.steps, clock.since.elapsed().as_secs_f64());
    report.stages = stages.iter().map(|stage| stage.name()).collect();
    let tuned = if report.accepted { Some(finished(base, &tuned, cases, &report)?) } else { None };
    Ok(TuneOutcome { report, tuned })
}

/// The tuned model with its card, and its file.
fn finished(
    base: &ModelWeights,
    tuned: &ModelWeights,
    cases: &[AnnotatedCase],
    report: &TuneReport,
) -> Result<(ModelWeights, WeightDelta)> {
    let variant = cases.iter().find_map(|case| case.out_of_distribution.clone());
    let mut builder = DomainBuilder::default();
    cases.iter().for_each(|case| builder.add(&case.image.values, case.image.dims));
    let about = delta::DeltaMetadata {
        base: base.card.name.clone(),
        files: delta::files(&base.card)?,
        domain: if variant.is_some() { builder.build() } else { Vec::new() },
        variant,
        report: report.value()?,
        licence: base.card.licence.clone(),
    };
    let delta = WeightDelta::between(base, tuned, about);
    Ok((delta.apply(base)?, delta))
}

/// The best weights of the patch network so far, by the voxels that judge.
struct Best {
    stage: Stage,
    /// Those that are looked at next.
    weights: Weights,
    kept: Weights,
    check: Option<f64>,
    /// Looks since the last gain.
    idle: usize,
}

impl Best {
    fn new(stage: Stage, tuned: &ModelWeights, weights: Weights) -> Self {
        Self { stage, kept: tuned.get(stage).clone(), weights, check: None, idle: 0 }
    }

    async fn look(
        &mut self,
        tuned: &ModelWeights,
        cases: &[AnnotatedCase],
        judging: &ValidationMasks,
        compute: &Compute,
        watch: &mut predict::ProgressFn<'_>,
    ) -> Result<()> {
        let mut candidate = tuned.clone();
        *candidate.get_mut(self.stage) = self.weights.clone();
        let found = acceptance::check(&candidate.model(compute)?, cases, judging, watch).await?;
        if self.check.is_none_or(|best| found > best) {
            (self.check, self.idle) = (Some(found), 0);
            self.kept.clone_from(&self.weights);
        } else {
            self.idle += 1;
        }
        Ok(())
    }
}
