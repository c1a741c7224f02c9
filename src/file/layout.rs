//! Where each field of a NIfTI header lies: version 1 (348 bytes) and version 2 (540 bytes), read into one form.
//!
//! Version 1 is read by the crate `nifti` (`nifti1`); version 2, which it does not know, here, by the offsets of `nifti2.h`, and
//! both are written here. Nothing is checked; `checks` does that.

use super::datatype::DataType;
use crate::grid::Grid;

/// Which of the two header layouts a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 348 bytes; sizes in 16 bits, lengths in 32-bit floats.
    One,
    /// 540 bytes; sizes in 64 bits, lengths in 64-bit floats.
    Two,
}

impl Version {
    /// The version whose size the first four bytes state, and whether they are big-endian.
    pub(super) fn of(size: [u8; 4]) -> Option<(Self, bool)> {
        let version = |bytes: i32| match bytes {
            348 => Some(Self::One),
            540 => Some(Self::Two),
            _ => None,
        };
        let little = version(i32::from_le_bytes(size)).map(|found| (found, false));
        little.or_else(|| version(i32::from_be_bytes(size)).map(|found| (found, true)))
    }

    /// Bytes of the header.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::One => 348,
            Self::Two => 540,
        }
    }

    /// `NIfTI-1` or `NIfTI-2`.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "NIfTI-1",
            Self::Two => "NIfTI-2",
        }
    }
}

/// The unit of lengths that a header states, in the low three bits of `xyzt_units`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LengthUnit {
    Metre,
    Millimetre,
    Micrometre,
    /// No unit of the standard; lengths are taken for mm.
    Unstated,
}

impl LengthUnit {
    /// A length in this unit, in mm.
    pub(super) fn mm(self, length: f64) -> f64 {
        match self {
            Self::Metre => length * 1000.0,
            Self::Micrometre => length / 1000.0,
            Self::Millimetre | Self::Unstated => length,
        }
    }
}

/// The fields of a header as stored; narrower types of version 1 widened, which loses nothing.
///
/// Texts (`descrip`, `aux_file`, `db_name`, `intent_name`) are counted and left behind: they can name patients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fields {
    pub version: Version,
    pub big_endian: bool,
    /// Padded with zeros in version 1.
    pub magic: [u8; 8],
    pub dim: [i64; 8],
    pub intent_code: i32,
    pub datatype: i16,
    pub bitpix: i16,
    /// qfac, then spacings.
    pub pixdim: [f64; 8],
    pub vox_offset: f64,
    pub scl_slope: f64,
    pub scl_inter: f64,
    pub xyzt_units: i32,
    pub qform_code: i32,
    pub sform_code: i32,
    /// Quaternion b, c, d.
    pub quatern: [f64; 3],
    /// Offset x, y, z of the quaternion form.
    pub qoffset: [f64; 3],
    /// Rows of the affine form.
    pub srow: [[f64; 4]; 3],
    /// Characters in text fields.
    pub text: usize,
}

impl Fields {
    pub(super) fn length_unit(&self) -> LengthUnit {
        match self.xyzt_units & 7 {
            1 => LengthUnit::Metre,
            2 => LengthUnit::Millimetre,
            3 => LengthUnit::Micrometre,
            _ => LengthUnit::Unstated,
        }
    }
}

/// Numbers of a header of version 2 at byte offsets, in the file's byte order.
struct Numbers<'a> {
    bytes: &'a [u8; 540],
    big_endian: bool,
}

impl Numbers<'_> {
    fn at<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut number: [u8; N] = std::array::from_fn(|i| self.bytes[offset + i]);
        if self.big_endian {
            number.reverse();
        }
        number
    }

    fn i16(&self, offset: usize) -> i16 {
        i16::from_le_bytes(self.at(offset))
    }

    fn i32(&self, offset: usize) -> i32 {
        i32::from_le_bytes(self.at(offset))
    }

    fn i64(&self, offset: usize) -> i64 {
        i64::from_le_bytes(self.at(offset))
    }

    fn f64s<const N: usize>(&self, offset: usize) -> [f64; N] {
        std::array::from_fn(|i| f64::from_le_bytes(self.at(offset + 8 * i)))
    }
}

/// How many characters of a text field are neither blank nor control.
pub(super) fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte > 32).count()
}

impl Fields {
    /// Reads the fields of version 2.
    pub fn read_two(bytes: &[u8; 540], big_endian: bool) -> Self {
        let n = Numbers { bytes, big_endian };
        Self {
            version: Version::Two,
            big_endian,
            magic: std::array::from_fn(|i| bytes[4 + i]),
            dim: std::array::from_fn(|i| n.i64(16 + 8 * i)),
            intent_code: n.i32(504),
            datatype: n.i16(12),
            bitpix: n.i16(14),
            pixdim: n.f64s(104),
            vox_offset: n.i64(168) as f64,
            scl_slope: n.f64s::<1>(176)[0],
            scl_inter: n.f64s::<1>(184)[0],
            xyzt_units: n.i32(500),
            qform_code: n.i32(344),
            sform_code: n.i32(348),
            quatern: n.f64s(352),
            qoffset: n.f64s(376),
            srow: [n.f64s(400), n.f64s(432), n.f64s(464)],
            text: [&bytes[240..320], &bytes[320..344], &bytes[508..524]].into_iter().map(characters).sum(),
        }
    }

