//! A single file, plain or gzipped: it is read or refused, and what is read can be written as a mask on its grid.
#![no_main]

use insitu_seg::{Limits, read_volume, write_labels};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { bytes: 64 << 20 };

fuzz_target!(|bytes: &[u8]| {
    let Ok(volume) = read_volume(bytes, &LIMITS) else { return };
    assert!(volume.voxels.iter().all(|value| value.is_finite()));
    assert_eq!(volume.voxels.len(), volume.grid.len() * volume.channels);
    let labels = vec![1; volume.grid.len()];
    let mask = write_labels(&labels, &volume, false).expect("a mask on a grid that was read");
    let back = read_volume(&mask, &Limits::default()).expect("a mask that was written");
    assert_eq!(back.grid, volume.grid);
});
