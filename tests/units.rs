//! Lengths of a file, in whatever unit it has them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::nifti::Made;
use insitu_seg::file::write_labels;
use insitu_seg::{Limits, read_volume};

#[test]
fn lengths_are_in_mm_whatever_the_unit_of_the_file() {
    let mm = Made::new([7, 6, 5], |i| i as i16);
    let quaternion = |made: &mut Made| {
        (made.sform_code, made.qform_code, made.quatern) = (0, 1, [0.0, 1.0, 0.0, 9.0, -8.0, 7.0]);
    };
    for (units, scale) in [(1, 0.001), (3, 1000.0)] {
        let in_unit = |change: &dyn Fn(&mut Made)| {
            let mut made = mm.clone();
            change(&mut made);
            let reference = read_volume(&made.bytes(), &Limits::default()).unwrap();
            made.units = units;
            made.pixdim[1..4].iter_mut().for_each(|length| *length *= scale);
            made.srow.iter_mut().flatten().for_each(|length| *length *= scale);
            made.quatern[3..].iter_mut().for_each(|length| *length *= scale);
            (reference, read_volume(&made.bytes(), &Limits::default()).unwrap(), made)
        };
        let changes: [&dyn Fn(&mut Made); 3] = [&|_| {}, &quaternion, &|made| made.sform_code = 0];
        for change in changes {
            let (reference, found, made) = in_unit(change);
            let pairs = found.grid.affine.iter().flatten().zip(reference.grid.affine.iter().flatten());
            pairs
                .for_each(|(found, expected)| assert!((found - expected).abs() < 1e-5, "{found} {expected}"));
            let said = found.warnings().join("; ");
            assert!(said.contains("converted to mm") && !said.contains("the affine counts"), "{said}");
            // The mask says what its image says, byte for byte.
            let mask = write_labels(&vec![1; found.grid.len()], &found, false).unwrap();
            assert_eq!(mask[76..108], made.bytes()[76..108]);
            assert_eq!((mask[123], &mask[252..328]), (units as u8, &made.bytes()[252..328]));
        }
    }
}
