//! Files: where we read a hostile file, we read what nibabel reads; where we refuse, we say why and keep our feet.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::nifti::{Made, gzip};
use insitu_seg::file::{ByteSource, open_path};
use insitu_seg::info::VolumeInfo;
use insitu_seg::{Error, Limits, VolumeFile, read_volume};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What nibabel reads and we refuse, by words of our sentence: the reason.
const REFUSED: [(&str, &str); 21] = [
    ("complex numbers", "no single grey value"),
    ("RGB colours", "no single grey value"),
    ("128-bit floats", "beyond the types that a browser has"),
    ("CIFTI", "a matrix of grayordinates is no volume"),
    ("vox_offset", "nibabel takes the header's own bytes for voxels, or starts before the file"),
    ("one axis of channels", "two axes of channels"),
    ("no finite value", "nothing to segment"),
    ("64 MiB", "more padding than any file has"),
    ("damaged or truncated gzip", "nibabel does not read to the checksum of large files or of an .img.gz"),
    ("dim[0]", "nibabel takes a number of axes outside 1..7 for the other byte order"),
    ("sizeof_hdr", "nibabel does not look at the size of a NIfTI-1 header"),
    ("540 bytes", "nibabel does not look at the size of a NIfTI-1 header"),
    ("ANALYZE", "ANALYZE does not say where left is"),
    ("\"n+2\"", "nibabel takes a .hdr of unknown magic for ANALYZE"),
    ("\"n+3\"", "nibabel takes a .hdr of unknown magic for ANALYZE"),
    ("\"ni2\", expected", "nibabel takes a .hdr of unknown magic for ANALYZE"),
    ("\"abc\"", "nibabel takes a .hdr of unknown magic for ANALYZE"),
    ("damaged end", "nibabel takes a .hdr of unknown magic for ANALYZE"),
    ("spacing of axis", "an axis without length, or of nanometres or kilometres"),
    ("degrees apart", "axes on top of each other: no place in the patient"),
    ("finite numbers", "a place in the patient that is no number"),
];

/// What nibabel refuses and we read, by words of its error: the reason.
const READ: [(&str, &str); 5] = [
    ("ImageFileError", "gzip is told by its bytes, not by the name, and what follows its end is passed over"),
    ("FileNotFoundError", "header and voxels of a pair may be packed each as they like"),
    ("failed to read extension content", "voxels start at vox_offset, whatever the extensions say"),
    ("read length must be non-negative", "voxels start at vox_offset, whatever the extensions say"),
    ("w2 should be positive", "the rounding of 32-bit quaternions is forgiven in NIfTI-2 too"),
];

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-5 * expected.abs().max(1.0)
}

/// nibabel's affine, which is in the unit of the file, in mm as ours.
fn in_mm(unit: &str, affine: &[f64]) -> Vec<f64> {
    let mm = match unit {
        "m" => 1000.0,
        "µm" => 0.001,
        _ => 1.0,
    };
    affine.iter().enumerate().map(|(i, length)| if i < 12 { length * mm } else { *length }).collect()
}

/// What differs from nibabel's answer, in words.
fn difference(case: &Value, info: &VolumeInfo) -> Option<String> {
    let shape: Vec<usize> = serde_json::from_value(case["shape"].clone()).unwrap();
    if info.dims != shape {
        return Some(format!("shape {:?}, nibabel {shape:?}", info.dims));
    }
    let affine: Vec<f64> = serde_json::from_value::<Vec<Vec<f64>>>(case["affine"].clone())
        .unwrap()
        .into_iter()
        .flatten()
        .collect();
    if info.affine.iter().flatten().zip(&in_mm(info.units, &affine)).any(|(a, b)| !close(*a, *b)) {
        return Some(format!("affine {:?}, nibabel {affine:?}", info.affine));
    }
    if info.orientation != case["axcodes"].as_str().unwrap() {
        return Some(format!("orientation {}, nibabel {}", info.orientation, case["axcodes"]));
    }
    let stats = &case["stats"];
    if info.nonfinite != stats["nonfinite"].as_u64().unwrap_or(0) {
        return Some(format!("{} voxels not finite, nibabel {}", info.nonfinite, stats["nonfinite"]));
    }
    let range = (stats["max"].as_f64()? - stats["min"].as_f64()?).abs();
    [("min", info.min), ("max", info.max), ("mean", info.mean)].into_iter().find_map(|(key, found)| {
        let expected = stats[key].as_f64().unwrap();
        // A mean near 0 is the difference of large sums.
        let same = close(found, expected) || (found - expected).abs() <= 1e-7 * range;
        (!same).then(|| format!("{key} {found}, nibabel {expected}"))
    })
}

