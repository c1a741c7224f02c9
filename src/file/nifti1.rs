//! Headers of NIfTI-1 by the crate `nifti`, which knows where each field lies and of what type it is.
//!
//! The crate guards against nothing: it tells the byte order by `dim[0]` and not by `sizeof_hdr`, takes sizes for unsigned, and
//! refuses an unknown magic before anything else can be said of a file. So it is shown the 348 bytes of a header and
//! nothing behind them, with a `dim[0]` and a magic that it takes; these two are read here, and `checks` judges all.

use super::layout::{Fields, Version, characters};
use crate::error::{Error, Result};
use nifti::{Endianness, NiftiHeader};
use std::io::{self, Read};

/// Bytes of a header.
const BYTES: usize = Version::One.bytes();
/// Where the number of axes lies.
const RANK: std::ops::Range<usize> = 40..42;
/// Where the magic lies.
const MAGIC: std::ops::Range<usize> = 344..BYTES;

/// The fields of a header whose `sizeof_hdr` states this byte order.
///
/// # Errors
/// `Malformed` where the crate sees another byte order.
pub(super) fn read(bytes: &[u8; BYTES], big_endian: bool) -> Result<Fields> {
    let order =
        |number: [u8; 2]| if big_endian { i16::from_be_bytes(number) } else { i16::from_le_bytes(number) };
    let mut shown = *bytes;
    shown[RANK].copy_from_slice(&if big_endian { 3i16.to_be_bytes() } else { 3i16.to_le_bytes() });
    shown[MAGIC].copy_from_slice(b"n+1\0");
    let header = NiftiHeader::from_reader(WholeHeader(&shown))
        .map_err(|_| Error::malformed("header", "another format", "a NIfTI-1 header"))?;
    let mut fields = Fields::of(&header);
    if fields.big_endian != big_endian {
        return Err(Error::malformed(
            "dim[0]",
            "another byte order than that of sizeof_hdr",
            "one byte order",
        ));
    }
    fields.dim[0] = order([bytes[RANK.start], bytes[RANK.start + 1]]).into();
    fields.magic[..MAGIC.len()].copy_from_slice(&bytes[MAGIC]);
    Ok(fields)
}

/// What is left of a header. All its bytes are there, so that no read fails: the crate reads field by field, and what it would
/// do about an error of each, in either byte order, would be 10 KB of the module of a browser.
struct WholeHeader<'a>(&'a [u8]);

impl WholeHeader<'_> {
    /// Copies the next bytes; how many there were.
    #[inline(never)]
    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.0.len());
        let (next, left) = self.0.split_at(count);
        buffer[..count].copy_from_slice(next);
        self.0 = left;
        count
    }
}

impl Read for WholeHeader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.take(buffer))
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.take(buffer);
        Ok(())
    }
}

impl Fields {
    /// Those of a header as the crate holds it. Its sizes are unsigned; those of the standard have a sign.
    pub(super) fn of(header: &NiftiHeader) -> Self {
        let wide = |values: [f32; 4]| values.map(f64::from);
        let mut magic = [0; 8];
        magic[..MAGIC.len()].copy_from_slice(&header.magic);
        let texts = [&header.db_name[..], &header.descrip, &header.aux_file, &header.intent_name];
        Self {
            version: Version::One,
            big_endian: header.endianness == Endianness::Big,
            magic,
            dim: header.dim.map(|size| (size as i16).into()),
            intent_code: header.intent_code.into(),
            datatype: header.datatype,
            bitpix: header.bitpix,
            pixdim: header.pixdim.map(f64::from),
            vox_offset: header.vox_offset.into(),
            scl_slope: header.scl_slope.into(),
            scl_inter: header.scl_inter.into(),
            xyzt_units: header.xyzt_units.into(),
            qform_code: header.qform_code.into(),
            sform_code: header.sform_code.into(),
            quatern: [header.quatern_b, header.quatern_c, header.quatern_d].map(f64::from),
            qoffset: [header.quatern_x, header.quatern_y, header.quatern_z].map(f64::from),
            srow: [header.srow_x, header.srow_y, header.srow_z].map(wide),
            text: texts.into_iter().map(characters).sum(),
        }
    }
}
