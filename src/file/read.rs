//! From bytes to a volume: inflate, check, decode slab by slab.

use super::header::{DataType, HEADER_BYTES, Header};
use super::{Limits, Volume};
use crate::error::{Error, Result};
use crate::grid::Grid;
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Values decoded at a time.
const SLAB: usize = 1 << 16;
/// Bytes that may follow the voxels before a file is refused as padded to do harm.
const MAX_TRAILING: u64 = 64 << 20;

/// Reads a .nii or .nii.gz file (told apart by its bytes, not its name).
///
/// # Errors
/// `Malformed`, `Unsupported` or `Limit`, each with the header field, what was found and what was expected.
/// A gzip stream is read to its end, so a damaged or truncated one is noticed.
pub fn read_volume(bytes: &[u8], limits: &Limits) -> Result<Volume> {
    match bytes {
        [] => Err(Error::malformed("file", "no bytes at all", "a NIfTI-1 volume (.nii or .nii.gz)")),
        [0x1f, 0x8b, ..] => read(MultiGzDecoder::new(bytes), limits, true),
        _ => read(bytes, limits, false),
    }
}

fn read(mut source: impl Read, limits: &Limits, gzip: bool) -> Result<Volume> {
    let mut head = [0; HEADER_BYTES];
    let got = fill(&mut source, &mut head, "header")?;
    name_other_formats(&head[..got])?;
    if got < HEADER_BYTES {
        return Err(Error::malformed(
            "header",
            format!("{got} bytes"),
            "at least 348 bytes of a NIfTI-1 file",
        ));
    }
    let header = Header::parse(&head)?;
    let affine = header.affine()?;
    let grid = Grid { dims: header.dims, affine };
    let count = grid.dims.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64)).unwrap_or(u64::MAX);
    if count.saturating_mul(4) > limits.bytes {
        let [x, y, z] = grid.dims;
        return Err(Error::limit(
            "dim",
            format!("{x} x {y} x {z} voxels, {} MiB decoded", count.saturating_mul(4) >> 20),
            format!("at most {} MiB", limits.bytes >> 20),
        ));
    }
    skip(&mut source, (header.vox_offset - HEADER_BYTES) as u64)?;
    let (voxels, nonfinite) = decode(&mut source, &header, count as usize)?;
    if gzip {
        // Only the end of the stream proves that it is whole.
        let rest = std::io::copy(&mut source.take(MAX_TRAILING + 1), &mut std::io::sink())
            .map_err(|error| damaged("gzip trailer", &error))?;
        if rest > MAX_TRAILING {
            return Err(Error::limit(
                "file",
                "more than 64 MiB after the voxels",
                "a file that ends with its voxels",
            ));
        }
    }
    let warnings = warnings(&header, &grid, nonfinite);
    Ok(Volume { grid, voxels, header, nonfinite, warnings })
}

/// Reads until `buffer` is full or the source ends; returns the number of bytes read.
fn fill(source: &mut impl Read, buffer: &mut [u8], place: &str) -> Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match source.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(damaged(place, &error)),
        }
    }
    Ok(got)
}

fn damaged(place: &str, error: &std::io::Error) -> Error {
    Error::malformed(place, format!("a damaged or truncated gzip stream ({error})"), "a whole gzip stream")
}

fn skip(source: &mut impl Read, bytes: u64) -> Result<()> {
    let skipped = std::io::copy(&mut source.take(bytes), &mut std::io::sink())
        .map_err(|error| damaged("before the voxels", &error))?;
    if skipped < bytes {
        return Err(Error::malformed(
            "vox_offset",
            "a place after the end of the file",
            "a place inside the file",
        ));
    }
    Ok(())
}

