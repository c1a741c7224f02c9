//! Recipes: every setting that decides how a stage is trained, under one name. A card keeps that of each fold, so that the
//! same data gives the same training again.

use super::augment::{Augment, Fill};
use super::config::{TrainConfig, TrainingBudget};
use super::sample::SampleConfig;
use super::schedule::RateSchedule;
use super::split::FoldsBy;
use crate::card::{Card, Preset, Stage, StageCard};
use crate::engine::nn::adamw::{AdamWConfig, NO_CLIP};
use crate::engine::nn::loss::Loss;
use crate::error::{Error, Result};
use crate::model::Architecture;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the weights are at first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Random.
    Fresh,
    /// Those of the patch stage of the same fold, for a whole stage of a model that has one; else random.
    Patch,
    /// Those of a file, as far as they fit.
    File(PathBuf),
}

/// Settings of a training: all but the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecipe {
    /// The name of the one that it began with.
    pub name: String,
    /// The network; its channels are the card's. The card has it beside.
    #[serde(skip)]
    pub architecture: Architecture,
    /// Geometry of the cascade, where the recipe decides it. The card has it beside.
    #[serde(skip)]
    pub preset: Option<Preset>,
    /// What the weights are at first.
    pub start: Start,
    /// The loss that is minimised.
    pub loss: Loss,
    /// Largest learning rate.
    pub rate: f64,
    /// How it goes on after the warm-up.
    pub schedule: RateSchedule,
    /// Steps over which it rises.
    pub warmup: usize,
    /// Decoupled weight decay.
    pub decay: f32,
    /// Largest norm of the gradient; `None` for any.
    pub clip: Option<f32>,
    /// Decay of the running average of the weights.
    pub average: f32,
    /// Samples per step.
    pub batch: usize,
    /// Seed of all random draws.
    pub seed: u64,
    /// When training ends.
    pub budget: TrainingBudget,
    /// Folds of the cross-validation.
    pub folds: usize,
    /// What they are counted by.
    pub folds_by: FoldsBy,
    /// Random augmentation.
    pub augment: Augment,
}

/// That of this project: what `insitu train` does where nothing is said.
impl Default for TrainingRecipe {
    fn default() -> Self {
        let AdamWConfig { decay, clip, average, .. } = AdamWConfig::default();
        Self {
            name: "insitu".to_owned(),
            architecture: Architecture::default(),
            preset: None,
            start: Start::Patch,
            loss: Loss::DiceAndEntropy,
            rate: 1.5e-3,
            schedule: RateSchedule::Cosine,
            warmup: 50,
            decay,
            clip: Some(clip),
            average,
            batch: 1,
            seed: 1,
            budget: TrainingBudget::Epochs(1000),
            folds: 4,
            folds_by: FoldsBy::Subject,
            augment: Augment::default(),
        }
    }
}

impl TrainingRecipe {
    /// That of the 2nd place of the Medical Segmentation Decathlon 2018, as first released: Adam at a constant rate, soft Dice
    /// alone, and nothing around it. Its later release turns by up to 10 degrees, shears by 0.2, has a gamma of 0.5 to 1.5,
    /// draws margins and boxes ([`Augment::margin_spread`] 0.5, [`Augment::anywhere`] 0.2) and starts the whole stage
    /// from the patch stage.
    pub fn msd2018() -> Self {
        Self {
            name: "msd2018".to_owned(),
            preset: Some(Preset::default()),
            start: Start::Fresh,
            loss: Loss::Dice,
            rate: 1e-4,
            schedule: RateSchedule::Constant,
            warmup: 0,
            decay: 0.0,
            clip: None,
            average: 0.0,
            folds_by: FoldsBy::Index,
            augment: Augment {
                affine_probability: 1.0,
                degrees: 5.0,
                zoom: [0.9, 1.1],
                shear: 0.0,
                shift: 0.1,
                flip: [false; 3],
                fill: Fill::Constant(0.0),
                gamma: [1.0; 2],
                noise: [0.1; 2],
                margin_spread: 0.0,
                anywhere: 0.0,
                ..Augment::default()
            },
            ..Self::default()
        }
    }

    /// The recipe of this name.
    pub fn find(name: &str) -> Option<Self> {
        [Self::default(), Self::msd2018()].into_iter().find(|recipe| recipe.name == name)
    }

