//! The crate `nifti` beside us: it reads all that we write, and what it holds becomes a volume.
#![cfg(feature = "nifti-object")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::nifti::{Made, gzip};
use common::orient::{file_order, orders_and_flips, poses};
use flate2::read::GzDecoder;
use insitu_seg::file::{Check, DataType, write_values};
use insitu_seg::grid::Grid;
use insitu_seg::{Limits, Volume, read_volume, write_labels};
use nifti::{InMemNiftiObject, IntoNdArray, NiftiObject, RandomAccessNiftiVolume};

/// A file as the crate `nifti` reads it.
fn second_reader(bytes: &[u8]) -> InMemNiftiObject {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return InMemNiftiObject::from_reader(GzDecoder::new(bytes)).unwrap();
    }
    InMemNiftiObject::from_reader(bytes).unwrap()
}

fn read(bytes: &[u8]) -> Volume {
    read_volume(bytes, &Limits::default()).unwrap()
}

const DIMS: [usize; 3] = [5, 7, 3];

#[test]
fn masks_that_we_write_are_masks_to_it_on_the_grid_of_the_image() {
    for pose in poses() {
        let (sizes, _) = file_order(DIMS, pose.order, pose.flip);
        let mut made = Made::new(sizes, |i| (i * 37 % 900) as i16);
        pose.place(&mut made, [1.5, 0.75, 3.0], [-30.0, 12.5, 7.0]);
        let (image, volume) = (second_reader(&made.bytes()), read(&made.bytes()));
        let labels: Vec<u8> = (0..volume.grid.len()).map(|i| (i % 5) as u8).collect();
        for packed in [true, false] {
            let mask = second_reader(&write_labels(&labels, &volume, packed).unwrap());
            let (ours, theirs) = (mask.header(), image.header());
            assert_eq!((ours.datatype, ours.bitpix, ours.intent_code), (2, 8, 1002), "{pose:?}");
            assert_eq!((ours.scl_slope, ours.scl_inter, ours.vox_offset), (1.0, 0.0, 352.0));
            assert_eq!(
                (ours.dim, ours.pixdim, ours.xyzt_units),
                (theirs.dim, theirs.pixdim, theirs.xyzt_units)
            );
            assert_eq!((ours.qform_code, ours.sform_code), (theirs.qform_code, theirs.sform_code));
            assert_eq!(
                [ours.srow_x, ours.srow_y, ours.srow_z],
                [theirs.srow_x, theirs.srow_y, theirs.srow_z]
            );
            let quaternion = |h: &nifti::NiftiHeader| {
                [h.quatern_b, h.quatern_c, h.quatern_d, h.quatern_x, h.quatern_y, h.quatern_z]
            };
            assert_eq!(quaternion(ours), quaternion(theirs));
            assert_eq!(mask.volume().raw_data(), labels);
        }
    }
}

#[test]
fn volumes_that_we_write_have_the_same_values_to_it() {
    let grid = Grid::new(
        DIMS,
        [[2.0, 0.0, 0.0, -3.0], [0.0, 1.0, 0.0, 4.0], [0.0, 0.0, 3.0, 5.0], [0., 0., 0., 1.]],
        [2.0, 1.0, 3.0],
    );
    let count = 2 * grid.len();
    let numbers = |i: usize| (i * 71 % 250) as i16 - 120;
    let shorts: Vec<u8> = (0..count).flat_map(|i| numbers(i).to_le_bytes()).collect();
    let floats: Vec<u8> = (0..count).flat_map(|i| (f32::from(numbers(i)) / 8.0).to_le_bytes()).collect();
    for (datatype, values, scale) in [(DataType::I16, shorts, 1.0), (DataType::F32, floats, 8.0)] {
        let bytes = write_values(&grid, datatype, 2, &values).unwrap();
        let (theirs, ours) = (second_reader(&bytes), read(&bytes).to_ndarray().unwrap());
        assert_eq!(theirs.header().srow_x, [2.0, 0.0, 0.0, -3.0]);
        assert_eq!(theirs.volume().get_f32(&[4, 6, 2, 1]).unwrap() * scale, f32::from(numbers(count - 1)));
        assert_eq!(theirs.into_volume().into_ndarray::<f32>().unwrap(), ours.into_dyn());
    }
}

