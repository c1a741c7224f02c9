//! What `insitu train` trains and validates on: the cases of a task's folder, or images made of label maps.

use super::train_arguments::Arguments;
use super::training_data::TrainingData;
use super::training_maps::{MapData, MapTraining};
use insitu_seg::Result;
use insitu_seg::card::Card;
use insitu_seg::engine::compute::Compute;
use insitu_seg::store::Weights;
use insitu_seg::train::augment::Augment;
use insitu_seg::train::run::TrainingRun;
use insitu_seg::train::source::ValidationSet;
use insitu_seg::train::synthesis::SyntheticSource;
use insitu_seg::train::{Dataset, TrainConfig, split_fold};
use std::fmt;
use std::sync::Arc;

/// Data that is found, and not yet read.
pub enum OpenedData<'a> {
    /// A task's folder.
    Cases(TrainingData<'a>),
    /// A folder of label maps.
    Maps(MapData<'a>),
}

/// Data to train and to validate on, with the card of their model.
pub struct TrainingSet {
    /// The card.
    pub card: Card,
    /// How samples of cases are augmented.
    pub augment: Augment,
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
    pub fn open(arguments: &'a Arguments) -> Result<Self> {
        let max_voxels = arguments.data.max_voxels()?;
        Ok(match arguments.maps.open(&arguments.model, arguments.stage(), max_voxels)? {
            Some(maps) => Self::Maps(maps),
            None => Self::Cases(arguments.data.open(&arguments.model)?),
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
    pub fn read(self, arguments: &Arguments) -> Result<TrainingSet> {
        match self {
            Self::Cases(data) => {
                let (card, cases, augment) = data.read()?;
                let (training, validation) = split_fold(cases, arguments.fold, arguments.folds);
                let validation = Box::new(validation);
                Ok(TrainingSet { card, augment, training: Training::Cases(training), validation })
            }
            Self::Maps(data) => {
                let (card, training, validation) = data.read(arguments.fold, arguments.folds)?;
                let (augment, training) = (Augment::default(), Training::Maps(training));
                Ok(TrainingSet { card, augment, training, validation: Box::new(validation) })
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
