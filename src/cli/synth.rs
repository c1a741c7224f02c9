//! `insitu synth`: images made of label maps, as a task's folder.

use super::output::{print_line, progress_bar};
use super::training_maps::{read_maps, recipe};
use clap::Args;
use insitu_seg::card::Preset;
use insitu_seg::file::{DataType, write_values};
use insitu_seg::grid::Grid;
use insitu_seg::native::{create_folder, write_file};
use insitu_seg::train::synthesis::{MapSet, Recipe, SyntheticImage, SyntheticSource, Target};
use insitu_seg::{Error, Result};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `insitu synth`.
#[derive(Args)]
pub struct Arguments {
    /// A folder of label maps
    #[arg(long)]
    maps: PathBuf,
    /// The folder to write
    #[arg(long)]
    out: PathBuf,
    /// How many images
    #[arg(long)]
    count: usize,
    /// How they are made: a JSON file, t1 (heads with FreeSurfer's labels, three in four T1-weighted) or any (the same
    /// heads in any contrast)
    #[arg(long, value_name = "FILE|t1|any", default_value = "t1")]
    synthesis: PathBuf,
    /// Seed of all random draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Grey value of a voxel that has 1 in the image.
const WHITE: f32 = 1000.0;
/// Voxels up to which images are written at 1 mm.
const MOST_VOXELS: usize = 1 << 28;

/// Writes images, labels and dataset.json; the latter last.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { maps, out, count, synthesis, seed } = arguments;
    if !(1..=9999).contains(count) {
        return Err(Error::argument("--count", count.to_string(), "1 to 9999"));
    }
    let set = read_maps(maps, recipe(synthesis)?)?;
    for folder in ["imagesTr", "labelsTr"] {
        create_folder(&out.join(folder))?;
    }
    let preset = Preset { max_voxels: MOST_VOXELS, min_side: 1, ..Preset::default() };
    let source = SyntheticSource { set, preset, batch: 1, steps: *count, seed: *seed };
    let bar = progress_bar(*count as u64, "making {pos}/{len} {bar:40} {eta} left");
    let name = |number: usize| format!("{}_{number:04}.nii.gz", plain(&source.set.recipe.name));
    let made: Vec<String> = (0..*count)
        .into_par_iter()
        .map(|number| {
            let image = source.image(number)?;
            keep(&source.set, &image, out, &name(number))?;
            bar.inc(1);
            Ok(image.map)
        })
        .collect::<Result<_>>()?;
    bar.finish_and_clear();
    let case = |(number, map): (usize, &String)| {
        let [image, label] = ["images", "labels"].map(|folder| format!("./{folder}Tr/{}", name(number)));
        json!({"image": image, "label": label, "subject": map})
    };
    let recipe = &source.set.recipe;
    let manifest = json!({
        "name": recipe.name,
        "description": "Images made of label maps by insitu synth; no patient's scan",
        "reference": recipe.origin,
        "licence": "as that of the label maps",
        "tensorImageSize": "3D",
        "modality": {"0": "MRI"},
        "labels": label_names(recipe),
        "numTraining": count,
        "numTest": 0,
        "training": made.iter().enumerate().map(case).collect::<Vec<_>>(),
        "test": [],
    });
    write_file(&out.join("dataset.json"), format!("{manifest:#}\n").as_bytes())?;
    print_line(&out.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn plain(name: &str) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    letters.collect()
}

/// Targets by their number in a mask; of one that is only measured, what no object before it claims.
fn label_names(recipe: &Recipe) -> Map<String, Value> {
    let target = |(index, target): (usize, &Target)| {
        let name = if target.measure { format!("{}, the rest", target.name) } else { target.name.clone() };
        ((index + 1).to_string(), json!(name))
    };
    let background = ("0".to_owned(), json!("background"));
    std::iter::once(background).chain(recipe.targets.iter().enumerate().map(target)).collect()
}

fn keep(set: &MapSet, image: &SyntheticImage, out: &Path, name: &str) -> Result<()> {
    // The middle of the image is the origin.
    let mut affine = [[0.0; 4]; 4];
    for (axis, row) in affine.iter_mut().enumerate() {
        row[axis] = 1.0;
        row[3] = image.dims.get(axis).map_or(1.0, |n| (1.0 - *n as f64) / 2.0);
    }
    let grid = Grid::new(image.dims, affine, [1.0; 3]);
    let values: Vec<u8> =
        image.values.iter().flat_map(|value| ((value * WHITE).round() as i16).to_le_bytes()).collect();
    let labels: Vec<u8> = image.classes.iter().map(|&class| set.label_in_mask(class)).collect();
    let file = |folder: &str| out.join(folder).join(name);
    write_file(&file("imagesTr"), &write_values(&grid, DataType::I16, 1, &values)?)?;
    write_file(&file("labelsTr"), &write_values(&grid, DataType::U8, 1, &labels)?)
}
