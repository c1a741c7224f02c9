//! `insitu evaluate`: masks against the truth.

use super::output::{SOME_FAILED, print_line};
use clap::Args;
use insitu_seg::file::{Overlay, split_name};
use insitu_seg::metrics::{Agreement, agreement};
use insitu_seg::native::write_file;
use insitu_seg::task::Task;
use insitu_seg::train::manifest::case_id;
use insitu_seg::{Error, Result, Volume};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `insitu evaluate`.
#[derive(Args)]
pub struct Arguments {
    /// Folder of the true masks
    #[arg(long)]
    truth: PathBuf,
    /// Folder of the masks to judge, under the same file names
    #[arg(long)]
    pred: PathBuf,
    /// Tolerance of the surface distance in mm (1 where nothing is said)
    #[arg(long)]
    tolerance: Option<f64>,
    /// A task of the Medical Segmentation Decathlon, by name or number, whose tolerance is taken
    #[arg(long, conflicts_with = "tolerance")]
    task: Option<String>,
    /// Where to write the figures
    #[arg(long)]
    json: Option<PathBuf>,
}

/// The figures of one label of one case.
struct Row {
    case: String,
    label: u8,
    /// Whether the true mask has it.
    in_truth: bool,
    dsc: f64,
    nsd: f64,
    hd95_mm: f64,
}

/// Compares every mask that has a truth of the same name; labels are those that occur anywhere in the truth or
/// the masks.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let tolerance = tolerance(arguments)?;
    let (truths, preds) = (find_images(&arguments.truth)?, find_images(&arguments.pred)?);
    let missing: Vec<&String> = truths.keys().filter(|case| !preds.contains_key(*case)).collect();
    let pairs: Vec<_> =
        truths.iter().filter_map(|(case, truth)| Some((case, truth, preds.get(case)?))).collect();
    if pairs.is_empty() {
        let found = format!("none of the {} names of {}", truths.len(), arguments.truth.display());
        return Err(Error::argument(
            arguments.pred.display().to_string(),
            found,
            "masks under the same file names",
        ));
    }
    if !missing.is_empty() {
        let (n, all) = (missing.len(), truths.len());
        eprintln!("insitu: warning: {n} of {all} cases have no mask and are not in the means");
    }
    let labels = labels(&pairs)?;
    let mut rows = Vec::new();
    for (case, truth, pred) in pairs {
        rows.extend(compare(case, truth, pred, &labels, tolerance)?);
    }
    let means = means(&rows, &labels);
    for (label, mean) in &means {
        print_line(&summary(label, mean))?;
    }
    if labels.is_empty() {
        eprintln!("insitu: warning: no mask has a label above 0: there is nothing to compare");
    }
    if let Some(path) = &arguments.json {
        let cases: Vec<Value> = rows
            .iter()
            .map(|row| json!({"case": row.case, "label": row.label, "dsc": row.dsc, "nsd": row.nsd, "hd95_mm": finite(row.hd95_mm)}))
            .collect();
        let value = json!({"tolerance_mm": tolerance, "cases": cases, "mean": means, "missing": missing});
        write_file(path, format!("{value:#}\n").as_bytes())?;
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
}

fn tolerance(arguments: &Arguments) -> Result<f64> {
    let Some(name) = &arguments.task else { return Ok(arguments.tolerance.unwrap_or(1.0)) };
    let task = Task::find(name).ok_or_else(|| {
        Error::argument(
            "--task",
            format!("\"{name}\""),
            "a task of the decathlon, Task01 to Task10 or its name",
        )
    })?;
    Ok(task.tolerance_mm)
}

/// The line of a label: its means, and of how many cases they are.
fn summary(label: &str, mean: &Value) -> String {
    let mut line = format!("label {label}: DSC {}, NSD {}, HD95 ", mean["dsc"], mean["nsd"]);
    let number = |name: &str| mean[name].as_u64().unwrap_or(0);
    let (cases, infinite) = (number("cases"), number("hd95_infinite"));
    line += &match infinite {
        0 => format!("{} mm", mean["hd95_mm"]),
        _ if infinite == cases => format!("infinite in all {cases} cases, where truth or mask is empty"),
        _ => {
            let (finite, distance) = (cases - infinite, &mean["hd95_mm"]);
            format!(
                "{distance} mm over {finite} of {cases} cases, infinite in the others, where truth or mask is empty"
            )
        }
    };
    match number("cases_with_label") {
        0 => line += "; no case of the truth has this label",
        some if some < cases => line += &format!("; {some} of {cases} cases of the truth have this label"),
        _ => {}
    }
    line
}

/// JSON has no infinity: null.
fn finite(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

/// The images of a folder by case; of a pair, the header.
pub fn find_images(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| Error::io(folder, &error))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let image = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        !name.starts_with('.') && matches!(split_name(&name), Some((_, ".nii" | ".hdr" | ".mgz" | ".mgh")))
    };
    let mut found = BTreeMap::new();
    for path in paths.filter(image) {
        let case = case_id(&path);
        if let Some(other) = found.insert(case.clone(), path) {
            let found = format!("two files of the case {case}, {} one of them", other.display());
            return Err(Error::argument(folder.display().to_string(), found, "one file for each case"));
        }
    }
    Ok(found)
}

fn labels(pairs: &[(&String, &PathBuf, &PathBuf)]) -> Result<Vec<u8>> {
    let mut found = BTreeSet::new();
    for (_, truth, pred) in pairs {
        for path in [truth, pred] {
            found.extend(Volume::open(path)?.labels().map_err(|error| error.within(path.display()))?);
        }
    }
    found.remove(&0);
    Ok(found.into_iter().collect())
}

fn compare(case: &str, truth: &Path, pred: &Path, labels: &[u8], tolerance: f64) -> Result<Vec<Row>> {
    let (truth, mask) = (Volume::open(truth)?, Volume::open(pred)?);
    let laid = truth.overlay(&mask).and_then(Overlay::require_aligned);
    let found = laid.map_err(|error| error.within(pred.display()))?;
    // In the order of the truth's file, so that its dimensions and spacings are those of the voxels.
    let [a, b] = [truth.labels()?, found].map(|labels| truth.reorientation.undo(&labels));
    let row = |&label: &u8| {
        let found = agreement(&a, &b, label, truth.grid.dims, truth.grid.spacing(), tolerance)?;
        let Agreement { dsc, nsd, hd95_mm } = found;
        Ok(Row { case: case.to_owned(), label, in_truth: a.contains(&label), dsc, nsd, hd95_mm })
    };
    labels.iter().map(row).collect()
}

/// Means over cases per label; the mean of HD95 is over finite ones, and the others are counted.
fn means(rows: &[Row], labels: &[u8]) -> Map<String, Value> {
    let mut means = Map::new();
    for &label in labels {
        let of: Vec<&Row> = rows.iter().filter(|row| row.label == label).collect();
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let distances: Vec<f64> = of.iter().map(|row| row.hd95_mm).filter(|d| d.is_finite()).collect();
        means.insert(
            label.to_string(),
            json!({
                "dsc": mean(of.iter().map(|row| row.dsc).collect()),
                "nsd": mean(of.iter().map(|row| row.nsd).collect()),
                "hd95_infinite": of.len() - distances.len(),
                "hd95_mm": finite(mean(distances)),
                "cases": of.len(),
                "cases_with_label": of.iter().filter(|row| row.in_truth).count(),
            }),
        );
    }
    means
}
