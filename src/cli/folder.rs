//! Model folders: writing, packing, listing.

use super::output::{print_json, print_line};
use clap::Args;
use insitu_seg::card::{
    Card, CardObject, FileRef, Fold, Label, Preset, Reference, ScanCard, Stage, StageCard,
};
use insitu_seg::domain::{Domain, DomainBuilder};
use insitu_seg::native::{ModelFiles, create_folder, installed_models, read_card, read_file, write_file};
use insitu_seg::store::{self, WeightPrecision, Weights};
use insitu_seg::train::{Dataset, Manifest, ReadOptions};
use insitu_seg::tune::{Files, ModelWeights, WeightDelta};
use insitu_seg::{Error, Result, Volume};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bytes of cases that are kept in memory.
const CASE_CACHE: u64 = 1 << 30;

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
    /// A trained model's folder whose whole stage finds several objects, such as `insitu train --maps` writes: with it the model
    /// takes whole scans too
    #[arg(long)]
    scan: Option<PathBuf>,
}

/// Arguments of `insitu models`.
#[derive(Args)]
pub struct ModelsArguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Writes a tuned model: its weights, what was tuned of them (`tuned.safetensors`), its reference case, its card at last.
pub fn copy_tuned(from: &ModelFiles, mut tuned: ModelWeights, delta: &WeightDelta, out: &Path) -> Result<()> {
    tuned.card.name = out.file_name().map_or("tuned".into(), |name| name.to_string_lossy().into_owned());
    let (card, files) = tuned.files()?;
    create_folder(out)?;
    for (name, bytes) in &files {
        write_file(&out.join(name), bytes)?;
    }
    write_file(&out.join("tuned.safetensors"), &delta.write()?)?;
    let reference = card.reference.iter().flat_map(|case| [&case.image.file, &case.labels.file]);
    let scan = card.scan.iter().flat_map(|scan| &scan.whole.folds).map(|fold| &fold.file);
    for file in reference.chain(scan) {
        write_file(&out.join(file), &from.read(file)?)?;
    }
    write_file(&out.join("model.json"), &card.write()?)
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
    precision: WeightPrecision,
) -> Result<()> {
    let metadata = HashMap::from([
        ("model".to_owned(), card.name.clone()),
        ("stage".to_owned(), stage.name().to_owned()),
        ("licence".to_owned(), card.licence.clone()),
    ]);
    let bytes = store::write_weights(weights, precision, metadata)?;
    fold.sha256 = store::sha256(&bytes);
    create_folder(folder)?;
    let place = folder.join("model.json");
    let slot = card.stages.get_mut(stage);
    let mut folds = match slot.take() {
        Some(old) if old.architecture == form.architecture => old.folds,
        _ => Vec::new(),
    };
    if let Some(old) = folds.iter_mut().find(|old| old.fold == fold.fold) {
        old.next = Some(fold.sha256.clone());
        *slot = Some(StageCard { architecture: form.architecture, folds: folds.clone() });
        write_file(&place, &card.write()?)?;
    }
    write_file(&folder.join(&fold.file), &bytes)?;
    folds.retain(|other| other.fold != fold.fold);
    folds.push(fold);
    folds.sort_by_key(|fold| fold.fold);
    *card.stages.get_mut(stage) = Some(StageCard { architecture: form.architecture, folds });
    write_file(&place, &card.write()?)
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
            let bytes = read_file(&arguments.model.join(&fold.file))?;
            fold.check(&bytes)?;
            let weights = store::read_weights(&bytes).map_err(|error| error.within(&fold.file))?;
            checked.push((stage, form, fold, weights));
        }
    }
    if let Some(task) = &arguments.domain {
        card.domain = domain(task, &card)?;
    }
    let scan = arguments.scan.as_deref().map(|folder| scan_card(folder, &card)).transpose()?;
    create_folder(&arguments.output)?;
    if let Some((scan, files)) = scan {
        for (name, bytes) in files {
            write_file(&arguments.output.join(name), &bytes)?;
        }
        card.scan = Some(scan);
    } else if let Some(scan) = &card.scan {
        for Fold { file, .. } in &scan.whole.folds {
            write_file(&arguments.output.join(file), &read_file(&arguments.model.join(file))?)?;
        }
    }
    if let Some(folder) = &arguments.reference {
        card.reference = Some(reference(folder, &arguments.output)?);
    } else if let Some(case) = &card.reference {
        for file in [&case.image.file, &case.labels.file] {
            write_file(&arguments.output.join(file), &read_file(&arguments.model.join(file))?)?;
        }
    }
    for (stage, form, fold, weights) in checked {
        write_fold(&arguments.output, &mut card, stage, form, fold.clone(), &weights, WeightPrecision::F16)?;
    }
    print_line(&arguments.output.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// What the images of a task have in common, by channel.
fn domain(task: &Path, card: &Card) -> Result<Vec<Domain>> {
    let (manifest, mut builder) = (Manifest::read(task)?, DomainBuilder::default());
    let mut options = ReadOptions::default();
    options.intensity = Some(card.intensity);
    options.cache_bytes = CASE_CACHE;
    options.labels_by_voxel = true;
    let (cases, _) = Dataset::read(task, &manifest, &options, &mut |_| ())?;
    for index in 0..cases.len() {
        let case = cases.get(index)?;
        builder.add(&case.image, case.dims);
    }
    Ok(builder.build())
}

/// How the model of `card` takes whole scans, by the whole stage of the model in `folder`; and its weight files, in 16 bits.
fn scan_card(folder: &Path, card: &Card) -> Result<(ScanCard, Files)> {
    let heads = read_card(folder)?;
    let mut whole = heads.stage(Stage::Whole)?.clone();
    let mut files = Files::new();
    for fold in &mut whole.folds {
        let bytes = read_file(&folder.join(&fold.file))?;
        fold.check(&bytes)?;
        let weights = store::read_weights(&bytes).map_err(|error| error.within(&fold.file))?;
        let words = [("model", &card.name), ("stage", &"whole scans".to_owned()), ("licence", &card.licence)];
        let words = words.map(|(key, word)| (key.to_owned(), word.clone()));
        let packed = store::write_weights(&weights, WeightPrecision::F16, words.into())?;
        fold.file = format!("scan-{}.safetensors", fold.fold);
        (fold.sha256, fold.next) = (store::sha256(&packed), None);
        files.push((fold.file.clone(), packed));
    }
    let named = |object: &CardObject, label: &Label| {
        format!("{} {}", capitalized(&object.name), label.name.to_lowercase())
    };
    let names: Vec<String> = heads
        .objects
        .iter()
        .flat_map(|object| card.labels.iter().map(|label| named(object, label)))
        .collect();
    let objects =
        heads.objects.into_iter().map(|object| CardObject { mirror: object.name == "right", ..object });
    let preset = Preset { max_voxels: heads.preset.max_voxels, ..card.preset };
    let scan = ScanCard {
        labels: Card::draft("", "", &names, Vec::new(), "", "").labels,
        objects: objects.collect(),
        sure_agreement: None,
        patch_fold: None,
        measured: heads.measured,
        modalities: heads.modalities,
        preset,
        field_mm: heads.field_mm,
        whole,
        training_data: heads.training_data,
    };
    Ok((scan, files))
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Copies a reference case beside the weights.
fn reference(from: &Path, to: &Path) -> Result<Reference> {
    let copy = |kind: &str| {
        let source = from.join(format!("{kind}.nii.gz"));
        Volume::open(&source)?;
        // Unpacked: some servers take the gzip of a .gz off on the way, and its hash with it.
        let mut bytes = Vec::new();
        let mut unpacked = flate2::read::MultiGzDecoder::new(std::io::Cursor::new(read_file(&source)?));
        unpacked.read_to_end(&mut bytes).map_err(|error| Error::io(&source, &error))?;
        let file = format!("reference-{kind}.nii");
        write_file(&to.join(&file), &bytes)?;
        Ok::<_, Error>(FileRef { sha256: store::sha256(&bytes), file })
    };
    let notes = String::from_utf8_lossy(&read_file(&from.join("README.md"))?).into_owned();
    let title = notes.lines().next().unwrap_or_default().trim_start_matches('#').trim();
    let origin = format!("{title}; its README.md says how it was made");
    Ok(Reference { image: copy("image")?, labels: copy("label")?, origin })
}

/// `insitu models`: the models of all search folders.
pub fn list_models(arguments: &ModelsArguments) -> Result<ExitCode> {
    let found = installed_models();
    if arguments.json {
        let list: Vec<_> =
            found.iter().map(|(folder, card)| serde_json::json!({"folder": folder, "card": card})).collect();
        print_json(&list)?;
    } else {
        for (folder, card) in &found {
            let labels: Vec<&str> = card.labels.iter().map(|label| label.name.as_str()).collect();
            print_line(&format!(
                "{}\t{}\t{}\t{}",
                card.name,
                card.title,
                labels.join(", "),
                folder.display()
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
