//! The files of `insitu train`: the log and its plot, the best weights with their entry in the card, and the state to resume
//! from. Each file is written whole or not at all, and the state last: a run that is killed at any moment resumes from the
//! state, and the log is truncated to what it was then.

use super::folder::write_fold;
use super::log_plot::plot_log;
use insitu_seg::card::{Card, Fold, Stage, StageCard};
use insitu_seg::native::{create_folder, parent_folder, read_card, read_file, write_file};
use insitu_seg::store::{self, WeightPrecision, Weights};
use insitu_seg::train::divergence::Checkpoint;
use insitu_seg::train::run::{EpochReport, TrainProgress, TrainingRun};
use insitu_seg::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The files of a training run.
pub struct RunFiles<'a> {
    model: &'a Path,
    log: Option<&'a Path>,
    stage: Stage,
    fold: usize,
    state: PathBuf,
    /// Every setting of the training, for the card.
    pub recipe: Option<serde_json::Value>,
}

/// The header of a state file.
#[derive(Serialize, Deserialize)]
struct StateHeader {
    progress: TrainProgress,
    /// Steps of the optimiser.
    steps: usize,
    /// Length of the log, in bytes.
    log: usize,
}

/// Prefix of the weights' names in a state file; the tensors of the optimiser have other prefixes.
const WEIGHT_PREFIX: &str = "weight/";

impl<'a> RunFiles<'a> {
    /// The files of one fold of one stage in the folder `model`.
    pub fn new(model: &'a Path, log: Option<&'a Path>, stage: Stage, fold: usize) -> Self {
        let state = model.join(format!("state-{}-{fold}.safetensors", stage.name()));
        Self { model, log, stage, fold, state, recipe: None }
    }

    /// Refuses to replace weights or the state of an earlier run by those of a new one.
    pub fn refuse_to_replace(&self, card: &Card, resume: bool) -> Result<()> {
        if resume && self.state.exists() {
            return Ok(());
        }
        let folds = card.stages.get(self.stage).map_or(&[][..], |stage| &stage.folds);
        let trained = folds.iter().any(|fold| fold.fold == self.fold);
        if !trained && !self.state.exists() {
            return Ok(());
        }
        let what = if trained { "the trained weights" } else { "the state of a training" };
        let (stage, fold) = (self.stage.name(), self.fold);
        let without = if resume { " without a state to go on from" } else { "" };
        let found = format!("{what} of the {stage} stage, fold {fold},{without} in {}", self.model.display());
        let expected = if resume {
            "--fresh to replace them, or another folder"
        } else {
            "--resume to go on with it, --fresh to replace it, or another folder"
        };
        Err(Error::argument("--model", found, expected))
    }

    /// Logs an epoch, and writes its weights if they are the best so far.
    pub fn save_epoch(
        &self,
        epoch: &EpochReport,
        weights: &Weights,
        card: &mut Card,
        stage_card: &StageCard,
    ) -> Result<()> {
        if let Some(log) = self.log {
            create_folder(parent_folder(log))?;
            let text = with_row(text(log)?, epoch)
                .map_err(|error| Error::argument(log.display().to_string(), error, "a CSV log"))?;
            write_file(log, text.as_bytes())?;
            write_file(&log.with_extension("svg"), plot_log(&text)?.as_bytes())?;
        }
        if !epoch.improved {
            return Ok(());
        }
        // The other stage may have been trained meanwhile: its part of the card is taken from the folder.
        if let Ok(current) = read_card(self.model) {
            card.stages = current.stages;
        }
        let fold = Fold {
            fold: self.fold,
            file: format!("{}-{}.safetensors", self.stage.name(), self.fold),
            sha256: String::new(),
            next: None,
            steps: epoch.progress.step,
            validation_dice: epoch.validation_dice.iter().map(|dice| (dice * 1e4).round() / 1e4).collect(),
            command: command(),
            recipe: self.recipe.clone(),
        };
        write_fold(self.model, card, self.stage, stage_card, fold, weights, WeightPrecision::F32)
    }

