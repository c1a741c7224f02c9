//! Model folders: finding, reading, writing, packing.

use super::{make_folder, print_json, read, say, write};
use clap::Args;
use insitu_seg::card::{Card, Fold, Stage, StageCard};
use insitu_seg::store::{self, Precision, Weights};
use insitu_seg::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `insitu pack`.
#[derive(Args)]
pub struct PackArguments {
    /// A trained model's folder
    model: PathBuf,
    /// The folder to write
    #[arg(short, long)]
    output: PathBuf,
}

/// Arguments of `insitu models`.
#[derive(Args)]
pub struct ModelsArguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Places that are searched for models, in order: `$INSITU_MODELS`, beside the executable, `pkg/models` of the
/// checkout.
fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    places.extend(std::env::var_os("INSITU_MODELS").map(PathBuf::from));
    if let Some(beside) = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf)) {
        places.push(beside.join("models"));
        places.push(beside);
    }
    places.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("pkg/models"));
    places.push(PathBuf::from("pkg/models"));
    places
}

/// The folder of a model given as a folder or a name.
pub fn find(model: &str) -> Result<PathBuf> {
    let has_card = |folder: &PathBuf| folder.join("model.json").is_file();
    let direct = PathBuf::from(model);
    if has_card(&direct) {
        return Ok(direct);
    }
    places().into_iter().map(|place| place.join(model)).find(has_card).ok_or_else(|| {
        Error::argument(
            "--model",
            format!("\"{model}\""),
            "a folder with model.json, or a name listed by `insitu models`",
        )
    })
}

/// Reads a model's card.
pub fn read_card(folder: &Path) -> Result<Card> {
    Card::read(&read(&folder.join("model.json"))?).map_err(|error| error.within(folder.display()))
}

/// Writes weights and enters them into the card of their stage. The folder is valid at any time: before a file changes,
/// the card knows both its hashes.
pub fn write_fold(
    folder: &Path,
    card: &mut Card,
    stage: Stage,
    form: &StageCard,
    mut fold: Fold,
    weights: &Weights,
    precision: Precision,
) -> Result<()> {
    let metadata = HashMap::from([
        ("model".to_owned(), card.name.clone()),
        ("stage".to_owned(), stage.name().to_owned()),
        ("licence".to_owned(), card.licence.clone()),
    ]);
    let bytes = store::write_weights(weights, precision, metadata)?;
    fold.sha256 = store::hash(&bytes);
    make_folder(folder)?;
    let place = folder.join("model.json");
    let slot = card.stages.slot(stage);
    let mut folds = match slot.take() {
        Some(old) if old.architecture == form.architecture => old.folds,
        _ => Vec::new(),
    };
    if let Some(old) = folds.iter_mut().find(|old| old.fold == fold.fold) {
        old.next = Some(fold.sha256.clone());
        *slot = Some(StageCard { architecture: form.architecture, folds: folds.clone() });
        write(&place, &card.write()?)?;
    }
    write(&folder.join(&fold.file), &bytes)?;
    folds.retain(|other| other.fold != fold.fold);
    folds.push(fold);
    folds.sort_by_key(|fold| fold.fold);
    *card.stages.slot(stage) = Some(StageCard { architecture: form.architecture, folds });
    write(&place, &card.write()?)
}

/// `insitu pack`: every fold of every stage, rounded to 16 bits.
pub fn pack(arguments: &PackArguments) -> Result<ExitCode> {
    let mut card = read_card(&arguments.model)?;
    if std::fs::canonicalize(&arguments.output).ok() == std::fs::canonicalize(&arguments.model).ok() {
        let found = format!("{}, the model itself", arguments.output.display());
        return Err(Error::argument("-o", found, "another folder, so that the 32-bit weights are kept"));
    }
    let stages = std::mem::take(&mut card.stages);
    // Everything is read and checked before anything is written.
    let mut checked = Vec::new();
    for stage in [Stage::Whole, Stage::Patch] {
        let form = stages.get(stage).ok_or_else(|| {
            Error::argument(
                arguments.model.display().to_string(),
                format!("no {} stage", stage.name()),
                "a model of both stages",
            )
        })?;
        for fold in &form.folds {
            let bytes = read(&arguments.model.join(&fold.file))?;
            fold.check(&bytes)?;
            let weights = store::read_weights(&bytes).map_err(|error| error.within(&fold.file))?;
            checked.push((stage, form, fold, weights));
        }
    }
    for (stage, form, fold, weights) in checked {
        write_fold(&arguments.output, &mut card, stage, form, fold.clone(), &weights, Precision::F16)?;
    }
    say(&arguments.output.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// `insitu models`: the models of all places, the first of a name counting.
pub fn models(arguments: &ModelsArguments) -> Result<ExitCode> {
    let mut found: Vec<(PathBuf, Card)> = Vec::new();
    for place in places() {
        let Ok(entries) = std::fs::read_dir(place) else { continue };
        for folder in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            match read_card(&folder) {
                Ok(card) if found.iter().all(|(_, other)| other.name != card.name) => {
                    found.push((folder, card));
                }
                _ => {}
            }
        }
    }
    if arguments.json {
        let list: Vec<_> =
            found.iter().map(|(folder, card)| serde_json::json!({"folder": folder, "card": card})).collect();
        print_json(&list)?;
    } else {
        for (folder, card) in &found {
            let labels: Vec<&str> = card.labels.iter().map(|label| label.name.as_str()).collect();
            say(&format!("{}\t{}\t{}\t{}", card.name, card.title, labels.join(", "), folder.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
