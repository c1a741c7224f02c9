//! `insitu train`: one stage of a model, on a task's folder.

use super::run_files::RunFiles;
use super::segment::BackendName;
use super::training_data::DataArguments;
use super::{print_line, progress_bar};
use clap::{Args, ValueEnum};
use insitu_seg::card::{Card, Stage, StageCard};
use insitu_seg::engine::compute::Compute;
use insitu_seg::engine::nn::adamw::AdamWConfig;
use insitu_seg::model::{Architecture, Blocks};
use insitu_seg::native::read_file;
use insitu_seg::store::{self, Weights};
use insitu_seg::train::manifest::split;
use insitu_seg::train::run::{
    EpochEnd, EpochReport, RateSchedule, TrainConfig, TrainEvent, TrainingBudget, TrainingRun,
    initial_weights,
};
use insitu_seg::train::sample::Augment;
use insitu_seg::{Error, Result};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a state on disk may be behind.
const SAVE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, ValueEnum)]
enum StageName {
    Whole,
    Patch,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleName {
    /// Falls by a cosine
    Cosine,
    /// Falls by a power of 0.9
    Power,
    /// Stays
    Constant,
}

impl From<ScheduleName> for RateSchedule {
    fn from(name: ScheduleName) -> Self {
        match name {
            ScheduleName::Cosine => Self::Cosine,
            ScheduleName::Power => Self::Power,
            ScheduleName::Constant => Self::Constant,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum BlocksName {
    SeRes,
    Plain,
}

/// Arguments of `insitu train`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// Which network
    #[arg(long)]
    stage: StageName,
    /// Validate on every N-th subject (see --folds), from this one on, counted from 0
    #[arg(long, default_value_t = 0)]
    fold: usize,
    /// Folds of the cross-validation: one subject in so many validates, the others train. Of 8, folds K and K + 4 are
    /// the halves of fold K of 4, so that weights of a fold of 4 may go on with more cases
    #[arg(long, value_name = "N", default_value_t = 4)]
    folds: usize,
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
    /// What levels are made of
    #[arg(long, default_value = "se-res")]
    blocks: BlocksName,
    /// Weigh the skips by attention gates
    #[arg(long)]
    attention: bool,
    /// Learn the region of interest too, at 1/8 of the size; a whole stage that has it finds the object by it
    #[arg(long)]
    roi: bool,
    /// Probabilities not above one half become 0 before folds are summed or averaged
    #[arg(long)]
    threshold: bool,
    /// Largest standard deviation of the noise on training images, whose own is 1
    #[arg(long, value_name = "SD", default_value_t = Augment::default().noise)]
    noise: f64,
    /// Samples per step
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Seed of all random draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Largest learning rate
    #[arg(long, default_value_t = 1.5e-3)]
    rate: f64,
    /// How the learning rate goes on after its rise over 50 steps
    #[arg(long, default_value = "cosine")]
    schedule: ScheduleName,
    /// Decoupled weight decay; 0 makes AdamW Adam
    #[arg(long, default_value_t = AdamWConfig::default().decay)]
    decay: f32,
    /// Largest norm of the gradient
    #[arg(long, default_value_t = AdamWConfig::default().clip)]
    clip: f32,
    /// Decay of the running average of the weights, which is what is kept; 0 keeps the last weights
    #[arg(long, default_value_t = AdamWConfig::default().average)]
    average: f32,
    /// Start from these weights, as far as they fit; "fresh" for none. The whole stage starts from the patch stage of the
    /// same fold where the model has one
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
    /// Go on where an earlier run of the same model, stage and fold ended or was killed
    #[arg(long)]
    resume: bool,
}

/// Trains, logging and keeping the best weights after every epoch. Ctrl-C saves the state to go on from.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let stage = match arguments.stage {
        StageName::Whole => Stage::Whole,
        StageName::Patch => Stage::Patch,
    };
    let architecture = check(arguments)?;
    let (mut card, cases, augment) = arguments.data.read(&arguments.model)?;
    let (train, check) = split(cases, arguments.fold, arguments.folds);
    let (inputs, outputs) = (card.channels(), stage.outputs(card.labels.len()));
    let architecture = Architecture { inputs, outputs, ..architecture };
    let plan = plan(arguments, stage, &card, augment, train.len());
    let compute = pollster::block_on(Compute::open(arguments.backend.into()))?;
    let adapter = compute.adapter().to_owned();
    let weights = start(arguments, stage, &card, &architecture)?;
    let count = train.len();
    let mut fit = pollster::block_on(TrainingRun::new(plan, architecture, weights, compute, train))?;
    let keep = RunFiles::new(&arguments.model, arguments.log.as_deref(), stage, arguments.fold);
    if !(arguments.resume && keep.resume(&mut fit)?) {
        keep.state(&fit)?;
    }
    eprintln!(
        "{} cases to train, {} to validate, {} stage, fold {}, on {}",
        count,
        check.len(),
        stage.name(),
        arguments.fold,
        if adapter.is_empty() { "the CPU" } else { &adapter }
    );

    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let _ = ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst));
    let bar = progress_bar(1000, "{elapsed_precise} [{bar:40}] {percent}% {msg}, {eta} left");
    let form = StageCard { architecture, folds: Vec::new() };
    let mut pass = EpochEnd::Completed;
    while pass != EpochEnd::BudgetSpent {
        let (mut fault, since) = (None, Instant::now());
        pass = pollster::block_on(fit.epoch(&check, &mut |event| {
            match event {
                TrainEvent::Step(spent, Some(loss)) => {
                    bar.set_position((spent * 1000.0) as u64);
                    bar.set_message(format!("loss {loss:.3}"));
                }
                TrainEvent::Step(_, None) => bar.suspend(|| {
                    eprintln!("a loss that is no number: back to the last state, at half the learning rate");
                }),
                TrainEvent::Epoch(epoch, weights) => {
                    fault = keep.epoch(epoch, weights, &mut card, &form).err();
                    bar.suspend(|| eprintln!("{}", summary(epoch)));
                }
            }
            if stop.load(Ordering::SeqCst) || since.elapsed() > SAVE {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }))?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        keep.state(&fit)?;
        if stop.load(Ordering::SeqCst) && pass != EpochEnd::BudgetSpent {
            return Err(Error::cancelled("training"));
        }
    }
    bar.finish_and_clear();
    print_line(&arguments.model.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn check(arguments: &Arguments) -> Result<Architecture> {
    let Arguments { base, depth, batch, fold, folds, .. } = *arguments;
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
    if !(2..=100).contains(&folds) {
        return wrong("--folds", folds.to_string(), "2 to 100");
    }
    if fold >= folds {
        let expected = format!("0 to {}, as there are {folds} folds", folds - 1);
        return Err(Error::argument("--fold", fold.to_string(), expected));
    }
    if !arguments.rate.is_finite() || arguments.rate <= 0.0 {
        return wrong("--rate", arguments.rate.to_string(), "a positive number");
    }
    let share = |value: f32| (0.0..1.0).contains(&value);
    if !share(arguments.average)
        || !share(arguments.decay)
        || arguments.clip.is_nan()
        || arguments.clip <= 0.0
    {
        let Arguments { average, decay, clip, .. } = arguments;
        let found = format!("{average}, {decay}, {clip}");
        return wrong(
            "--average, --decay, --clip",
            found,
            "two shares from 0 to below 1, and a number above 0",
        );
    }
    if arguments.steps == Some(0) || arguments.epochs == Some(0) {
        return wrong("--steps or --epochs", "0".into(), "at least 1");
    }
    if arguments.minutes.is_some_and(|m| !m.is_finite() || m <= 0.0 || m > 1e6) {
        return wrong("--minutes", arguments.minutes.unwrap_or_default().to_string(), "a positive number");
    }
    if !(0.0..=10.0).contains(&arguments.noise) {
        return wrong("--noise", arguments.noise.to_string(), "0 to 10");
    }
    let blocks = match arguments.blocks {
        BlocksName::SeRes => Blocks::SeRes,
        BlocksName::Plain => Blocks::Plain,
    };
    let Arguments { attention, roi, threshold, .. } = *arguments;
    Ok(Architecture { base, depth, inputs: 1, outputs: 1, blocks, attention, roi, threshold })
}

fn plan(arguments: &Arguments, stage: Stage, card: &Card, augment: Augment, cases: usize) -> TrainConfig {
    let steps = cases.div_ceil(arguments.batch);
    let budget = match (arguments.minutes, arguments.epochs, arguments.steps) {
        (Some(minutes), _, _) => TrainingBudget::Time(Duration::from_secs_f64(minutes * 60.0)),
        (_, Some(epochs), _) => TrainingBudget::Steps(epochs * steps),
        (_, _, Some(steps)) => TrainingBudget::Steps(steps),
        _ => TrainingBudget::Steps(1000 * steps),
    };
    TrainConfig {
        stage,
        labels: card.labels.len(),
        preset: card.preset,
        augment: Augment { noise: arguments.noise, ..augment },
        settings: AdamWConfig {
            decay: arguments.decay,
            clip: arguments.clip,
            average: arguments.average,
            ..AdamWConfig::default()
        },
        rate: arguments.rate,
        schedule: arguments.schedule.into(),
        batch: arguments.batch,
        seed: arguments.seed,
        budget,
    }
}

/// Fresh weights, with those to start from put in as far as they fit.
fn start(arguments: &Arguments, stage: Stage, card: &Card, architecture: &Architecture) -> Result<Weights> {
    let mut weights = initial_weights(architecture, arguments.seed);
    let Some(path) = origin(arguments, stage, card) else { return Ok(weights) };
    let given = store::read_weights(&read_file(&path)?).map_err(|error| error.within(path.display()))?;
    let mut afresh = 0;
    for (name, array) in &mut weights {
        match given.get(name) {
            Some(given) if given.shape == array.shape => array.clone_from(given),
            _ => afresh += 1,
        }
    }
    eprintln!("{afresh} tensors start afresh, the others from {}", path.display());
    Ok(weights)
}

/// The file of the weights to start from.
fn origin(arguments: &Arguments, stage: Stage, card: &Card) -> Option<PathBuf> {
    match &arguments.init {
        Some(word) if word.as_os_str() == "fresh" => None,
        Some(path) => Some(path.clone()),
        // As in the reference's later release.
        None if stage == Stage::Whole => {
            let folds = &card.stages.patch.as_ref()?.folds;
            let fold = folds.iter().find(|fold| fold.fold == arguments.fold)?;
            Some(arguments.model.join(&fold.file))
        }
        None => None,
    }
}

fn summary(epoch: &EpochReport) -> String {
    let dice: Vec<String> = epoch.validation_dice.iter().map(|dice| format!("{dice:.4}")).collect();
    let EpochReport { progress, loss, validation_loss, .. } = epoch;
    let best = if epoch.improved { ", best so far" } else { "" };
    format!(
        "epoch {} ({} steps, {:.0} s): loss {loss:.4}, validation {validation_loss:.4}, Dice {}{best}",
        progress.epoch,
        progress.step,
        progress.seconds,
        dice.join(" ")
    )
}
