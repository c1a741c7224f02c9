//! A model on a device, and what a page asks of it.

use super::boxes::chosen_boxes;
use super::convert::{files, named, plain, set, thrown};
use super::device;
use super::file::open;
use super::files::{Place, place};
use super::stages::{self, Stages};
use crate::card::Card;
use crate::engine::compute::Compute;
use crate::error::{Error, Result};
use crate::file::{Volume, VolumeFile, write_labels, write_seg_nrrd};
use crate::grid::{Reorientation, isotropic_dims};
use crate::predict::{
    MeasuredVolume, Model, ObjectBox, RunForecast, SegmentProgress, Segmentation, Views, field_mm,
    image_warnings, segment_views, self_check, view_of_file,
};
use crate::tune::{ModelWeights, WeightDelta};
use js_sys::{Array, Function, Uint8Array};
use serde::Serialize;
use std::collections::HashMap;
use std::ops::ControlFlow;
use wasm_bindgen::prelude::*;

/// The model as it came, what was tuned of it so far, and the case that it must not get worse on.
pub struct Tuning {
    /// As it came.
    pub origin: ModelWeights,
    /// As it is.
    pub current: ModelWeights,
    /// What is between them.
    pub delta: Option<WeightDelta>,
}

/// A model on a device.
#[wasm_bindgen]
pub struct Session {
    pub(super) model: Model,
    pub(super) tuning: Tuning,
    /// Files that came later.
    added: Vec<(String, Vec<u8>)>,
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

    /// Segments a file, given as for [`inspect`]; `progress(stage, done, total)` is called as the work goes on. `chosen`:
    /// `{ boxes: [{ object, start, end }], only }`, the boxes of some objects in voxels of the file, and whether nothing else is
    /// asked for; or undefined.
    ///
    /// # Errors
    /// As [`VolumeFile::read`] and [`segment_views`]; `Argument` for the name of no object.
    pub async fn segment(
        &self,
        header: JsValue,
        voxels: JsValue,
        max_bytes: Option<f64>,
        name: String,
        chosen: JsValue,
        progress: Function,
    ) -> std::result::Result<JsValue, JsValue> {
        let stages = Stages::begin(stages::READ);
        let opened = open(header, voxels, max_bytes);
        run(&self.model, opened, chosen, &progress, stages).await.map_err(|error| thrown(&error.within(name)))
    }

    /// The field of view of a file, given as for [`inspect`], and whether the model was trained on such: its header says.
    ///
    /// # Errors
    /// As [`VolumeFile::open`].
    #[wasm_bindgen(js_name = fieldOfView)]
    pub fn field_of_view(
        &self,
        header: JsValue,
        voxels: JsValue,
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
        let sides = mm.map(|side| side as f64);
        let card = &self.model.card;
        let trained =
            card.scan.as_ref().filter(|_| card.is_scan(sides)).map_or(&card.field_mm, |scan| &scan.field_mm);
        let fits = trained.warning(sides).is_none();
        Ok(plain(&FieldOfView { mm, fits }))
    }

    /// The files beyond those of [`Self::create`] that a file, given as for [`inspect`], needs: see [`Model::missing`].
    ///
    /// # Errors
    /// As [`VolumeFile::open`].
    pub fn missing(
        &self,
        header: JsValue,
        voxels: JsValue,
        max_bytes: Option<f64>,
    ) -> std::result::Result<Vec<String>, JsValue> {
        let opened = open(header, voxels, max_bytes).map_err(|error| thrown(&error))?;
        let mm = field_mm(&opened.header().map_err(|error| thrown(&error))?.grid);
        Ok(self.model.missing(mm).into_iter().map(ToOwned::to_owned).collect())
    }

    /// Adds a file that is [missing](Self::missing). A GPU is compared with the CPU on a small input before it is trusted.
    ///
    /// # Errors
    /// As [`Model::add`]; a device that computes wrongly.
    pub async fn add(&mut self, name: String, bytes: Vec<u8>) -> std::result::Result<(), JsValue> {
        self.add_file(name, bytes).await.map_err(|error| thrown(&error))
    }

    /// What [`Self::segment`] will take, before any work: see [`crate::predict::RunForecast`]. With `train` also the largest
    /// patch on which the patch network can learn.
    ///
    /// # Errors
    /// As [`VolumeFile::open`], and what `segment` would refuse.
    pub async fn plan(
        &self,
        header: JsValue,
        voxels: JsValue,
        max_bytes: Option<f64>,
        train: bool,
    ) -> std::result::Result<JsValue, JsValue> {
        forecast(&self.model, open(header, voxels, max_bytes), train).await.map_err(|error| thrown(&error))
    }
}

