//! `insitu train`: one stage of a model, on a task's folder.

use super::folder::read_card;
use super::keep::Keep;
use super::segment::BackendName;
use super::{bar, read, say};
use clap::{Args, ValueEnum};
use insitu_seg::card::{Card, Stage, StageCard};
use insitu_seg::device::Compute;
use insitu_seg::engine::adam::Settings;
use insitu_seg::model::Architecture;
use insitu_seg::store::{self, Weights};
use insitu_seg::train::data::{Case, Manifest, read_case, split};
use insitu_seg::train::fit::{Budget, Epoch, Event, Fit, Plan, fresh};
use insitu_seg::train::sample::Augment;
use insitu_seg::{Error, Kind, Result};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Number of folds of the cross-validation.
const FOLDS: usize = 4;

#[derive(Clone, Copy, ValueEnum)]
enum StageName {
    Whole,
    Patch,
}

/// Arguments of `insitu train`.
#[derive(Args)]
pub struct Arguments {
    /// The task's folder, with dataset.json
    #[arg(long)]
    data: PathBuf,
    /// Which network
    #[arg(long)]
    stage: StageName,
    /// Validate on every fourth subject, from this one (0 to 3)
    #[arg(long, default_value_t = 0)]
    fold: usize,
    /// The model's folder; made if it is not there
    #[arg(long)]
    model: PathBuf,
    /// Log, one line of CSV per epoch
    #[arg(long)]
    log: Option<PathBuf>,
    /// Channels at full resolution
    #[arg(long, default_value_t = 32)]
    base: usize,
    /// Number of poolings, 3 or 4
    #[arg(long, default_value_t = 3)]
    depth: usize,
    /// Samples per step
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Seed of all random draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Largest learning rate
    #[arg(long, default_value_t = 1.5e-3)]
    rate: f64,
    /// Start from these weights, as far as they fit
    #[arg(long)]
    init: Option<PathBuf>,
    /// Train for so many minutes
    #[arg(long, conflicts_with_all = ["epochs", "steps"])]
    minutes: Option<f64>,
    /// Train for so many epochs (1000 where nothing is said)
    #[arg(long, conflicts_with = "steps")]
    epochs: Option<usize>,
    /// Train for so many steps
    #[arg(long)]
    steps: Option<usize>,
    /// What computes
    #[arg(long, default_value = "auto")]
    backend: BackendName,
    /// Go on where an earlier run of the same model, stage and fold ended
    #[arg(long)]
    resume: bool,
}

