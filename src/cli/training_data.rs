//! The data of `insitu train`: the cases of a task's folder, and what they determine of the model's card.

use super::axes::check_flips;
use super::output::progress_bar;
use super::train_preset::PresetArguments;
use clap::Args;
use insitu_seg::card::Card;
use insitu_seg::native::read_card;
use insitu_seg::train::case::LabeledCase;
use insitu_seg::train::{Dataset, Manifest, ReadOptions, TrainingRecipe};
use insitu_seg::{Error, Intensity, Result};
use std::path::{Path, PathBuf};

/// The arguments on the data.
#[derive(Args)]
pub struct DataArguments {
    /// The task's folder, with dataset.json
    #[arg(long, required_unless_present = "maps", conflicts_with = "maps")]
    data: Option<PathBuf>,
    #[command(flatten)]
    pub preset: PresetArguments,
    /// Keep cases of up to so many GiB in memory, and read the others again whenever they are needed
    #[arg(long, default_value_t = 4)]
    cache: u64,
    /// Take labels voxel by voxel where their header puts them elsewhere than their image; without this they are refused
    #[arg(long)]
    labels_by_voxel: bool,
}

/// A task's folder whose cases are not yet read.
pub struct TrainingData<'a> {
    arguments: &'a DataArguments,
    manifest: Manifest,
    card: Card,
    options: ReadOptions,
}

impl DataArguments {
    /// Reads the manifest, and drafts the card of the model in the folder `model` or takes the one that is there.
    pub fn open(&self, model: &Path, recipe: &TrainingRecipe) -> Result<TrainingData<'_>> {
        let manifest = Manifest::read(self.folder())?;
        let (card, intensity) = self.card(model, &manifest, recipe)?;
        check_flips(recipe.augment.flip, &card)?;
        let mut options = ReadOptions::default();
        options.intensity = intensity;
        options.cache_bytes = self.cache.saturating_mul(1 << 30);
        options.labels_by_voxel = self.labels_by_voxel;
        Ok(TrainingData { arguments: self, manifest, card, options })
    }

    /// The card, and the intensity as far as it is known without reading the cases.
    fn card(
        &self,
        model: &Path,
        manifest: &Manifest,
        recipe: &TrainingRecipe,
    ) -> Result<(Card, Option<Intensity>)> {
        let (labels, modalities) = (manifest.label_names()?, manifest.modalities()?);
        let given = manifest.intensity()?;
        if model.join("model.json").exists() {
            let card = read_card(model)?;
            fits(&card, &labels, &modalities, given, model)?;
            self.preset.resolve(recipe.preset, Some(&card), model)?;
            // Both stages see the same values.
            let known = Some(card.intensity);
            return Ok((card, known));
        }
        let name = model.file_name().map_or("model".into(), |name| name.to_string_lossy().into_owned());
        let data = format!("{} ({})", manifest.name, manifest.reference.trim());
        let mut card = Card::draft(&name, &manifest.name, &labels, modalities, &data, &manifest.licence);
        card.preset = self.preset.resolve(recipe.preset, None, model)?;
        Ok((card, given))
    }

    fn folder(&self) -> &Path {
        self.data.as_deref().unwrap_or(Path::new(""))
    }
}

impl TrainingData<'_> {
    /// The model's card, still without what the cases determine.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Reads all cases. Returns the card, with intensity and field of view of the cases, and the cases.
    pub fn read(self) -> Result<(Card, Dataset)> {
        let Self { arguments, manifest, mut card, options } = self;
        let bar = progress_bar(manifest.training.len() as u64, "reading {pos}/{len} {bar:40}");
        let mut off: Vec<String> = Vec::new();
        let mut on_case = |case: &LabeledCase| {
            bar.inc(1);
            off.extend(case.misalignment_mm.map(|mm| format!("{} by {mm:.1} mm", case.id)));
        };
        let (cases, intensity) = Dataset::read(arguments.folder(), &manifest, &options, &mut on_case)?;
        bar.finish_and_clear();
        if !off.is_empty() {
            eprintln!(
                "insitu: warning: labels lie off their image ({}); they are taken voxel by voxel: look at them, and give \
                 both files the same affine",
                off.join(", ")
            );
        }
        if cases.cached() < cases.len() {
            eprintln!(
                "{} of {} cases fit --cache {}; the others are read again and again",
                cases.cached(),
                cases.len(),
                arguments.cache
            );
        }
        card.intensity = intensity;
        for size in cases.sizes_mm() {
            for (axis, side) in size.into_iter().enumerate() {
                card.field_mm.min[axis] = card.field_mm.min[axis].min(side as f64);
                card.field_mm.max[axis] = card.field_mm.max[axis].max(side as f64);
            }
        }
        Ok((card, cases))
    }
}

/// Refuses data of another kind than a model was begun with.
fn fits(
    card: &Card,
    labels: &[String],
    modalities: &[String],
    given: Option<Intensity>,
    model: &Path,
) -> Result<()> {
    let refuse = |found: String, expected: String| {
        Err(Error::argument("dataset.json", found, format!("{expected}, as {} has", model.display())))
    };
    let known: Vec<String> = card.labels.iter().map(|label| label.name.clone()).collect();
    if known != labels {
        return refuse(format!("labels {}", labels.join(", ")), known.join(", "));
    }
    if card.channels() != modalities.len() {
        return refuse(format!("channels {}", modalities.join(", ")), card.modalities.join(", "));
    }
    let is_mr = |intensity| intensity == Intensity::Mr;
    if is_mr(card.intensity) != given.is_some_and(is_mr) {
        let name = |mr| if mr { "MR".to_owned() } else { "CT".to_owned() };
        return refuse(name(given.is_some_and(is_mr)), name(is_mr(card.intensity)));
    }
    Ok(())
}
