//! The command as users call it: bad input, exit status, files left behind, formats and grids kept.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::command::{insitu, sample, text};
use common::nifti::{Made, gzip};
use common::orient::{self, Pose};
use insitu_seg::{Limits, read_volume};
use std::path::Path;
use std::process::Command;

/// The sample's bytes, uncompressed.
fn plain() -> Vec<u8> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(sample()).unwrap();
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn bad_input_gets_one_sentence_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let packed = std::fs::read(sample()).unwrap();
    let mut four = plain();
    four[40..42].copy_from_slice(&4i16.to_le_bytes());
    four[48..50].copy_from_slice(&3i16.to_le_bytes());
    four.extend([&plain()[352..], &plain()[352..]].concat());
    let nothing: &[u8] = &[];
    for (name, bytes, code) in [
        ("text.nii", b"hello, this is a letter".as_slice(), "a text file"),
        ("truncated.nii.gz", &packed[..packed.len() / 2], "truncated gzip"),
        ("cut.nii", &plain()[..5000], "truncated"),
        ("four.nii", &four, "3 volumes"),
        ("empty.nii", nothing, "no bytes at all"),
        ("page.nii.gz", b"<!DOCTYPE html><html></html>", "HTML"),
    ] {
        let input = folder.path().join(name);
        let output = folder.path().join(format!("mask-{name}"));
        std::fs::write(&input, bytes).unwrap();
        let run = insitu(&["segment", text(&input), "-o", text(&output)]);
        let message = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{name}: {message}");
        assert_eq!(message.trim().lines().count(), 1, "{name}: {message}");
        for part in [name, code, "found", "expected"] {
            assert!(message.contains(part), "{name}: no \"{part}\" in {message}");
        }
        assert!(!output.exists(), "{name} left a mask behind");
    }
    // The folder holds the six inputs and nothing else: no temporary file either.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
}

#[test]
fn an_image_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image.nii.gz");
    std::fs::copy(sample(), &image).unwrap();
    let mask = folder.path().join("mask.nii");
    for output in [
        vec!["-o", text(&image)],
        vec!["--out-dir", text(folder.path())],
        vec!["-o", text(&mask), "--report", text(&image)],
    ] {
        let run = insitu(&[vec!["segment", text(&image)], output].concat());
        assert_eq!(run.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&run.stderr).contains("which is an input"));
    }
    assert_eq!(std::fs::read(&image).unwrap(), std::fs::read(sample()).unwrap());
}

#[test]
fn a_long_thin_volume_is_refused_before_memory_is_taken() {
    let mut bytes = plain()[..352].to_vec();
    bytes[42..48].copy_from_slice(&[0xd0, 0x07, 1, 0, 1, 0]); // 2000 x 1 x 1 voxels
    bytes[280..284].copy_from_slice(&100f32.to_le_bytes()); // of 100 mm
    bytes[80..84].copy_from_slice(&100f32.to_le_bytes());
    bytes.extend((0..4000u32).map(|i| (i % 100) as u8));
    let folder = tempfile::tempdir().unwrap();
    let (image, mask) = (folder.path().join("thin.nii"), folder.path().join("mask.nii"));
    std::fs::write(&image, bytes).unwrap();
    let run = insitu(&["segment", text(&image), "-o", text(&mask), "--backend", "cpu"]);
    let message = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{message}");
    assert!(message.contains("long and thin") && !mask.exists(), "{message}");
}

