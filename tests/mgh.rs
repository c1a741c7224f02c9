//! FreeSurfer's volumes: values, affines and orientations as by nibabel; what is wrong is refused in words; a mask lies on
//! the image's grid.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::mgh::MadeMgh;
use common::nifti::gzip;
use insitu_seg::file::{ByteSource, Format, open_path};
use insitu_seg::info::{Refusal, VolumeInfo};
use insitu_seg::{Limits, Volume, VolumeFile, read_volume, write_labels};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mgh")
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|v| v.as_f64().map_or_else(|| numbers(v), |v| vec![v]))
        .collect()
}

/// The values in the file's own order.
fn values(volume: &Volume) -> Vec<f32> {
    let channels = volume.voxels.chunks(volume.grid.len());
    channels.flat_map(|channel| volume.reorientation.undo(channel)).collect()
}

fn survey(bytes: &[u8]) -> Result<VolumeInfo, Refusal> {
    VolumeInfo::of(VolumeFile::open(ByteSource::of(bytes), None, &Limits::default()))
}

#[test]
fn every_type_and_orientation_is_read_as_by_nibabel() {
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap();
    let files = expected["files"].as_object().unwrap();
    for (name, facts) in files {
        let path = folder().join(name);
        let info = VolumeInfo::of(open_path(&path, &Limits::default())).unwrap();
        let shape: Vec<f64> = info.dims.iter().map(|&n| n as f64).collect();
        assert_eq!(shape, numbers(&facts["shape"]), "{name}");
        assert_eq!((info.format, info.datatype), ("MGH", facts["dtype"].as_str().unwrap()), "{name}");
        assert_eq!(info.orientation, facts["axcodes"].as_str().unwrap(), "{name}");
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-6 * expected.abs().max(10.0);
        let affine = numbers(&facts["affine"]);
        assert!(
            info.affine.iter().flatten().zip(&affine).all(|(a, b)| near(*a, *b)),
            "{name}: {:?}",
            info.affine
        );
        for (key, found) in [("min", info.min), ("max", info.max), ("mean", info.mean)] {
            assert!(
                near(found, facts[key].as_f64().unwrap()),
                "{name}: {key} {found}, nibabel {}",
                facts[key]
            );
        }
        let volume = Volume::open(&path).unwrap();
        let wanted: Vec<f32> = numbers(&facts["values"]).iter().map(|&value| value as f32).collect();
        assert_eq!(values(&volume), wanted, "{name}");
        let unstated = name.starts_with("unstated");
        assert_eq!((info.sform_code, info.qform_code), (i32::from(!unstated), 0), "{name}");
        assert_eq!(info.warnings.iter().any(|words| words.contains("assumption")), unstated, "{name}");
    }
    assert_eq!(files.len(), 8);
}

#[test]
fn spacings_are_those_that_the_file_states() {
    let mut made = MadeMgh::new([6, 5, 4], |i| i as i16);
    made.spacing = [1.25, 0.8, 0.937];
    let (s, c) = (0.3f32.sin(), 0.3f32.cos());
    made.cosines = [[-c, s, 0.0], [0.0, 0.0, -1.0], [s, c, 0.0]];
    let volume = read_volume(&made.bytes(), &Limits::default()).unwrap();
    assert_eq!(volume.grid.spacing(), made.spacing.map(f64::from));
}

#[test]
fn a_packed_file_of_any_name_and_one_without_its_tail_are_the_same_image() {
    let made = MadeMgh::new([5, 4, 3], |i| i as i16 * 7 - 100);
    let expected = read_volume(&made.bytes(), &Limits::default()).unwrap();
    let bare = MadeMgh { tail: Vec::new(), ..made.clone() };
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (made.bytes()[..300].to_vec(), made.bytes()[300..].to_vec());
    let files = [
        ("a.mgh", bare.bytes()),
        ("b.MGZ", gzip(&made.bytes(), 9)),
        ("c.mgh.gz", gzip(&bare.bytes(), 1)),
        ("d.nii.gz", [gzip(&a, 6), gzip(&b, 0)].concat()),
    ];
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let found = open_path(&path, &Limits::default()).unwrap().read().unwrap();
        assert_eq!(found.grid, expected.grid, "{name}");
        assert_eq!(found.voxels[..], expected.voxels[..], "{name}");
        assert!(found.warnings().is_empty(), "{name}: {:?}", found.warnings());
    }
}

