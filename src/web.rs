//! The only place that knows JavaScript. Every function hands over to the core and turns its answer into plain
//! objects and typed arrays; errors become `Error` objects with a stable `code`.

mod measure;
mod tune;

use self::tune::Tuning;
use crate::card::Card;
use crate::engine::compute::{Backend, Compute};
use crate::error::{Error, Result};
use crate::file::{ByteSource, Limits, Nifti, Volume, write_labels, write_seg_nrrd};
use crate::grid::{Reorientation, isotropic_dims};
use crate::info::VolumeInfo;
use crate::predict::{
    Bounds, Model, RunForecast, SegmentProgress, Segmentation, SpatialTransform, image_warnings,
    segment_within, self_check,
};
use crate::tune::ModelWeights;
use js_sys::{Array, Float32Array, Function, Object, Reflect, Uint8Array};
use serde::Serialize;
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;
use wasm_bindgen::prelude::*;

// For its export, `initThreadPool`: starts the threads that share the work, each in a worker.
#[cfg(all(feature = "threads", target_arch = "wasm32"))]
use wasm_bindgen_rayon as _;

/// Runs once when the module is loaded: panics become messages on the console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// What a file says of itself; see [`VolumeInfo`]. `header` is a whole file, or with `voxels` the `.hdr` of a pair.
/// The bytes stay in JavaScript's memory. `max_bytes` is the largest volume, decoded; 2 GiB by default.
///
/// # Errors
/// As [`Nifti::open`] and [`Nifti::read`]; the error has the `checks` of the file.
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
/// As [`Nifti::open`] and [`Nifti::read`].
#[wasm_bindgen]
pub fn read(
    header: Uint8Array,
    voxels: Option<Uint8Array>,
    max_bytes: Option<f64>,
) -> std::result::Result<JsValue, JsValue> {
    let volume = open(header, voxels, max_bytes).and_then(Nifti::read).map_err(|error| thrown(&error))?;
    let value = plain(&place(&volume, &volume.grid.orientation()));
    let count: usize = volume.grid.dims.iter().product();
    let values: Vec<f32> =
        volume.voxels.chunks_exact(count).flat_map(|channel| volume.reorientation.undo(channel)).collect();
    set(&value, "channels", &volume.channels.into());
    set(&value, "values", &Float32Array::from(values.as_slice()));
    Ok(value)
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

fn open(header: Uint8Array, voxels: Option<Uint8Array>, max_bytes: Option<f64>) -> Result<Nifti<'static>> {
    let limits = max_bytes.map_or_else(Limits::default, |bytes| Limits { bytes: bytes as u64 });
    let source = |bytes: Uint8Array| {
        let length = bytes.length().into();
        ByteSource::new(JsBytes { bytes, at: 0 }, length)
    };
    Nifti::open(source(header), voxels.map(source), &limits)
}

/// A model on a device.
#[wasm_bindgen]
pub struct Session {
    model: Model,
    tuning: Tuning,
}

#[wasm_bindgen]
impl Session {
    /// Opens the backend (`webgpu` or `cpu`) and loads a model: the bytes of `model.json` and `[name, bytes]` for
    /// each weight file, and tuned weights where there are any. A GPU is compared with the CPU on a small input before it
    /// is trusted.
    ///
    /// # Errors
    /// An unknown backend, a damaged model, tuned weights of another one, a device that is missing or computes wrongly.
    pub async fn create(
        backend: String,
        card: Vec<u8>,
        weights: Array,
        delta: Option<Vec<u8>>,
    ) -> std::result::Result<Self, JsValue> {
        let mut session = create(&backend, &card, &files(&weights)).await.map_err(|error| thrown(&error))?;
        if delta.is_some() {
            session.set(delta.as_deref()).map_err(|error| thrown(&error))?;
        }
        Ok(session)
    }

