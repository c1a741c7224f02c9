//! What of a header is needed to decode voxels and to write another file on the same grid.

use super::layout::{Fields, Version};
use crate::grid::Grid;

/// The value types that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum DataType {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl DataType {
    /// The type of a NIfTI code, if it is one number per voxel that we read.
    pub(super) fn of(code: i16) -> Option<Self> {
        Some(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            1024 => Self::I64,
            1280 => Self::U64,
            _ => return None,
        })
    }

    /// Its NIfTI code.
    pub(super) fn code(self) -> i16 {
        match self {
            Self::U8 => 2,
            Self::I16 => 4,
            Self::I32 => 8,
            Self::F32 => 16,
            Self::F64 => 64,
            Self::I8 => 256,
            Self::U16 => 512,
            Self::U32 => 768,
            Self::I64 => 1024,
            Self::U64 => 1280,
        }
    }

    /// What a code that is not read stands for.
    pub(super) fn other(code: i16) -> &'static str {
        match code {
            1 => "single bits",
            32 | 1792 | 2048 => "complex numbers",
            128 | 2304 => "RGB colours",
            1536 => "128-bit floats",
            _ => "an unknown code",
        }
    }

    /// Bytes per value.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Whether 32-bit floats may round its values.
    pub(super) fn wide(self) -> bool {
        matches!(self, Self::U32 | Self::I32 | Self::U64 | Self::I64)
    }

    /// Name as NumPy has it, for example `int16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::U16 => "uint16",
            Self::I16 => "int16",
            Self::U32 => "uint32",
            Self::I32 => "int32",
            Self::U64 => "uint64",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }
}

/// A header that passed its checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The sizes that the file declares, one per axis: 2 for a slice, 3 for a volume, 4 with channels.
    pub shape: Vec<usize>,
    /// Dimensions `[x, y, z]` and affine.
    pub grid: Grid,
    /// Volumes in the file; 1 where it is a 3-D image.
    pub channels: usize,
    /// Type of the stored values.
    pub datatype: DataType,
    pub(super) fields: Fields,
}

impl Header {
    /// Which layout the file has.
    pub fn version(&self) -> Version {
        self.fields.version
    }

    /// Code of the affine form; 0 if there is none.
    pub fn sform_code(&self) -> i32 {
        self.fields.sform_code
    }

    /// Code of the quaternion form; 0 if there is none.
    pub fn qform_code(&self) -> i32 {
        self.fields.qform_code
    }

    /// The unit of lengths that the file states; they are read as mm all the same, as other readers do.
    pub fn units(&self) -> &'static str {
        match self.fields.xyzt_units & 7 {
            1 => "m",
            2 => "mm",
            3 => "µm",
            _ => "unknown",
        }
    }

    /// Slope and intercept to apply, or `None` where the file says that there is no scaling (a slope of 0 or not
    /// finite) or it would change nothing.
    pub fn applied_scaling(&self) -> Option<(f64, f64)> {
        let Fields { scl_slope: slope, scl_inter: inter, .. } = self.fields;
        (slope != 0.0 && slope.is_finite() && (slope != 1.0 || inter != 0.0)).then_some((slope, inter))
    }

    /// Whether every value is a whole number of at most 16 bits: finite, and not rounded.
    pub(super) fn exact(&self) -> bool {
        let short = matches!(self.datatype, DataType::U8 | DataType::I8 | DataType::U16 | DataType::I16);
        short && self.applied_scaling().is_none()
    }

    /// Bytes of the voxels as stored.
    pub(super) fn stored_bytes(&self) -> u64 {
        [self.grid.len(), self.channels, self.datatype.bytes()].iter().map(|&n| n as u64).product()
    }

    /// The fields of a mask on the same grid: unsigned 8-bit labels, both forms, `pixdim` and units untouched, one
    /// volume.
    pub(super) fn label_fields(&self) -> Fields {
        let mut dim = self.fields.dim;
        if self.channels > 1 {
            dim = [3, dim[1], dim[2], dim[3], 1, 1, 1, 1];
        }
        (dim[0] as usize + 1..8).for_each(|axis| dim[axis] = 1);
        Fields {
            dim,
            intent_code: 1002, // label
            datatype: 2,
            bitpix: 8,
            scl_slope: 1.0,
            scl_inter: 0.0,
            ..self.fields
        }
    }
}
