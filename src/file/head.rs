//! The header of a file, whatever its format; formats that are not read are named.

use super::format;
use super::layout::{Fields, Version};
use super::mgh::{self, MghFields};
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
        let mut bytes = [0; 540];
        let got = stream.fill(&mut bytes[..4])?;
        let start = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if mgh::begins(start) {
            fill(stream, &mut bytes[..mgh::HEADER_BYTES], got, "an MGH volume")?;
            return Ok(Self::Mgh(MghFields::read(std::array::from_fn(|i| bytes[i]))));
        }
        fill(stream, &mut bytes[..Version::One.bytes()], got, "a NIfTI file")?;
        let Some((version, big_endian)) = Version::of(start) else {
            let found = i32::from_le_bytes(start).to_string();
            return Err(Error::malformed(
                "sizeof_hdr",
                found,
                "348 (NIfTI-1) or 540 (NIfTI-2), or the version 1 of an MGH volume",
            ));
        };
        if version == Version::Two {
            fill(stream, &mut bytes, Version::One.bytes(), "a NIfTI file")?;
        }
        Ok(Self::Nifti(Box::new(Fields::read(&bytes, version, big_endian))))
    }
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
