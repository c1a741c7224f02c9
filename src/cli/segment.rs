//! `insitu segment`: volumes in, masks out.

use super::folder::{find, read_card};
use super::{NOTHING_DONE, SOME_FAILED, bar, make_folder, read, write};
use clap::{Args, ValueEnum};
use insitu_seg::device::{Backend, Compute};
use insitu_seg::predict::{Model, Progress, Segmentation, segment, self_check};
use insitu_seg::{Error, Limits, Result, Volume, read_volume, store, write_labels};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Clone, Copy, ValueEnum)]
enum BackendName {
    Auto,
    Cpu,
    Gpu,
}

/// Arguments of `insitu segment`.
#[derive(Args)]
pub struct Arguments {
    /// Volumes (.nii or .nii.gz)
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// The mask of a single input; .nii is written plain, else compressed
    #[arg(short, long, conflicts_with = "out_dir")]
    output: Option<PathBuf>,
    /// Folder for the masks of many inputs, each under its input's file name
    #[arg(long)]
    out_dir: Option<PathBuf>,
    /// A model's folder, or the name of a shipped model
    #[arg(long, default_value = "hippocampus")]
    model: String,
    /// What computes
    #[arg(long, default_value = "auto")]
    backend: BackendName,
    /// All folds of the model in place of the first
    #[arg(long)]
    ensemble: bool,
    /// What was done, as JSON
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Segments every input. A fault of one input of many does not stop the others.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let targets = targets(arguments)?;
    let mut written = targets.clone();
    written.extend(arguments.report.clone());
    spare(&arguments.inputs, &written)?;
    check_folders(&written)?;
    let folder = find(&arguments.model)?;
    // Opened when the first readable volume needs it: bad input is refused at once, and by its own sentence only.
    let mut model = None;
    let mut reports = Vec::new();
    let mut failed = 0;
    for (input, output) in arguments.inputs.iter().zip(&targets) {
        let done = load(input).and_then(|(volume, hash)| {
            if model.is_none() {
                model = Some(pollster::block_on(open(arguments, &folder))?);
            }
            model.as_ref().map(|model| one(model, input, &volume, &hash, output)).transpose()
        });
        match done {
            Ok(report) => reports.extend(report),
            Err(error) => {
                eprintln!("insitu: {error}");
                failed += 1;
            }
        }
    }
    if let (Some(path), false) = (&arguments.report, reports.is_empty()) {
        let value =
            if arguments.out_dir.is_none() { reports.remove(0) } else { serde_json::Value::Array(reports) };
        write(path, format!("{value:#}\n").as_bytes())?;
    }
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        n if n == targets.len() => ExitCode::from(NOTHING_DONE),
        _ => ExitCode::from(SOME_FAILED),
    })
}

/// The output of each input.
fn targets(arguments: &Arguments) -> Result<Vec<PathBuf>> {
    match (&arguments.output, &arguments.out_dir, arguments.inputs.as_slice()) {
        (Some(output), None, [_]) => Ok(vec![output.clone()]),
        (Some(_), _, inputs) => Err(Error::argument(
            "-o",
            format!("{} inputs", inputs.len()),
            "one input; use --out-dir for many",
        )),
        (None, Some(folder), inputs) => {
            make_folder(folder)?;
            let mut targets: Vec<PathBuf> = Vec::new();
            for input in inputs {
                let name =
                    input.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let target = folder.join(name);
                if targets.contains(&target) {
                    let found = format!("two inputs named {}", target.display());
                    return Err(Error::argument("--out-dir", found, "a different file name for each input"));
                }
                targets.push(target);
            }
            Ok(targets)
        }
        (None, None, _) => Err(Error::argument("output", "none", "-o FILE or --out-dir FOLDER")),
    }
}

