//! Every orientation: labels come back to their voxels, markers to their place in the patient, headers as they were.
#![cfg(not(feature = "net"))] // of the pure core, and run there
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::nifti::{Made, gzip};
use common::orient::{self, Pose};
use insitu_seg::file::{ByteSource, Segment};
use insitu_seg::grid::Resample;
use insitu_seg::{Limits, Volume, VolumeFile, read_volume, write_labels, write_seg_nrrd};
use std::path::Path;

/// Sizes along the file's own axes: no two alike.
const DIMS: [usize; 3] = [5, 7, 4];
const SPACING: [f64; 3] = [0.5, 0.5, 6.0];
const ORIGIN: [f64; 3] = [-31.25, 12.5, 80.125];

/// Marker voxels (file's own axes): four corners and two places inside, so that no turn maps them onto themselves.
const MARKERS: [[usize; 3]; 6] = [[0, 0, 0], [4, 0, 0], [0, 6, 0], [0, 0, 3], [1, 2, 1], [3, 4, 2]];

fn index([i, j, k]: [usize; 3]) -> usize {
    i + DIMS[0] * (j + DIMS[1] * k)
}

/// A file in which every voxel holds its own index, and its labels: marker n is label n + 1.
fn phantom(pose: &Pose) -> (Made, Vec<u8>) {
    let mut made = Made::new(DIMS, |i| i as i16);
    pose.place(&mut made, SPACING, ORIGIN);
    let mut labels = vec![0; DIMS.iter().product()];
    MARKERS.iter().enumerate().for_each(|(n, at)| labels[index(*at)] = n as u8 + 1);
    (made, labels)
}

fn world(affine: &[[f64; 4]], at: [usize; 3]) -> [f64; 3] {
    std::array::from_fn(|r| affine[r][3] + (0..3).map(|c| affine[r][c] * at[c] as f64).sum::<f64>())
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
}

fn read(bytes: &[u8]) -> Volume {
    read_volume(bytes, &Limits::default()).unwrap()
}

#[test]
fn in_every_pose_labels_and_markers_and_headers_stay() {
    let poses = orient::poses();
    assert_eq!(poses.len(), 48 * 3 * 2 * 2);
    let mut worst = 0f64;
    for pose in &poses {
        let (made, labels) = phantom(pose);
        let volume = read(&made.bytes());
        let affine = pose.affine(SPACING, ORIGIN);

        // Every voxel stands in RAS order where its place in the patient says, and comes back.
        let turned = volume.reorientation.ras_dims();
        let ras = volume.reorientation.apply(&labels);
        assert_eq!(volume.reorientation.undo(&ras), labels, "{pose:?}");
        let stored: Vec<f32> = (0..labels.len()).map(|i| i as f32).collect();
        assert_eq!(volume.reorientation.undo(&volume.voxels), stored, "{pose:?}");
        let strides = [1, turned[0], turned[0] * turned[1]];
        for axis in 0..3 {
            let place = |at: usize| {
                let i = volume.voxels[at] as usize;
                world(&affine, [i % DIMS[0], i / DIMS[0] % DIMS[1], i / (DIMS[0] * DIMS[1])])
            };
            let (from, to) = (place(0), place(strides[axis]));
            let step: [f64; 3] = std::array::from_fn(|r| to[r] - from[r]);
            let along = (0..3).max_by(|a, b| step[*a].abs().total_cmp(&step[*b].abs())).unwrap();
            assert!(along == axis && step[axis] > 0.0, "{pose:?}: RAS axis {axis} steps by {step:?}");
        }

        // The mask: header as it was, labels where they were, markers at their points.
        for gzipped in [false, true] {
            let written = write_labels(&labels, &volume, gzipped).unwrap();
            let plain = if gzipped { inflate(&written) } else { written.clone() };
            same_header(&made.bytes(), &plain);
            assert_eq!(plain[352..], labels, "{pose:?}");
            let back = read(&written);
            assert_eq!(back.reorientation.undo(&back.labels().unwrap()), labels, "{pose:?}");
            for at in MARKERS {
                let off = distance(world(&back.grid.affine, at), world(&affine, at));
                assert!(off < 1e-3, "{pose:?}: {at:?} off by {off} mm");
                worst = worst.max(off);
            }
        }
        assert_eq!(volume.grid.spacing(), SPACING, "{pose:?}");
    }
    println!("{} poses: labels on their voxels, markers within {worst:.1e} mm", poses.len());
}

