//! The metrics against google-deepmind/surface-distance on labels of the hippocampus: those of the sample
//! (`data/metrics/golden.py` made the numbers), and of real cases beside the checkout.

#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use insitu_seg::metrics::{agreement, dice};
use insitu_seg::{Limits, read_volume};
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Voxels of 0 and 1, x fastest.
struct Mask {
    dims: [usize; 3],
    voxels: Vec<u8>,
}

impl Mask {
    /// A new mask whose voxel at each place is `value(place)`.
    fn map(&self, value: impl Fn([isize; 3]) -> u8) -> Vec<u8> {
        let [nx, ny, nz] = self.dims.map(|n| n as isize);
        let rows = (0..nz).flat_map(|z| (0..ny).map(move |y| [y, z]));
        rows.flat_map(|[y, z]| (0..nx).map(move |x| [x, y, z])).map(value).collect()
    }

    /// The voxel at `place`; background outside.
    fn at(&self, place: [isize; 3]) -> u8 {
        let [x, y, z] = place.map(|at| at as usize);
        let [nx, ny, nz] = self.dims;
        if x < nx && y < ny && z < nz { self.voxels[x + nx * (y + ny * z)] } else { 0 }
    }

    /// How many of the voxel and its neighbours across a face are inside.
    fn cross(&self, [x, y, z]: [isize; 3]) -> u8 {
        let line = |step: [isize; 3]| {
            self.at([x - step[0], y - step[1], z - step[2]])
                + self.at([x + step[0], y + step[1], z + step[2]])
        };
        self.at([x, y, z]) + line([1, 0, 0]) + line([0, 1, 0]) + line([0, 0, 1])
    }

    /// How many of the 27 voxels around `place` are inside.
    fn cube(&self, place: [isize; 3]) -> u8 {
        let step = |i: isize| [i % 3 - 1, i / 3 % 3 - 1, i / 9 - 1];
        (0..27).map(|i| self.at(std::array::from_fn(|axis| place[axis] + step(i)[axis]))).sum()
    }

    /// The prediction that the reference made out of this mask.
    fn predict(&self, operation: &str) -> Option<Vec<u8>> {
        Some(match operation {
            "erode6" => self.map(|place| u8::from(self.cross(place) == 7)),
            "dilate6" => self.map(|place| u8::from(self.cross(place) > 0)),
            "shift_y+1" => self.map(|[x, y, z]| self.at([x, y - 1, z])),
            "shift_x-2" => self.map(|[x, y, z]| self.at([x + 2, y, z])),
            "median3" => self.map(|place| u8::from(self.cube(place) > 13)),
            _ => return None,
        })
    }
}

/// A number in `row`.
fn number(row: &Value, key: &str) -> Outcome<f64> {
    row[key].as_f64().ok_or_else(|| format!("no number {key} in {row}").into())
}

#[test]
fn every_row_on_the_sample_is_met() -> Outcome<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = root.join("tests/data/metrics/surface_distance.json");
    every_row_is_met(&reference, |row| Ok(root.join(row["file"].as_str().ok_or("no file")?)))
}

#[test]
fn every_row_on_real_cases_is_met() -> Outcome<()> {
    let Some(reference) = common::shared("metrics/surface_distance_reference.json") else { return Ok(()) };
    let Some(labels) = common::shared("Task04_Hippocampus") else { return Ok(()) };
    every_row_is_met(&reference, |row| {
        let name = format!("hippocampus_{:03}.nii.gz", number(row, "case")?);
        let files = ["labelsTr", "labelsTs"].map(|folder| labels.join(folder).join(&name));
        Ok(files.into_iter().find(|file| file.exists()).ok_or(name)?)
    })
}

/// Each row of a file of numbers, on the labels that `file(row)` names.
fn every_row_is_met(reference: &Path, file: impl Fn(&Value) -> Outcome<PathBuf>) -> Outcome<()> {
    let reference: Value = serde_json::from_slice(&fs::read(reference)?)?;
    let rows = reference["rows"].as_array().ok_or("no rows")?;
    assert!(rows.len() >= 20);

    let mut farthest = [0_f64; 3];
    for row in rows {
        let volume = read_volume(&fs::read(file(row)?)?, &Limits::default())?;
        let label = number(row, "label")? as f32;
        let voxels =
            volume.reorientation.undo(&volume.voxels).iter().map(|&value| u8::from(value == label)).collect();
        let truth = Mask { dims: volume.grid.dims, voxels };

        let operation = row["pred"].as_str().ok_or("no operation")?;
        let prediction = truth.predict(operation).ok_or_else(|| format!("unknown operation {operation}"))?;
        let spacing: Vec<f64> = serde_json::from_value(row["spacing"].clone())?;
        let [sx, sy, sz] = spacing[..] else { return Err(format!("spacing {spacing:?}").into()) };

        for (tolerance, nsd) in row["nsd"].as_object().ok_or("no nsd")? {
            let tolerance: f64 = tolerance.parse()?;
            let found = agreement(&truth.voxels, &prediction, 1, truth.dims, [sx, sy, sz], tolerance)?;
            assert_eq!(found.dsc, dice(&truth.voxels, &prediction, 1));
            let nsd = nsd.as_f64().ok_or("no number")?;
            let pairs = [
                (found.dsc, number(row, "dsc")?, 1e-6),
                (found.nsd, nsd, 1e-3),
                (found.hd95_mm, number(row, "hd95")?, 1e-3),
            ];
            for (farthest, (found, expected, tolerance)) in farthest.iter_mut().zip(pairs) {
                let off = (found - expected).abs();
                assert!(off <= tolerance, "found {found}, expected {expected} in {row}");
                *farthest = farthest.max(off);
            }
        }
    }
    println!("{} rows; farthest off in dsc, nsd, hd95: {farthest:?}", rows.len());
    Ok(())
}
