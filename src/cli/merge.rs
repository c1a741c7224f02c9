//! `insitu merge`: the weighted mean of tuned weights.

use super::output::print_line;
use clap::Args;
use insitu_seg::native::{ModelFiles, parent_folder, read_file};
use insitu_seg::tune::{ModelWeights, WeightDelta};
use insitu_seg::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `insitu merge`.
#[derive(Args)]
pub struct Arguments {
    /// Files of tuned weights, all of one model: `tuned.safetensors` of `insitu tune`, or what the page saved
    #[arg(required = true)]
    deltas: Vec<PathBuf>,
    /// A weight for each of them, such as its number of cases; equal where none is said
    #[arg(long, num_args = 1.., value_name = "WEIGHT")]
    weights: Vec<f64>,
    /// The file of the merged weights, which segments and is judged like any tuned one
    #[arg(short, long)]
    output: PathBuf,
}

/// Merges, and writes the merged weights.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { deltas, weights, output } = arguments;
    if !weights.is_empty() && weights.len() != deltas.len() {
        let found = format!("{} weights for {} files", weights.len(), deltas.len());
        return Err(Error::argument("--weights", found, "one for each file, or none"));
    }
    if !parent_folder(output).is_dir() {
        let found = output.display().to_string();
        return Err(Error::argument("--output", found, "a file in a folder that exists"));
    }
    let mut base: Option<ModelWeights> = None;
    let mut weighted: Vec<(WeightDelta, f64)> = Vec::with_capacity(deltas.len());
    for (index, path) in deltas.iter().enumerate() {
        let delta = match weighted.first() {
            Some((first, _)) => another(path, first)?,
            None => {
                let (origin, delta) = tuned(path)?;
                base = Some(origin);
                delta
            }
        };
        weighted.push((delta, weights.get(index).copied().unwrap_or(1.0)));
    }
    if let Some(base) = base {
        WeightDelta::merge(&base, &weighted)?.save(output)?;
        print_line(&output.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tuned weights after the first; the model is read only to say in which words that they are of another one.
fn another(path: &Path, first: &WeightDelta) -> Result<WeightDelta> {
    check_file(path)?;
    let delta = WeightDelta::read(&read_file(path)?).map_err(|error| error.of_file(path))?;
    if delta.about.files == first.about.files { Ok(delta) } else { Ok(tuned(path)?.1) }
}

fn check_file(path: &Path) -> Result<()> {
    if path.is_file() {
        return Ok(());
    }
    Err(Error::argument(path.display().to_string(), "no such file", "a file of tuned weights"))
}

/// The model that a file of tuned weights belongs to, and the weights.
fn tuned(path: &Path) -> Result<(ModelWeights, WeightDelta)> {
    check_file(path)?;
    let name = path.display().to_string();
    let files = ModelFiles::find(&name)?;
    files.origin.ok_or_else(|| Error::argument(name, "a model of its own", "a file of tuned weights"))
}