#[test]
fn of_many_inputs_the_good_ones_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.nii");
    std::fs::write(&bad, b"no").unwrap();
    let out = folder.path().join("out");
    let run = insitu(&["segment", text(&sample()), text(&bad), "--out-dir", text(&out), "--backend", "cpu"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(out.join("image.nii.gz").exists() && !out.join("bad.nii").exists());
}

#[test]
fn the_mask_of_the_sample_is_right_and_lies_on_its_grid() {
    let folder = tempfile::tempdir().unwrap();
    let (mask, report) = (folder.path().join("mask.nii.gz"), folder.path().join("report.json"));
    let run = insitu(&[
        "segment",
        text(&sample()),
        "-o",
        text(&mask),
        "--backend",
        "cpu",
        "--report",
        text(&report),
    ]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let read = |path: &Path| read_volume(&std::fs::read(path).unwrap(), &Limits::default()).unwrap();
    let (image, found) = (read(&sample()), read(&mask));
    let truth = read(&sample().with_file_name("label.nii.gz"));
    assert_eq!((&found.grid, found.header.qform_code()), (&image.grid, image.header.qform_code()));
    let (found, truth) = (read(&mask).labels().unwrap(), truth.labels().unwrap());
    for label in [1, 2] {
        let dice = insitu_seg::metrics::dice(&truth, &found, label);
        assert!(dice > 0.8, "label {label}: Dice {dice}");
    }
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["backend"], "cpu");
    assert!(report["timings"].as_array().unwrap().len() >= 4);
}

#[test]
fn in_all_48_orientations_the_mask_is_the_same_one_turned() {
    let folder = tempfile::tempdir().unwrap();
    let image = read_volume(&std::fs::read(sample()).unwrap(), &Limits::default()).unwrap();
    assert_eq!(image.grid.orientation(), "RAS");
    // Thick and thin, and 34 x 1.25 = 42.5 mm: a size that the slightest noise of a form would round otherwise.
    let (dims, spacing) = (image.grid.dims, [0.8, 1.0, 1.25]);
    let mut orders = Vec::new();
    let poses = orient::poses();
    for (n, (order, flip)) in orient::orders_and_flips().enumerate() {
        // Affine form, quaternion form and both; upright and oblique.
        let pose = Pose { order, flip, ..poses[n % 12] }.unmirrored();
        let (sizes, from) = orient::file_order(dims, order, flip);
        let mut made = Made::new(sizes, |i| image.voxels[from[i]] as i16);
        pose.place(&mut made, order.map(|axis| spacing[axis]), [10.0, -20.0, 30.0]);
        let path = folder.path().join(format!("{n:02}.nii"));
        std::fs::write(&path, made.bytes()).unwrap();
        orders.push((path, from));
    }
    let out = folder.path().join("masks");
    let mut arguments = vec!["segment", "--backend", "cpu", "--out-dir", text(&out)];
    arguments.extend(orders.iter().map(|(path, _)| text(path)));
    let run = insitu(&arguments);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let mut first: Option<Vec<u8>> = None;
    for (path, from) in &orders {
        let mask = std::fs::read(out.join(path.file_name().unwrap())).unwrap();
        let mut canonical = vec![0; from.len()];
        from.iter().zip(&mask[352..]).for_each(|(&at, &label)| canonical[at] = label);
        assert!(canonical.iter().filter(|label| **label > 0).count() > 1000);
        assert_eq!(*first.get_or_insert_with(|| canonical.clone()), canonical, "{}", path.display());
        let image = std::fs::read(path).unwrap();
        for range in [40..56, 76..108, 252..328] {
            assert_eq!(image[range.clone()], mask[range], "{}", path.display());
        }
    }
}

#[test]
fn a_pair_becomes_a_mask_for_slicer_and_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut header = plain()[..348].to_vec();
    header[108..112].fill(0);
    header[344..348].copy_from_slice(b"ni1\0");
    std::fs::write(path("head.hdr"), header).unwrap();
    std::fs::write(path("head.img.gz"), gzip(&plain()[352..], 6)).unwrap();
    let (mask, table) = (path("mask.seg.nrrd"), path("volumes.csv"));
    let run = insitu(&[
        "segment",
        text(&path("head.img.gz")),
        "-o",
        text(&mask),
        "--csv",
        text(&table),
        "--backend",
        "cpu",
    ]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let bytes = std::fs::read(&mask).unwrap();
    assert!(bytes.starts_with(b"NRRD0004\n"));
    let head = String::from_utf8_lossy(&bytes).into_owned();
    assert!(
        head.contains("Segment0_Name:=Left anterior") && head.contains("Segment1_LabelValue:=2"),
        "{head}"
    );
    let table = std::fs::read_to_string(table).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "case,index,name,voxels,milliliters"));
    assert!(lines[1].starts_with("head,1,Left anterior hippocampus,"), "{table}");

    let run =
        insitu(&["segment", text(&path("head.hdr")), "--out-dir", text(&path("out")), "--backend", "cpu"]);
    assert!(run.status.success() && path("out/head.nii.gz").exists());
    let run =
        insitu(&["segment", text(&path("head.hdr")), "-o", text(&path("mask.img")), "--backend", "cpu"]);
    assert_eq!(run.status.code(), Some(2));
}

#[test]
fn info_says_what_the_file_says() {
    let run = insitu(&["info", text(&sample()), "--json"]);
    let info: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(info["orientation"], "RAS");
    assert_eq!(info["datatype"], "int16");
    for field in [
        "dims",
        "spacing_mm",
        "affine",
        "sform_code",
        "qform_code",
        "slope",
        "inter",
        "min",
        "max",
        "mean",
        "nonfinite",
        "warnings",
    ] {
        assert!(!info[field].is_null(), "{field}");
    }
}

#[test]
fn huge_voxels_are_refused_before_memory_is_taken() {
    let mut made = Made::new([10, 10, 10], |i| i as i16);
    made.srow = [[100.0, 0.0, 0.0, 0.0], [0.0, 100.0, 0.0, 0.0], [0.0, 0.0, 100.0, 0.0]];
    let folder = tempfile::tempdir().unwrap();
    let (image, mask) = (folder.path().join("huge.nii"), folder.path().join("mask.nii"));
    std::fs::write(&image, made.bytes()).unwrap();
    let run = insitu(&["segment", text(&image), "-o", text(&mask), "--backend", "cpu"]);
    let message = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{message}");
    assert!(message.contains("1000 x 1000 x 1000 mm") && !mask.exists(), "{message}");
}

#[test]
fn two_outputs_in_one_place_are_refused_however_they_are_spelled() {
    let folder = tempfile::tempdir().unwrap();
    let mask = folder.path().join("mask.nii");
    let other = format!("{}/./mask.nii", text(folder.path()));
    let run = insitu(&["segment", text(&sample()), "-o", text(&mask), "--csv", &other]);
    assert_eq!(run.status.code(), Some(2));
    assert!(!mask.exists());
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_the_command_without_a_word() {
    use std::process::Stdio;
    let mut run = Command::new(env!("CARGO_BIN_EXE_insitu"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = run.args(["info", text(&sample())]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert!(run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn info_lists_every_check_of_a_file_that_is_refused_too() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("bad.nii");
    let mut bytes = plain();
    bytes[40..42].copy_from_slice(&9i16.to_le_bytes());
    bytes[123] = 1;
    std::fs::write(&image, bytes).unwrap();
    let run = insitu(&["info", text(&image), "--json"]);
    assert_eq!(run.status.code(), Some(2));
    let message = String::from_utf8(run.stderr).unwrap();
    assert!(message.trim().lines().count() == 1 && message.contains("bad.nii: dim[0]: found 9"), "{message}");
    let told: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(told["error"]["code"], "malformed");
    let severity = |field: &str| {
        let checks = told["checks"].as_array().unwrap();
        checks.iter().find(|check| check["field"] == field).unwrap()["severity"].clone()
    };
    assert_eq!((severity("dim"), severity("xyzt_units")), ("error".into(), "warning".into()));
}
