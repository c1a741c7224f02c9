//! NIfTI files as the tests make them, by nothing of the code under test.

use std::io::Write;

/// A file to be: header fields as they shall be stored, and the bytes of the voxels.
#[derive(Clone)]
pub struct Made {
    pub version: u8,
    pub big_endian: bool,
    pub dim: [i64; 8],
    pub datatype: i16,
    pub bitpix: i16,
    pub pixdim: [f64; 8],
    pub vox_offset: f64,
    pub scaling: [f64; 2],
    pub units: i32,
    pub qform_code: i32,
    pub sform_code: i32,
    /// Quaternion b, c, d; offset x, y, z; rows of the affine form.
    pub quatern: [f64; 6],
    pub srow: [[f64; 4]; 3],
    pub pair: bool,
    pub voxels: Vec<u8>,
}

impl Made {
    /// A little-endian NIfTI-1 file of 16-bit integers `value(index)`, with an affine form of 1, 2, 3 mm.
    pub fn new(dims: [usize; 3], value: impl Fn(usize) -> i16) -> Self {
        let [x, y, z] = dims.map(|n| n as i64);
        let count = dims.iter().product();
        Self {
            version: 1,
            big_endian: false,
            dim: [3, x, y, z, 1, 1, 1, 1],
            datatype: 4,
            bitpix: 16,
            pixdim: [1.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0],
            vox_offset: 352.0,
            scaling: [1.0, 0.0],
            units: 10,
            qform_code: 0,
            sform_code: 1,
            quatern: [0.0; 6],
            srow: [[-1.0, 0.0, 0.0, 9.0], [0.0, 2.0, 0.0, -8.0], [0.0, 0.0, 3.0, 7.0]],
            pair: false,
            voxels: (0..count).flat_map(|i| value(i).to_le_bytes()).collect(),
        }
    }

    /// Header (and, of a single file, the bytes up to the voxels).
    pub fn header(&self) -> Vec<u8> {
        let mut out = vec![0u8; if self.version == 1 { 348 } else { 540 }];
        let big = self.big_endian;
        let mut put = |at: usize, little: &[u8]| {
            let mut bytes = little.to_vec();
            if big {
                bytes.reverse();
            }
            out[at..at + bytes.len()].copy_from_slice(&bytes);
        };
        let forms = || self.quatern.iter().chain(self.srow.iter().flatten()).enumerate();
        if self.version == 1 {
            put(0, &348i32.to_le_bytes());
            self.dim.iter().enumerate().for_each(|(i, v)| put(40 + 2 * i, &(*v as i16).to_le_bytes()));
            put(70, &self.datatype.to_le_bytes());
            put(72, &self.bitpix.to_le_bytes());
            self.pixdim.iter().enumerate().for_each(|(i, v)| put(76 + 4 * i, &(*v as f32).to_le_bytes()));
            put(108, &(self.vox_offset as f32).to_le_bytes());
            self.scaling.iter().enumerate().for_each(|(i, v)| put(112 + 4 * i, &(*v as f32).to_le_bytes()));
            put(252, &(self.qform_code as i16).to_le_bytes());
            put(254, &(self.sform_code as i16).to_le_bytes());
            forms().for_each(|(i, v)| put(256 + 4 * i, &(*v as f32).to_le_bytes()));
            out[123] = self.units as u8;
            out[344..348].copy_from_slice(if self.pair { b"ni1\0" } else { b"n+1\0" });
        } else {
            put(0, &540i32.to_le_bytes());
            put(12, &self.datatype.to_le_bytes());
            put(14, &self.bitpix.to_le_bytes());
            self.dim.iter().enumerate().for_each(|(i, v)| put(16 + 8 * i, &v.to_le_bytes()));
            self.pixdim.iter().enumerate().for_each(|(i, v)| put(104 + 8 * i, &v.to_le_bytes()));
            put(168, &(self.vox_offset as i64).to_le_bytes());
            self.scaling.iter().enumerate().for_each(|(i, v)| put(176 + 8 * i, &v.to_le_bytes()));
            put(344, &self.qform_code.to_le_bytes());
            put(348, &self.sform_code.to_le_bytes());
            forms().for_each(|(i, v)| put(352 + 8 * i, &v.to_le_bytes()));
            put(500, &self.units.to_le_bytes());
            out[4..12].copy_from_slice(if self.pair { b"ni2\0\r\n\x1a\n" } else { b"n+2\0\r\n\x1a\n" });
        }
        if !self.pair {
            out.resize((self.vox_offset.clamp(0.0, 1e6) as usize).max(out.len()), 0);
        }
        out
    }

    /// The whole single file.
    pub fn bytes(&self) -> Vec<u8> {
        [self.header(), self.voxels.clone()].concat()
    }
}

/// As one gzip member.
pub fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
