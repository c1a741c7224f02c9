//! `insitu phantom`: a data set of phantoms, as a task's folder.

use super::output::{print_line, progress_bar};
use clap::Args;
use insitu_seg::file::{DataType, write_values};
use insitu_seg::native::{create_folder, write_file};
use insitu_seg::phantom::{Phantom, PhantomKind};
use insitu_seg::{Error, Result};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `insitu phantom`.
#[derive(Args)]
pub struct Arguments {
    /// A task of the Medical Segmentation Decathlon by name or number (Liver, Task03), or cascade: one object in a
    /// large volume, among others of its brightness
    #[arg(long)]
    task: String,
    /// The folder to write
    #[arg(long)]
    out: PathBuf,
    /// Images with labels to train on
    #[arg(long, default_value_t = 12)]
    cases: usize,
    /// Images with labels to test on
    #[arg(long, default_value_t = 4)]
    test: usize,
    /// Voxels along each axis of a file
    #[arg(long, num_args = 3, value_names = ["X", "Y", "Z"])]
    size: Option<Vec<usize>>,
    /// Seed of all random draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Writes images, labels and dataset.json; the latter last.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { out, cases, test, seed, .. } = arguments;
    let kind =
        PhantomKind::find(&arguments.task).map_err(|error| Error { place: "--task".into(), ..error })?;
    let size = match arguments.size.as_deref() {
        Some([x, y, z]) => [*x, *y, *z],
        _ => kind.size(),
    };
    let all = cases + test;
    if all == 0 || all > 9999 {
        return Err(Error::argument("--cases and --test", format!("{all} in all"), "1 to 9999"));
    }
    for folder in ["imagesTr", "labelsTr", "imagesTs", "labelsTs"] {
        create_folder(&out.join(folder))?;
    }
    let bar = progress_bar(all as u64, "making {pos}/{len} {bar:40} {eta} left");
    let part = |number: usize| if number <= *cases { "Tr" } else { "Ts" };
    let name = |number: usize| format!("{}_{number:03}.nii.gz", kind.name().to_lowercase());
    (1..=all).into_par_iter().try_for_each(|number| {
        let phantom = kind.make(size, *seed, number as u64)?;
        write_phantom(&phantom, kind, out, part(number), &name(number))?;
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    let path = |folder: &str, number: usize| format!("./{folder}{}/{}", part(number), name(number));
    let pair = |number| json!({"image": path("images", number), "label": path("labels", number)});
    let labels = std::iter::once(&"background").chain(kind.labels());
    let manifest = json!({
        "name": kind.name(),
        "description": "Phantoms: simple bodies with known labels, made by insitu phantom; no patient's data",
        "reference": format!("insitu phantom --task {} --seed {seed}", arguments.task),
        "licence": "CC0-1.0",
        "tensorImageSize": if kind.modalities().len() > 1 { "4D" } else { "3D" },
        "modality": numbered(kind.modalities().iter()),
        "labels": numbered(labels),
        "numTraining": cases,
        "numTest": test,
        "training": (1..=*cases).map(pair).collect::<Vec<_>>(),
        "test": (cases + 1..=all).map(|number| path("images", number)).collect::<Vec<_>>(),
    });
    write_file(&out.join("dataset.json"), format!("{manifest:#}\n").as_bytes())?;
    print_line(&out.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn numbered<'a>(names: impl Iterator<Item = &'a &'static str>) -> Map<String, Value> {
    names.enumerate().map(|(index, name)| (index.to_string(), json!(name))).collect()
}

fn write_phantom(phantom: &Phantom, kind: PhantomKind, out: &Path, part: &str, name: &str) -> Result<()> {
    let Phantom { grid, image, labels } = phantom;
    let image: Vec<u8> = image.iter().flat_map(|value| value.to_le_bytes()).collect();
    let file = |folder: &str| out.join(format!("{folder}{part}")).join(name);
    write_file(&file("images"), &write_values(grid, DataType::I16, kind.modalities().len(), &image)?)?;
    write_file(&file("labels"), &write_values(grid, DataType::U8, 1, labels)?)
}
