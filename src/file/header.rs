//! The 348 bytes of a NIfTI-1 header: read through the nifti crate's fields, checked and written by us.

use crate::error::{Error, Result};
use nifti::NiftiHeader;

/// Size of a NIfTI-1 header.
pub(super) const HEADER_BYTES: usize = 348;
/// Where voxels start in the files that we write: header plus the empty extension flag.
pub(super) const DATA_OFFSET: usize = 352;

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
    fn from_code(code: i16) -> Result<Self> {
        Ok(match code {
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
            _ => {
                let name = match code {
                    1 => "1 (binary)",
                    32 | 1792 | 2048 => "complex numbers",
                    128 | 2304 => "RGB colours",
                    1536 => "128-bit floats",
                    _ => "an unknown code",
                };
                return Err(Error::unsupported(
                    "datatype",
                    format!("{name} ({code})"),
                    "integers of 8 to 64 bits or floats of 32 or 64 bits: one grey value per voxel",
                ));
            }
        })
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

/// What of a file's header is needed to decode its voxels and to write another file on the same grid.
///
/// Text fields (`descrip`, `aux_file`, `db_name`) are left behind: they can hold names of patients.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Number of voxels along x, y, z.
    pub dims: [usize; 3],
    /// Type of the stored values.
    pub datatype: DataType,
    /// Where the voxels start.
    pub vox_offset: usize,
    /// Slope and intercept as stored; a slope of 0 or not finite means "no scaling".
    pub scaling: [f32; 2],
    /// `pixdim[0..8]` as stored: qfac, spacings in mm.
    pub pixdim: [f32; 8],
    /// Code of the quaternion form; 0 if there is none.
    pub qform_code: i16,
    /// Code of the affine form; 0 if there is none.
    pub sform_code: i16,
    /// Quaternion b, c, d and offset x, y, z.
    pub quatern: [f32; 6],
    /// Rows of the affine form.
    pub srow: [[f32; 4]; 3],
    /// Units of space and time as one code.
    pub xyzt_units: u8,
    /// Whether the file is big-endian.
    pub big_endian: bool,
}

impl Header {
    /// Reads and checks the 348 bytes.
    pub(super) fn parse(bytes: &[u8; HEADER_BYTES]) -> Result<Self> {
        let size = [bytes[0], bytes[1], bytes[2], bytes[3]];
        let big_endian = match (i32::from_le_bytes(size), i32::from_be_bytes(size)) {
            (348, _) => false,
            (_, 348) => true,
            (540, _) | (_, 540) => {
                return Err(Error::unsupported("header", "NIfTI-2 (540 bytes)", "NIfTI-1 (348 bytes)"));
            }
            (found, _) => {
                return Err(Error::malformed("sizeof_hdr", found.to_string(), "348, as in a NIfTI-1 file"));
            }
        };
        match &bytes[344..348] {
            b"n+1\0" => {}
            b"ni1\0" => {
                return Err(Error::unsupported(
                    "magic",
                    "the header of a .hdr/.img pair",
                    "one file with header and voxels (.nii or .nii.gz)",
                ));
            }
            [0, 0, 0, 0] => {
                return Err(Error::unsupported("magic", "an ANALYZE 7.5 header", "NIfTI-1 (n+1)"));
            }
            other => return Err(Error::malformed("magic", format!("{other:?}"), "\"n+1\"")),
        }
        let raw = NiftiHeader::from_reader(&bytes[..])
            .map_err(|error| Error::malformed("header", error.to_string(), "a NIfTI-1 header"))?;
        let datatype = DataType::from_code(raw.datatype)?;
        if usize::try_from(raw.bitpix).ok() != Some(8 * datatype.bytes()) {
            let expected = format!("{} for {}", 8 * datatype.bytes(), datatype.name());
            return Err(Error::malformed("bitpix", raw.bitpix.to_string(), expected));
        }
        if !raw.vox_offset.is_finite() || raw.vox_offset < DATA_OFFSET as f32 || raw.vox_offset > 1e9 {
            return Err(Error::malformed(
                "vox_offset",
                raw.vox_offset.to_string(),
                "352 or more, inside the file",
            ));
        }
        let scaled = raw.scl_slope != 0.0 && raw.scl_slope.is_finite();
        if scaled && !raw.scl_inter.is_finite() {
            return Err(Error::malformed("scl_inter", raw.scl_inter.to_string(), "a finite number"));
        }
        Ok(Self {
            dims: dims(&raw.dim)?,
            datatype,
            vox_offset: raw.vox_offset as usize,
            scaling: [raw.scl_slope, raw.scl_inter],
            pixdim: raw.pixdim,
            qform_code: raw.qform_code,
            sform_code: raw.sform_code,
            quatern: [
                raw.quatern_b,
                raw.quatern_c,
                raw.quatern_d,
                raw.quatern_x,
                raw.quatern_y,
                raw.quatern_z,
            ],
            srow: [raw.srow_x, raw.srow_y, raw.srow_z],
            xyzt_units: raw.xyzt_units,
            big_endian,
        })
    }

