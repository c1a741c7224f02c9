//! `insitu segment`: volumes in, masks out.

use super::arguments::Budget;
use super::inference::{ModelArguments, load, share_done};
use super::output::{NOTHING_DONE, SOME_FAILED, progress_bar};
use super::report::report;
use clap::Args;
use indicatif::ProgressBar;
use insitu_seg::file::{parts, split_name};
use insitu_seg::native::{ModelFiles, create_folder, parent_folder, write_file};
use insitu_seg::predict::{
    ChosenBoxes, Model, NamedBox, SegmentProgress, Segmentation, segment_boxes, volumes_csv,
};
use insitu_seg::train::manifest::case_id;
use insitu_seg::{Error, Result, Volume};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Arguments of `insitu segment`.
#[derive(Args)]
pub struct Arguments {
    /// Volumes (.nii, .nii.gz, either file of a .hdr/.img pair, or FreeSurfer's .mgz or .mgh)
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// The mask of a single input: .nii (plain), .seg.nrrd (for 3D Slicer, with names and colours), else .nii.gz
    #[arg(short, long, conflicts_with = "out_dir")]
    output: Option<PathBuf>,
    /// Folder for the masks of many inputs, each under its input's file name; that of head.mgz is head.nii.gz
    #[arg(long)]
    out_dir: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArguments,
    /// The box in which the patch network looks, in voxels of the file as the report gives it: first x, y, z, then one
    /// past the last. The whole network is not asked. Of a model of several objects, one for each by its name, for
    /// example --box left=40,50,30,70,100,60; the whole network looks for the others
    #[arg(long = "box", value_name = "[NAME=]X,Y,Z,X,Y,Z")]
    boxes: Vec<String>,
    /// What was done, as JSON
    #[arg(long)]
    report: Option<PathBuf>,
    /// The volume of each label of each case, as a table
    #[arg(long)]
    csv: Option<PathBuf>,
    #[command(flatten)]
    budget: Budget,
}

/// Segments every input. A fault of one input of many does not stop the others.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let boxes = arguments.boxes.iter().map(|text| parse_box(text)).collect::<Result<_>>()?;
    let chosen = ChosenBoxes { boxes, only: false };
    let targets = output_paths(arguments)?;
    let mut written = targets.clone();
    written.extend(arguments.report.iter().chain(&arguments.csv).cloned());
    refuse_overwriting_inputs(&arguments.inputs, &written)?;
    check_outputs(&written)?;
    let source = ModelFiles::find(&arguments.model.model)?;
    let card = &source.card;
    // The model is opened for the first readable volume, so that bad input is refused at once.
    let mut model = None;
    let (mut reports, mut table) = (Vec::new(), Vec::new());
    let mut failed = 0;
    let bar = progress_bar(BAR_UNITS * targets.len() as u64, "{msg} [{bar:40}] {percent}%, {eta} left");
    for (number, (input, output)) in arguments.inputs.iter().zip(&targets).enumerate() {
        let since = Instant::now();
        bar.set_position(BAR_UNITS * number as u64);
        let volume = load(input, card, &arguments.budget.limits()).map_err(|error| error.of_file(input));
        let done = volume.and_then(|volume| {
            if model.is_none() {
                model = Some(arguments.model.open(&source)?);
            }
            let Some(model) = &model else { return Ok(None) };
            let result = segment_file(model, input, &volume, output, &chosen, &bar)?;
            if targets.len() > 1 {
                let seconds = since.elapsed().as_secs_f64();
                bar.suspend(|| eprintln!("{}: {seconds:.2} s", input.display()));
            }
            table.extend(result.classes.iter().map(|class| (case_id(input), class.clone())));
            arguments.report.as_ref().map(|_| report(model, input, &result)).transpose()
        });
        match done {
            Ok(report) => reports.extend(report),
            Err(error) => {
                bar.suspend(|| eprintln!("insitu: {error}"));
                failed += 1;
            }
        }
    }
    bar.finish_and_clear();
    if let (Some(path), false) = (&arguments.report, reports.is_empty()) {
        let value =
            if arguments.out_dir.is_none() { reports.remove(0) } else { serde_json::Value::Array(reports) };
        write_file(path, format!("{value:#}\n").as_bytes())?;
    }
    if let (Some(path), false) = (&arguments.csv, table.is_empty()) {
        write_file(path, volumes_csv(&table).as_bytes())?;
    }
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        n if n == targets.len() => ExitCode::from(NOTHING_DONE),
        _ => ExitCode::from(SOME_FAILED),
    })
}

