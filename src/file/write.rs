//! From labels to the bytes of a NIfTI file on the grid of the volume that they belong to.

use super::Volume;
use crate::error::{Error, Kind, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// The mask as a file: unsigned 8-bit labels (one per voxel, the volume's own order) on the volume's own grid,
/// both forms, codes, units and `pixdim` untouched; compressed if `gzip`.
///
/// # Errors
/// `Argument` if the number of labels is not the number of voxels.
pub fn write_labels(labels: &[u8], volume: &Volume, gzip: bool) -> Result<Vec<u8>> {
    if labels.len() != volume.grid.len() {
        return Err(Error::argument(
            "labels",
            labels.len().to_string(),
            format!("{} voxels", volume.grid.len()),
        ));
    }
    let header = volume.header.label_bytes();
    if !gzip {
        return Ok([&header[..], labels].concat());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed =
        encoder.write_all(&header).and_then(|()| encoder.write_all(labels)).and_then(|()| encoder.finish());
    packed.map_err(|error| Error::new(Kind::Io, "gzip", error.to_string(), "a compressed file"))
}
