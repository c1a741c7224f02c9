//! Damage of every size: all prefixes of seven files, all single bits of four.
#![cfg(not(feature = "net"))] // of the pure core, and run there
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::mgh::MadeMgh;
use common::nifti::{Made, gzip};
use insitu_seg::{Limits, read_volume};
use std::time::Instant;

/// For each reading of a whole file, how many prefixes of it are read.
const FEWER: usize = 8;

/// 16-bit noise that does not compress to nothing.
fn noise(i: usize) -> i16 {
    let mixed = (i as u32).wrapping_mul(0x9e37_79b9);
    ((mixed ^ (mixed >> 15)) % 900) as i16
}

fn seven() -> [(&'static str, Vec<u8>); 7] {
    let large = Made::new([25, 25, 25], noise);
    let mut two = Made::new([12, 14, 16], noise);
    (two.version, two.vox_offset) = (2, 544.0);
    let mut big = Made::new([10, 10, 20], noise);
    (big.big_endian, big.datatype, big.bitpix) = (true, 16, 32);
    big.voxels = (0..2000).flat_map(|i| f32::from(noise(i)).to_be_bytes()).collect();
    let halves = large.bytes();
    let (a, b) = halves.split_at(9000);
    let mgh = MadeMgh { tail: Vec::new(), ..MadeMgh::new([12, 14, 16], noise) }.bytes();
    [
        ("plain", large.bytes()),
        ("gzip", gzip(&large.bytes(), 6)),
        ("two members", [gzip(a, 6), gzip(b, 6)].concat()),
        ("NIfTI-2, gzip", gzip(&two.bytes(), 9)),
        ("big-endian floats, gzip", gzip(&big.bytes(), 1)),
        ("MGH", mgh.clone()),
        ("MGH, gzip", gzip(&mgh, 6)),
    ]
}

#[test]
fn no_prefix_of_a_file_is_read() {
    for (name, bytes) in seven() {
        assert!(bytes.len() <= 32 << 10, "{name}: {} bytes", bytes.len());
        // What reading the whole file as often takes, so that a busy machine slows both.
        let started = Instant::now();
        for _ in 0..bytes.len() / FEWER {
            assert!(read_volume(&bytes, &Limits::default()).is_ok(), "{name}");
        }
        let whole = started.elapsed() * FEWER as u32;
        let started = Instant::now();
        for length in 0..bytes.len() {
            let error = read_volume(&bytes[..length], &Limits::default()).unwrap_err();
            assert!(["malformed", "unsupported"].contains(&error.code()), "{name}, {length} bytes: {error}");
        }
        let share = started.elapsed().as_secs_f64() / whole.as_secs_f64();
        println!(
            "{name}: {} prefixes refused, in {share:.2} of the time of reading whole files",
            bytes.len()
        );
        assert!(share < 2.0, "{name}: {share}");
    }
}

#[test]
fn no_flipped_bit_gives_another_volume() {
    let mut labels = Made::new([7, 6, 5], |i| (i % 3) as i16);
    labels.srow[0][0] = 2.0;
    let mut two = Made::new([5, 4, 3], noise);
    (two.version, two.vox_offset) = (2, 544.0);
    let plain = Made::new([6, 5, 4], noise).bytes();
    let (a, b) = plain.split_at(400);
    let files = [
        ("labels", gzip(&labels.bytes(), 6)),
        ("NIfTI-2", gzip(&two.bytes(), 1)),
        ("MGH", gzip(&MadeMgh::new([5, 4, 3], noise).bytes(), 6)),
        ("two members, one stored", [gzip(a, 9), gzip(b, 0)].concat()),
    ];
    for (name, bytes) in files {
        let right = read_volume(&bytes, &Limits::default()).unwrap();
        let (mut refused, mut same) = (0, 0);
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match read_volume(&flipped, &Limits::default()) {
                Err(_) => refused += 1,
                Ok(volume) => {
                    let equal = volume.voxels[..] == right.voxels[..] && volume.header == right.header;
                    assert!(equal, "{name}: bit {bit} gives another volume");
                    same += 1; // a bit of gzip's own header: time, system, or name
                }
            }
        }
        println!("{name}: {refused} flipped bits refused, {same} change nothing");
        assert!(refused > 8 * (bytes.len() - 40));
    }
}
