//! Tuning a model on corrections, and never making it worse.
//!
//! ```text
//! case       an image, and what somebody says of it: labels, 255 where nothing is said
//! domain     is it such as the model was trained on? (crate::domain)
//! split      which annotated voxels teach, and which judge
//! lesson     what a network is shown of a case, and what is wanted of it there: the weights of the loss
//! steps      what learns, from where, how fast
//! guard      figures before and after: taken, or refused in words
//! delta      what was tuned, as a file
//! ```
//! [`tune`] is that road. Nothing of the model that is given changes; what comes out is another, or none. Next to it,
//! [`suggest`]: where an annotation would teach most.

pub mod case;
pub mod delta;
mod gradients;
pub mod guard;
pub mod lesson;
pub mod report;
mod split;
pub mod steps;
pub mod suggest;

pub use case::{Case, UNKNOWN};
pub use delta::Delta;
pub use report::Report;
pub use steps::Scope;

use crate::card::{Card, Stage};
use crate::device::Compute;
use crate::domain::Census;
use crate::engine::learner::largest_patch;
use crate::error::{Error, Result};
use crate::grid::Region;
use crate::predict::{self, Model, largest_object};
use crate::prepare::{Image, View};
use crate::store::{self, Precision, Weights};
use crate::train::augment::Augment;
use guard::{Bounds, Change, Figures};
use lesson::{Drawing, Lesson};
use split::Judging;
use std::ops::ControlFlow;
use steps::{Steps, Way};
use web_time::Instant;

/// Bytes that a step may take, and the longest side of a patch, so that a step stays short.
const STEP: (u64, usize) = (1_500_000_000, 64);
/// Steps between two looks at the voxels that judge, and looks without a gain after which it ends.
const LOOK: (usize, usize) = (40, 6);
/// Part of the budget that goes to the whole network, where it learns too.
const WHOLE: f64 = 0.3;
/// Share of the annotated object that the old whole network may cut off before it learns too.
const CUT: f64 = 0.05;

/// Files by name: their bytes.
pub type Files = Vec<(String, Vec<u8>)>;

/// A model's card and the weights of one fold.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// What it is.
    pub card: Card,
    /// Of the network that finds the object.
    pub whole: Weights,
    /// Of the network that segments it.
    pub patch: Weights,
}

impl Base {
    /// The first fold of a model; `file` gives the bytes of a weight file by its name.
    ///
    /// # Errors
    /// `Malformed` where a stage is missing or a file does not fit the card; what `file` returns.
    pub fn load(card: Card, mut file: impl FnMut(&str) -> Result<Vec<u8>>) -> Result<Self> {
        let mut read = |stage: Stage| {
            let form = card.stage(stage)?;
            let fold = &form.folds[0];
            let bytes = file(&fold.file)?;
            fold.check(&bytes)?;
            let weights = store::read_weights(&bytes)?;
            store::check_weights(&form.architecture, &weights)?;
            Ok::<_, Error>(weights)
        };
        let (whole, patch) = (read(Stage::Whole)?, read(Stage::Patch)?);
        Ok(Self { card, whole, patch })
    }

    /// The weights of a stage.
    pub fn get(&self, stage: Stage) -> &Weights {
        match stage {
            Stage::Whole => &self.whole,
            Stage::Patch => &self.patch,
        }
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, stage: Stage) -> &mut Weights {
        match stage {
            Stage::Whole => &mut self.whole,
            Stage::Patch => &mut self.patch,
        }
    }

    /// As the files of a model's folder: the card, and each weight file by its name, in 16 bits.
    ///
    /// # Errors
    /// `Malformed` where a stage is missing.
    pub fn files(&self) -> Result<(Card, Files)> {
        let (mut card, mut files) = (self.card.clone(), Vec::new());
        for stage in [Stage::Whole, Stage::Patch] {
            let mut form = card.stage(stage)?.clone();
            form.folds.truncate(1);
            let words = [("model", &card.name), ("licence", &card.licence)];
            let words = words.map(|(key, word)| (key.to_owned(), word.clone()));
            let bytes = store::write_weights(self.get(stage), Precision::F16, words.into())?;
            (form.folds[0].sha256, form.folds[0].next) = (store::hash(&bytes), None);
            if card.tuned.is_some() {
                form.folds[0].validation_dice.clear();
            }
            files.push((form.folds[0].file.clone(), bytes));
            *card.stages.slot(stage) = Some(form);
        }
        Ok((card, files))
    }

    /// Ready to run.
    ///
    /// # Errors
    /// As [`Model::of`].
    pub fn model(&self, compute: &Compute) -> Result<Model> {
        Model::of(self.card.clone(), [&self.whole, &self.patch], compute)
    }
}