/// Decodes to f32 by way of f64, scaling on the way; non-finite values become the smallest finite one.
fn decode(source: &mut impl Read, header: &Header, count: usize) -> Result<(Vec<f32>, usize)> {
    let width = header.datatype.bytes();
    let scaling = header.applied_scaling();
    let mut buffer = vec![0; SLAB.min(count.max(1)) * width];
    // Grows with the data that really comes, so a header alone cannot reserve memory.
    let mut voxels: Vec<f32> = Vec::with_capacity(count.min(1 << 22));
    let (mut nonfinite, mut smallest) = (0, f32::INFINITY);
    while voxels.len() < count {
        let wanted = (count - voxels.len()).min(SLAB) * width;
        let got = fill(source, &mut buffer[..wanted], "voxels")?;
        if got < wanted {
            return Err(Error::malformed(
                "voxels",
                format!("{} of {} bytes", voxels.len() * width + got, count * width),
                "as many bytes as the dimensions say; the file is truncated",
            ));
        }
        if voxels.capacity() < count && voxels.len() >= 1 << 22 {
            voxels.reserve_exact(count - voxels.len());
        }
        for chunk in buffer[..wanted].chunks_exact(width) {
            let raw = number(chunk, header.datatype, header.big_endian);
            let value = scaling.map_or(raw, |(slope, inter)| raw * slope + inter) as f32;
            if value.is_finite() {
                smallest = smallest.min(value);
            } else {
                nonfinite += 1;
            }
            voxels.push(value);
        }
    }
    if nonfinite == count {
        return Err(Error::malformed("voxels", "no finite value at all", "at least one finite value"));
    }
    if nonfinite > 0 {
        voxels.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = smallest);
    }
    Ok((voxels, nonfinite))
}

/// One stored number as f64.
fn number(bytes: &[u8], datatype: DataType, big_endian: bool) -> f64 {
    let mut little = [0; 8];
    let width = bytes.len().min(8);
    little[..width].copy_from_slice(&bytes[..width]);
    if big_endian {
        little[..width].reverse();
    }
    let [a, b, c, d, ..] = little;
    match datatype {
        DataType::U8 => f64::from(a),
        DataType::I8 => f64::from(a as i8),
        DataType::U16 => f64::from(u16::from_le_bytes([a, b])),
        DataType::I16 => f64::from(i16::from_le_bytes([a, b])),
        DataType::U32 => f64::from(u32::from_le_bytes([a, b, c, d])),
        DataType::I32 => f64::from(i32::from_le_bytes([a, b, c, d])),
        DataType::F32 => f64::from(f32::from_le_bytes([a, b, c, d])),
        DataType::U64 => u64::from_le_bytes(little) as f64,
        DataType::I64 => i64::from_le_bytes(little) as f64,
        DataType::F64 => f64::from_le_bytes(little),
    }
}

/// Refuses what is plainly something else, by its name.
fn name_other_formats(head: &[u8]) -> Result<()> {
    let nifti = "a NIfTI-1 volume (.nii or .nii.gz)";
    let start = head.trim_ascii_start().get(..5).unwrap_or_default();
    if head.get(128..132) == Some(b"DICM") {
        return Err(Error::unsupported("file", "a DICOM file", nifti));
    }
    if head.starts_with(b"NRRD") {
        return Err(Error::unsupported("file", "an NRRD file", nifti));
    }
    if start.eq_ignore_ascii_case(b"<html") || start.eq_ignore_ascii_case(b"<!doc") {
        return Err(Error::malformed(
            "file",
            "an HTML page (the server sent a page in place of the file)",
            nifti,
        ));
    }
    let printable = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | 32..);
    if head.len() >= 4 && head.iter().all(printable) {
        return Err(Error::malformed("file", "a text file", nifti));
    }
    if !head.is_empty() && head.iter().all(|&b| b == 0) {
        return Err(Error::malformed("header", "nothing but zero bytes", "a NIfTI-1 header"));
    }
    Ok(())
}

fn warnings(header: &Header, grid: &Grid, nonfinite: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    if nonfinite > 0 {
        warnings.push(format!("{nonfinite} voxels are not finite; each counts as the smallest finite value"));
    }
    if header.sform_code <= 0 && header.qform_code <= 0 {
        warnings.push(
            "the file does not say how the image lies in the patient; left and right are not known".into(),
        );
    }
    for (axis, spacing) in grid.spacing().into_iter().enumerate() {
        let pixdim = f64::from(header.pixdim[axis + 1]).abs();
        if (pixdim - spacing).abs() > 1e-3 * spacing {
            warnings.push(format!(
                "pixdim[{}] is {pixdim} mm, the affine says {spacing} mm; the affine counts",
                axis + 1
            ));
        }
    }
    warnings
}
