//! Files: where we read a hostile file, we read what nibabel reads; where we refuse, we say why and keep our feet.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use insitu_seg::info::VolumeInfo;
use insitu_seg::{Limits, read_volume};
use serde_json::Value;

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-5 * expected.abs().max(1.0)
}

/// nibabel puts a file without forms into a flipped, centred frame; ours is the standard's (method 1).
fn has_forms(case: &Value) -> bool {
    case["raw"]["qform"].as_i64().unwrap_or(0) > 0 || case["raw"]["sform"].as_i64().unwrap_or(0) > 0
}

fn check(case: &Value, info: &VolumeInfo) {
    let name = &case["file"];
    let shape: Vec<u64> = case["shape"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
    let mut dims = info.dims.map(|n| n as u64).to_vec();
    dims.truncate(shape.len().max(1));
    assert_eq!(dims, shape[..dims.len()], "{name}");
    if has_forms(case) {
        let expected = case["affine"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
        let found = info.affine.iter().flatten();
        assert!(
            found.zip(expected).all(|(a, b)| close(*a, b.as_f64().unwrap())),
            "{name}: {:?}",
            info.affine
        );
        assert_eq!(info.orientation, case["axcodes"].as_str().unwrap(), "{name}");
    }
    let stats = &case["stats"];
    assert_eq!(info.nonfinite as u64, stats["nonfinite"].as_u64().unwrap_or(0), "{name}");
    if info.nonfinite == 0 {
        for (key, found) in [("min", info.min), ("max", info.max), ("mean", info.mean)] {
            let expected = stats[key].as_f64().unwrap();
            assert!(close(found, expected), "{name}: {key} {found}, expected {expected}");
        }
    }
}

#[test]
fn what_we_read_equals_nibabel_and_what_it_refuses_we_refuse() {
    let Some(path) = common::shared("nifti-cases/expected_nibabel.json") else { return };
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let (mut read, mut refused) = (0, 0);
    for case in &cases {
        let bytes = std::fs::read(path.with_file_name(case["file"].as_str().unwrap())).unwrap();
        match read_volume(&bytes, &Limits::default()) {
            Ok(volume) => {
                // nibabel goes by the file's name and stumbles where that is wrong; we go by its bytes.
                let name = case["file"].as_str().unwrap();
                if !["synthetic/gz_named_nii.nii", "synthetic/raw_named_gz.nii.gz"].contains(&name) {
                    assert!(case["nibabel_error"].is_null(), "{name}: read, nibabel refuses");
                    check(case, &VolumeInfo::of(&volume));
                }
                read += 1;
            }
            Err(error) => {
                let text = error.to_string();
                assert!(
                    text.contains("found") && text.contains("expected") && !text.contains('\n'),
                    "{text}"
                );
                refused += 1;
            }
        }
    }
    println!("{read} files read as nibabel reads them, {refused} refused");
    assert!(read >= 25);
}

#[test]
fn a_small_limit_refuses_before_reading() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/pkg/samples/hippocampus/image.nii.gz");
    let error = read_volume(&std::fs::read(sample).unwrap(), &Limits { bytes: 1000 }).unwrap_err();
    assert_eq!(error.code(), "limit");
}

#[test]
fn no_truncation_of_a_file_panics_or_passes() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/pkg/samples/hippocampus/image.nii.gz");
    let bytes = std::fs::read(sample).unwrap();
    for length in (0..bytes.len()).step_by(997) {
        let error = read_volume(&bytes[..length], &Limits::default()).unwrap_err();
        assert_eq!(error.code(), "malformed", "{length} bytes: {error}");
    }
}
