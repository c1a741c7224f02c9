//! Opening a model and running it on files, as several commands do.

use super::arguments::BackendName;
use super::axes::{AxisName, check_flips, flips};
use clap::Args;
use insitu_seg::card::Card;
use insitu_seg::native::ModelFiles;
use insitu_seg::predict::{InferenceOptions, Model, Phase, SegmentProgress};
use insitu_seg::{Limits, ModelOptions, Result, Volume, VolumeFile, open_path};
use std::path::Path;

/// Which model, and how it is applied.
#[derive(Args)]
pub struct ModelArguments {
    /// A model's folder, the name of a shipped model, or a file of tuned weights
    #[arg(long, default_value = "hippocampus")]
    pub model: String,
    /// What computes
    #[arg(long, default_value = "auto")]
    backend: BackendName,
    /// All folds of the model in place of the first
    #[arg(long)]
    pub ensemble: bool,
    /// Look at the image mirrored along these axes too, for example x,y, and average; for models that were trained so
    #[arg(long, value_delimiter = ',')]
    flip: Vec<AxisName>,
    /// Bring labels back to the file's grid as the nearest ones, as the reference does, not by their probabilities
    #[arg(long)]
    nearest: bool,
}

impl ModelArguments {
    /// How the networks are applied.
    ///
    /// # Errors
    /// `Argument` where the model does not allow it.
    pub fn inference(&self, card: &Card) -> Result<InferenceOptions> {
        let flips = flips(&self.flip);
        check_flips(flips, card)?;
        Ok(InferenceOptions { flips, nearest: self.nearest })
    }

    /// Opens the device and loads the model; a GPU is checked against the CPU first.
    ///
    /// # Errors
    /// As [`ModelOptions::open`].
    pub fn open(&self, source: &ModelFiles) -> Result<Model> {
        let mut options = ModelOptions::default();
        options.backend = self.backend.into();
        options.ensemble = self.ensemble;
        options.inference = self.inference(&source.card)?;
        let (model, gpu_error) = pollster::block_on(options.open_files(source))?;
        if let Some(error) = gpu_error {
            eprintln!("insitu: warning: the CPU is used, because of the GPU's {error}");
        }
        Ok(model)
    }
}

/// Reads an image straight into RAS order; its file is never held whole.
///
/// # Errors
/// As [`open_path`]; `Unsupported` where it has not as many volumes as the model takes.
pub fn load(input: &Path, card: &Card, limits: &Limits) -> Result<Volume> {
    let opened: VolumeFile<'static> = open_path(input, limits)?;
    card.check_channels(opened.header()?.channels)?;
    opened.read()
}

/// The share of a run that is done, 0..=1: half for each of the two networks.
pub fn share_done(SegmentProgress { stage, done, .. }: SegmentProgress) -> f64 {
    match stage {
        Phase::Prepare => 0.0,
        Phase::Whole => done / 2.0,
        Phase::Patch => 0.5 + done / 2.0,
        _ => 1.0,
    }
}
