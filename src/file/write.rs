//! From labels to the bytes of a file on the grid of the volume that they belong to.

use super::Volume;
use crate::error::{Error, Kind, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// The mask as NIfTI of the version of its image: unsigned 8-bit labels (one per voxel, the file's own order) on
/// the image's own grid, both forms, codes, units and `pixdim` untouched, no text; compressed if `gzip`.
///
/// # Errors
/// `Argument` if the number of labels is not the number of voxels.
pub fn write_labels(labels: &[u8], volume: &Volume, gzip: bool) -> Result<Vec<u8>> {
    check_count(labels, volume)?;
    let header = volume.header.of_labels().write();
    if gzip { pack(&[&header, labels]) } else { Ok([&header, labels].concat()) }
}

pub(super) fn check_count(labels: &[u8], volume: &Volume) -> Result<()> {
    let (found, expected) = (labels.len(), volume.grid.len());
    if found != expected {
        return Err(Error::argument("labels", found.to_string(), format!("{expected} voxels")));
    }
    Ok(())
}

/// The parts as one gzip member.
pub(super) fn pack(parts: &[&[u8]]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = parts.iter().try_for_each(|part| encoder.write_all(part)).and_then(|()| encoder.finish());
    packed.map_err(|error| Error::new(Kind::Io, "gzip", error.to_string(), "a compressed file"))
}