    /// The fields of a new NIfTI-1 file: the affine of `grid`, lengths in mm.
    pub fn new(grid: &Grid, datatype: DataType, channels: usize) -> Self {
        let [x, y, z] = grid.dims.map(|n| n as i64);
        let [a, b, c] = grid.spacing();
        Self {
            version: Version::One,
            big_endian: false,
            magic: *b"n+1\0\0\0\0\0",
            dim: [if channels > 1 { 4 } else { 3 }, x, y, z, channels as i64, 1, 1, 1],
            intent_code: 0,
            datatype: datatype.code(),
            bitpix: 8 * datatype.bytes() as i16,
            pixdim: [1.0, a, b, c, 1.0, 1.0, 1.0, 1.0],
            vox_offset: Version::One.bytes() as f64 + 4.0,
            scl_slope: 1.0,
            scl_inter: 0.0,
            xyzt_units: 2,
            qform_code: 0,
            sform_code: 1,
            quatern: [0.0; 3],
            qoffset: [0.0; 3],
            srow: [grid.affine[0], grid.affine[1], grid.affine[2]],
            text: 0,
        }
    }

    /// The header as the start of a single little-endian file, up to where its voxels begin.
    pub fn write(&self) -> Vec<u8> {
        let start = self.version.bytes() + 4; // and an empty extension flag
        let mut bytes = vec![0; start];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        let quaternion = self.quatern.iter().chain(&self.qoffset);
        let forms = quaternion.chain(self.srow.iter().flatten());
        match self.version {
            Version::One => {
                put(0, &348i32.to_le_bytes());
                put(38, b"r");
                self.dim.iter().enumerate().for_each(|(i, n)| put(40 + 2 * i, &(*n as i16).to_le_bytes()));
                put(68, &(self.intent_code as i16).to_le_bytes());
                put(70, &self.datatype.to_le_bytes());
                put(72, &self.bitpix.to_le_bytes());
                self.pixdim.iter().enumerate().for_each(|(i, v)| put(76 + 4 * i, &(*v as f32).to_le_bytes()));
                put(108, &(start as f32).to_le_bytes());
                put(112, &(self.scl_slope as f32).to_le_bytes());
                put(116, &(self.scl_inter as f32).to_le_bytes());
                put(123, &[self.xyzt_units as u8]);
                put(252, &(self.qform_code as i16).to_le_bytes());
                put(254, &(self.sform_code as i16).to_le_bytes());
                forms.enumerate().for_each(|(i, v)| put(256 + 4 * i, &(*v as f32).to_le_bytes()));
                put(344, b"n+1\0");
            }
            Version::Two => {
                put(0, &540i32.to_le_bytes());
                put(4, b"n+2\0\r\n\x1a\n");
                put(12, &self.datatype.to_le_bytes());
                put(14, &self.bitpix.to_le_bytes());
                self.dim.iter().enumerate().for_each(|(i, n)| put(16 + 8 * i, &n.to_le_bytes()));
                self.pixdim.iter().enumerate().for_each(|(i, v)| put(104 + 8 * i, &v.to_le_bytes()));
                put(168, &(start as i64).to_le_bytes());
                put(176, &self.scl_slope.to_le_bytes());
                put(184, &self.scl_inter.to_le_bytes());
                put(344, &self.qform_code.to_le_bytes());
                put(348, &self.sform_code.to_le_bytes());
                forms.enumerate().for_each(|(i, v)| put(352 + 8 * i, &v.to_le_bytes()));
                put(500, &self.xyzt_units.to_le_bytes());
                put(504, &self.intent_code.to_le_bytes());
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::nifti1;

    #[test]
    fn both_versions_come_back_as_written() {
        for version in [Version::One, Version::Two] {
            let fields = Fields {
                version,
                big_endian: false,
                magic: if version == Version::One { *b"n+1\0\0\0\0\0" } else { *b"n+2\0\r\n\x1a\n" },
                dim: [3, 4, 5, 6, 1, 1, 1, 1],
                intent_code: 1002,
                datatype: 2,
                bitpix: 8,
                pixdim: [-1.0, 0.5, 0.25, 3.0, 1.0, 0.0, 0.0, 0.0],
                vox_offset: version.bytes() as f64 + 4.0,
                scl_slope: 1.0,
                scl_inter: 0.0,
                xyzt_units: 10,
                qform_code: 1,
                sform_code: 4,
                quatern: [0.5, -0.5, 0.5],
                qoffset: [1.0, 2.0, 3.0],
                srow: [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0]],
                text: 0,
            };
            let bytes = fields.write();
            assert_eq!(Version::of([bytes[0], bytes[1], bytes[2], bytes[3]]).unwrap(), (version, false));
            let read = match version {
                Version::One => nifti1::read(bytes[..348].try_into().unwrap(), false).unwrap(),
                Version::Two => Fields::read_two(bytes[..540].try_into().unwrap(), false),
            };
            assert_eq!(read, fields);
        }
    }
}
