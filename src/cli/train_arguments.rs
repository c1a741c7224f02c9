//! The arguments of `insitu train`, and the configuration that they give.

use super::arguments::StageName;
use super::device::DeviceArguments;
use super::training_data::DataArguments;
use super::training_maps::MapArguments;
use clap::{Args, ValueEnum};
use insitu_seg::card::{Card, Stage};
use insitu_seg::engine::nn::adamw::AdamWConfig;
use insitu_seg::engine::nn::loss::Loss;
use insitu_seg::model::{Architecture, Blocks};
use insitu_seg::train::augment::Augment;
use insitu_seg::train::scanner::Scanner;
use insitu_seg::train::schedule::RateSchedule;
use insitu_seg::train::{TrainConfig, TrainingBudget};
use insitu_seg::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleName {
    /// Falls by a cosine
    Cosine,
    /// Falls by a power of 0.9
    Power,
    /// Stays
    Constant,
}

#[derive(Clone, Copy, ValueEnum)]
enum BlocksName {
    SeRes,
    Plain,
}

#[derive(Clone, Copy, ValueEnum)]
enum LossName {
    /// Soft Dice, as in the publication
    Dice,
    /// Soft Dice and cross-entropy
    DiceEntropy,
}

/// Arguments of `insitu train`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    pub data: DataArguments,
    #[command(flatten)]
    pub maps: MapArguments,
    /// Which network
    #[arg(long)]
    stage: StageName,
    /// Validate on every N-th subject (see --folds), from this one on, counted from 0
    #[arg(long, default_value_t = 0)]
    pub fold: usize,
    /// Folds of the cross-validation: one subject in so many validates, the others train. Of 8, folds K and K + 4 are
    /// the halves of fold K of 4, so that weights of a fold of 4 may go on with more cases. Of label maps, one map in so
    /// many validates; 1 trains on all of them and validates on other images of the same maps
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub folds: usize,
    /// The model's folder; made if it is not there
    #[arg(long)]
    pub model: PathBuf,
    /// Log, one line of CSV per epoch
    #[arg(long)]
    pub log: Option<PathBuf>,
    /// Channels at full resolution
    #[arg(long, default_value_t = 32)]
    base: usize,
    /// Number of poolings, 3 or 4
    #[arg(long, default_value_t = 3)]
    depth: usize,
    /// Blocks of each level of the network
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
    /// The loss that is minimised
    #[arg(long, default_value = "dice-entropy")]
    loss: LossName,
    /// Largest standard deviation of the noise on training images, whose own is 1
    #[arg(long, value_name = "SD", default_value_t = Augment::default().noise)]
    noise: f64,
    /// Largest standard deviation of the logarithm of a bias field on training images
    #[arg(long, value_name = "SD", default_value_t = 0.0)]
    bias: f64,
    /// Largest standard deviation of a blur of training images along each axis, in mm
    #[arg(long, value_name = "MM", default_value_t = 0.0)]
    blur: f64,
    /// Share of training images whose grey values go through a random map, so that contrast does not count
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    remap: f64,
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
    pub init: Option<PathBuf>,
    /// Train for so many minutes
    #[arg(long, conflicts_with_all = ["epochs", "steps"])]
    minutes: Option<f64>,
    /// Train for so many epochs (1000 where nothing is said)
    #[arg(long, conflicts_with = "steps")]
    epochs: Option<usize>,
    /// Train for so many steps
    #[arg(long)]
    steps: Option<usize>,
    #[command(flatten)]
    pub device: DeviceArguments,
    /// Go on where an earlier run of the same model, stage and fold ended or was killed
    #[arg(long)]
    pub resume: bool,
    /// Replace what the model's folder already has of this stage and fold
    #[arg(long, conflicts_with = "resume")]
    pub fresh: bool,
}

impl Arguments {
    /// Which network is trained.
    pub fn stage(&self) -> Stage {
        self.stage.into()
    }

    /// Refuses values that make no sense.
    pub fn check(&self) -> Result<()> {
        self.check_network()?;
        self.check_optimization()
    }

