//! Label maps of a body with an object on each side.
#![allow(dead_code, reason = "every test uses a part of it")]

use insitu_seg::file::{DataType, write_values};
use insitu_seg::grid::Grid;
use insitu_seg::train::synthesis::{MapSet, Recipe};
use std::path::Path;

/// Writes a label map.
pub fn write(folder: &Path, name: &str, dims: [usize; 3], spacing: [f64; 3], labels: &[u8]) {
    let mut affine = [[0.0; 4]; 4];
    (0..3).for_each(|axis| affine[axis][axis] = spacing[axis]);
    affine[3][3] = 1.0;
    let bytes = write_values(&Grid::new(dims, affine, spacing), DataType::U8, 1, labels).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
}

/// A body (1) with an object on the left (2) and a smaller one on the right (3), in voxels of `spacing` mm.
pub fn body(spacing: [f64; 3]) -> ([usize; 3], Vec<u8>) {
    let dims = spacing.map(|mm| (80.0 / mm) as usize);
    let labels = (0..dims.iter().product()).map(|i: usize| {
        let at = [i % dims[0], i / dims[0] % dims[1], i / (dims[0] * dims[1])];
        let mm: [f64; 3] = std::array::from_fn(|a| (at[a] as f64 + 0.5) * spacing[a]);
        let within = |center: [f64; 3], radius: f64| {
            mm.iter().zip(center).map(|(a, c)| (a - c).powi(2)).sum::<f64>() < radius * radius
        };
        if within([26.0, 40.0, 40.0], 10.0) {
            2
        } else if within([54.0, 40.0, 40.0], 7.0) {
            3
        } else {
            u8::from(within([40.0; 3], 32.0))
        }
    });
    (dims, labels.collect())
}

pub fn recipe(more: &str) -> Recipe {
    let text = format!(
        r#"{{"name": "bodies", "targets": [{{"name": "left", "labels": [2]}}, {{"name": "right", "labels": [3]}},
            {{"name": "all", "labels": ["1-3"], "measure": true}}], "pairs": [[2, 3]], "keep": ["1-3"],
            "tissues": [{{"name": "body", "labels": [1], "mean": [0.2, 0]}},
                        {{"name": "object", "labels": [2, 3], "mean": [0.8, 0]}}]{more}}}"#
    );
    Recipe::read(text.as_bytes()).unwrap()
}

pub fn bodies(spacing: [f64; 3], more: &str) -> MapSet {
    let folder = tempfile::tempdir().unwrap();
    let (dims, labels) = body(spacing);
    for name in ["a.nii.gz", "b.nii"] {
        write(folder.path(), name, dims, spacing, &labels);
    }
    MapSet::read(folder.path(), recipe(more), &mut |_| ()).unwrap()
}