    /// Saves everything that is needed to resume.
    pub fn save_state(&self, run: &TrainingRun) -> Result<()> {
        let (Checkpoint { weights, optimizer, steps }, progress) = run.state();
        let log = self.log.map(text).transpose()?.unwrap_or_default().len();
        let moment = serde_json::to_string(&StateHeader { progress, steps: *steps, log })
            .map_err(|error| Error::argument("progress", error.to_string(), "finite numbers"))?;
        let weights = weights.iter().map(|(name, array)| (format!("{WEIGHT_PREFIX}{name}"), array.clone()));
        let all = weights.chain(optimizer.clone()).collect();
        let metadata = HashMap::from([("moment".to_owned(), moment)]);
        create_folder(self.model)?;
        write_file(&self.state, &store::write_weights(&all, WeightPrecision::F32, metadata)?)
    }

    /// Resumes from what [`Self::save_state`] saved; `false` where there is nothing.
    pub fn resume(&self, run: &mut TrainingRun) -> Result<bool> {
        if !self.state.exists() {
            eprintln!("{} is not there: training begins", self.state.display());
            return Ok(false);
        }
        let bytes = read_file(&self.state)?;
        let place = |error: Error| error.within(self.state.display());
        let metadata = store::read_metadata(&bytes).map_err(place)?;
        let moment = metadata.get("moment").map_or("", String::as_str);
        let StateHeader { progress, steps, log } = serde_json::from_str(moment).map_err(|error| {
            place(Error::malformed("moment", error.to_string(), "the state of a training run"))
        })?;
        let (mut weights, mut optimizer) = (Weights::new(), Weights::new());
        for (name, array) in store::read_weights(&bytes).map_err(place)? {
            match name.strip_prefix(WEIGHT_PREFIX) {
                Some(bare) => weights.insert(bare.to_owned(), array),
                None => optimizer.insert(name, array),
            };
        }
        run.resume(Checkpoint { weights, optimizer, steps }, progress).map_err(place)?;
        // Epochs that were logged after the state was saved are repeated.
        if let Some(path) = self.log
            && let Some(known) = text(path)?.get(..log)
        {
            write_file(path, known.as_bytes())?;
        }
        Ok(true)
    }
}

/// The text of a log; empty where there is none yet.
fn text(log: &Path) -> Result<String> {
    match std::fs::read_to_string(log) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| Error::io(log, &error)),
    }
}

/// The log with one more row, and a header before the first row of a run.
fn with_row(text: String, epoch: &EpochReport) -> std::result::Result<String, String> {
    let EpochReport { progress, rate, loss, validation_loss, validation_dice, .. } = epoch;
    let head =
        ["epoch", "steps", "seconds", "rate", "loss", "validation_loss"].map(str::to_owned).into_iter();
    let labels = validation_dice.len();
    let columns = ["validation_dice", "soft_dice", "validation_soft_dice"];
    let numbered = columns.iter().flat_map(|name| (1..=labels).map(move |label| format!("{name}_{label}")));
    let values = [*rate, *loss, *validation_loss].into_iter().chain(validation_dice.iter().copied());
    let row = [progress.epoch.to_string(), progress.step.to_string(), format!("{:.1}", progress.seconds)];
    // Cells of what a device does not tell are empty.
    let soft = (0..labels).map(|label| epoch.soft_dice.get(label).copied());
    let soft = soft.chain(epoch.validation_soft_dice.iter().copied().map(Some));
    let values = values.map(Some).chain(soft);
    let cell = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.6}"));
    let row = row.into_iter().chain(values.map(cell));
    let mut writer = csv::Writer::from_writer(text.into_bytes());
    if progress.epoch == 1 {
        writer.write_record(head.chain(numbered)).map_err(|error| error.to_string())?;
    }
    writer.write_record(row).map_err(|error| error.to_string())?;
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// The command as it was given.
pub fn command() -> String {
    let given: Vec<String> = std::env::args().skip(1).collect();
    format!("insitu {}", given.join(" "))
}