/// The same canonical array as a file of each axis order, on the same place in the patient.
fn stored(order: [usize; 3], flip: [bool; 3], with: impl Fn(usize) -> i16) -> Made {
    const WIDE: [f64; 3] = [0.5, 0.75, 6.0];
    let (sizes, indices) = orient::file_order(DIMS, order, flip);
    let mut made = Made::new(sizes, |i| with(indices[i]));
    let mut origin = ORIGIN;
    for (axis, world) in order.into_iter().enumerate().filter(|(axis, _)| flip[*axis]) {
        origin[world] += (sizes[axis] - 1) as f64 * WIDE[world];
    }
    let pose = Pose { order, flip, sform: true, qform: false, qfac: 1.0, oblique: false };
    pose.place(&mut made, order.map(|world| WIDE[world]), origin);
    made
}

#[test]
fn labels_of_another_file_lie_where_their_header_says() {
    let label = |i: usize| (i % 11) as i16;
    let canonical: Vec<u8> = (0..DIMS.iter().product()).map(|i| label(i) as u8).collect();
    for (order, flip) in orient::orders_and_flips() {
        let image = read(&stored(order, flip, |i| i as i16).bytes());
        for (order, flip) in orient::orders_and_flips() {
            let mut made = stored(order, flip, label);
            let found = image.overlay(&read(&made.bytes())).unwrap();
            assert!(found.misalignment_mm.is_none() && found.labels == canonical, "{order:?} {flip:?}");
            made.srow[1][3] -= 0.2; // less than half a voxel
            assert!(image.overlay(&read(&made.bytes())).unwrap().misalignment_mm.is_none());
            made.srow[1][3] -= 0.8;
            let off = image.overlay(&read(&made.bytes())).unwrap();
            assert!(off.misalignment_mm.is_some_and(|mm| (mm - 1.0).abs() < 1e-4) && off.labels == canonical);
            assert_eq!(off.require_aligned().unwrap_err().code(), "malformed");
        }
        // Without a form the order of the file counts, and so does its size.
        let mut made = stored(order, flip, label);
        made.sform_code = 0;
        assert_eq!(image.overlay(&read(&made.bytes())).unwrap().labels, canonical);
        made = Made::new([6, 7, 4], label);
        made.sform_code = 0;
        let error = image.overlay(&read(&made.bytes())).unwrap_err().to_string();
        assert!(error.contains("6 x 7 x 4 voxels"), "{error}");
        let error = image.overlay(&read(&Made::new([6, 7, 4], label).bytes())).unwrap_err().to_string();
        assert!(error.contains("6 x 7 x 4 voxels, turned to RAS"), "{error}");
    }
}

#[test]
fn every_voxel_of_large_and_thin_volumes_stands_where_the_turn_puts_it() {
    // In one slab and many, on one core and all; axes of one voxel, rows that are joined, planes larger than a slab.
    let shapes =
        [[150, 140, 200], [700, 600, 3], [1, 300, 900], [300, 1, 900], [3, 2, 70_000], [400_000, 2, 1]];
    for dims in shapes {
        for (order, flip) in orient::orders_and_flips() {
            let pose = Pose { order, flip, sform: true, qform: false, qfac: 1.0, oblique: false };
            let mut made = Made::new(dims, |i| (i % 65_521) as u16 as i16);
            made.version = 2; // whose sizes are not limited to 32767
            made.vox_offset = 544.0;
            pose.place(&mut made, SPACING, ORIGIN);
            let volume = read(&made.bytes());
            let stored: Vec<f32> =
                made.voxels.as_chunks().0.iter().map(|b| i16::from_le_bytes(*b).into()).collect();
            assert!(volume.reorientation.apply(&stored)[..] == volume.voxels[..], "{dims:?}, {pose:?}");
        }
    }
}