/// Trains, logging and keeping the best weights after every epoch. Ctrl-C ends the epoch at hand early and
/// saves the state to go on from.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let stage = match arguments.stage {
        StageName::Whole => Stage::Whole,
        StageName::Patch => Stage::Patch,
    };
    let architecture = check(arguments)?;
    let manifest = Manifest::read(&arguments.data)?;
    let (mut card, train, check) = prepare(arguments, &manifest)?;
    let architecture = Architecture { outputs: stage.outputs(card.labels.len()), ..architecture };
    let plan = plan(arguments, stage, &card, train.len());
    let compute = pollster::block_on(Compute::open(arguments.backend.into()))?;
    let adapter = compute.adapter().to_owned();
    let mut fit = Fit::new(plan, architecture, start(arguments, &architecture)?, compute)?;
    let keep = Keep::new(&arguments.model, arguments.log.as_deref(), stage, arguments.fold);
    if arguments.resume {
        fit = keep.resume(fit)?;
    }
    eprintln!(
        "{} cases to train, {} to validate, {} stage, fold {}, on {}",
        train.len(),
        check.len(),
        stage.name(),
        arguments.fold,
        if adapter.is_empty() { "the CPU" } else { &adapter }
    );

    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let _ = ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst));
    let bar = bar(1000, "{elapsed_precise} [{bar:40}] {percent}% {msg}, {eta} left");
    let form = StageCard { architecture, folds: Vec::new() };
    loop {
        let mut fault = None;
        let more = pollster::block_on(fit.epoch(&train, &check, &mut |event| {
            match event {
                Event::Step(spent, loss) => {
                    bar.set_position((spent * 1000.0) as u64);
                    bar.set_message(format!("loss {loss:.3}"));
                }
                Event::Epoch(epoch, weights) => {
                    let done = keep.epoch(epoch, weights, &mut card, &form);
                    bar.suspend(|| eprintln!("{}", summary(epoch)));
                    fault = done.err();
                }
            }
            if stop.load(Ordering::SeqCst) && fault.is_none() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }));
        if let Some(fault) = fault {
            return Err(fault);
        }
        match more {
            Ok(true) => keep.state(&fit)?,
            Ok(false) => break keep.state(&fit)?,
            Err(error) if error.kind == Kind::Cancelled => {
                keep.state(&fit)?;
                return Err(error);
            }
            // A run that broke down must not take the place of the state before it.
            Err(error) => return Err(error),
        }
    }
    bar.finish_and_clear();
    say(&arguments.model.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn check(arguments: &Arguments) -> Result<Architecture> {
    let Arguments { base, depth, batch, fold, .. } = *arguments;
    let wrong = |name: &str, found: String, expected: &str| Err(Error::argument(name, found, expected));
    if !(1..=256).contains(&base) {
        return wrong("--base", base.to_string(), "1 to 256");
    }
    if !(3..=4).contains(&depth) {
        return wrong("--depth", depth.to_string(), "3 or 4");
    }
    if batch == 0 {
        return wrong("--batch", "0".into(), "at least 1");
    }
    if fold >= FOLDS {
        return wrong("--fold", fold.to_string(), "0 to 3");
    }
    if !arguments.rate.is_finite() || arguments.rate <= 0.0 {
        return wrong("--rate", arguments.rate.to_string(), "a positive number");
    }
    if arguments.steps == Some(0) || arguments.epochs == Some(0) {
        return wrong("--steps or --epochs", "0".into(), "at least 1");
    }
    if arguments.minutes.is_some_and(|m| !m.is_finite() || m <= 0.0 || m > 1e6) {
        return wrong("--minutes", arguments.minutes.unwrap_or_default().to_string(), "a positive number");
    }
    Ok(Architecture { base, depth, inputs: 1, outputs: 1 })
}

/// Reads all cases and drafts or goes on with the model's card.
fn prepare(arguments: &Arguments, manifest: &Manifest) -> Result<(Card, Vec<Case>, Vec<Case>)> {
    if manifest.modality.len() != 1 {
        let found = format!("{} channels", manifest.modality.len());
        return Err(Error::unsupported("dataset.json: modality", found, "one channel"));
    }
    if manifest.modality.values().any(|name| name.to_uppercase().contains("CT")) {
        return Err(Error::unsupported(
            "dataset.json: modality",
            "CT",
            "MR; windows of CT tasks are not computed yet",
        ));
    }
    let labels = manifest.label_names();
    if labels.is_empty() || labels.len() + 1 != manifest.labels.len() || labels.len() > 254 {
        let found = manifest.labels.keys().cloned().collect::<Vec<_>>().join(", ");
        let expected = "0 for the background, then 1, 2, 3 and so on without a gap, up to 254";
        return Err(Error::malformed("dataset.json: labels", found, expected));
    }
    let mut card = match read_card(&arguments.model) {
        Ok(card) => {
            let known: Vec<String> = card.labels.iter().map(|label| label.name.clone()).collect();
            if known != labels {
                let found = format!("labels {}", labels.join(", "));
                let expected = format!("{}, as {} has", known.join(", "), arguments.model.display());
                return Err(Error::argument("dataset.json", found, expected));
            }
            card
        }
        Err(_) if !arguments.model.join("model.json").exists() => {
            let name = arguments
                .model
                .file_name()
                .map_or("model".into(), |name| name.to_string_lossy().into_owned());
            let data = format!("{} ({})", manifest.name, manifest.reference.trim());
            let modalities = manifest.modality.values().cloned().collect();
            Card::draft(&name, &manifest.name, &labels, modalities, &data, &manifest.licence)
        }
        Err(error) => return Err(error),
    };
    let bar = bar(manifest.training.len() as u64, "reading {pos}/{len} {bar:40}");
    let mut cases = Vec::new();
    for pair in &manifest.training {
        let case = read_case(&arguments.data, pair, manifest, &card.intensity)?;
        for axis in 0..3 {
            card.field_mm.min[axis] = card.field_mm.min[axis].min(case.dims[axis] as f64);
            card.field_mm.max[axis] = card.field_mm.max[axis].max(case.dims[axis] as f64);
        }
        cases.push(case);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (train, check) = split(cases, arguments.fold, FOLDS);
    Ok((card, train, check))
}

fn plan(arguments: &Arguments, stage: Stage, card: &Card, cases: usize) -> Plan {
    let steps = cases.div_ceil(arguments.batch);
    let budget = match (arguments.minutes, arguments.epochs, arguments.steps) {
        (Some(minutes), _, _) => Budget::Time(Duration::from_secs_f64(minutes * 60.0)),
        (_, Some(epochs), _) => Budget::Steps(epochs * steps),
        (_, _, Some(steps)) => Budget::Steps(steps),
        _ => Budget::Steps(1000 * steps),
    };
    Plan {
        stage,
        labels: card.labels.len(),
        preset: card.preset,
        augment: Augment::default(),
        settings: Settings::default(),
        rate: arguments.rate,
        batch: arguments.batch,
        seed: arguments.seed,
        budget,
    }
}

/// Fresh weights, with `--init` put in as far as it fits.
fn start(arguments: &Arguments, architecture: &Architecture) -> Result<Weights> {
    let mut weights = fresh(architecture, arguments.seed);
    let Some(path) = &arguments.init else { return Ok(weights) };
    let given = store::read_weights(&read(path)?).map_err(|error| error.within(path.display()))?;
    let mut afresh = 0;
    for (name, array) in &mut weights {
        match given.get(name) {
            Some(given) if given.shape == array.shape => array.clone_from(given),
            _ => afresh += 1,
        }
    }
    eprintln!("{afresh} tensors start afresh, the others from --init");
    Ok(weights)
}

fn summary(epoch: &Epoch) -> String {
    let dice: Vec<String> = epoch.check_dice.iter().map(|dice| format!("{dice:.4}")).collect();
    let Epoch { progress, loss, check_loss, .. } = epoch;
    let best = if epoch.improved { ", best so far" } else { "" };
    format!(
        "epoch {} ({} steps, {:.0} s): loss {loss:.4}, validation {check_loss:.4}, Dice {}{best}",
        progress.epoch,
        progress.step,
        progress.seconds,
        dice.join(" ")
    )
}
