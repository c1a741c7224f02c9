//! What `insitu train` leaves on disk: the log and its picture, the best weights with their entry in the card, and the
//! state to go on from. Each file is written whole or not at all, and the state last: a run that is killed at any
//! moment goes on from the state, and the log is cut back to what it was then.

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

/// Where a training run keeps its things.
pub struct RunFiles<'a> {
    model: &'a Path,
    log: Option<&'a Path>,
    stage: Stage,
    fold: usize,
    state: PathBuf,
}

/// What the state says beside its tensors.
#[derive(Serialize, Deserialize)]
struct Moment {
    progress: TrainProgress,
    /// Steps of the optimiser.
    steps: usize,
    /// Length of the log, in bytes.
    log: usize,
}

/// What the name of a weight begins with in the state; the optimiser's have their own beginnings.
const WEIGHT: &str = "weight/";

impl<'a> RunFiles<'a> {
    /// The places of one fold of one stage in the folder `model`.
    pub fn new(model: &'a Path, log: Option<&'a Path>, stage: Stage, fold: usize) -> Self {
        let state = model.join(format!("state-{}-{fold}.safetensors", stage.name()));
        Self { model, log, stage, fold, state }
    }

    /// Logs an epoch, and keeps its weights if they are the best so far.
    pub fn epoch(
        &self,
        epoch: &EpochReport,
        weights: &Weights,
        card: &mut Card,
        form: &StageCard,
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
        };
        write_fold(self.model, card, self.stage, form, fold, weights, WeightPrecision::F32)
    }

    /// Saves everything that is needed to go on.
    pub fn state(&self, fit: &TrainingRun) -> Result<()> {
        let (Checkpoint { weights, optimizer, steps }, progress) = fit.state();
        let log = self.log.map(text).transpose()?.unwrap_or_default().len();
        let moment = serde_json::to_string(&Moment { progress, steps: *steps, log })
            .map_err(|error| Error::argument("progress", error.to_string(), "finite numbers"))?;
        let weights = weights.iter().map(|(name, array)| (format!("{WEIGHT}{name}"), array.clone()));
        let all = weights.chain(optimizer.clone()).collect();
        let metadata = HashMap::from([("moment".to_owned(), moment)]);
        create_folder(self.model)?;
        write_file(&self.state, &store::write_weights(&all, WeightPrecision::F32, metadata)?)
    }

    /// Goes on from what [`Self::state`] saved; `false` where nothing was.
    pub fn resume(&self, fit: &mut TrainingRun) -> Result<bool> {
        if !self.state.exists() {
            eprintln!("{} is not there: training begins", self.state.display());
            return Ok(false);
        }
        let bytes = read_file(&self.state)?;
        let place = |error: Error| error.within(self.state.display());
        let metadata = store::read_metadata(&bytes).map_err(place)?;
        let moment = metadata.get("moment").map_or("", String::as_str);
        let Moment { progress, steps, log } = serde_json::from_str(moment).map_err(|error| {
            place(Error::malformed("moment", error.to_string(), "the state of a training run"))
        })?;
        let (mut weights, mut optimizer) = (Weights::new(), Weights::new());
        for (name, array) in store::read_weights(&bytes).map_err(place)? {
            match name.strip_prefix(WEIGHT) {
                Some(bare) => weights.insert(bare.to_owned(), array),
                None => optimizer.insert(name, array),
            };
        }
        fit.resume(Checkpoint { weights, optimizer, steps }, progress).map_err(place)?;
        // Epochs that were logged after the state was saved come again.
        if let Some(path) = self.log
            && let Some(known) = text(path)?.get(..log)
        {
            write_file(path, known.as_bytes())?;
        }
        Ok(true)
    }
}

/// What a log holds; nothing where it is not there yet.
fn text(log: &Path) -> Result<String> {
    match std::fs::read_to_string(log) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| Error::io(log, &error)),
    }
}

/// The log with one more line, and a head line before a run's first.
fn with_row(text: String, epoch: &EpochReport) -> std::result::Result<String, String> {
    let EpochReport { progress, rate, loss, validation_loss, validation_dice, .. } = epoch;
    let head =
        ["epoch", "steps", "seconds", "rate", "loss", "validation_loss"].map(str::to_owned).into_iter();
    let numbered = (1..=validation_dice.len()).map(|label| format!("validation_dice_{label}"));
    let values = [*rate, *loss, *validation_loss].into_iter().chain(validation_dice.iter().copied());
    let row = [progress.epoch.to_string(), progress.step.to_string(), format!("{:.1}", progress.seconds)];
    let row = row.into_iter().chain(values.map(|value| format!("{value:.6}")));
    let mut writer = csv::Writer::from_writer(text.into_bytes());
    if progress.epoch == 1 {
        writer.write_record(head.chain(numbered)).map_err(|error| error.to_string())?;
    }
    writer.write_record(row).map_err(|error| error.to_string())?;
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// The command as it was given.
fn command() -> String {
    let given: Vec<String> = std::env::args().skip(1).collect();
    format!("insitu {}", given.join(" "))
}