/// Refuses to write a mask over an image.
fn spare(inputs: &[PathBuf], targets: &[PathBuf]) -> Result<()> {
    let real = |path: &PathBuf| std::fs::canonicalize(path).ok();
    let images: Vec<PathBuf> = inputs.iter().filter_map(real).collect();
    match targets.iter().find(|target| real(target).is_some_and(|path| images.contains(&path))) {
        Some(target) => Err(Error::argument(
            "output",
            format!("{}, which is an input", target.display()),
            "another file or folder, so that no image is lost",
        )),
        None => Ok(()),
    }
}

/// Refuses outputs in folders that are not there, and two outputs in one place, before any work is done.
fn check_folders(written: &[PathBuf]) -> Result<()> {
    for (index, path) in written.iter().enumerate() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(Error::argument(
                "output",
                format!("{}", path.display()),
                "a file in a folder that exists",
            ));
        }
        if written[..index].contains(path) {
            let found = format!("{} twice", path.display());
            return Err(Error::argument("output", found, "a different file for the mask and the report"));
        }
    }
    Ok(())
}

/// Opens the device and loads the model; a GPU is checked against the CPU first.
async fn open(arguments: &Arguments, folder: &Path) -> Result<Model> {
    let backend = match arguments.backend {
        BackendName::Auto => Backend::Auto,
        BackendName::Cpu => Backend::Cpu,
        BackendName::Gpu => Backend::Gpu,
    };
    let compute = Compute::open(backend).await?;
    let load = |compute: &Compute| {
        let card = read_card(folder)?;
        Model::load(card, |name| read(&folder.join(name)), arguments.ensemble, compute)
            .map_err(|error| error.within(folder.display()))
    };
    let model = load(&compute)?;
    if compute.gpu {
        let cpu = load(&Compute::cpu())?;
        match self_check(&model, &cpu).await {
            Ok(_) => {}
            Err(error) if backend == Backend::Auto => {
                eprintln!("insitu: warning: the CPU is used, because of the GPU's {error}");
                return Ok(cpu);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(model)
}

/// A volume and the hash of its file.
fn load(input: &Path) -> Result<(Volume, String)> {
    let bytes = read(input)?;
    let volume = read_volume(&bytes, &Limits::default()).map_err(|error| error.within(input.display()))?;
    Ok((volume, store::hash(&bytes)))
}

fn one(model: &Model, input: &Path, volume: &Volume, hash: &str, output: &Path) -> Result<serde_json::Value> {
    let bar = bar(1000, "{msg:8} [{bar:40}] {percent}%, {eta} left");
    let mut watch = |Progress { stage, done }: Progress| {
        bar.set_message(stage);
        bar.set_position((done * 1000.0) as u64);
        ControlFlow::Continue(())
    };
    let result = pollster::block_on(segment(model, volume, &mut watch))
        .map_err(|error| error.within(input.display()))?;
    bar.finish_and_clear();
    let gzip = output.extension().is_none_or(|extension| extension != "nii");
    write(output, &write_labels(&result.labels, volume, gzip)?)?;
    for warning in &result.warnings {
        eprintln!("insitu: {}: warning: {warning}", input.display());
    }
    Ok(report(model, input, hash, &result))
}

/// What was done; no path and no text of the file, only hashes and figures.
fn report(model: &Model, input: &Path, hash: &str, result: &Segmentation) -> serde_json::Value {
    let Segmentation { classes, region, warnings, timings, .. } = result;
    let name = input.file_name().map(|name| name.to_string_lossy().into_owned());
    let compute = model.compute();
    serde_json::json!({
        "input": {"file": name, "sha256": hash},
        "model": {"name": model.card.name, "stages": model.card.stages},
        "program": {"name": "insitu", "version": env!("CARGO_PKG_VERSION")},
        "backend": if compute.gpu { "gpu" } else { "cpu" },
        "adapter": compute.adapter,
        "box": {"start": region.0, "end": region.1},
        "classes": classes,
        "timings": timings,
        "warnings": warnings,
        "notice": "Not a medical device; not for diagnosis.",
    })
}