#[test]
fn a_file_that_is_resampled_while_it_is_decoded_has_the_voxels_of_the_resampled_volume() {
    let sizes = [[9, 3, 4], [2, 14, 4], [5, 1, 11], [5, 7, 4]];
    for ((order, flip), to) in orient::orders_and_flips().zip(sizes.into_iter().cycle()) {
        let mut made = stored(order, flip, |i| i as i16 * 3 - 40);
        // Two channels of floats, big-endian, some of them no number.
        let value = |i: usize| if i % 11 == 3 { f32::NAN } else { i as f32 / 7.0 - 5.0 };
        let voxels = (0..made.voxels.len()).flat_map(|i| value(i).to_be_bytes()).collect();
        let mut dim = made.dim;
        (dim[0], dim[4]) = (4, 2);
        let channels = Made { datatype: 16, bitpix: 32, big_endian: true, dim, voxels, ..made.clone() };
        made.scaling = [0.5, 7.0];
        for bytes in [made.bytes(), channels.bytes()] {
            let volume = read(&bytes);
            let step = Resample { from: volume.reorientation.ras_dims(), to };
            let [expected, mirrored] = [step.apply(&volume.voxels), step.apply(&volume.mirrored().voxels)];
            let open = || VolumeFile::open(ByteSource::of(&bytes), None, &Limits::default()).unwrap();
            let (bare, found) = open().read_resampled(&step, &[false]).unwrap();
            assert_eq!(found, expected, "{order:?} {flip:?} {to:?}");
            assert_eq!(
                (bare.checks, bare.nonfinite, bare.grid),
                (volume.checks, volume.nonfinite, volume.grid)
            );
            assert!(bare.voxels.is_empty());
            let (_, both) = open().read_resampled(&step, &[false, true]).unwrap();
            let count = expected.len() / volume.channels;
            let pairs = expected.chunks(count).zip(mirrored.chunks(count)).flat_map(|(a, b)| [a, b].concat());
            assert_eq!(both, pairs.collect::<Vec<_>>());
        }
    }
}

/// dim, pixdim, units, codes and forms as in the image; no text.
fn same_header(image: &[u8], mask: &[u8]) {
    for (place, range) in [("dim", 40..56), ("pixdim", 76..108), ("units", 123..124), ("forms", 252..328)] {
        assert_eq!(image[range.clone()], mask[range], "{place}");
    }
    for (place, range) in [("db_name", 14..32), ("descrip, aux_file", 148..252), ("intent_name", 328..344)] {
        assert!(mask[range].iter().all(|b| *b == 0), "{place} holds text");
    }
}

fn inflate(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut plain).unwrap();
    plain
}

#[test]
fn text_of_the_image_never_reaches_a_mask() {
    let pose = orient::poses()[7];
    let (made, labels) = phantom(&pose);
    let mut bytes = made.bytes();
    for range in [4..14, 14..32, 148..228, 228..252, 328..344] {
        bytes[range].fill(b'J');
    }
    bytes.splice(
        352..352,
        [1, 0, 0, 0, 32, 0, 0, 0, 6, 0, 0, 0].into_iter().chain(*b"JJJJJJJJJJJJJJJJJJJJJJJJ"),
    );
    bytes[348..352].copy_from_slice(&[1, 0, 0, 0]);
    bytes[108..112].copy_from_slice(&388f32.to_le_bytes());
    let volume = read(&bytes);
    let segments = [Segment { label: 1, name: "one", color: "#ff0000" }];
    for written in
        [write_labels(&labels, &volume, false).unwrap(), write_seg_nrrd(&labels, &volume, &segments).unwrap()]
    {
        assert!(!written.windows(4).any(|window| window == b"JJJJ"));
    }
}