    /// That by which the fold `fold` of a stage was trained, or, where the card has none such, the first one of the stage.
    ///
    /// # Errors
    /// `Malformed` where the card has no recipe of the stage, or one that is none.
    pub fn of_card(card: &Card, stage: Stage, fold: usize) -> Result<Self> {
        let place = format!("model.json: recipe of the {} stage", stage.name());
        let stages: Option<&StageCard> = card.stages.get(stage);
        let kept = stages.and_then(|stage| {
            let kept = || stage.folds.iter().filter(|fold| fold.recipe.is_some());
            let found = kept().find(|kept| kept.fold == fold).or_else(|| kept().next());
            Some((stage.architecture, found?.recipe.clone()?))
        });
        let Some((architecture, recipe)) = kept else {
            return Err(Error::malformed(
                place,
                "none",
                "the settings of a training, as insitu train writes them",
            ));
        };
        let recipe: Self = serde_json::from_value(recipe)
            .map_err(|error| Error::malformed(place, error.to_string(), "the settings of a training"))?;
        Ok(Self { architecture, preset: Some(card.preset), ..recipe })
    }

    /// As a card keeps it.
    ///
    /// # Errors
    /// `Argument` for numbers that JSON cannot hold.
    pub fn to_card(&self) -> Result<serde_json::Value> {
        serde_json::to_value(self)
            .map_err(|error| Error::argument("recipe", error.to_string(), "values that JSON can hold"))
    }

    /// The configuration of a training for a stage of the model that `card` describes.
    pub fn config(&self, stage: Stage, card: &Card) -> TrainConfig {
        let defaults = TrainConfig::new(stage, card);
        let Architecture { inputs, outputs, .. } = defaults.architecture;
        let clip = self.clip.unwrap_or(NO_CLIP);
        TrainConfig {
            architecture: Architecture { inputs, outputs, ..self.architecture },
            samples: SampleConfig { augment: self.augment, ..defaults.samples },
            loss: self.loss,
            optimizer: AdamWConfig { decay: self.decay, clip, average: self.average, ..defaults.optimizer },
            peak_rate: self.rate,
            warmup: self.warmup,
            schedule: self.schedule,
            batch: self.batch,
            seed: self.seed,
            budget: self.budget,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::Fold;

    fn card() -> Card {
        Card::draft("a", "b", &["one".into(), "two".into()], vec!["MRI".into()], "data", "licence")
    }

    #[test]
    fn that_of_this_project_is_the_default_configuration() {
        for stage in [Stage::Whole, Stage::Patch] {
            assert_eq!(TrainingRecipe::default().config(stage, &card()), TrainConfig::new(stage, &card()));
        }
    }

    #[test]
    fn the_published_one_is_adam_on_soft_dice_and_nothing_else() {
        let config = TrainingRecipe::find("msd2018").unwrap().config(Stage::Patch, &card());
        let AdamWConfig { decay, clip, average, .. } = config.optimizer;
        assert_eq!((config.architecture.base, config.architecture.depth, config.batch), (32, 3, 1));
        assert_eq!((config.loss, decay, clip, average), (Loss::Dice, 0.0, NO_CLIP, 0.0));
        for (step, spent) in [(0, 0.0), (7, 0.5), (1000, 1.0)] {
            assert_eq!(config.schedule.rate(config.peak_rate, step, config.warmup as f64, spent), 1e-4);
        }
        assert_eq!(config.budget, TrainingBudget::Epochs(1000));
        assert_eq!(TrainingRecipe::find("msd2019"), None);
    }

    #[test]
    fn a_card_gives_back_the_recipe_of_a_fold() {
        let fold = |fold: usize, seed: u64| Fold {
            fold,
            file: format!("patch-{fold}.safetensors"),
            sha256: String::new(),
            next: None,
            steps: 1,
            validation_dice: vec![],
            command: String::new(),
            recipe: Some(TrainingRecipe { seed, ..TrainingRecipe::msd2018() }.to_card().unwrap()),
        };
        let architecture = Architecture { base: 6, depth: 4, outputs: 2, ..Architecture::default() };
        let mut card = card();
        card.preset.min_box = 28;
        card.stages.patch = Some(StageCard { architecture, folds: vec![fold(0, 7), fold(2, 8)] });
        let card = Card::read(&card.write().unwrap()).unwrap();
        let found = |fold| TrainingRecipe::of_card(&card, Stage::Patch, fold).unwrap();
        let expected =
            TrainingRecipe { seed: 8, architecture, preset: Some(card.preset), ..TrainingRecipe::msd2018() };
        assert_eq!((found(2), found(3).seed, found(3).preset.unwrap().min_box), (expected, 7, 28));
        let none = TrainingRecipe::of_card(&card, Stage::Whole, 0).unwrap_err();
        assert!(none.code() == "malformed" && none.to_string().contains("whole stage"), "{none}");
    }
}