#[test]
fn what_a_header_says_is_checked_field_by_field() {
    let good = MadeMgh::new([7, 6, 5], |i| i as i16);
    let all = survey(&good.bytes()).unwrap().checks;
    assert!(all.iter().all(|check| check.severity == "ok"), "{all:?}");
    assert!(all.len() >= 13, "{all:?}");
    type Change = fn(&mut MadeMgh);
    let table: [(&str, &str, &str, Change); 24] = [
        ("type", "error", "unsupported", |m| m.kind = 2),
        ("type", "error", "unsupported", |m| m.kind = 5),
        ("type", "error", "unsupported", |m| m.kind = 6),
        ("type", "error", "unsupported", |m| m.kind = -1),
        ("dim", "error", "malformed", |m| m.dims[0] = 0),
        ("dim", "error", "malformed", |m| m.dims[1] = -6),
        ("dim", "error", "malformed", |m| m.dims[3] = 0),
        ("dim", "error", "limit", |m| (m.dims, m.kind) = ([1, 1, 1, 1 << 17], 0)),
        ("dim", "warning", "", |m| (m.dims[2], m.dims[3]) = (1, 5)),
        ("memory", "error", "limit", |m| m.dims = [i32::MAX; 4]),
        ("memory", "error", "limit", |m| m.dims = [1 << 15, 1 << 15, 1 << 15, 1]),
        ("length", "error", "malformed", |m| m.voxels.truncate(100)),
        ("spacing", "error", "malformed", |m| m.spacing[1] = 0.0),
        ("spacing", "error", "malformed", |m| m.spacing[2] = -1.0),
        ("spacing", "error", "malformed", |m| m.spacing[0] = f32::NAN),
        ("spacing", "error", "malformed", |m| m.spacing[0] = f32::INFINITY),
        ("cosines", "error", "malformed", |m| m.cosines[0][0] = f32::NAN),
        ("cosines", "error", "malformed", |m| m.cosines[1] = [0.0; 3]),
        ("cosines", "error", "malformed", |m| m.cosines[2] = [1.0, 1.0, 0.0]),
        ("cosines", "warning", "", |m| m.cosines[2] = [0.0, 1.01, 0.0]),
        ("axes", "error", "unsupported", |m| m.cosines[1] = m.cosines[0]),
        ("axes", "warning", "", |m| m.cosines[1] = [0.1, 0.0, -0.995]),
        ("c_ras", "error", "malformed", |m| m.centre[1] = f32::NAN),
        ("orientation", "warning", "", |m| (m.good_ras, m.spacing) = (0, [f32::NAN; 3])),
    ];
    for (field, severity, code, change) in table {
        let mut made = good.clone();
        change(&mut made);
        let (error, all) = match survey(&made.bytes()) {
            Ok(info) => (None, info.checks),
            Err(refusal) => (Some(refusal.error), refusal.checks),
        };
        let found = all.iter().find(|check| check.field == field).unwrap();
        assert_eq!(found.severity, severity, "{field}: {}", found.words);
        let text = error.as_ref().map_or(String::new(), ToString::to_string);
        assert_eq!(error.map_or("", |error| error.code()), code, "{field}: {text}");
        if severity == "error" {
            assert!(text.contains("found") && text.contains("expected") && !text.contains('\n'), "{text}");
        }
    }
}

#[test]
fn what_only_begins_like_one_is_refused() {
    let bytes = MadeMgh::new([4, 4, 4], |_| 1).bytes();
    let mut later = bytes.clone();
    later[3] = 2;
    let dicom = [&bytes[..128], b"DICM", &bytes[132..]].concat();
    let pair = VolumeFile::open(ByteSource::of(&bytes), Some(ByteSource::of(&bytes)), &Limits::default());
    assert!(pair.is_err_and(|error| error.to_string().contains("found an MGH volume")));
    for (what, bytes, word) in [
        ("another version", later.as_slice(), "version 1 of an MGH volume"),
        ("DICOM with such a preamble", &dicom, "DICOM"),
        ("half a header", &bytes[..200], "284 bytes"),
        ("its first bytes", &bytes[..4], "284 bytes"),
        ("packed twice", &gzip(&gzip(&bytes, 6), 6), "compressed twice"),
    ] {
        let text = read_volume(bytes, &Limits::default()).unwrap_err().to_string();
        assert!(text.contains(word), "{what}: {text}");
    }
}

#[test]
fn bombs_are_refused_before_memory_is_taken() {
    let made = MadeMgh { dims: [1, 1, 1, 1], ..MadeMgh::new([1, 1, 1], |_| 1) };
    let mut huge = made.clone();
    huge.dims = [i32::MAX, i32::MAX, 1, 1];
    // A gigabyte that a gzip stream of 700 bytes cannot hold; and one that holds 65 MiB behind its voxels.
    let mut claims = made.clone();
    (claims.dims, claims.kind) = ([512, 512, 512, 1], 3);
    let swollen = MadeMgh { tail: vec![0; 65 << 20], ..made };
    for (made, code) in [(huge, "limit"), (claims, "malformed"), (swollen, "limit")] {
        let error = read_volume(&gzip(&made.bytes(), 6), &Limits::default()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    let small = MadeMgh::new([7, 6, 5], |_| 1).bytes();
    assert_eq!(read_volume(&small, &Limits { bytes: 839 }).unwrap_err().code(), "limit");
    assert!(read_volume(&small, &Limits { bytes: 840 }).is_ok());
}

#[test]
fn a_mask_lies_where_its_image_lies() {
    let mut unstated = MadeMgh::new([5, 4, 3], |i| i as i16);
    unstated.good_ras = 0;
    let mut long = MadeMgh::new([40_000, 1, 1], |i| i as i16);
    long.cosines = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let mut skewed = MadeMgh::new([5, 4, 3], |i| i as i16);
    skewed.cosines[0] = [-0.99, 0.12, 0.05];
    let mut frames = MadeMgh::new([5, 4, 6], |i| i as i16);
    frames.dims = [5, 4, 3, 2];
    for (made, version, code) in
        [(unstated, "NIfTI-1", 2), (long, "NIfTI-2", 1), (skewed, "NIfTI-1", 1), (frames, "NIfTI-1", 1)]
    {
        let image = read_volume(&made.bytes(), &Limits::default()).unwrap();
        assert_eq!(image.header.format, Format::Mgh);
        let labels: Vec<u8> = (0..image.grid.len()).map(|i| (i % 3) as u8).collect();
        let mask = read_volume(&write_labels(&labels, &image, true).unwrap(), &Limits::default()).unwrap();
        assert_eq!(mask.grid, image.grid);
        assert_eq!((mask.header.format.name(), mask.header.sform_code()), (version, code));
        assert_eq!(mask.reorientation.undo(&mask.labels().unwrap()), labels);
        assert_eq!(image.overlay(&mask).unwrap().require_aligned().unwrap(), mask.labels().unwrap());
    }
}