/// How a model is tuned. What is not said is chosen by whether the images are such as the model knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// What learns: decoder by default, all where the images are unlike those that the model knows.
    pub scope: Option<Scope>,
    /// Steps of the patch network, at most.
    pub steps: Option<usize>,
    /// Minutes of training, at most.
    pub minutes: Option<f64>,
    /// Largest learning rate.
    pub rate: Option<f64>,
    /// Seed of all draws.
    pub seed: u64,
    /// Weight of what nobody annotated: there the old network is to be kept.
    pub keep: f64,
    /// The bounds of the guard.
    pub bounds: Bounds,
}

impl Default for Settings {
    fn default() -> Self {
        let bounds = Bounds { gain: 0.001, fall: 0.02, agreement: 0.7 };
        Self { scope: None, steps: None, minutes: None, rate: None, seed: 1, keep: 0.3, bounds }
    }
}

impl Settings {
    /// Refuses numbers that make no sense.
    ///
    /// # Errors
    /// `Argument`, by name.
    pub fn check(&self) -> Result<()> {
        let wrong = |name: &str, found: String, expected: &str| Err(Error::argument(name, found, expected));
        for (name, value) in [("minutes", self.minutes), ("rate", self.rate)] {
            if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0 && *value <= 1e6)) {
                return wrong(name, value.to_string(), "a positive number");
            }
        }
        if self.steps == Some(0) {
            return wrong("steps", "0".to_owned(), "at least 1");
        }
        let Bounds { gain, fall, agreement } = self.bounds;
        for (name, value, most) in [
            ("keep", self.keep, 100.0),
            ("min gain", gain, 1.0),
            ("max fall", fall, 1.0),
            ("min agreement", agreement, 1.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return wrong(name, value.to_string(), &format!("0 to {most}"));
            }
        }
        Ok(())
    }
}

/// What is chosen where nothing is said: of images that the model knows, and of others.
struct Defaults {
    scope: Scope,
    rate: f64,
    steps: usize,
}

const INSIDE: Defaults = Defaults { scope: Scope::Decoder, rate: 2e-4, steps: 240 };
const OUTSIDE: Defaults = Defaults { scope: Scope::All, rate: 1e-3, steps: 600 };
/// Minutes where neither steps nor minutes are said.
const MINUTES: f64 = 5.0;

/// Where tuning stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// `before`, `whole`, `patch` or `after`.
    pub stage: &'static str,
    /// Steps done, of all networks.
    pub step: usize,
    /// Share of the budget that is spent, 0..=1.
    pub spent: f64,
    /// Seconds left, at most: it may end early.
    pub seconds_left: Option<f64>,
    /// Loss of the last step.
    pub loss: Option<f64>,
    /// Dice on the voxels that judge, when last looked at.
    pub check: Option<f64>,
}

/// Hears about progress; a `Break` stops the work and leaves the model as it is.
pub type Watch<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// What came out.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was done, and what is to be said of it.
    pub report: Report,
    /// The tuned model, if it was accepted.
    pub tuned: Option<(Base, Delta)>,
}

