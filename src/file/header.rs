//! What is needed of a header to decode voxels and to write another file on the same grid.

use super::datatype::DataType;
use super::layout::{Fields, LengthUnit, Version};
use crate::grid::Grid;

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// NIfTI of this version.
    Nifti(Version),
    /// FreeSurfer's MGH, packed (`.mgz`) or not (`.mgh`).
    Mgh,
}

impl Format {
    /// `NIfTI-1`, `NIfTI-2` or `MGH`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nifti(version) => version.name(),
            Self::Mgh => "MGH",
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
    /// What kind of file it is.
    pub format: Format,
    /// Those of a NIfTI file on the same grid; of a NIfTI file its own.
    pub(super) fields: Fields,
}

impl Header {
    /// Code of the affine form; 0 if there is none. An MGH file counts as one with an affine form of code 1, scanner
    /// coordinates, where it says how the image lies, and of code 0 where it does not.
    pub fn sform_code(&self) -> i32 {
        self.fields.sform_code
    }

    /// Code of the quaternion form; 0 if there is none, as in every MGH file.
    pub fn qform_code(&self) -> i32 {
        self.fields.qform_code
    }

    /// The unit of lengths that the file states. The grid is in mm, whatever it is.
    pub fn units(&self) -> &'static str {
        match self.fields.length_unit() {
            LengthUnit::Metre => "m",
            LengthUnit::Millimetre => "mm",
            LengthUnit::Micrometre => "µm",
            LengthUnit::Unstated => "unknown",
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
    /// volume. An affine that an MGH file does not state is written all the same, with the code of what lies where another
    /// image does, or the mask would lie elsewhere.
    pub(super) fn label_fields(&self) -> Fields {
        let sform_code = match (self.format, self.fields.sform_code) {
            (Format::Mgh, 0) => 2, // aligned
            (_, code) => code,
        };
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
            sform_code,
            ..self.fields
        }
    }
}