    /// Segments a file, given as for [`inspect`]; `progress(stage, done, total)` is called as the work goes on. `bounds`: the box
    /// in which the patch network is to look, first three and last three (exclusive) numbers in voxels of the file.
    ///
    /// # Errors
    /// As [`Nifti::read`] and [`segment_within`].
    pub async fn segment(
        &self,
        header: Uint8Array,
        voxels: Option<Uint8Array>,
        max_bytes: Option<f64>,
        name: String,
        bounds: Option<Vec<u32>>,
        progress: Function,
    ) -> std::result::Result<JsValue, JsValue> {
        let opened = open(header, voxels, max_bytes);
        run(&self.model, opened, bounds, &progress).await.map_err(|error| thrown(&error.within(name)))
    }

    /// The field of view of a file, given as for [`inspect`], and whether the model was trained on such: its header says.
    ///
    /// # Errors
    /// As [`Nifti::open`].
    #[wasm_bindgen(js_name = fieldOfView)]
    pub fn field_of_view(
        &self,
        header: Uint8Array,
        voxels: Option<Uint8Array>,
        max_bytes: Option<f64>,
    ) -> std::result::Result<JsValue, JsValue> {
        #[derive(Serialize)]
        struct FieldOfView {
            mm: [usize; 3],
            fits: bool,
        }
        let opened = open(header, voxels, max_bytes).map_err(|error| thrown(&error))?;
        let grid = &opened.header().map_err(|error| thrown(&error))?.grid;
        let axes = Reorientation::to_ras(grid);
        let mm = isotropic_dims(axes.ras_dims(), axes.permuted(grid.spacing()));
        let fits = self.model.card.field_mm.warning(mm.map(|side| side as f64)).is_none();
        Ok(plain(&FieldOfView { mm, fits }))
    }

    /// What [`Self::segment`] will take, before any work: see [`crate::predict::RunForecast`]. With `train` also the largest
    /// patch on which the patch network can learn.
    ///
    /// # Errors
    /// As [`Nifti::open`], and what `segment` would refuse.
    pub async fn plan(
        &self,
        header: Uint8Array,
        voxels: Option<Uint8Array>,
        max_bytes: Option<f64>,
        train: bool,
    ) -> std::result::Result<JsValue, JsValue> {
        forecast(&self.model, open(header, voxels, max_bytes), train).await.map_err(|error| thrown(&error))
    }
}

/// Bytes that training may take: what a phone's or a laptop's GPU has to give.
const TRAINING: u64 = 1_500_000_000;

async fn forecast(model: &Model, opened: Result<Nifti<'_>>, train: bool) -> Result<JsValue> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Forecast {
        backend: &'static str,
        adapter: String,
        peak_bytes: u64,
        seconds: f64,
        dims: [usize; 3],
        #[serde(skip_serializing_if = "Option::is_none")]
        training: Option<Largest>,
        warnings: Vec<String>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Largest {
        patch: [usize; 3],
        peak_bytes: u64,
    }
    let opened = opened?;
    let header = opened.header()?;
    model.card.check_channels(header.channels)?;
    let RunForecast { backend, adapter, peak_bytes, seconds, dims } =
        model.plan(&header.grid, opened.limits()).await?;
    let largest = if train { model.plan_training(TRAINING) } else { None };
    let training = largest.map(|found| Largest { patch: [found.side; 3], peak_bytes: found.peak_bytes });
    let warnings = warnings(model, &opened.read()?)?;
    Ok(plain(&Forecast { backend, adapter, peak_bytes, seconds, dims, training, warnings }))
}

/// Whether the image is such as the model was trained on.
fn warnings(model: &Model, volume: &Volume) -> Result<Vec<String>> {
    let (transform, image) = SpatialTransform::forward(volume, &model.card)?;
    Ok(image_warnings(model, &transform, &image))
}

fn named(backend: &str) -> Result<Backend> {
    match backend {
        "webgpu" => Ok(Backend::Gpu),
        "cpu" => Ok(Backend::Cpu),
        other => Err(Error::argument("backend", format!("\"{other}\""), "\"webgpu\" or \"cpu\"")),
    }
}

