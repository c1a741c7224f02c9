//! `insitu suggest`: the slices to annotate next.

use super::arguments::BackendName;
use super::arguments::Budget;
use super::output::{print_json, print_line};
use clap::Args;
use insitu_seg::engine::compute::Compute;
use insitu_seg::native::{ModelFiles, write_file};
use insitu_seg::tune::suggest::{SuggestedSlice, suggest};
use insitu_seg::tune::{AnnotatedCase, ModelWeights, UNANNOTATED};
use insitu_seg::{Result, VolumeFile, open_path, write_labels};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `insitu suggest`.
#[derive(Args)]
pub struct Arguments {
    /// A volume
    image: PathBuf,
    /// A model's folder, the name of a shipped model, or a file of tuned weights
    #[arg(long, default_value = "hippocampus")]
    model: String,
    /// How many slices
    #[arg(long, default_value_t = 3)]
    slices: usize,
    /// The file's axis that they are square to (0, 1 or 2); the one whose best slice says most where nothing is said
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..3))]
    axis: Option<u8>,
    /// Where to write the map of disagreement, 0 to 255, as NIfTI
    #[arg(long)]
    map: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// What computes
    #[arg(long, default_value = "auto")]
    backend: BackendName,
    #[command(flatten)]
    budget: Budget,
}

/// Lists the slices in which the model disagrees most with itself.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let source = ModelFiles::find(&arguments.model)?;
    let base = ModelWeights::load(source.card.clone(), |name| source.read(name))?;
    let volume = open_path(&arguments.image, &arguments.budget.limits()).and_then(VolumeFile::read);
    let volume = volume.map_err(|error| error.of_file(&arguments.image))?;
    let name = arguments.image.display().to_string();
    let case = AnnotatedCase::new(&name, &volume, vec![UNANNOTATED; volume.grid.len()], &base.card)?;
    let compute = pollster::block_on(Compute::open(arguments.backend.into()))?;
    let go_on = &mut |_: insitu_seg::predict::SegmentProgress| ControlFlow::Continue(());
    let axis = arguments.axis.map(usize::from);
    let found = pollster::block_on(suggest(&base, &case, arguments.slices, axis, &compute, go_on))?;
    if let Some(path) = &arguments.map {
        let plain = path.to_string_lossy().to_ascii_lowercase().ends_with(".nii");
        write_file(path, &write_labels(&found.map, &volume, !plain)?)?;
    }
    if arguments.json {
        print_json(&found.slices)?;
    } else {
        for SuggestedSlice { axis, index, start, end, share } in &found.slices {
            print_line(&format!(
                "axis {axis}, slice {index}: {:.1} % of the disagreement, box {start:?} to {end:?}",
                100.0 * share
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
