//! Model folders: finding, reading, writing, packing.

use super::{make_folder, print_json, read, say, write};
use clap::Args;
use insitu_seg::card::{Card, Fold, Named, Reference, Stage, StageCard};
use insitu_seg::domain::Census;
use insitu_seg::store::{self, Precision, Weights};
use insitu_seg::train::dataset::Dataset;
use insitu_seg::train::manifest::{Manifest, open};
use insitu_seg::tune::{ModelWeights, WeightDelta, delta};
use insitu_seg::{Error, Result};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bytes of cases that are held at once.
const KEPT: u64 = 1 << 30;

/// Arguments of `insitu pack`.
#[derive(Args)]
pub struct PackArguments {
    /// A trained model's folder
    model: PathBuf,
    /// The folder to write
    #[arg(short, long)]
    output: PathBuf,
    /// The folder of the task that it was trained on: what its images have in common goes into the card
    #[arg(long)]
    domain: Option<PathBuf>,
    /// A folder with image.nii.gz, label.nii.gz and README.md of a case that may be given on: what tuning must not make worse
    #[arg(long)]
    reference: Option<PathBuf>,
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

/// A model that was found: its card, and where its files are.
pub struct Source {
    /// Its card.
    pub card: Card,
    /// Its folder; of tuned weights, that of the model that they belong to.
    pub folder: PathBuf,
    /// Files that are not in the folder, as they come of tuned weights.
    made: HashMap<String, Vec<u8>>,
    /// Of tuned weights: the model that they belong to, and they themselves.
    pub origin: Option<(ModelWeights, WeightDelta)>,
}

impl Source {
    /// The bytes of one of its files.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        self.made.get(name).map_or_else(|| read(&self.folder.join(name)), |bytes| Ok(bytes.clone()))
    }
}

/// The model that is given as a folder, a name, or a file of tuned weights.
pub fn source(model: &str) -> Result<Source> {
    let path = Path::new(model);
    if path.is_file() {
        return tuned(path).map_err(|error| error.of_file(path));
    }
    let folder = find(model)?;
    Ok(Source { card: read_card(&folder)?, folder, made: HashMap::new(), origin: None })
}

/// Tuned weights, on the model that they belong to: the one among all places whose weight files have their hashes.
fn tuned(path: &Path) -> Result<Source> {
    let delta = WeightDelta::read(&read(path)?)?;
    let beside = path.parent().into_iter().flat_map(|folder| [folder.to_owned(), folder.join("..")]);
    let mut folders: Vec<PathBuf> = beside.collect();
    for place in places() {
        folders.extend(
            std::fs::read_dir(place).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())),
        );
    }
    let belongs = |folder: &PathBuf| {
        let card = read_card(folder).ok()?;
        (delta::files(&card).ok()? == delta.about.files).then_some((card, folder.clone()))
    };
    let Some((card, folder)) = folders.iter().find_map(belongs) else {
        let hashes: Vec<&str> =
            delta.about.files.values().map(|hash| hash.get(..12).unwrap_or(hash)).collect();
        let found = format!("tuned weights of the model {} ({})", delta.about.base, hashes.join(", "));
        let expected = "that model among those that `insitu models` lists, or in the file's own folder";
        return Err(Error::argument("--model", found, expected));
    };
    let base = ModelWeights::load(card, |name| read(&folder.join(name)))?;
    let (card, made) = delta.apply(&base)?.files()?;
    Ok(Source { card, folder, made: made.into_iter().collect(), origin: Some((base, delta)) })
}

/// Writes a tuned model: its weights, what was tuned of them (`tuned.safetensors`), its reference case, its card at last.
pub fn copy_tuned(from: &Source, mut tuned: ModelWeights, delta: &WeightDelta, out: &Path) -> Result<()> {
    tuned.card.name = out.file_name().map_or("tuned".into(), |name| name.to_string_lossy().into_owned());
    let (card, files) = tuned.files()?;
    make_folder(out)?;
    for (name, bytes) in &files {
        write(&out.join(name), bytes)?;
    }
    write(&out.join("tuned.safetensors"), &delta.write()?)?;
    for file in card.reference.iter().flat_map(|case| [&case.image.file, &case.labels.file]) {
        write(&out.join(file), &from.read(file)?)?;
    }
    write(&out.join("model.json"), &card.write()?)
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
    if let Some(task) = &arguments.domain {
        let (manifest, mut census) = (Manifest::read(task)?, Census::default());
        let (cases, _) = Dataset::read(task, &manifest, Some(card.intensity), KEPT, &mut |_| ())?;
        for index in 0..cases.len() {
            let case = cases.get(index)?;
            census.add(&case.image, case.dims);
        }
        card.domain = census.domains();
    }
    make_folder(&arguments.output)?;
    if let Some(folder) = &arguments.reference {
        card.reference = Some(reference(folder, &arguments.output)?);
    } else if let Some(case) = &card.reference {
        for file in [&case.image.file, &case.labels.file] {
            write(&arguments.output.join(file), &read(&arguments.model.join(file))?)?;
        }
    }
    for (stage, form, fold, weights) in checked {
        write_fold(&arguments.output, &mut card, stage, form, fold.clone(), &weights, Precision::F16)?;
    }
    say(&arguments.output.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Copies a reference case beside the weights.
fn reference(from: &Path, to: &Path) -> Result<Reference> {
    let copy = |kind: &str| {
        let source = from.join(format!("{kind}.nii.gz"));
        open(&source)?;
        // Unpacked: some servers take the gzip of a .gz off on the way, and its hash with it.
        let mut bytes = Vec::new();
        let mut unpacked = flate2::read::MultiGzDecoder::new(std::io::Cursor::new(read(&source)?));
        unpacked.read_to_end(&mut bytes).map_err(|error| Error::io(&source, &error))?;
        let file = format!("reference-{kind}.nii");
        write(&to.join(&file), &bytes)?;
        Ok::<_, Error>(Named { sha256: store::hash(&bytes), file })
    };
    let notes = String::from_utf8_lossy(&read(&from.join("README.md"))?).into_owned();
    let title = notes.lines().next().unwrap_or_default().trim_start_matches('#').trim();
    let origin = format!("{title}; its README.md says how it was made");
    Ok(Reference { image: copy("image")?, labels: copy("label")?, origin })
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