impl Session {
    async fn add_file(&mut self, name: String, bytes: Vec<u8>) -> Result<()> {
        self.model.add(&name, &bytes)?;
        self.added.push((name, bytes));
        if self.model.compute().is_gpu() {
            let mut cpu = self.tuning.current.model(&Compute::Cpu)?;
            self.added.iter().try_for_each(|(name, bytes)| cpu.add(name, bytes))?;
            self_check(&self.model, &cpu).await?;
        }
        Ok(())
    }

    /// Puts other tuned weights on the model as it came, or none.
    pub(super) fn set(&mut self, delta: Option<&[u8]>) -> Result<()> {
        let delta = delta.map(WeightDelta::read).transpose()?;
        let origin = &self.tuning.origin;
        let current = delta.as_ref().map_or_else(|| Ok(origin.clone()), |delta| delta.apply(origin))?;
        self.go_on_with(current, delta)
    }

    /// Runs other weights from now on, with the files that came later.
    pub(super) fn go_on_with(&mut self, current: ModelWeights, delta: Option<WeightDelta>) -> Result<()> {
        let mut model = current.model(self.model.compute())?;
        self.added.iter().try_for_each(|(name, bytes)| model.add(name, bytes))?;
        self.model = model;
        (self.tuning.current, self.tuning.delta) = (current, delta);
        Ok(())
    }
}

/// Bytes that training may take: what a phone's or a laptop's GPU has to give.
const TRAINING: u64 = 1_500_000_000;

async fn forecast(model: &Model, opened: Result<VolumeFile<'_>>, train: bool) -> Result<JsValue> {
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
    let (transform, image) = view_of_file(opened, &model.card)?;
    let warnings = image_warnings(model, &transform, &image);
    Ok(plain(&Forecast { backend, adapter, peak_bytes, seconds, dims, training, warnings }))
}

async fn create(backend: &str, card: &[u8], weights: &HashMap<String, Vec<u8>>) -> Result<Session> {
    let compute = device::open(named(backend)?).await?;
    let file = |name: &str| {
        let found = weights.get(name).cloned();
        found.ok_or_else(|| Error::argument("weights", format!("no {name}"), "every file of the card"))
    };
    let origin = ModelWeights::load(Card::read(card)?, file)?;
    let model = origin.model(&compute)?;
    if compute.is_gpu() {
        self_check(&model, &origin.model(&Compute::Cpu)?).await?;
    }
    Ok(Session { model, tuning: Tuning { current: origin.clone(), origin, delta: None }, added: Vec::new() })
}

async fn run(
    model: &Model,
    opened: Result<VolumeFile<'_>>,
    chosen: JsValue,
    progress: &Function,
    mut stages: Stages,
) -> Result<JsValue> {
    let chosen = chosen_boxes(chosen)?;
    let opened = opened?;
    model.card.check_channels(opened.header()?.channels)?;
    let mut on_progress = |SegmentProgress { stage, done }: SegmentProgress| {
        stages.enter(stage.name());
        // A listener that throws does not stop the work; the way to stop it is to end the worker.
        let _ = progress.call3(&JsValue::NULL, &stage.name().into(), &done.into(), &1.into());
        ControlFlow::Continue(())
    };
    let (volume, views) = Views::of_file(model, opened, &chosen, &mut on_progress)?;
    let result = segment_views(model, &volume, views, &chosen, &mut on_progress).await?;
    stages.enter(stages::WRITE);
    let value = answer(&result, &volume);
    set(&value, "nifti", &Uint8Array::from(write_labels(&result.labels, &volume, true)?.as_slice()));
    let nrrd = write_seg_nrrd(&result.labels, &volume, &result.segments())?;
    set(&value, "nrrd", &Uint8Array::from(nrrd.as_slice()));
    set(&value, "measures", &plain(&stages.end()));
    Ok(value)
}

/// The answer's small facts; bulk data is put beside them as typed arrays.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    classes: &'a [crate::predict::LabelVolume],
    r#box: Corners,
    boxes: &'a [ObjectBox],
    #[serde(skip_serializing_if = "Option::is_none")]
    intracranial_ml: Option<f64>,
    warnings: &'a [String],
    timings: &'a [crate::predict::Timing],
    csv: String,
}

#[derive(Serialize)]
struct Corners {
    start: [usize; 3],
    end: [usize; 3],
}

/// All inside the skull, as a model's card calls it.
fn is_intracranial(volume: &MeasuredVolume) -> bool {
    volume.name == "intracranial"
}

fn answer(result: &Segmentation, volume: &Volume) -> JsValue {
    let (start, end) = result.region;
    let value = plain(&Facts {
        place: place(volume, &result.orientation),
        classes: &result.classes,
        r#box: Corners { start, end },
        boxes: &result.boxes,
        intracranial_ml: result.measured.iter().find(|one| is_intracranial(one)).map(|one| one.milliliters),
        warnings: &result.warnings,
        timings: &result.timings,
        csv: result.to_csv(),
    });
    set(&value, "labels", &Uint8Array::from(result.labels.as_slice()));
    value
}
