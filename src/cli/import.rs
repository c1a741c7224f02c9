//! `insitu import`: weights that were trained elsewhere, as a network of a model's folder.

use super::arguments::StageName;
use super::folder::write_fold;
use super::foreign_weights::{ForeignTensors, take_network};
use super::output::print_line;
use super::run_files::command;
use clap::Args;
use insitu_seg::card::{Card, Fold, Stage, StageCard, Stages};
use insitu_seg::native::{model_folder, read_card, read_file};
use insitu_seg::store::WeightPrecision;
use insitu_seg::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `insitu import`.
#[derive(Args)]
pub struct Arguments {
    /// The weights: .safetensors, or .pth or .pt as torch.save writes them
    file: PathBuf,
    /// A model whose labels, intensities and form of the network are also theirs: its folder, its model.json, or the name of
    /// an installed one
    #[arg(long, value_name = "MODEL")]
    like: String,
    /// Which of its networks they are
    #[arg(long)]
    stage: StageName,
    /// The model's folder that gets them; made if it is not there
    #[arg(short, long)]
    output: PathBuf,
    /// Which part of the subjects they were validated on
    #[arg(long, default_value_t = 0)]
    fold: usize,
    /// Put NEW in place of OLD in the names of tensors; may be said several times
    #[arg(long, value_name = "OLD=NEW", value_parser = rename)]
    rename: Vec<(String, String)>,
    /// Licence of the weights
    #[arg(long, default_value = "not stated")]
    licence: String,
}

fn rename(text: &str) -> std::result::Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(old, _)| !old.is_empty());
    parts.map(|(old, new)| (old.to_owned(), new.to_owned())).ok_or_else(|| "expected OLD=NEW".to_owned())
}

/// Reads, checks every name and shape, and only then writes.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { file, output, fold, .. } = arguments;
    let stage = Stage::from(arguments.stage);
    let like = card(&arguments.like)?;
    let architecture = like.stage(stage)?.architecture;
    let tensors = ForeignTensors::read(file).map_err(|error| error.of_file(file))?;
    let weights = take_network(&architecture, tensors.renamed(&arguments.rename))
        .map_err(|error| error.of_file(file))?;
    let mut card = target(output, like, arguments)?;
    let taken = |form: &StageCard| form.folds.iter().any(|found| found.fold == *fold);
    if card.stages.get(stage).is_some_and(taken) {
        let found = format!("the {} stage, fold {fold}, in {}", stage.name(), output.display());
        return Err(Error::argument("--output", found, "another folder, or another --fold"));
    }
    let entry = Fold {
        fold: *fold,
        file: format!("{}-{fold}.safetensors", stage.name()),
        sha256: String::new(),
        next: None,
        steps: 0,
        validation_dice: Vec::new(),
        command: command(),
        recipe: None,
    };
    let form = StageCard { architecture, folds: Vec::new() };
    write_fold(output, &mut card, stage, &form, entry, &weights, WeightPrecision::F32)?;
    eprintln!("insitu: {} tensors of the {} stage", weights.len(), stage.name());
    print_line(&output.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// The card of a model that is given as a folder, a card or a name.
fn card(model: &str) -> Result<Card> {
    let path = Path::new(model);
    if path.is_file() {
        return Card::read(&read_file(path)?).map_err(|error| error.of_file(path));
    }
    read_card(&model_folder(model)?)
}

/// The card of the folder that is written to: its own, or a new one that claims nothing of the model that it is like but
/// its form.
fn target(folder: &Path, like: Card, arguments: &Arguments) -> Result<Card> {
    if folder.join("model.json").exists() {
        let card = read_card(folder)?;
        if (&card.labels, &card.modalities) != (&like.labels, &like.modalities) {
            let found = format!("a model of other labels or channels in {}", folder.display());
            return Err(Error::argument("--output", found, "a model like that of --like, or a new folder"));
        }
        return Ok(card);
    }
    let name = folder.file_name().map_or("imported".into(), |name| name.to_string_lossy().into_owned());
    let source = arguments.file.file_name().unwrap_or_default().to_string_lossy();
    Ok(Card {
        name,
        stages: Stages::default(),
        domain: Vec::new(),
        reference: None,
        tuned: None,
        scan: None,
        test: None,
        training_data: format!("not known here: imported from {source}"),
        licence: arguments.licence.clone(),
        ..like
    })
}