/// The box of six numbers, and the name before them.
fn parse_box(text: &str) -> Result<NamedBox> {
    let (object, numbers) = match text.split_once('=') {
        Some((name, numbers)) => (Some(name.trim().to_owned()), numbers),
        None => (None, text),
    };
    let found: Option<Vec<usize>> = numbers.split(',').map(|number| number.trim().parse().ok()).collect();
    match found.as_deref() {
        Some(&[a, b, c, x, y, z]) => Ok(NamedBox { object, bounds: ([a, b, c], [x, y, z]) }),
        Some(numbers) => {
            Err(Error::argument("--box", format!("{} numbers", numbers.len()), "6: its start, then its end"))
        }
        None => {
            Err(Error::argument("--box", format!("\"{text}\""), "6 whole numbers: its start, then its end"))
        }
    }
}

/// The output of each input.
fn output_paths(arguments: &Arguments) -> Result<Vec<PathBuf>> {
    match (&arguments.output, &arguments.out_dir, arguments.inputs.as_slice()) {
        (Some(output), None, [_])
            if mask_name(output) != output.file_name().unwrap_or_default().to_string_lossy() =>
        {
            Err(Error::argument(
                "-o",
                output.display().to_string(),
                "a name that ends in .nii, .nii.gz or .seg.nrrd",
            ))
        }
        (Some(output), None, [_]) => Ok(vec![output.clone()]),
        (Some(_), _, inputs) => Err(Error::argument(
            "-o",
            format!("{} inputs", inputs.len()),
            "one input; use --out-dir for many",
        )),
        (None, Some(folder), inputs) => {
            create_folder(folder)?;
            let mut targets: Vec<PathBuf> = Vec::new();
            for input in inputs {
                let target = folder.join(mask_name(input));
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

/// The input's own name; of a pair, that of one file; of an MGH volume, that of a NIfTI file.
fn mask_name(input: &Path) -> String {
    let name = input.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match split_name(&name) {
        Some((bare, ".hdr" | ".img" | ".mgz" | ".mgh")) => format!("{bare}.nii.gz"),
        _ => name,
    }
}

/// Refuses to write a mask over an image.
fn refuse_overwriting_inputs(inputs: &[PathBuf], targets: &[PathBuf]) -> Result<()> {
    let real = |path: &PathBuf| std::fs::canonicalize(path).ok();
    let files = inputs.iter().flat_map(|input| match parts(input) {
        Ok((header, voxels)) => [Some(header), voxels],
        Err(_) => [None, None], // named when it is read
    });
    let images: Vec<PathBuf> = files.flatten().filter_map(|path| real(&path)).collect();
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
fn check_outputs(written: &[PathBuf]) -> Result<()> {
    for (index, path) in written.iter().enumerate() {
        if !parent_folder(path).is_dir() {
            return Err(Error::argument(
                "output",
                format!("{}", path.display()),
                "a file in a folder that exists",
            ));
        }
        // Compared by folder and name, however the paths are spelled.
        let place = |path: &Path| {
            (std::fs::canonicalize(parent_folder(path)).ok(), path.file_name().map(ToOwned::to_owned))
        };
        if written[..index].iter().any(|other| place(other) == place(path)) {
            let found = format!("{} twice", path.display());
            return Err(Error::argument("output", found, "a different file for each output"));
        }
    }
    Ok(())
}

/// Units of the progress bar for one input.
const BAR_UNITS: u64 = 1000;

fn segment_file(
    model: &Model,
    input: &Path,
    volume: &Volume,
    output: &Path,
    chosen: &ChosenBoxes,
    bar: &ProgressBar,
) -> Result<Segmentation> {
    let begun = bar.position();
    bar.set_message(case_id(input));
    let mut on_progress = |progress: SegmentProgress| {
        bar.set_position(begun + (share_done(progress) * BAR_UNITS as f64) as u64);
        ControlFlow::Continue(())
    };
    let result = pollster::block_on(segment_boxes(model, volume, chosen, &mut on_progress))
        .map_err(|error| error.within(input.display()))?;
    result.save(output, volume)?;
    for warning in &result.warnings {
        bar.suspend(|| eprintln!("insitu: {}: warning: {warning}", input.display()));
    }
    Ok(result)
}