    fn check_network(&self) -> Result<()> {
        let Self { base, depth, batch, fold, folds, .. } = *self;
        if !(1..=256).contains(&base) {
            return refuse("--base", &base, "1 to 256");
        }
        if !(3..=4).contains(&depth) {
            return refuse("--depth", &depth, "3 or 4");
        }
        if batch == 0 {
            return refuse("--batch", &batch, "at least 1");
        }
        let least = if self.maps.given() { 1 } else { 2 };
        if !(least..=100).contains(&folds) {
            return refuse("--folds", &folds, &format!("{least} to 100"));
        }
        if fold >= folds {
            let expected = format!("0 to {}, as there are {folds} folds", folds - 1);
            return refuse("--fold", &fold, &expected);
        }
        Ok(())
    }

    fn check_optimization(&self) -> Result<()> {
        let Self { rate, average, decay, clip, noise, .. } = *self;
        if !rate.is_finite() || rate <= 0.0 {
            return refuse("--rate", &rate, "a positive number");
        }
        let share = |value: f32| (0.0..1.0).contains(&value);
        if !share(average) || !share(decay) || clip.is_nan() || clip <= 0.0 {
            let found = format!("{average}, {decay}, {clip}");
            let expected = "two shares from 0 to below 1, and a number above 0";
            return refuse("--average, --decay, --clip", &found, expected);
        }
        if self.steps == Some(0) || self.epochs == Some(0) {
            return refuse("--steps or --epochs", &0, "at least 1");
        }
        if let Some(minutes) = self.minutes.filter(|m| !m.is_finite() || *m <= 0.0 || *m > 1e6) {
            return refuse("--minutes", &minutes, "a positive number");
        }
        if !(0.0..=10.0).contains(&noise) {
            return refuse("--noise", &noise, "0 to 10");
        }
        self.check_scanner()
    }

    fn check_scanner(&self) -> Result<()> {
        let Self { bias, blur, remap, .. } = *self;
        if !(0.0..=2.0).contains(&bias) {
            return refuse("--bias", &bias, "0 to 2");
        }
        if !(0.0..=10.0).contains(&blur) {
            return refuse("--blur", &blur, "0 to 10 mm");
        }
        if !(0.0..=1.0).contains(&remap) {
            return refuse("--remap", &remap, "a share from 0 to 1");
        }
        Ok(())
    }

    /// The configuration of a training for the model that `card` describes, with samples augmented by `augment`.
    pub fn config(&self, card: &Card, augment: Augment) -> TrainConfig {
        let Self { base, depth, attention, roi, threshold, decay, clip, average, .. } = *self;
        let mut config = TrainConfig::new(self.stage(), card);
        let blocks = match self.blocks {
            BlocksName::SeRes => Blocks::SeRes,
            BlocksName::Plain => Blocks::Plain,
        };
        config.architecture =
            Architecture { base, depth, blocks, attention, roi, threshold, ..config.architecture };
        let scanner = Scanner { bias: self.bias, blur_mm: self.blur, remap: self.remap };
        config.samples.augment = Augment { noise: self.noise, scanner, ..augment };
        config.loss = match self.loss {
            LossName::Dice => Loss::Dice,
            LossName::DiceEntropy => Loss::DiceAndEntropy,
        };
        config.optimizer = AdamWConfig { decay, clip, average, ..AdamWConfig::default() };
        config.peak_rate = self.rate;
        config.schedule = match self.schedule {
            ScheduleName::Cosine => RateSchedule::Cosine,
            ScheduleName::Power => RateSchedule::Power,
            ScheduleName::Constant => RateSchedule::Constant,
        };
        (config.batch, config.seed) = (self.batch, self.seed);
        config.budget = match (self.minutes, self.epochs, self.steps) {
            (Some(minutes), _, _) => TrainingBudget::Time(Duration::from_secs_f64(minutes * 60.0)),
            (_, Some(epochs), _) => TrainingBudget::Epochs(epochs),
            (_, _, Some(steps)) => TrainingBudget::Steps(steps),
            _ => config.budget,
        };
        config
    }
}

fn refuse(name: &str, found: &impl ToString, expected: &str) -> Result<()> {
    Err(Error::argument(name, found.to_string(), expected))
}
