//! The arguments of `insitu train`, and the recipe that they give.

use super::arguments::StageName;
use super::device::DeviceArguments;
use super::refusals::{refuse, within};
use super::train_augment::AugmentArguments;
use super::train_learning::LearningArguments;
use super::train_network::NetworkArguments;
use super::training_data::DataArguments;
use super::training_maps::MapArguments;
use clap::{Args, ValueEnum};
use insitu_seg::Result;
use insitu_seg::card::Stage;
use insitu_seg::native::read_card;
use insitu_seg::train::recipe::Start;
use insitu_seg::train::{FoldsBy, TrainingRecipe};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, ValueEnum)]
enum FoldsByName {
    /// The place in dataset.json, as in the publication
    Index,
    /// The person, so that nobody is on both sides
    Subject,
}

/// Arguments of `insitu train`. Settings that no flag gives are the recipe's; in the help, those of insitu are in brackets.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    pub data: DataArguments,
    #[command(flatten)]
    pub maps: MapArguments,
    /// Where settings are from that no flag gives: insitu; msd2018, the published system's; or the folder of a model, whose
    /// training of the same stage is repeated as its card has it
    #[arg(long, value_name = "insitu|msd2018|MODEL", default_value = "insitu", conflicts_with = "maps")]
    recipe: PathBuf,
    /// Which network
    #[arg(long)]
    stage: StageName,
    /// Validate on every N-th subject (see --folds), from this one on, counted from 0
    #[arg(long, default_value_t = 0)]
    pub fold: usize,
    /// Folds of the cross-validation: one subject in so many validates, the others train (4). Of 8, folds K and K + 4 are
    /// the halves of fold K of 4, so that weights of a fold of 4 may go on with more cases. Of label maps, one map in so
    /// many validates; 1 trains on all of them and validates on other images of the same maps
    #[arg(long, value_name = "N")]
    folds: Option<usize>,
    /// What folds are counted by (subject)
    #[arg(long, conflicts_with = "maps")]
    folds_by: Option<FoldsByName>,
    /// The model's folder; made if it is not there
    #[arg(long)]
    pub model: PathBuf,
    /// Log, one line of CSV per epoch
    #[arg(long)]
    pub log: Option<PathBuf>,
    #[command(flatten)]
    network: NetworkArguments,
    #[command(flatten)]
    augment: AugmentArguments,
    #[command(flatten)]
    learning: LearningArguments,
    /// Start from these weights, as far as they fit; "fresh" for none; "patch" for the patch stage of the same fold, where
    /// the model has one and this is the whole stage (patch)
    #[arg(long, value_name = "fresh|patch|FILE")]
    init: Option<PathBuf>,
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

    /// All settings: those of the flags, and of the recipe where no flag gives them.
    ///
    /// # Errors
    /// `Argument` for values that make no sense; those of reading a card.
    pub fn recipe(&self) -> Result<TrainingRecipe> {
        let mut recipe = self.named()?;
        self.network.apply(&mut recipe.architecture)?;
        self.augment.apply(&mut recipe.augment)?;
        self.learning.apply(&mut recipe)?;
        if let Some(init) = &self.init {
            recipe.start = match init.to_str() {
                Some("fresh") => Start::Fresh,
                Some("patch") => Start::Patch,
                _ => Start::File(init.clone()),
            };
        }
        recipe.folds = self.folds.unwrap_or(recipe.folds);
        recipe.folds_by = match self.folds_by {
            Some(FoldsByName::Index) => FoldsBy::Index,
            Some(FoldsByName::Subject) => FoldsBy::Subject,
            None => recipe.folds_by,
        };
        within("--folds", recipe.folds, if self.maps.given() { 1 } else { 2 }..=100)?;
        if self.fold >= recipe.folds {
            let expected = format!("0 to {}, as there are {} folds", recipe.folds - 1, recipe.folds);
            return refuse("--fold", &self.fold, &expected);
        }
        Ok(recipe)
    }

    /// The recipe of --recipe, as it stands.
    fn named(&self) -> Result<TrainingRecipe> {
        if let Some(recipe) = self.recipe.to_str().and_then(TrainingRecipe::find) {
            return Ok(recipe);
        }
        let folder: &Path = &self.recipe;
        if !folder.join("model.json").exists() {
            let expected = "insitu, msd2018, or the folder of a model, with its model.json";
            return refuse("--recipe", &folder.display(), expected);
        }
        TrainingRecipe::of_card(&read_card(folder)?, self.stage(), self.fold)
            .map_err(|error| error.within(folder.display()))
    }
}