    /// Slope and intercept to apply, or `None` where the file says that there is no scaling.
    pub fn applied_scaling(&self) -> Option<(f64, f64)> {
        let [slope, inter] = self.scaling;
        (slope != 0.0 && slope.is_finite() && (slope != 1.0 || inter != 0.0))
            .then(|| (f64::from(slope), f64::from(inter)))
    }

    /// The header of a mask on the same grid: unsigned 8-bit labels, both forms and `pixdim` untouched.
    pub(super) fn label_bytes(&self) -> [u8; DATA_OFFSET] {
        let mut bytes = [0; DATA_OFFSET];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &348i32.to_le_bytes());
        put(38, b"r");
        let dim = [3, self.dims[0] as i16, self.dims[1] as i16, self.dims[2] as i16, 1, 1, 1, 1];
        dim.iter().enumerate().for_each(|(i, value)| put(40 + 2 * i, &value.to_le_bytes()));
        put(68, &1002i16.to_le_bytes()); // intent: label
        put(70, &2i16.to_le_bytes()); // datatype: unsigned 8-bit
        put(72, &8i16.to_le_bytes());
        self.pixdim.iter().enumerate().for_each(|(i, value)| put(76 + 4 * i, &value.to_le_bytes()));
        put(108, &(DATA_OFFSET as f32).to_le_bytes());
        put(112, &1f32.to_le_bytes());
        put(123, &[self.xyzt_units]);
        put(252, &self.qform_code.to_le_bytes());
        put(254, &self.sform_code.to_le_bytes());
        let forms = self.quatern.iter().chain(self.srow.iter().flatten());
        forms.enumerate().for_each(|(i, value)| put(256 + 4 * i, &value.to_le_bytes()));
        put(344, b"n+1\0");
        bytes
    }

    /// The 4x4 affine: the affine form if its code is set, else the quaternion form, else the spacings alone.
    pub fn affine(&self) -> Result<[[f64; 4]; 4]> {
        let mut affine = if self.sform_code > 0 {
            let [x, y, z] = self.srow.map(|row| row.map(f64::from));
            [x, y, z, [0.0, 0.0, 0.0, 1.0]]
        } else if self.qform_code > 0 {
            self.quaternion_affine()
        } else {
            let mut scale = [[0.0; 4]; 4];
            (0..3).for_each(|i| scale[i][i] = f64::from(self.pixdim[i + 1]).abs());
            scale
        };
        affine[3] = [0.0, 0.0, 0.0, 1.0];
        for axis in 0..3 {
            let length = affine[..3].iter().map(|row| row[axis].powi(2)).sum::<f64>().sqrt();
            if !length.is_finite() || !(1e-4..=1e4).contains(&length) {
                return Err(Error::malformed(
                    format!("spacing of axis {axis}"),
                    format!("{length} mm"),
                    "a length between 0.0001 and 10000 mm",
                ));
            }
        }
        if affine.iter().flatten().any(|v| !v.is_finite()) {
            return Err(Error::malformed("affine", "a value that is not finite", "finite numbers"));
        }
        Ok(affine)
    }

    /// Method 2 of the NIfTI-1 standard. A qfac of 0 counts as 1, |quaternion| > 1 is scaled to 1.
    fn quaternion_affine(&self) -> [[f64; 4]; 4] {
        let [mut b, mut c, mut d, x, y, z] = self.quatern.map(f64::from);
        let square = b * b + c * c + d * d;
        let a = if square >= 1.0 {
            let length = square.sqrt();
            (b, c, d) = (b / length, c / length, d / length);
            0.0
        } else {
            (1.0 - square).sqrt()
        };
        let rotation = [
            [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
            [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
            [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ];
        let qfac = if self.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
        let scale = [1, 2, 3].map(|i| f64::from(self.pixdim[i]).abs());
        let offset = [x, y, z];
        let row = |r: usize| {
            let [i, j, k] = rotation[r];
            [i * scale[0], j * scale[1], k * scale[2] * qfac, offset[r]]
        };
        [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]
    }
}

/// The three dimensions; a fourth axis is accepted where it holds one volume.
fn dims(dim: &[u16; 8]) -> Result<[usize; 3]> {
    let rank = usize::from(dim[0]);
    if !(1..=7).contains(&rank) {
        return Err(Error::malformed("dim[0]", (dim[0] as i16).to_string(), "the number of axes, 1 to 7"));
    }
    let size = |axis: usize| -> Result<usize> {
        if axis > rank {
            return Ok(1);
        }
        match dim[axis] as i16 {
            n if n >= 1 => Ok(n as usize),
            n => Err(Error::malformed(format!("dim[{axis}]"), n.to_string(), "a size of at least 1")),
        }
    };
    let dims = [size(1)?, size(2)?, size(3)?];
    for axis in 4..=rank {
        let n = size(axis)?;
        if n > 1 {
            return Err(Error::unsupported(
                format!("dim[{axis}]"),
                format!("{n}: a {rank}-D image of several volumes"),
                "one 3-D volume; export a single time point or channel",
            ));
        }
    }
    Ok(dims)
}
