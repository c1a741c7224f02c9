//! From labels to the bytes of a file, on the grid of their image.

use super::datatype::DataType;
use super::layout::Fields;
use super::volume::Volume;
use crate::error::{Error, ErrorKind, Result};
use crate::grid::Grid;
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
    let header = volume.header.label_fields().write();
    if gzip { pack(&[&header, labels]) } else { Ok([&header, labels].concat()) }
}

/// A new gzipped NIfTI-1 file on `grid`, which becomes its affine form: `channels` volumes of values of a type, stored
/// little-endian, the first axis fastest, channel after channel.
///
/// # Errors
/// `Argument` if the bytes are not those of so many values, or a side does not fit 16 bits.
pub fn write_values(grid: &Grid, datatype: DataType, channels: usize, values: &[u8]) -> Result<Vec<u8>> {
    let wanted = grid.len() * channels * datatype.bytes();
    if values.len() != wanted {
        return Err(Error::argument("values", format!("{} bytes", values.len()), format!("{wanted} bytes")));
    }
    if let Some(side) = grid.dims.iter().chain([&channels]).find(|side| **side > i16::MAX as usize) {
        return Err(Error::argument("size", side.to_string(), format!("at most {}", i16::MAX)));
    }
    pack(&[&Fields::new(grid, datatype, channels).write(), values])
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
    packed.map_err(|error| Error::new(ErrorKind::Io, "gzip", error.to_string(), "a compressed file"))
}
