//! What `insitu train` leaves on disk: the log, the best weights with their entry in the card, and the state to go
//! on from.

use super::folder::{read_card, write_fold};
use super::{make_folder, read, write};
use insitu_seg::card::{Card, Fold, Stage, StageCard};
use insitu_seg::store::{self, Precision, Weights};
use insitu_seg::train::fit::{Epoch, Fit, Progress};
use insitu_seg::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Where a training run keeps its things.
pub struct Keep<'a> {
    model: &'a Path,
    log: Option<&'a Path>,
    stage: Stage,
    fold: usize,
    state: PathBuf,
}

impl<'a> Keep<'a> {
    /// The places of one fold of one stage in the folder `model`.
    pub fn new(model: &'a Path, log: Option<&'a Path>, stage: Stage, fold: usize) -> Self {
        Self { model, log, stage, fold, state: model.join(format!("state-{}-{fold}", stage.name())) }
    }

    /// Logs an epoch, and keeps its weights if they are the best so far.
    pub fn epoch(&self, epoch: &Epoch, weights: &Weights, card: &mut Card, form: &StageCard) -> Result<()> {
        if let Some(log) = self.log {
            append(log, epoch)?;
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
            steps: epoch.progress.step,
            validation_dice: epoch.check_dice.iter().map(|dice| (dice * 1e4).round() / 1e4).collect(),
            command: command(),
        };
        write_fold(self.model, card, self.stage, form, fold, weights, Precision::F32)
    }

    /// Saves everything that is needed to go on.
    pub fn state(&self, fit: &Fit) -> Result<()> {
        let (weights, optimizer, progress) = pollster::block_on(fit.state())?;
        make_folder(&self.state)?;
        let pack = |weights| store::write_weights(weights, Precision::F32, HashMap::new());
        write(&self.state.join("weights.safetensors"), &pack(&weights)?)?;
        write(&self.state.join("optimizer.safetensors"), &pack(&optimizer)?)?;
        let text = serde_json::to_vec(&progress)
            .map_err(|error| Error::argument("progress", error.to_string(), "finite numbers"))?;
        write(&self.state.join("progress.json"), &text)
    }

    /// Goes on from what [`Self::state`] saved.
    pub fn resume(&self, fit: Fit) -> Result<Fit> {
        let file = |name: &str| read(&self.state.join(name));
        let progress: Progress = serde_json::from_slice(&file("progress.json")?).map_err(|error| {
            Error::malformed("progress.json", error.to_string(), "the state of a training run")
        })?;
        let weights = store::read_weights(&file("weights.safetensors")?)?;
        fit.restore(weights, store::read_weights(&file("optimizer.safetensors")?)?, progress)
    }
}

/// Adds a line to the log, with a head line if it is new.
fn append(log: &Path, epoch: &Epoch) -> Result<()> {
    let fresh = !log.exists();
    let fault = |error: std::io::Error| Error::io(log, &error);
    let file = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(fault)?;
    let mut writer = csv::Writer::from_writer(file);
    let numbered = |i: usize| format!("validation_dice_{}", i + 1);
    let head =
        ["epoch", "steps", "seconds", "rate", "loss", "validation_loss"].map(str::to_owned).into_iter();
    let Epoch { progress, rate, loss, check_loss, check_dice, .. } = epoch;
    let values = [*rate, *loss, *check_loss].into_iter().chain(check_dice.iter().copied());
    let row = [progress.epoch.to_string(), progress.step.to_string(), format!("{:.1}", progress.seconds)];
    let row = row.into_iter().chain(values.map(|value| format!("{value:.6}")));
    let refused =
        |error: csv::Error| Error::argument(log.display().to_string(), error.to_string(), "a CSV log");
    if fresh {
        writer.write_record(head.chain((0..check_dice.len()).map(numbered))).map_err(refused)?;
    }
    writer.write_record(row).map_err(refused)?;
    writer.flush().map_err(fault)
}

/// The command as it was given.
fn command() -> String {
    let given: Vec<String> = std::env::args().skip(1).collect();
    format!("insitu {}", given.join(" "))
}
