//! What files say of themselves, and their values.

use super::convert::{plain, set, thrown};
use super::file::open;
use crate::file::{Volume, VolumeFile};
use crate::info::VolumeInfo;
use js_sys::Float32Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// What a file says of itself; see [`VolumeInfo`]. `header` is a whole file, or with `voxels` the `.hdr` of a pair, each a
/// `Uint8Array` or, in a worker, a `Blob`. `max_bytes` is the largest volume, decoded; 2 GiB by default.
///
/// # Errors
/// As [`VolumeFile::open`] and [`VolumeFile::read`]; the error has the `checks` of the file.
#[wasm_bindgen]
pub fn inspect(header: JsValue, voxels: JsValue, max_bytes: Option<f64>) -> Result<JsValue, JsValue> {
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
pub fn read(header: JsValue, voxels: JsValue, max_bytes: Option<f64>) -> Result<JsValue, JsValue> {
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
