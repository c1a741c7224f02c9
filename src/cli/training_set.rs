//! What `insitu train` trains and validates on: the cases of a task's folder, or images made of label maps.

use super::train_arguments::Arguments;
use super::training_data::TrainingData;
use super::training_maps::{MapData, MapTraining};
use insitu_seg::Result;
use insitu_seg::card::Card;
use insitu_seg::engine::compute::Compute;
use insitu_seg::store::Weights;
use insitu_seg::train::run::TrainingRun;
use insitu_seg::train::source::ValidationSet;
use insitu_seg::train::synthesis::SyntheticSource;
use insitu_seg::train::{Dataset, TrainConfig, TrainingRecipe};
use std::fmt;
use std::sync::Arc;

/// Data that is found, and not yet read.
pub enum OpenedData<'a> {
    /// A task's folder.
    Cases(Box<TrainingData<'a>>),
    /// A folder of label maps.
    Maps(Box<MapData<'a>>),
}

/// Data to train and to validate on, with the card of their model.
pub struct TrainingSet {
    /// The card.
    pub card: Card,
    /// To train on.
    pub training: Training,
    /// To validate on.
    pub validation: Box<dyn ValidationSet>,
}

/// What a training run is shown.
pub enum Training {
    /// Cases.
    Cases(Dataset),
    /// Images made of label maps.
    Maps(MapTraining),
}

impl<'a> OpenedData<'a> {
    /// Finds what the arguments name.
    pub fn open(arguments: &'a Arguments, recipe: &TrainingRecipe) -> Result<Self> {
        let preset = &arguments.data.preset;
        Ok(match arguments.maps.open(&arguments.model, arguments.stage(), preset)? {
            Some(maps) => Self::Maps(Box::new(maps)),
            None => Self::Cases(Box::new(arguments.data.open(&arguments.model, recipe)?)),
        })
    }

    /// The model's card, still without what the data determines.
    pub fn card(&self) -> &Card {
        match self {
            Self::Cases(data) => data.card(),
            Self::Maps(data) => &data.card,
        }
    }

    /// Reads all of it, and splits it.
    pub fn read(self, fold: usize, recipe: &TrainingRecipe) -> Result<TrainingSet> {
        match self {
            Self::Cases(data) => {
                let (card, cases) = data.read()?;
                let (training, validation) = recipe.folds_by.split(cases, fold, recipe.folds);
                let validation = Box::new(validation);
                Ok(TrainingSet { card, training: Training::Cases(training), validation })
            }
            Self::Maps(data) => {
                let (card, training, validation) = data.read(fold, recipe.folds)?;
                let (training, validation) = (Training::Maps(training), Box::new(validation));
                Ok(TrainingSet { card, training, validation })
            }
        }
    }
}

impl Training {
    /// The run that is shown it.
    pub fn start(self, config: TrainConfig, weights: Weights, compute: Compute) -> Result<TrainingRun> {
        match self {
            Self::Cases(cases) => pollster::block_on(TrainingRun::new(config, weights, compute, cases)),
            Self::Maps(MapTraining { set, images }) => {
                let TrainConfig { batch, seed, .. } = config;
                let (preset, steps) = (config.samples.preset, images.div_ceil(batch));
                let source = Arc::new(SyntheticSource { set, preset, batch, steps, seed });
                pollster::block_on(TrainingRun::from_source(config, weights, compute, source))
            }
        }
    }
}

impl fmt::Display for Training {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cases(cases) => write!(f, "{} cases", cases.len()),
            Self::Maps(training) => {
                write!(f, "{} images an epoch of {} label maps", training.images, training.set.maps.len())
            }
        }
    }
}
