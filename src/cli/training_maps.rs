//! What `insitu train --maps` trains on, and `insitu synth`: images made of label maps.

use super::output::progress_bar;
use super::train_preset::PresetArguments;
use clap::Args;
use insitu_seg::card::{Card, CardObject, Preset, Stage};
use insitu_seg::native::{read_card, read_file};
use insitu_seg::train::synthesis::{MapSet, Recipe, SyntheticValidation, Target};
use insitu_seg::{Error, Result};
use std::path::{Path, PathBuf};

/// The arguments of training on label maps.
#[derive(Args)]
pub struct MapArguments {
    /// A folder of label maps: every step is shown images that are made of them, and no other data
    #[arg(long)]
    maps: Option<PathBuf>,
    /// How images are made of the maps: a JSON file, t1 (heads with FreeSurfer's labels, three in four T1-weighted) or any
    /// (the same heads in any contrast)
    #[arg(long, value_name = "FILE|t1|any", default_value = "t1")]
    synthesis: PathBuf,
    /// Images of an epoch, of those that are made of maps
    #[arg(long, value_name = "N", default_value_t = 200)]
    epoch_images: usize,
    /// Images to validate on, of those that are made of maps
    #[arg(long, value_name = "N", default_value_t = 20)]
    check_images: usize,
}

/// The recipe of this name: a preset or a file.
pub fn recipe(name: &Path) -> Result<Recipe> {
    match name.to_str().and_then(Recipe::preset) {
        Some(recipe) => recipe,
        None => Recipe::read(&read_file(name)?).map_err(|error| error.of_file(name)),
    }
}

/// Reads maps, and says which are left out.
pub fn read_maps(folder: &Path, recipe: Recipe) -> Result<MapSet> {
    let bar = progress_bar(0, "reading {pos} maps");
    let set = MapSet::read(folder, recipe, &mut |_| bar.inc(1))?;
    bar.finish_and_clear();
    if !set.excluded.is_empty() {
        eprintln!("left out, as the synthesis says: {}", set.excluded.join(", "));
    }
    Ok(set)
}

/// A folder of maps, not yet read, with the card of their model.
pub struct MapData<'a> {
    arguments: &'a MapArguments,
    folder: &'a Path,
    recipe: Recipe,
    /// The card.
    pub card: Card,
}

/// Maps to train on.
pub struct MapTraining {
    /// The maps.
    pub set: MapSet,
    /// Images of an epoch.
    pub images: usize,
}

impl MapArguments {
    /// Whether there are maps to train on.
    pub fn given(&self) -> bool {
        self.maps.is_some()
    }

    /// Reads the recipe, and drafts the card of the model in the folder `model` or takes the one that is there; none
    /// where no maps are given.
    pub fn open(&self, model: &Path, stage: Stage, preset: &PresetArguments) -> Result<Option<MapData<'_>>> {
        let Some(folder) = &self.maps else { return Ok(None) };
        if stage != Stage::Whole {
            let expected = "whole: the patch stage is trained on cases, with --data";
            return Err(Error::argument("--stage", "patch with --maps", expected));
        }
        if self.epoch_images == 0 || self.check_images == 0 {
            let found = format!("{} and {}", self.epoch_images, self.check_images);
            return Err(Error::argument("--epoch-images and --check-images", found, "at least 1"));
        }
        let recipe = recipe(&self.synthesis)?;
        let card = card(model, &recipe, preset)?;
        Ok(Some(MapData { arguments: self, folder, recipe, card }))
    }
}

impl MapData<'_> {
    /// Reads the maps: the card with the fields of view of the images, maps to train on, images to validate on.
    pub fn read(self, fold: usize, folds: usize) -> Result<(Card, MapTraining, SyntheticValidation)> {
        let Self { arguments, folder, recipe, mut card } = self;
        let (train, check) = read_maps(folder, recipe)?.split(fold, folds);
        if train.maps.is_empty() || check.maps.is_empty() {
            let found = format!("{} maps in {folds} folds", train.maps.len() + check.maps.len());
            let expected = "a map to train on and one to validate on; 1 for all of them in both";
            return Err(Error::argument("--folds", found, expected));
        }
        let validation = SyntheticValidation { set: check, count: arguments.check_images };
        for number in 0..validation.count {
            let preset = Preset { max_voxels: FIELD_VOXELS, ..card.preset };
            for (axis, side) in validation.image(number, &preset)?.dims_mm.into_iter().enumerate() {
                card.field_mm.min[axis] = card.field_mm.min[axis].min(side as f64);
                card.field_mm.max[axis] = card.field_mm.max[axis].max(side as f64);
            }
        }
        Ok((card, MapTraining { set: train, images: arguments.epoch_images }, validation))
    }
}

/// Voxels of images of which only the field of view is looked at.
const FIELD_VOXELS: usize = 24 * 24 * 24;

fn card(model: &Path, recipe: &Recipe, preset: &PresetArguments) -> Result<Card> {
    let name = |target: &Target| target.name.clone();
    let labels: Vec<String> = recipe.objects().map(name).collect();
    let measured: Vec<String> = recipe.targets.iter().filter(|target| target.measure).map(name).collect();
    // A model of one object needs no names.
    let objects = if recipe.targets.len() > 1 { labels.clone() } else { Vec::new() };
    if model.join("model.json").exists() {
        let card = read_card(model)?;
        let known: Vec<String> = card.objects.iter().map(|object| object.name.clone()).collect();
        if known != objects || card.measured != measured {
            let list = |objects: &[String], measured: &[String]| [objects, measured].concat().join(", ");
            let found = format!("targets {}", list(&objects, &measured));
            let expected = format!("{}, as {} has", list(&known, &card.measured), model.display());
            return Err(Error::argument("--synthesis", found, expected));
        }
        preset.resolve(None, Some(&card), model)?;
        return Ok(card);
    }
    let folder = model.file_name().map_or("model".into(), |name| name.to_string_lossy().into_owned());
    let data = format!("images made of label maps: {}", recipe.origin);
    let mut card = Card::draft(&folder, &recipe.name, &labels, vec!["MRI".into()], &data, "");
    card.objects = objects.into_iter().map(|name| CardObject { name, mirror: false }).collect();
    card.measured = measured;
    card.preset = preset.resolve(None, None, model)?;
    Ok(card)
}
