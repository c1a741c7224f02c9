//! The sample that is shipped: its image, its labels, and a part of them.

use insitu_seg::tune::UNANNOTATED;
use insitu_seg::{Limits, Volume, read_volume};
use std::path::{Path, PathBuf};

/// A path from the root of the checkout.
pub fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A volume of the checkout.
pub fn volume(path: &str) -> Volume {
    read_volume(&std::fs::read(at(path)).unwrap(), &Limits::default()).unwrap()
}

/// The sample image.
pub fn image() -> Volume {
    volume("pkg/samples/hippocampus/image.nii.gz")
}

/// The sample's labels, in the file's own order.
pub fn truth() -> Vec<u8> {
    let labels = volume("pkg/samples/hippocampus/label.nii.gz");
    labels.reorientation.undo(&labels.labels().unwrap())
}

/// Every `every`-th coronal slice; 255 elsewhere.
pub fn strokes(every: usize) -> Vec<u8> {
    let [nx, ny, _] = image().grid.dims;
    let keep = |i: usize| (i / nx % ny).is_multiple_of(every);
    truth().iter().enumerate().map(|(i, &label)| if keep(i) { label } else { UNANNOTATED }).collect()
}