/// All checks but those of what only a file has: where its voxels lie.
fn lasting(volume: &Volume) -> Vec<&Check> {
    let of_files = ["magic", "vox_offset", "length", "extension", "gzip"];
    volume.checks.iter().filter(|check| !of_files.contains(&check.field)).collect()
}

#[test]
fn an_image_that_it_has_read_is_the_volume_that_we_read() {
    for ((order, flip), (datatype, width)) in orders_and_flips().zip(
        [(2, 1), (256, 1), (4, 2), (512, 2), (8, 4), (768, 4), (16, 4), (64, 8), (1024, 8)]
            .into_iter()
            .cycle(),
    ) {
        for big_endian in [false, true] {
            let (sizes, _) = file_order(DIMS, order, flip);
            let mut made = Made::new(sizes, |_| 0);
            (made.datatype, made.bitpix, made.big_endian, made.scaling) =
                (datatype, 8 * width, big_endian, [0.5, -3.0]);
            let bytes = usize::try_from(width).unwrap() * DIMS.iter().product::<usize>();
            made.voxels = (0..bytes)
                .map(|i| if i % usize::try_from(width).unwrap() < 2 { (i * 13 % 60) as u8 } else { 0 })
                .collect();
            let bytes = gzip(&made.bytes(), 6);
            let (ours, taken) = (read(&bytes), Volume::try_from(second_reader(&bytes)).unwrap());
            assert_eq!(
                (&taken.grid, taken.reorientation, taken.channels),
                (&ours.grid, ours.reorientation, ours.channels)
            );
            assert_eq!(taken.voxels[..], ours.voxels[..], "{datatype} {order:?} {flip:?}");
            assert_eq!(lasting(&taken), lasting(&ours));
            let labels = vec![1; ours.grid.len()];
            assert_eq!(write_labels(&labels, &taken, false), write_labels(&labels, &ours, false));
            let theirs = second_reader(&bytes).into_volume().into_ndarray::<f32>().unwrap();
            let mine = taken
                .to_ndarray()
                .unwrap()
                .into_shape_with_order((theirs.raw_dim(), ndarray::Order::F))
                .unwrap();
            // It scales in 32 bits, we in 64.
            let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-6 * a.abs().max(1.0);
            assert!(mine.iter().zip(&theirs).all(close), "{datatype}");
        }
    }
}

#[test]
fn an_array_in_ras_order_has_every_voxel_where_the_patient_has_it() {
    for (order, flip) in orders_and_flips() {
        let (sizes, canonical) = file_order(DIMS, order, flip);
        let mut made = Made::new(sizes, |i| canonical[i] as i16);
        common::orient::Pose { order, flip, sform: true, qform: false, qfac: 1.0, oblique: false }
            .place(&mut made, [1.0; 3], [0.0; 3]);
        let volume = read(&made.bytes());
        let array = volume.ras_array().unwrap();
        assert_eq!(array.shape(), [DIMS[0], DIMS[1], DIMS[2], 1]);
        for ((x, y, z, _), value) in array.indexed_iter() {
            assert_eq!(*value, (x + DIMS[0] * (y + DIMS[1] * z)) as f32);
        }
    }
}

#[test]
fn what_does_not_belong_together_or_passes_no_check_is_refused() {
    let made = Made::new(DIMS, |i| i as i16);
    let with = |change: &dyn Fn(&mut nifti::NiftiHeader)| {
        let mut object = second_reader(&made.bytes());
        change(object.header_mut());
        Volume::try_from(object).unwrap_err()
    };
    assert_eq!(with(&|header| header.dim[1] = 4).place, "voxels");
    assert_eq!(with(&|header| header.datatype = 2).place, "voxels");
    assert_eq!(with(&|header| header.dim[0] = 9).place, "dim");
    assert_eq!(with(&|header| header.srow_x[0] = f32::NAN).place, "srow");
    // Bytes that begin as gzip does are voxels all the same.
    let mut made = made;
    made.voxels[..2].copy_from_slice(&[0x1f, 0x8b]);
    let volume = Volume::try_from(second_reader(&made.bytes())).unwrap();
    assert_eq!(volume.voxels[..], read(&made.bytes()).voxels[..]);
}
