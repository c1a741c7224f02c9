//! A head whose axes are oblique, as those of scans along the hippocampus are: the mask is as good as that of an upright one.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{SIDES, dice, read_back};
use insitu_seg::grid::{Grid, corners};
use insitu_seg::predict::{ChosenBoxes, NamedBox, segment_boxes};
use insitu_seg::{ModelOptions, Volume};
use std::ops::ControlFlow;

/// Voxels of an upright volume in RAS order and at 1 mm, seen by a scan whose axes are turned by some degrees about x, and its affine.
fn turned(values: &Volume, degrees: f64, nearest: bool) -> (Vec<f32>, Grid) {
    let dims = values.reorientation.ras_dims();
    let (sin, cos) = degrees.to_radians().sin_cos();
    let centre = dims.map(|n| (n as f64 - 1.0) / 2.0);
    let rows = [[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]];
    let upright = |at: [f64; 3]| -> [f64; 3] {
        std::array::from_fn(|row| {
            (0..3).map(|a| rows[row][a] * (at[a] - centre[a])).sum::<f64>() + centre[row]
        })
    };
    let [nx, ny, nz] = dims;
    let voxel = |index: usize| {
        let near =
            corners(upright([index % nx, index / nx % ny, index / (nx * ny)].map(|n| n as f64)), dims)?;
        let most = near.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let between = || near.iter().map(|(at, weight)| weight * values.voxels[*at]).sum();
        Some(if nearest { values.voxels[most.0] } else { between() })
    };
    let origin = upright([0.0; 3]);
    let row = |row: usize| [rows[row][0], rows[row][1], rows[row][2], origin[row]];
    let affine = [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]];
    ((0..nx * ny * nz).map(|index| voxel(index).unwrap_or(0.0)).collect(), Grid::new(dims, affine, [1.0; 3]))
}

#[test]
fn a_head_turned_by_thirty_degrees_has_the_mask_that_it_has_upright() {
    let Some(heads) = common::shared("heads/labelled") else { return };
    let open = |folder: &str| Volume::open(heads.join(folder).join("malf1000.nii.gz")).unwrap();
    let (image, labels) = (open("images"), open("labels"));
    let model = ModelOptions::default().open("hippocampus").unwrap();
    let run = |volume: &Volume, boxes: Vec<NamedBox>| {
        let chosen = ChosenBoxes { boxes, only: false };
        let mut go_on = |_| ControlFlow::Continue(());
        pollster::block_on(segment_boxes(&model, volume, &chosen, &mut go_on)).unwrap()
    };
    for degrees in [30.0, -30.0] {
        let (values, grid) = turned(&image, degrees, false);
        let (truth, _) = turned(&labels, degrees, true);
        let volume = read_back(&grid, &values);
        let found = run(&volume, vec![]);
        let scores = SIDES.map(|(side, of)| dice(&truth, side, &found.labels, of));
        // Along the file's axes they were 0.2 to 0.6.
        assert!(scores.iter().all(|score| *score > 0.78), "{degrees}: {scores:?}, {:?}", found.warnings);
        // A box that was reported is the same box when it is given.
        let boxes =
            found.boxes.iter().map(|one| NamedBox { object: Some(one.object.clone()), bounds: one.bounds() });
        let given = run(&volume, boxes.collect());
        for (one, other) in found.boxes.iter().zip(&given.boxes) {
            assert_eq!((&one.object, one.bounds()), (&other.object, other.bounds()));
        }
        let scores = SIDES.map(|(side, of)| dice(&truth, side, &given.labels, of));
        assert!(scores.iter().all(|score| *score > 0.78), "{degrees}, given boxes: {scores:?}");
    }
}
