//! Images made of label maps beside those that SciPy makes by the same formulas, from another's hand: their distributions agree.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use insitu_seg::card::Preset;
use insitu_seg::file::{DataType, write_values};
use insitu_seg::grid::Grid;
use insitu_seg::train::random::seeded_rng;
use insitu_seg::train::synthesis::{MapSet, Recipe, SyntheticImage, synthesize};
use std::path::Path;
use std::process::Command;

const DIMS: [usize; 3] = [40, 46, 42];
/// Enough for a standard error of a tenth of a standard deviation.
const IMAGES: u64 = 80;

/// A head in small, with FreeSurfer's numbers: skull, fluid, cortex and white matter as shells, a hippocampus on each side.
fn head() -> Vec<u8> {
    let labels = (0..DIMS.iter().product()).map(|i: usize| {
        let at = [i % DIMS[0], i / DIMS[0] % DIMS[1], i / (DIMS[0] * DIMS[1])];
        let mm: [f64; 3] = std::array::from_fn(|a| at[a] as f64 + 0.5 - DIMS[a] as f64 / 2.0);
        let is_left = mm[0] < 0.0;
        let side = |left: u16, right: u16| if is_left { left } else { right };
        let around =
            |x: f64, radius: f64| ((mm[0] - x).powi(2) + mm[1].powi(2) + mm[2].powi(2)).sqrt() < radius;
        // The shape of the head.
        let radius = (mm[0].powi(2) + (mm[1] * 0.85).powi(2) + (mm[2] * 0.93).powi(2)).sqrt();
        match radius {
            _ if around(-8.5, 3.3) => 17,
            _ if around(8.5, 2.5) => 53,
            ..5.0 => side(4, 43),
            ..12.5 => side(2, 41),
            ..16.0 => side(3, 42),
            ..20.0 => 507,
            _ => 0,
        }
    });
    labels.flat_map(u16::to_le_bytes).collect()
}

fn heads(labels: &[u8]) -> MapSet {
    let folder = tempfile::tempdir().unwrap();
    let mut affine = [[0.0; 4]; 4];
    (0..4).for_each(|axis| affine[axis][axis] = 1.0);
    let bytes = write_values(&Grid::new(DIMS, affine, [1.0; 3]), DataType::U16, 1, labels).unwrap();
    std::fs::write(folder.path().join("head.nii"), bytes).unwrap();
    let mut recipe = Recipe::preset("t1").unwrap().unwrap();
    // Air around a head of 40 mm, not of 200.
    recipe.geometry.air[1] = 6.0;
    MapSet::read(folder.path(), recipe, &mut |_| ()).unwrap()
}

fn keep(set: &MapSet, image: &SyntheticImage, folder: &Path, number: u64) {
    let values: Vec<u8> = image.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let labels: Vec<u8> =
        image.classes.iter().flat_map(|&class| set.classes.label(class).to_le_bytes()).collect();
    std::fs::write(folder.join(format!("{number}.f32")), values).unwrap();
    std::fs::write(folder.join(format!("{number}.u16")), labels).unwrap();
}

#[test]
fn made_images_have_the_statistics_of_those_that_scipy_makes() {
    let Some(python) = common::python(&["numpy", "scipy"]) else { return };
    let labels = head();
    let set = heads(&labels);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("map.u16"), &labels).unwrap();
    let preset = Preset { max_voxels: 1 << 24, min_side: 1, ..Preset::default() };
    let dims: Vec<[usize; 3]> = (0..IMAGES)
        .map(|number| {
            let image = synthesize(&set, 0, &preset, &mut seeded_rng(1, number)).unwrap();
            assert_eq!(image.dims, image.dims_mm);
            keep(&set, &image, folder.path(), number);
            image.dims
        })
        .collect();
    let made = serde_json::json!({"map": DIMS, "images": dims});
    std::fs::write(folder.path().join("made.json"), made.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/synthesis_sketch.py");
    let run = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    let said = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(run.status.success(), "{said}");
}