async fn create(backend: &str, card: &[u8], weights: &HashMap<String, Vec<u8>>) -> Result<Session> {
    let compute = Compute::open(named(backend)?).await?;
    let file = |name: &str| {
        let found = weights.get(name).cloned();
        found.ok_or_else(|| Error::argument("weights", format!("no {name}"), "every file of the card"))
    };
    let origin = ModelWeights::load(Card::read(card)?, file)?;
    let model = origin.model(&compute)?;
    if compute.is_gpu() {
        self_check(&model, &origin.model(&Compute::Cpu)?).await?;
    }
    Ok(Session { model, tuning: Tuning { current: origin.clone(), origin, delta: None } })
}

/// `[x, y, z, x, y, z]` as a box.
fn corners(numbers: &[u32]) -> Result<Bounds> {
    let number = |axis: usize| numbers[axis] as usize;
    match numbers.len() {
        6 => Ok(([0, 1, 2].map(number), [3, 4, 5].map(number))),
        n => Err(Error::argument("box", format!("{n} numbers"), "6, its start and its end")),
    }
}

async fn run(
    model: &Model,
    opened: Result<Nifti<'_>>,
    bounds: Option<Vec<u32>>,
    progress: &Function,
) -> Result<JsValue> {
    let bounds = bounds.map(|numbers| corners(&numbers)).transpose()?;
    let opened = opened?;
    model.card.check_channels(opened.header()?.channels)?;
    let volume = opened.read()?;
    let mut on_progress = |SegmentProgress { stage, done }: SegmentProgress| {
        // A listener that throws does not stop the work; the way to stop it is to end the worker.
        let _ = progress.call3(&JsValue::NULL, &stage.name().into(), &done.into(), &1.into());
        ControlFlow::Continue(())
    };
    let result = segment_within(model, &volume, bounds, &mut on_progress).await?;
    let value = answer(&result, &volume);
    set(&value, "nifti", &Uint8Array::from(write_labels(&result.labels, &volume, true)?.as_slice()));
    let nrrd = write_seg_nrrd(&result.labels, &volume, &result.segments())?;
    set(&value, "nrrd", &Uint8Array::from(nrrd.as_slice()));
    Ok(value)
}

/// Where the voxels of a file lie.
#[derive(Serialize)]
struct Place<'a> {
    dims: [usize; 3],
    spacing: [f64; 3],
    affine: [[f64; 4]; 4],
    orientation: &'a str,
}

/// The answer's small facts; bulk data is put beside them as typed arrays.
#[derive(Serialize)]
struct Facts<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    classes: &'a [crate::predict::LabelVolume],
    r#box: Corners,
    warnings: &'a [String],
    timings: &'a [crate::predict::Timing],
    csv: String,
}

#[derive(Serialize)]
struct Corners {
    start: [usize; 3],
    end: [usize; 3],
}

fn place<'a>(volume: &Volume, orientation: &'a str) -> Place<'a> {
    let grid = &volume.grid;
    Place { dims: grid.dims, spacing: grid.spacing(), affine: grid.affine, orientation }
}

fn answer(result: &Segmentation, volume: &Volume) -> JsValue {
    let (start, end) = result.region;
    let value = plain(&Facts {
        place: place(volume, &result.orientation),
        classes: &result.classes,
        r#box: Corners { start, end },
        warnings: &result.warnings,
        timings: &result.timings,
        csv: result.to_csv(),
    });
    set(&value, "labels", &Uint8Array::from(result.labels.as_slice()));
    value
}

/// `[[name, bytes], ...]` as a map.
fn files(list: &Array) -> HashMap<String, Vec<u8>> {
    let pair = |item: JsValue| {
        let pair = Array::from(&item);
        Some((pair.get(0).as_string()?, Uint8Array::new(&pair.get(1)).to_vec()))
    };
    list.iter().filter_map(pair).collect()
}

/// A value as plain objects and arrays, numbers as numbers.
fn plain(value: &impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).unwrap_or_else(|error| error.into())
}

fn set(object: &JsValue, name: &str, value: &JsValue) {
    // Setting a property of a plain object that we just made cannot fail.
    let _ = Reflect::set(object.unchecked_ref::<Object>(), &name.into(), value);
}

/// An `Error` with our sentence as its message and our code as its `code`.
fn thrown(error: &Error) -> JsValue {
    let value: JsValue = js_sys::Error::new(&error.to_string()).into();
    set(&value, "code", &error.code().into());
    value
}
