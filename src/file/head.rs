//! The header of a file, whatever its format; formats that are not read are named.

use super::format;
use super::layout::{Fields, Version};
use super::mgh::{self, MghFields};
use super::nifti1;
use super::source::Stream;
use crate::error::{Error, Result};

/// The fields of a header, not checked yet.
pub(super) enum Head {
    Nifti(Box<Fields>),
    Mgh(MghFields),
}

impl Head {
    /// Reads the header's bytes, and none of those behind it.
    pub fn read(stream: &mut Stream) -> Result<Self> {
        let mut start = [0; 4];
        let got = stream.fill(&mut start)?;
        if mgh::begins(start) {
            return Ok(Self::Mgh(MghFields::read(rest(stream, (start, got), "an MGH volume")?)));
        }
        let one: [u8; 348] = rest(stream, (start, got), "a NIfTI file")?;
        let fields = match Version::of(start) {
            Some((Version::One, big_endian)) => nifti1::read(&one, big_endian)?,
            Some((Version::Two, big_endian)) => {
                let mut two = [0; 540];
                two[..one.len()].copy_from_slice(&one);
                fill(stream, &mut two, one.len(), "a NIfTI file")?;
                Fields::read_two(&two, big_endian)
            }
            None => {
                return Err(Error::malformed(
                    "sizeof_hdr",
                    i32::from_le_bytes(start).to_string(),
                    "348 (NIfTI-1) or 540 (NIfTI-2), or the version 1 of an MGH volume",
                ));
            }
        };
        Ok(Self::Nifti(Box::new(fields)))
    }
}

/// A header of `N` bytes, of which the first are read: so many of four.
fn rest<const N: usize>(stream: &mut Stream, (start, got): ([u8; 4], usize), what: &str) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    bytes[..4].copy_from_slice(&start);
    fill(stream, &mut bytes, got, what)?;
    Ok(bytes)
}

/// Reads the bytes from `got` on.
fn fill(stream: &mut Stream, bytes: &mut [u8], mut got: usize, what: &str) -> Result<()> {
    got += stream.fill(&mut bytes[got..])?;
    format::reject_others(&bytes[..got])?;
    if got < bytes.len() {
        let expected = format!("at least {} bytes of {what}", bytes.len());
        return Err(Error::malformed("header", format!("{got} bytes"), expected));
    }
    Ok(())
}