/// Tunes a model on cases. `reference` is a case that it must not get worse on.
///
/// # Errors
/// `Argument` for annotations that teach nothing; `Cancelled` where `watch` breaks; `Device` where the device fails or
/// losses are no numbers again and again; `Limit` where memory does not suffice.
pub async fn tune(
    base: &Base,
    cases: &[Case],
    reference: Option<&Case>,
    settings: &Settings,
    compute: &Compute,
    watch: &mut Watch<'_>,
) -> Result<Outcome> {
    case::check(cases, &base.card)?;
    let judging = split::split(cases)?;
    let known = cases.iter().all(|case| case.outside.is_none());
    let defaults = if known { INSIDE } else { OUTSIDE };
    let scope = settings.scope.unwrap_or(defaults.scope);
    let mut clock = Clock::new(settings, defaults.steps);

    // A GPU whose gradients are wrong is refused before anything else is asked of it.
    for stage in [Stage::Whole, Stage::Patch] {
        let form = base.card.stage(stage)?.architecture;
        gradients::check(&form, base.get(stage), &|name| scope.learns(name), compute).await?;
    }
    let old = base.model(compute)?;
    let before = Figures::of(&old, cases, &judging, reference, &mut clock.looking("before", watch)).await?;
    let mut report = Report::new(base, cases, &judging, settings, scope);
    let agreement = guard::agreement(&base.card.labels, cases, &before.masks);
    report.agreement = agreement;
    if known && agreement < settings.bounds.agreement {
        report.refuse_at_once(&before, settings.bounds.agreement);
        return Ok(Outcome { report, tuned: None });
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
        let drawing = Drawing {
            preset: base.card.preset,
            augment,
            keep: settings.keep,
            longest: room(stage)?.max(base.card.preset.min_side),
        };
        let lessons = lessons(&old, cases, &judging, stage, form.outputs).await?;
        let rate = settings.rate.unwrap_or(defaults.rate);
        let (from, turned) = if known {
            (base.get(stage).clone(), false)
        } else {
            steps::start(&form, base.get(stage), &lessons, &drawing, compute).await?
        };
        report.turned |= turned;
        let way = Way { scope, rate, seed: settings.seed };
        let mut steps = Steps::new(form, &from, &lessons, drawing, way, compute).await?;
        let mut best = Best::new(stage, &tuned, store::rounded(&from));
        clock.stage(stage, stages.len() > 1);
        if stage == Stage::Patch {
            best.look(&tuned, cases, &judging, compute, &mut clock.looking("patch", watch)).await?;
        }
        while clock.spent() < 1.0 && best.idle < LOOK.1 {
            let loss = steps.step(clock.spent()).await?;
            report.hears(loss);
            clock.step(loss, best.check, watch)?;
            if stage == Stage::Patch && (steps.done % LOOK.0 == 0 || clock.spent() >= 1.0) {
                best.weights = store::rounded(&steps.weights().await?);
                best.look(&tuned, cases, &judging, compute, &mut clock.looking("patch", watch)).await?;
            }
        }
        *tuned.get_mut(stage) =
            if stage == Stage::Patch { best.kept } else { store::rounded(&steps.weights().await?) };
    }

    let after =
        Figures::of(&tuned.model(compute)?, cases, &judging, reference, &mut clock.looking("after", watch))
            .await?;
    let veto = known && reference.is_some_and(|case| case.outside.is_none());
    let change = Change { before: before.check, after: after.check };
    let reference = before.reference.zip(after.reference).map(|(before, after)| Change { before, after });
    (report.accepted, report.reason) = guard::judge(change, reference, veto, &settings.bounds);
    report.figures(&base.card, &before, &after);
    (report.steps, report.seconds) = (clock.steps, clock.since.elapsed().as_secs_f64());
    report.stages = stages.iter().map(|stage| stage.name()).collect();
    let tuned = if report.accepted { Some(finished(base, &tuned, cases, &report)?) } else { None };
    Ok(Outcome { report, tuned })
}

/// The tuned model with its card, and its file.
fn finished(base: &Base, tuned: &Base, cases: &[Case], report: &Report) -> Result<(Base, Delta)> {
    let variant = cases.iter().find_map(|case| case.outside.clone());
    let mut census = Census::default();
    cases.iter().for_each(|case| census.add(&case.image.values, case.image.dims));
    let about = delta::About {
        base: base.card.name.clone(),
        files: delta::files(&base.card)?,
        domain: if variant.is_some() { census.domains() } else { Vec::new() },
        variant,
        report: report.value()?,
        licence: base.card.licence.clone(),
    };
    let delta = Delta::between(base, tuned, about);
    Ok((delta.apply(base)?, delta))
}

/// Share of the annotated object that lies outside of the old network's boxes.
async fn cut_off(old: &Model, cases: &[Case]) -> Result<f64> {
    let (mut cut, mut all) = (0usize, 0usize);
    for case in cases {
        let whole = case.route.whole(&case.image, &old.card.preset)?;
        let (seen, _) =
            largest_object(&old.find(&whole, &mut |_| ControlFlow::Continue(())).await?, whole.dims);
        let region =
            Region::around_object(whole.dims, case.image.dims, &old.card.preset.box_rule(), |i| seen[i]);
        let inside = region.paste(&vec![true; region.dims().iter().product()]);
        for (label, inside) in case.labels.iter().zip(inside) {
            let object = ![0, UNKNOWN].contains(label);
            (cut, all) = (cut + usize::from(object && !inside), all + usize::from(object));
        }
    }
    Ok(cut as f64 / all.max(1) as f64)
}

/// What a stage's network learns from each case that shows something beside what judges.
async fn lessons<'a>(
    old: &Model,
    cases: &'a [Case],
    judging: &Judging,
    stage: Stage,
    outputs: usize,
) -> Result<Vec<Lesson<'a>>> {
    let mut lessons = Vec::new();
    for (case, judging) in cases.iter().zip(judging) {
        let judging = case.at_mm(judging);
        let kept = match (stage, &case.outside) {
            (Stage::Patch, None) => Some(kept(old, case).await?),
            _ => None,
        };
        let lesson = Lesson::new(case, &judging, kept, stage, outputs);
        if lesson.shows_object() {
            lessons.push(lesson);
        }
    }
    Ok(lessons)
}

