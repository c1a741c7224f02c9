//! `insitu train`: one stage of a model, on a task's folder.

pub use super::train_arguments::Arguments;

use super::output::{print_line, progress_bar, stop_on_ctrl_c};
use super::run_files::RunFiles;
use super::training_set::{OpenedData, TrainingSet};
use indicatif::ProgressBar;
use insitu_seg::card::{Card, Stage, StageCard};
use insitu_seg::native::read_file;
use insitu_seg::store::{self, Weights};
use insitu_seg::train::init::copy_matching;
use insitu_seg::train::recipe::Start;
use insitu_seg::train::run::{EpochEnd, EpochReport, TrainEvent, TrainingRun};
use insitu_seg::train::source::ValidationSet;
use insitu_seg::train::{TrainConfig, initial_weights};
use insitu_seg::{Error, Result};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Longest time between two saved states.
const SAVE_EVERY: Duration = Duration::from_secs(120);

/// Trains, logging and keeping the best weights after every epoch. Ctrl-C saves the state to go on from.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (stage, recipe) = (arguments.stage(), arguments.recipe()?);
    let data = OpenedData::open(arguments, &recipe)?;
    let mut files = RunFiles::new(&arguments.model, arguments.log.as_deref(), stage, arguments.fold);
    if !arguments.fresh {
        files.refuse_to_replace(data.card(), arguments.resume)?;
    }
    // Images made of maps have settings of their own, which the recipe does not know.
    files.recipe = matches!(data, OpenedData::Cases(_)).then(|| recipe.to_card()).transpose()?;
    let TrainingSet { card, training, validation } = data.read(arguments.fold, &recipe)?;
    let config = recipe.config(stage, &card);
    let compute = arguments.device.open()?;
    let adapter = compute.adapter().to_owned();
    let start = weights_file(&recipe.start, arguments, &card);
    let weights = start_weights(start.as_deref(), &config)?;
    let said = training.to_string();
    let stage_card = StageCard { architecture: config.architecture, folds: Vec::new() };
    let mut run = training.start(config, weights, compute)?;
    if !(arguments.resume && files.resume(&mut run)?) {
        files.save_state(&run)?;
    }
    eprintln!(
        "{said} to train, {} to validate, {} stage, fold {}, on {}",
        validation.len(),
        stage.name(),
        arguments.fold,
        if adapter.is_empty() { "the CPU" } else { &adapter }
    );
    let mut session = Session { run, validation, files, card, stage_card, stop: stop_on_ctrl_c() };
    session.train_to_end()?;
    print_line(&arguments.model.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// A training run with the files that it writes.
struct Session<'a> {
    run: TrainingRun,
    validation: Box<dyn ValidationSet>,
    files: RunFiles<'a>,
    card: Card,
    stage_card: StageCard,
    stop: Arc<AtomicBool>,
}

impl Session<'_> {
    /// Trains until the budget is spent; saves the state whenever it is due.
    fn train_to_end(&mut self) -> Result<()> {
        let bar = progress_bar(1000, "{elapsed_precise} [{bar:40}] {percent}% {msg}, {eta} left");
        loop {
            let end = self.train_until_save(&bar)?;
            self.files.save_state(&self.run)?;
            if end == EpochEnd::BudgetSpent {
                bar.finish_and_clear();
                return Ok(());
            }
            if self.stop.load(Ordering::SeqCst) {
                return Err(Error::cancelled("training"));
            }
        }
    }

    /// Trains until the end of the epoch, or until the state has to be saved.
    fn train_until_save(&mut self, bar: &ProgressBar) -> Result<EpochEnd> {
        let Self { run, validation, files, card, stage_card, stop } = self;
        let (mut written, since) = (Ok(()), Instant::now());
        let end = pollster::block_on(run.epoch(&**validation, &mut |event| {
            match event {
                TrainEvent::Step(spent, Some(loss)) => {
                    bar.set_position((spent * 1000.0) as u64);
                    bar.set_message(format!("loss {loss:.3}"));
                }
                TrainEvent::Step(_, None) => bar.suspend(|| {
                    eprintln!("a loss that is no number: back to the last state, at half the learning rate");
                }),
                TrainEvent::Epoch(epoch, weights) => {
                    written = files.save_epoch(epoch, weights, card, stage_card);
                    bar.suspend(|| eprintln!("{}", summary(epoch)));
                }
            }
            if stop.load(Ordering::SeqCst) || since.elapsed() > SAVE_EVERY {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }))?;
        written.map(|()| end)
    }
}

/// Random weights, with those to start from copied in as far as they fit.
fn start_weights(path: Option<&Path>, config: &TrainConfig) -> Result<Weights> {
    let mut weights = initial_weights(&config.architecture, config.seed);
    let Some(path) = path else { return Ok(weights) };
    let given = store::read_weights(&read_file(path)?).map_err(|error| error.within(path.display()))?;
    let unmatched = copy_matching(&mut weights, &given);
    eprintln!("{unmatched} tensors start afresh, the others from {}", path.display());
    Ok(weights)
}

/// The file of the weights to start from.
fn weights_file(start: &Start, arguments: &Arguments, card: &Card) -> Option<PathBuf> {
    match start {
        Start::File(path) => Some(path.clone()),
        // As in the reference's later release.
        Start::Patch if arguments.stage() == Stage::Whole => {
            let folds = &card.stages.patch.as_ref()?.folds;
            let fold = folds.iter().find(|fold| fold.fold == arguments.fold)?;
            Some(arguments.model.join(&fold.file))
        }
        Start::Patch | Start::Fresh => None,
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
