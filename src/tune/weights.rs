//! One fold of a model in memory, from its files and back.

use crate::card::{Card, Stage};
use crate::engine::compute::Compute;
use crate::error::{Error, Result};
use crate::predict::Model;
use crate::store::{self, WeightPrecision, Weights};

/// Files: name and bytes of each.
pub type Files = Vec<(String, Vec<u8>)>;

/// A model's card and the weights of one fold.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelWeights {
    /// The model card.
    pub card: Card,
    /// Weights of the whole network, which finds the object.
    pub whole: Weights,
    /// Weights of the patch network, which segments it.
    pub patch: Weights,
}

impl ModelWeights {
    /// The first fold of a model; `file` gives the bytes of a weight file by its name.
    ///
    /// # Errors
    /// `Malformed` where a stage is missing or a file does not fit the card; what `file` returns.
    pub fn load(card: Card, mut file: impl FnMut(&str) -> Result<Vec<u8>>) -> Result<Self> {
        let mut read = |stage: Stage| {
            let stage = card.stage(stage)?;
            let fold = &stage.folds[0];
            let bytes = file(&fold.file)?;
            fold.check(&bytes)?;
            let weights = store::read_weights(&bytes)?;
            store::check_weights(&stage.architecture, &weights)?;
            Ok::<_, Error>(weights)
        };
        let (whole, patch) = (read(Stage::Whole)?, read(Stage::Patch)?);
        Ok(Self { card, whole, patch })
    }

    /// The weights of a stage.
    pub fn get(&self, stage: Stage) -> &Weights {
        match stage {
            Stage::Whole => &self.whole,
            Stage::Patch => &self.patch,
        }
    }

    /// The weights of a stage, to be changed.
    pub fn get_mut(&mut self, stage: Stage) -> &mut Weights {
        match stage {
            Stage::Whole => &mut self.whole,
            Stage::Patch => &mut self.patch,
        }
    }

    /// The model's folder: the card, and the weight files, in 16 bits.
    ///
    /// # Errors
    /// `Malformed` where a stage is missing.
    pub fn files(&self) -> Result<(Card, Files)> {
        let (mut card, mut files) = (self.card.clone(), Vec::new());
        for stage in [Stage::Whole, Stage::Patch] {
            let mut stage_card = card.stage(stage)?.clone();
            stage_card.folds.truncate(1);
            let fold = &mut stage_card.folds[0];
            let words = [("model", &card.name), ("licence", &card.licence)];
            let words = words.map(|(key, word)| (key.to_owned(), word.clone()));
            let bytes = store::write_weights(self.get(stage), WeightPrecision::F16, words.into())?;
            (fold.sha256, fold.next) = (store::sha256(&bytes), None);
            if card.tuned.is_some() {
                fold.validation_dice.clear();
            }
            files.push((fold.file.clone(), bytes));
            *card.stages.get_mut(stage) = Some(stage_card);
        }
        Ok((card, files))
    }

    /// The model, ready to run on a device.
    ///
    /// # Errors
    /// As [`Model::from_weights`].
    pub fn model(&self, compute: &Compute) -> Result<Model> {
        Model::from_weights(self.card.clone(), [&self.whole, &self.patch], compute)
    }
}