/// Compares every file of a folder with nibabel's answers; prints each deviation with its reason.
fn compare(folder: &Path) {
    let cases: Vec<Value> =
        serde_json::from_slice(&std::fs::read(folder.join("expected_nibabel.json")).unwrap()).unwrap();
    let (mut same, mut refused, mut wrong) = (0, 0, Vec::new());
    let mut deviations: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in &cases {
        let name = case["file"].as_str().unwrap();
        let mut tell =
            |name: &str, reason: &str| deviations.entry(reason.to_owned()).or_default().push(name.to_owned());
        // nibabel was spared the header bomb.
        let nibabel = case["nibabel_error"].as_str().or(case["nibabel"].as_str());
        let code = |form: &str| case["raw"][form].as_i64().unwrap_or(0);
        let (sform, qform) = (code("sform"), code("qform"));
        match (VolumeInfo::of(open_path(&folder.join(name), &Limits::default())), nibabel) {
            (Ok(info), None) => match difference(case, &info) {
                None => same += 1,
                Some(words) if words.starts_with("affine") && sform <= 0 && qform <= 0 => {
                    tell(name, "no form: axes as they lie; nibabel centres the volume and mirrors x");
                }
                Some(words) if words.starts_with("affine") && (sform > 5 || qform > 5) => {
                    tell(name, "a form counts where its code is above 0, as the standard has it");
                }
                Some(words) => wrong.push(format!("{name}: {words}")),
            },
            (Err(refusal), Some(_)) => {
                one_sentence(&refusal.error);
                refused += 1;
            }
            (Err(refusal), None) => {
                one_sentence(&refusal.error);
                let text = refusal.error.to_string();
                match REFUSED.iter().find(|(word, _)| text.contains(word)) {
                    Some((_, reason)) => tell(name, &format!("refused: {reason}")),
                    None => wrong.push(format!("{name}: refused, nibabel reads it: {text}")),
                }
            }
            (Ok(_), Some(error)) => match READ.iter().find(|(word, _)| error.contains(word)) {
                Some((_, reason)) => tell(name, &format!("read: {reason}")),
                None => wrong.push(format!("{name}: read, nibabel refuses it: {error}")),
            },
        }
    }
    println!("{} files: {same} as by nibabel, {refused} refused by both; deviations:", cases.len());
    for (reason, names) in &deviations {
        println!("  {} {reason}: {}", names.len(), names[..names.len().min(12)].join(", "));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same >= 25);
}

fn one_sentence(error: &Error) {
    let text = error.to_string();
    assert!(text.contains("found") && text.contains("expected") && !text.contains('\n'), "{text}");
}

#[test]
fn the_hostile_files_are_read_as_by_nibabel_or_refused_for_a_reason() {
    if let Some(list) = common::shared("nifti-cases/expected_nibabel.json") {
        compare(list.parent().unwrap());
    }
}