/// The old patch network's probabilities, and where its box is.
async fn kept(old: &Model, case: &Case) -> Result<(Vec<f32>, Vec<bool>)> {
    let whole = case.route.whole(&case.image, &old.card.preset)?;
    let quiet = &mut |_| ControlFlow::Continue(());
    let (seen, _) = largest_object(&old.find(&whole, quiet).await?, whole.dims);
    kept_in_box(old, &case.image, (&seen, whole.dims), quiet).await
}

/// A patch network's probabilities of an image of the case's size in the box around an object, `[label, z, y, x]` at 1 mm,
/// and where the box is.
async fn kept_in_box(
    model: &Model,
    image: &Image,
    (seen, dims): (&[bool], [usize; 3]),
    watch: &mut predict::Watch<'_>,
) -> Result<(Vec<f32>, Vec<bool>)> {
    let preset = &model.card.preset;
    let region = Region::around_object(dims, image.dims, &preset.box_rule(), |i| seen[i]);
    let View { region, fit } = View::of(region, preset)?;
    let patch = Image { dims: fit.to, values: fit.apply(&region.crop(&image.values)) };
    let chances = model.probabilities(&patch, watch).await?;
    let inside = |channel: &[f32]| region.paste(&fit.undo(channel));
    let all = chances.chunks_exact(fit.to.iter().product()).flat_map(inside).collect();
    Ok((all, region.paste(&vec![true; region.dims().iter().product()])))
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
    fn new(stage: Stage, tuned: &Base, weights: Weights) -> Self {
        Self { stage, kept: tuned.get(stage).clone(), weights, check: None, idle: 0 }
    }

    async fn look(
        &mut self,
        tuned: &Base,
        cases: &[Case],
        judging: &Judging,
        compute: &Compute,
        watch: &mut predict::Watch<'_>,
    ) -> Result<()> {
        let mut candidate = tuned.clone();
        *candidate.get_mut(self.stage) = self.weights.clone();
        let found = guard::check(&candidate.model(compute)?, cases, judging, watch).await?;
        if self.check.is_none_or(|best| found > best) {
            (self.check, self.idle) = (Some(found), 0);
            self.kept.clone_from(&self.weights);
        } else {
            self.idle += 1;
        }
        Ok(())
    }
}

/// How much of the budget is spent, and who hears of it.
struct Clock {
    since: Instant,
    steps: usize,
    /// Of the stage at hand: when it began, at which step, what it may take.
    began: (Instant, usize),
    most: (Option<usize>, f64),
    budget: (Option<usize>, f64),
    latest: Progress,
}

impl Clock {
    fn new(settings: &Settings, steps: usize) -> Self {
        let budget = match (settings.steps, settings.minutes) {
            (None, None) => (Some(steps), 60.0 * MINUTES),
            (steps, minutes) => (steps, 60.0 * minutes.unwrap_or(f64::INFINITY)),
        };
        let now = Instant::now();
        let latest =
            Progress { stage: "before", step: 0, spent: 0.0, seconds_left: None, loss: None, check: None };
        Self { since: now, steps: 0, began: (now, 0), most: budget, budget, latest }
    }

    /// A stage begins. Where both networks learn, the whole network has its part and the patch network what is left of the time.
    fn stage(&mut self, stage: Stage, both: bool) {
        let (steps, seconds) = self.budget;
        self.began = (Instant::now(), self.steps);
        self.most = match stage {
            Stage::Whole => (steps.map(|n| (n as f64 * WHOLE).ceil() as usize), seconds * WHOLE),
            Stage::Patch if both => (steps, seconds * (1.0 - WHOLE)),
            Stage::Patch => (steps, seconds),
        };
        self.latest.stage = stage.name();
    }

    fn spent(&self) -> f64 {
        let time = self.began.0.elapsed().as_secs_f64() / self.most.1;
        let steps = self.most.0.map_or(0.0, |most| (self.steps - self.began.1) as f64 / most.max(1) as f64);
        time.max(steps)
    }

    fn step(&mut self, loss: Option<f64>, check: Option<f64>, watch: &mut Watch<'_>) -> Result<()> {
        self.steps += 1;
        let (spent, took) = (self.spent(), self.began.0.elapsed().as_secs_f64());
        self.latest = Progress {
            step: self.steps,
            spent: spent.min(1.0),
            seconds_left: Some((took / spent - took).max(0.0)),
            loss: loss.or(self.latest.loss),
            check: check.or(self.latest.check),
            ..self.latest
        };
        match watch(self.latest) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::cancelled("tuning")),
        }
    }

    /// Passes on what a look at the cases has to say.
    fn looking<'a>(
        &self,
        stage: &'static str,
        watch: &'a mut Watch<'_>,
    ) -> impl FnMut(predict::Progress) -> ControlFlow<()> + 'a {
        let latest = Progress { stage, ..self.latest };
        move |_| watch(latest)
    }
}
