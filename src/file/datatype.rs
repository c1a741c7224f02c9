//! The types of stored values.

use nifti::NiftiType;

/// The value types that can be read.
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
    const ALL: [Self; 10] = [
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::U64,
        Self::I64,
        Self::F32,
        Self::F64,
    ];

    /// The type of a NIfTI code; `None` where it is not one real number per voxel.
    pub(super) fn of(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    /// Its name in the standard.
    fn nifti(self) -> NiftiType {
        match self {
            Self::U8 => NiftiType::Uint8,
            Self::I8 => NiftiType::Int8,
            Self::U16 => NiftiType::Uint16,
            Self::I16 => NiftiType::Int16,
            Self::U32 => NiftiType::Uint32,
            Self::I32 => NiftiType::Int32,
            Self::U64 => NiftiType::Uint64,
            Self::I64 => NiftiType::Int64,
            Self::F32 => NiftiType::Float32,
            Self::F64 => NiftiType::Float64,
        }
    }

    /// Its NIfTI code.
    pub(super) fn code(self) -> i16 {
        self.nifti() as i16
    }

    /// What an unsupported code stands for.
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
        self.nifti().size_of()
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