#[test]
fn files_that_nobody_chose_are_read_as_by_nibabel_or_refused_for_a_reason() {
    let Some(python) = common::python(&["nibabel"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/make_cases.py");
    let seed = std::env::var("INSITU_FUZZ_SEED").unwrap_or_else(|_| "1".to_owned());
    let mut command = std::process::Command::new(python);
    let made = command.arg(script).arg(folder.path()).args(["--seed", &seed]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    compare(folder.path());
}

#[test]
fn what_a_header_says_is_checked_field_by_field() {
    let good = Made::new([7, 6, 5], |i| i as i16);
    let checks = |made: &Made| match VolumeInfo::of(VolumeFile::open(
        ByteSource::of(&made.bytes()),
        None,
        &Limits::default(),
    )) {
        Ok(info) => (None, info.checks),
        Err(refusal) => (Some(refusal.error), refusal.checks),
    };
    let (none, all) = checks(&good);
    assert!(none.is_none() && all.iter().all(|check| check.severity == "ok"), "{all:?}");
    assert!(all.len() >= 20);
    type Change = fn(&mut Made);
    let table: [(&str, &str, Change); 20] = [
        ("datatype", "error", |m| m.datatype = 32),
        ("bitpix", "warning", |m| m.bitpix = 8),
        ("dim", "error", |m| m.dim[2] = -6),
        ("dim", "error", |m| m.dim[0] = 9),
        ("dim", "warning", |m| (m.dim[0], m.dim[3], m.dim[4]) = (4, 1, 5)),
        ("memory", "error", |m| m.dim = [3, 32767, 32767, 32767, 1, 1, 1, 1]),
        ("vox_offset", "error", |m| m.vox_offset = 0.0),
        ("vox_offset", "error", |m| m.vox_offset = f64::NAN),
        ("length", "error", |m| m.voxels.truncate(100)),
        ("length", "warning", |m| m.voxels.resize(1000, 0)),
        ("scl_slope", "warning", |m| m.scaling[0] = f64::INFINITY),
        ("scl_inter", "error", |m| m.scaling = [2.0, f64::NAN]),
        ("xyzt_units", "warning", |m| m.units = 3),
        ("pixdim", "warning", |m| (m.sform_code, m.qform_code, m.pixdim[2]) = (0, 1, 0.0)),
        ("qform", "error", |m| (m.sform_code, m.qform_code, m.quatern[0]) = (0, 1, 2.0)),
        ("sform", "error", |m| m.srow[1][1] = f64::NAN),
        ("orientation", "warning", |m| m.sform_code = 0),
        ("axes", "error", |m| m.srow[0] = [-1.0, 20.0, 0.0, 0.0]),
        // Sixty degrees apart each, and all in one plane.
        ("axes", "error", |m| {
            m.srow = [[1.0, 0.5, -0.5, 0.0], [0.0, 0.866, 0.866, 0.0], [0.01, -0.01, 0.01, 0.0]];
        }),
        ("spacing", "warning", |m| m.pixdim[2] = f64::NAN),
    ];
    for (field, severity, change) in table {
        let mut made = good.clone();
        change(&mut made);
        let (error, all) = checks(&made);
        let found = all.iter().find(|check| check.field == field).unwrap();
        assert_eq!(found.severity, severity, "{field}: {}", found.words);
        assert_eq!(error.is_some(), severity == "error", "{field}");
    }
}

#[test]
fn millions_of_volumes_in_a_file_are_refused() {
    let mut made = Made::new([1, 1, 1], |_| 0);
    (made.version, made.vox_offset) = (2, 544.0);
    (made.dim[0], made.dim[4]) = (4, 1 << 24);
    made.voxels.resize(2 << 24, 0);
    let error = read_volume(&gzip(&made.bytes(), 1), &Limits::default()).unwrap_err();
    assert_eq!(error.code(), "limit", "{error}");
}

#[test]
fn a_small_limit_refuses_before_reading() {
    let bytes = Made::new([7, 6, 5], |_| 1).bytes();
    assert_eq!(read_volume(&bytes, &Limits { bytes: 839 }).unwrap_err().code(), "limit");
    assert!(read_volume(&bytes, &Limits { bytes: 840 }).is_ok());
}

#[test]
fn both_versions_orders_and_containers_hold_the_same_image() {
    let one = Made::new([7, 6, 5], |i| (i as i16) * 3 - 200);
    let expected = read_volume(&one.bytes(), &Limits::default()).unwrap();
    let swapped = |made: &mut Made| {
        made.big_endian = true;
        made.voxels.chunks_exact_mut(2).for_each(<[u8]>::reverse);
    };
    for version in [1, 2] {
        for big in [false, true] {
            for pair in [false, true] {
                let mut made = one.clone();
                (made.version, made.pair) = (version, pair);
                made.vox_offset = if pair { 0.0 } else { 352.0 + 192.0 * f64::from(version - 1) };
                if big {
                    swapped(&mut made);
                }
                let folder = tempfile::tempdir().unwrap();
                let path = |name: &str| folder.path().join(name);
                let names = if pair { ["a.HDR.gz", "a.img"] } else { ["a.nii", "b.nii.gz"] };
                if pair {
                    std::fs::write(path(names[0]), gzip(&made.header(), 6)).unwrap();
                    std::fs::write(path(names[1]), &made.voxels).unwrap();
                } else {
                    std::fs::write(path(names[0]), made.bytes()).unwrap();
                    let bytes = made.bytes();
                    let (a, b) = bytes.split_at(400);
                    let members = [gzip(a, 9), gzip(b, 0), gzip(&[], 6)];
                    std::fs::write(path(names[1]), members.concat()).unwrap();
                }
                for name in names {
                    let found = open_path(&path(name), &Limits::default()).unwrap().read().unwrap();
                    assert_eq!(found.grid, expected.grid, "version {version}, {name}");
                    assert_eq!(found.voxels[..], expected.voxels[..], "version {version}, {name}");
                }
            }
        }
    }
}

#[test]
fn half_a_pair_asks_for_the_other_half() {
    let folder = tempfile::tempdir().unwrap();
    let mut made = Made::new([4, 4, 4], |_| 1);
    (made.pair, made.vox_offset) = (true, 0.0);
    for (name, bytes, word) in [("a.hdr", made.header(), ".img"), ("b.img", made.voxels.clone(), ".hdr")] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let refusal = VolumeInfo::of(open_path(&path, &Limits::default())).unwrap_err();
        assert!(refusal.error.to_string().contains(word), "{}", refusal.error);
    }
}

#[test]
fn channels_are_read_one_after_the_other() {
    let mut made = Made::new([3, 2, 4], |i| i as i16);
    (made.dim[0], made.dim[3], made.dim[4]) = (4, 2, 2);
    let volume = read_volume(&made.bytes(), &Limits::default()).unwrap();
    assert_eq!((volume.channels, volume.header.shape.as_slice()), (2, &[3, 2, 2, 2][..]));
    let values: Vec<Vec<f32>> =
        volume.voxels.chunks(12).map(|channel| volume.reorientation.undo(channel)).collect();
    assert_eq!(values.concat(), (0..24).map(|i| i as f32).collect::<Vec<_>>());
    assert_eq!(volume.labels().unwrap_err().code(), "unsupported");
}

#[test]
fn voxels_that_are_not_finite_become_the_smallest_one_and_are_told() {
    let mut made = Made::new([3, 2, 2], |_| 0);
    (made.datatype, made.bitpix) = (64, 64);
    let values = [f64::NAN, 4.0, f64::INFINITY, 1e300, -3.0, 0.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0];
    made.voxels = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let volume = read_volume(&made.bytes(), &Limits::default()).unwrap();
    assert_eq!(volume.reorientation.undo(&volume.voxels)[..5], [-3.0, 4.0, -3.0, -3.0, -3.0]);
    assert_eq!(volume.nonfinite, 3);
    let (_, found, _) = VolumeFile::open(ByteSource::of(&made.bytes()), None, &Limits::default())
        .unwrap()
        .read_statistics()
        .unwrap();
    assert_eq!((found.nonfinite, found.min, found.max), (3, -3.0, 7.0));
    assert!((found.mean - 25.0 / 9.0).abs() < 1e-12);
    assert!(volume.warnings()[0].contains("3 voxels are not finite"));
    made.voxels.iter_mut().for_each(|byte| *byte = 0xff);
    assert_eq!(read_volume(&made.bytes(), &Limits::default()).unwrap_err().code(), "malformed");
}
