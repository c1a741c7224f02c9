//! Which side an image of one hippocampus shows: found by both readings, said in the report, and in the mask's labels.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::command::{insitu, sample, text};
use insitu_seg::file::{ByteSource, DataType, write_values};
use insitu_seg::grid::Grid;
use insitu_seg::predict::{
    ChosenBoxes, NamedBox, SegmentProgress, Segmentation, Views, segment_boxes, segment_views,
};
use insitu_seg::{Limits, Model, ModelOptions, Volume, VolumeFile, read_volume};
use std::ops::ControlFlow;

/// The sample, a left hippocampus.
fn left() -> Volume {
    read_volume(&std::fs::read(sample()).unwrap(), &Limits::default()).unwrap()
}

/// The same voxels as a mirror at the body's middle shows them: a right one, as a file.
fn right_file() -> Vec<u8> {
    let left = left();
    let mut affine = left.grid.affine;
    (0..4).for_each(|column| affine[0][column] = -affine[0][column]);
    let values = left.reorientation.undo(&left.voxels[..]);
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    write_values(&Grid::new(left.grid.dims, affine, left.grid.spacing()), DataType::F32, 1, &bytes).unwrap()
}

fn right() -> Volume {
    read_volume(&right_file(), &Limits::default()).unwrap()
}

fn model() -> Model {
    ModelOptions::default().open("hippocampus").unwrap()
}

fn side(result: &Segmentation) -> (&str, Option<&'static str>) {
    (&result.boxes[0].object, result.boxes[0].side)
}

#[test]
fn the_mask_of_a_mirrored_image_is_the_mirrored_mask_with_the_names_of_the_other_side() {
    let model = model();
    let [one, other] = [left(), right()].map(|volume| model.segment(&volume).unwrap());
    assert_eq!((side(&one), side(&other)), (("left", Some("left")), ("right", Some("right"))));
    assert!(one.boxes[0].agreement.unwrap() > 0.9, "{:?}", one.boxes);
    assert_eq!(one.boxes[0].agreement, other.boxes[0].agreement);
    let names = |result: &Segmentation| -> Vec<(u8, String)> {
        result.classes.iter().map(|class| (class.label.index, class.label.name.clone())).collect()
    };
    assert_eq!(names(&one)[0], (1, "Left anterior hippocampus".into()));
    assert_eq!(names(&other)[1], (4, "Right posterior hippocampus".into()));
    // The voxels lie in the file in the same order.
    assert!(one.labels.iter().any(|label| *label > 0));
    let moved: Vec<u8> = one.labels.iter().map(|&label| if label > 0 { label + 2 } else { 0 }).collect();
    assert!(moved == other.labels, "the masks differ");
    assert_eq!(one.region, other.region);
    // And the axes that are reported are the file's own, not those of the reading that was taken.
    assert_eq!(
        [one.orientation, other.orientation],
        [left(), right()].map(|volume| volume.grid.orientation())
    );
}

#[test]
fn an_image_that_is_surely_of_the_first_side_is_not_read_mirrored_and_has_the_same_mask() {
    let (sure, mut asking) = (model(), model());
    asking.card.scan.as_mut().unwrap().sure_agreement = None;
    let run = |model: &Model, volume: &Volume| {
        let mut news = 0;
        let mut on_progress = |_: SegmentProgress| {
            news += 1;
            ControlFlow::Continue(())
        };
        let everywhere = ChosenBoxes::default();
        let found = pollster::block_on(segment_boxes(model, volume, &everywhere, &mut on_progress)).unwrap();
        (found, news)
    };
    for (volume, is_sure) in [(left(), true), (right(), false)] {
        let [(one, less), (other, more)] = [&sure, &asking].map(|model| run(model, &volume));
        assert_eq!(less < more, is_sure, "{less} and {more} calls");
        assert!(one.labels == other.labels && one.warnings == other.warnings);
        assert_eq!((side(&one), one.region), (side(&other), other.region));
    }
}

#[test]
fn a_side_that_is_said_is_not_asked_for() {
    let (model, volume) = (model(), left());
    let found = model.segment(&volume).unwrap();
    let run = |object: &str| {
        let boxes = vec![NamedBox { object: Some(object.into()), bounds: found.region }];
        let chosen = ChosenBoxes { boxes, only: false };
        pollster::block_on(segment_boxes(&model, &volume, &chosen, &mut |_| ControlFlow::Continue(())))
    };
    assert_eq!(side(&run("right").unwrap()).0, "right");
    let same = run("left").unwrap();
    assert!(same.labels == found.labels && same.region == found.region);
    assert!(run("middle").unwrap_err().to_string().contains("left or right"));
}

#[test]
fn a_file_that_is_never_decoded_as_a_whole_has_the_same_mask() {
    let model = model();
    let bytes = right_file();
    let whole = model.segment(&right()).unwrap();
    let box_of = |object: &str| ChosenBoxes {
        boxes: vec![NamedBox { object: Some(object.into()), bounds: whole.region }],
        only: false,
    };
    for chosen in [ChosenBoxes::default(), box_of("right"), box_of("left")] {
        let on_progress = &mut |_: SegmentProgress| ControlFlow::Continue(());
        let expected = pollster::block_on(segment_boxes(&model, &right(), &chosen, on_progress)).unwrap();
        let file = VolumeFile::open(ByteSource::of(&bytes), None, &Limits::default()).unwrap();
        let (volume, views) = Views::of_file(&model, file, &chosen, on_progress).unwrap();
        assert!(volume.voxels.is_empty());
        let found = pollster::block_on(segment_views(&model, &volume, views, &chosen, on_progress)).unwrap();
        assert!(found.labels == expected.labels && found.labels.iter().any(|label| *label > 0));
        assert_eq!(
            (side(&found), found.region, &found.warnings),
            (side(&expected), expected.region, &expected.warnings)
        );
    }
}

#[test]
fn an_image_or_a_box_without_contrast_is_refused_in_words() {
    let model = model();
    let grid = left().grid;
    let flat = write_values(&grid, DataType::U8, 1, &vec![7; grid.len()]).unwrap();
    let error = model.segment(&read_volume(&flat, &Limits::default()).unwrap()).unwrap_err();
    assert_eq!(error.code(), "malformed");
    assert!(error.to_string().starts_with("image: found one grey value in all voxels"), "{error}");
    // Half of the image is empty, and somebody puts the box there.
    let mut values = vec![0; grid.len()];
    values.iter_mut().enumerate().skip(grid.len() / 2).for_each(|(i, value)| *value = (i % 251) as u8);
    let half = write_values(&grid, DataType::U8, 1, &values).unwrap();
    let half = read_volume(&half, &Limits::default()).unwrap();
    let boxes = vec![NamedBox { object: None, bounds: ([5, 5, 2], [20, 20, 10]) }];
    let chosen = ChosenBoxes { boxes, only: false };
    let mut go_on = |_| ControlFlow::Continue(());
    let error = pollster::block_on(segment_boxes(&model, &half, &chosen, &mut go_on)).unwrap_err();
    assert!(error.to_string().starts_with("box: found one grey value"), "{error}");
}

#[test]
fn the_report_of_the_command_says_the_side() {
    let folder = tempfile::tempdir().unwrap();
    let [mask, report, image] =
        ["mask.nii.gz", "r.json", "right.nii.gz"].map(|name| folder.path().join(name));
    std::fs::write(&image, right_file()).unwrap();
    let run = insitu(&["segment", text(&image), "-o", text(&mask), "--report", text(&report)]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["boxes"][0]["side"], "right");
    assert_eq!(report["classes"][0]["name"], "Right anterior hippocampus");
}
