//! Files in JavaScript's memory: what they say of themselves, and their values.

use super::convert::{plain, set, thrown};
use crate::error::Result;
use crate::file::{ByteSource, Limits, Volume, VolumeFile};
use crate::info::VolumeInfo;
use js_sys::{Float32Array, Uint8Array};
use serde::Serialize;
use std::io::Read;
use wasm_bindgen::prelude::*;

/// What a file says of itself; see [`VolumeInfo`]. `header` is a whole file, or with `voxels` the `.hdr` of a pair.
/// The bytes stay in JavaScript's memory. `max_bytes` is the largest volume, decoded; 2 GiB by default.
///
/// # Errors
/// As [`VolumeFile::open`] and [`VolumeFile::read`]; the error has the `checks` of the file.
#[wasm_bindgen]
pub fn inspect(
    header: Uint8Array,
    voxels: Option<Uint8Array>,
    max_bytes: Option<f64>,
) -> std::result::Result<JsValue, JsValue> {
    VolumeInfo::of(open(header, voxels, max_bytes)).map(|info| plain(&info)).map_err(|refusal| {
        let value = thrown(&refusal.error);
        set(&value, "checks", &plain(&refusal.checks));
        value
    })
}

/// The values of a file, given as for [`inspect`]: scaled, volume after volume, each in the file's own order, and where
/// they lie.
///
/// # Errors
/// As [`VolumeFile::open`] and [`VolumeFile::read`].
#[wasm_bindgen]
pub fn read(
    header: Uint8Array,
    voxels: Option<Uint8Array>,
    max_bytes: Option<f64>,
) -> std::result::Result<JsValue, JsValue> {
    let volume =
        open(header, voxels, max_bytes).and_then(VolumeFile::read).map_err(|error| thrown(&error))?;
    let value = plain(&place(&volume, &volume.grid.orientation()));
    let count: usize = volume.grid.dims.iter().product();
    let values: Vec<f32> =
        volume.voxels.chunks_exact(count).flat_map(|channel| volume.reorientation.undo(channel)).collect();
    set(&value, "channels", &volume.channels.into());
    set(&value, "values", &Float32Array::from(values.as_slice()));
    Ok(value)
}

/// Where the voxels of a file lie.
#[derive(Serialize)]
pub struct Place<'a> {
    dims: [usize; 3],
    spacing: [f64; 3],
    affine: [[f64; 4]; 4],
    orientation: &'a str,
}

/// Where the voxels of a volume lie.
pub fn place<'a>(volume: &Volume, orientation: &'a str) -> Place<'a> {
    let grid = &volume.grid;
    Place { dims: grid.dims, spacing: grid.spacing(), affine: grid.affine, orientation }
}

/// Bytes in JavaScript's memory, copied slab by slab as they are read.
struct JsBytes {
    bytes: Uint8Array,
    at: u32,
}

impl Read for JsBytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let wanted = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let end = self.bytes.length().min(self.at.saturating_add(wanted));
        let count = (end - self.at) as usize;
        self.bytes.subarray(self.at, end).copy_to(&mut buffer[..count]);
        self.at = end;
        Ok(count)
    }
}

/// Opens a file whose bytes are in JavaScript's memory; with `voxels`, both files of a pair.
pub fn open(
    header: Uint8Array,
    voxels: Option<Uint8Array>,
    max_bytes: Option<f64>,
) -> Result<VolumeFile<'static>> {
    let limits = max_bytes.map_or_else(Limits::default, |bytes| Limits { bytes: bytes as u64 });
    let source = |bytes: Uint8Array| {
        let length = bytes.length().into();
        ByteSource::new(JsBytes { bytes, at: 0 }, length)
    };
    VolumeFile::open(source(header), voxels.map(source), &limits)
}
