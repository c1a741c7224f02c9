//! A file of FreeSurfer's, not packed: it is read or refused, and what is read can be written as a mask on its grid.
#![no_main]

use insitu_seg::{Limits, read_volume, write_labels};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { bytes: 64 << 20 };
/// The version, with which an input begins already where it is a whole file.
const VERSION: &[u8] = &[0, 0, 0, 1];

fuzz_target!(|bytes: &[u8]| {
    let bytes = [VERSION, bytes.strip_prefix(VERSION).unwrap_or(bytes)].concat();
    let Ok(volume) = read_volume(&bytes, &LIMITS) else { return };
    assert!(volume.voxels.iter().all(|value| value.is_finite()));
    assert_eq!(volume.voxels.len(), volume.grid.len() * volume.channels);
    let labels = vec![1; volume.grid.len()];
    let mask = write_labels(&labels, &volume, false).expect("a mask on a grid that was read");
    let back = read_volume(&mask, &Limits::default()).expect("a mask that was written");
    assert_eq!(back.grid, volume.grid);
});