#[test]
fn slices_lines_and_trailing_axes_keep_their_shape() {
    for (dim, dims) in [
        ([2, 7, 6, 1, 1, 1, 1, 1], [7, 6, 1]),
        ([1, 9, 1, 1, 1, 1, 1, 1], [9, 1, 1]),
        ([4, 3, 4, 5, 1, 1, 1, 1], [3, 4, 5]),
        ([5, 3, 4, 5, 1, 1, 1, 1], [3, 4, 5]),
        ([3, 1, 2, 1, 1, 1, 1, 1], [1, 2, 1]),
    ] {
        let mut made = Made::new(dims, |i| i as i16);
        made.dim = dim;
        let volume = read(&made.bytes());
        assert_eq!(volume.grid.dims, dims);
        let labels: Vec<u8> = (0..dims.iter().product::<usize>()).map(|i| (i % 3) as u8).collect();
        let written = write_labels(&labels, &volume, false).unwrap();
        same_header(&made.bytes(), &written);
        assert_eq!(read(&written).header.shape, volume.header.shape);
    }
}

#[test]
fn of_several_channels_the_mask_is_one_volume() {
    let mut made = Made::new([3, 4, 10], |i| i as i16);
    made.dim = [4, 3, 4, 5, 2, 1, 1, 1];
    let written = write_labels(&[1; 60], &read(&made.bytes()), false).unwrap();
    assert_eq!(read(&written).header.shape, [3, 4, 5]);
}

#[test]
fn a_mask_of_nifti_2_is_nifti_2_with_its_forms_to_the_last_digit() {
    let (mut made, labels) = phantom(&orient::poses()[30]);
    (made.version, made.vox_offset) = (2, 544.0);
    let written = write_labels(&labels, &read(&made.bytes()), false).unwrap();
    let image = made.bytes();
    for range in [16..80, 104..168, 344..496, 500..504] {
        assert_eq!(image[range.clone()], written[range]);
    }
    assert_eq!(written[544..], labels);
}

#[test]
fn other_readers_find_every_marker_where_it_was() {
    let Some(python) = common::python(&["nibabel"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let names = ["front", "back", "left, \"odd\"", "right\\", "höher", "tief"];
    let colors = ["#ff0000", "#00ff00", "#0000ff", "#123456", "#abcdef", "#808080"];
    let segments: Vec<Segment> =
        (0..6).map(|n| Segment { label: n as u8 + 1, name: names[n], color: colors[n] }).collect();
    let mut entries = Vec::new();
    for (n, pose) in orient::poses().iter().enumerate() {
        let (made, labels) = phantom(pose);
        let bytes = made.bytes();
        let volume = read(&bytes);
        let [image, plain, packed, slicer] =
            [".nii.gz", "_mask.nii", "_mask.nii.gz", "_mask.seg.nrrd"].map(|end| format!("{n:03}{end}"));
        save(&image, &gzip(&bytes, 1));
        save(&plain, &write_labels(&labels, &volume, false).unwrap());
        save(&packed, &write_labels(&labels, &volume, true).unwrap());
        save(&slicer, &write_seg_nrrd(&labels, &volume, &segments).unwrap());
        let affine = pose.affine(SPACING, ORIGIN);
        let markers: Vec<String> = MARKERS
            .iter()
            .enumerate()
            .map(|(m, at)| format!("{{\"label\": {}, \"world\": {:?}}}", m + 1, world(&affine, *at)))
            .collect();
        let shown: Vec<String> = segments
            .iter()
            .map(|s| {
                format!(
                    "{{\"label\": {}, \"name\": {:?}, \"color\": {:?}}}",
                    s.label,
                    s.name.replace('\\', " ").trim(),
                    s.color
                )
            })
            .collect();
        entries.push(format!(
            "{{\"name\": \"{n:03}\", \"image\": {image:?}, \"outputs\": [{plain:?}, {packed:?}, {slicer:?}], \
             \"only_markers\": true, \"markers\": [{}], \"segments\": [{}]}}",
            markers.join(", "),
            shown.join(", ")
        ));
    }
    save("manifest.json", format!("[{}]", entries.join(",\n")).as_bytes());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/open_outputs.py");
    let run = std::process::Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    println!("{}", String::from_utf8_lossy(&run.stdout).trim());
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
