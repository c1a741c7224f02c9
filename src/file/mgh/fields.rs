//! The fields of an MGH header, and what follows from them: type, affine, the fields of a NIfTI file on the same grid.

use crate::error::{Error, Result};
use crate::file::datatype::DataType;
use crate::file::header::{Format, Header};
use crate::file::layout::{Fields, Version};
use crate::file::sform_qform::Affine;
use crate::grid::Grid;

/// Bytes before the voxels.
pub(in crate::file) const HEADER_BYTES: usize = 284;

/// Whether a file begins as FreeSurfer's volumes do: version 1 in the last byte of four, in the one before what the volume is
/// meant for (0 an image, 1 labels, ...).
pub(in crate::file) fn begins(start: [u8; 4]) -> bool {
    matches!(start, [0, 0, _, 1])
}

/// The fields of a header as stored. Nothing is checked here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::file) struct MghFields {
    /// The first four bytes without the lowest, which is 1.
    pub intent: i32,
    /// Width, height, depth, frames.
    pub dims: [i32; 4],
    pub kind: i32,
    pub dof: i32,
    pub good_ras: i16,
    /// In mm.
    pub spacing: [f32; 3],
    /// Of each axis: its parts towards right, anterior, superior.
    pub cosines: [[f32; 3]; 3],
    /// Right, anterior, superior, in mm.
    pub centre: [f32; 3],
}

/// How the voxels lie.
struct Geometry {
    spacing: [f32; 3],
    cosines: [[f32; 3]; 3],
    centre: [f32; 3],
}

/// What FreeSurfer takes where a file states nothing: coronal slices.
const CORONAL: Geometry = Geometry {
    spacing: [1.0; 3],
    cosines: [[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]],
    centre: [0.0; 3],
};

impl MghFields {
    pub fn read(bytes: [u8; HEADER_BYTES]) -> Self {
        let int = |at: usize| i32::from_be_bytes(std::array::from_fn(|i| bytes[at + i]));
        let float = |at: usize| f32::from_be_bytes(std::array::from_fn(|i| bytes[at + i]));
        let floats = |at: usize| std::array::from_fn(|i| float(at + 4 * i));
        Self {
            intent: int(0) >> 8,
            dims: std::array::from_fn(|i| int(4 + 4 * i)),
            kind: int(20),
            dof: int(24),
            good_ras: i16::from_be_bytes([bytes[28], bytes[29]]),
            spacing: floats(30),
            cosines: std::array::from_fn(|axis| floats(42 + 12 * axis)),
            centre: floats(78),
        }
    }

    /// Whether the file says how its voxels lie; FreeSurfer's own reader looks for a flag above 0.
    pub fn states_geometry(&self) -> bool {
        self.good_ras > 0
    }

    /// The type of the voxels; `None` where it is not one real number per voxel.
    pub fn datatype(&self) -> Option<DataType> {
        Some(match self.kind {
            0 => DataType::U8,
            1 => DataType::I32,
            3 => DataType::F32,
            4 => DataType::I16,
            10 => DataType::U16,
            _ => return None,
        })
    }

    /// Voxels of all frames; 0 where a size is negative.
    pub fn count(&self) -> u64 {
        self.dims.iter().map(|&n| u64::try_from(n).unwrap_or(0)).fold(1, u64::saturating_mul)
    }

    /// From voxel index to world millimetres, in numbers of 32 bits, so that it is the same in a mask that is written.
    pub fn affine(&self) -> Affine {
        let stated = Geometry { spacing: self.spacing, cosines: self.cosines, centre: self.centre };
        let Geometry { spacing, cosines, centre } = if self.states_geometry() { stated } else { CORONAL };
        let row = |row: usize| {
            let column = |axis: usize| f64::from(cosines[axis][row]) * f64::from(spacing[axis]);
            let [x, y, z] = [0, 1, 2].map(column);
            let to_centre: f64 = (0..3).map(|axis| column(axis) * f64::from(self.dims[axis]) / 2.0).sum();
            [x, y, z, f64::from(centre[row]) - to_centre].map(|value| f64::from(value as f32))
        };
        [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]
    }

    /// The header of fields that passed their checks.
    ///
    /// # Errors
    /// `Unsupported` where they did not, by their type.
    pub fn header(&self) -> Result<Header> {
        let datatype = self
            .datatype()
            .ok_or_else(|| Error::unsupported("type", self.kind.to_string(), "a code that is read"))?;
        let [x, y, z, frames] = self.dims.map(|n| n as usize);
        let affine = self.affine();
        let dims = [x, y, z];
        let stated = if self.states_geometry() { self.spacing } else { CORONAL.spacing };
        // In 32 bits too, or a mask that is written would have another spacing by its rounding.
        let spacing = Grid::new(dims, affine, stated.map(f64::from)).spacing().map(|mm| f64::from(mm as f32));
        let grid = Grid::new(dims, affine, spacing);
        let fits = dims.iter().all(|&side| side <= i16::MAX as usize);
        let fields = Fields {
            version: if fits { Version::One } else { Version::Two },
            big_endian: true,
            sform_code: i32::from(self.states_geometry()),
            ..Fields::new(&grid, datatype, frames)
        };
        let shape = [x, y, z, frames][..if frames > 1 { 4 } else { 3 }].to_vec();
        Ok(Header { shape, grid, channels: frames, datatype, format: Format::Mgh, fields })
    }
}
