//! Tuning in the tab: cases in, a report and a file of tuned weights out.

use super::convert::{plain, set, thrown};
use super::file::open;
use super::session::Session;
use crate::card::Card;
use crate::error::{Error, Result};
use crate::file::Volume;
use crate::tune::{
    self, AnnotatedCase, ModelWeights, Scope, Standing, TuneConfig, TuneOutcome, TuneProgress, UNANNOTATED,
    WeightDelta,
};
use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use wasm_bindgen::prelude::*;

/// What a page may say; what it leaves out is chosen.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    scope: Option<Scope>,
    steps: Option<usize>,
    minutes: Option<f64>,
    rate: Option<f64>,
    seed: Option<u64>,
    keep: Option<f64>,
    min_gain: Option<f64>,
    max_fall: Option<f64>,
    min_agreement: Option<f64>,
    /// Of merged weights, the share of those that came from elsewhere.
    share: Option<f64>,
}

/// The share of a colleague's weights where nothing is said: as much as one's own.
const SHARE: f64 = 0.5;

impl Asked {
    fn read(settings: JsValue) -> Result<Self> {
        let asked: Option<Self> = serde_wasm_bindgen::from_value(settings).map_err(|error| {
            Error::argument("settings", error.to_string(), "numbers, and a scope by its name")
        })?;
        Ok(asked.unwrap_or_default())
    }

    fn settings(&self) -> Result<TuneConfig> {
        let mut config = TuneConfig::default();
        (config.scope, config.steps, config.minutes, config.rate) =
            (self.scope, self.steps, self.minutes, self.rate);
        config.seed = self.seed.unwrap_or(config.seed);
        config.keep_weight = self.keep.unwrap_or(config.keep_weight);
        let bounds = &mut config.bounds;
        bounds.gain = self.min_gain.unwrap_or(bounds.gain);
        bounds.fall = self.max_fall.unwrap_or(bounds.fall);
        bounds.agreement = self.min_agreement.unwrap_or(bounds.agreement);
        config.check()?;
        Ok(config)
    }
}

#[wasm_bindgen]
impl Session {
    /// Tunes the model on cases, `{ name, file, voxels, labels }` each, `labels` one per voxel of the file, 255 where
    /// nothing is annotated. `reference` is a case like these, or undefined. `progress` is given a plain object, often.
    /// The answer has `report` and, where it was accepted, `delta`, the file of tuned weights; the session goes on with them.
    /// Where it was refused after it was trained, they are `refused`, and the session stays as it is.
    ///
    /// # Errors
    /// As [`tune::tune`]; the model is then as it was.
    pub async fn tune(
        &mut self,
        cases: Array,
        reference: JsValue,
        settings: JsValue,
        max_bytes: Option<f64>,
        progress: Function,
    ) -> std::result::Result<JsValue, JsValue> {
        self.learn(&cases, &reference, settings, max_bytes, &progress).await.map_err(|error| thrown(&error))
    }

    /// Merges the weights of this session with a file of tuned weights from elsewhere, by `settings.share` of the latter (one
    /// half), and compares the mean with the model as it is, on cases as of [`Self::tune`]. Where this session's model is as it
    /// came, the other weights are judged alone. The answer is as of [`Self::tune`]; its report has `merged: { deltas, shares }`.
    ///
    /// # Errors
    /// As [`tune::judge`] and [`WeightDelta::merge`], and for weights that were refused; the model is then as it was.
    pub async fn merge(
        &mut self,
        theirs: Vec<u8>,
        cases: Array,
        reference: JsValue,
        settings: JsValue,
        max_bytes: Option<f64>,
        progress: Function,
    ) -> std::result::Result<JsValue, JsValue> {
        let given = self.given(&cases, &reference, max_bytes);
        let merged = async { self.merge_with(&theirs, given?, settings, &progress).await };
        merged.await.map_err(|error| thrown(&error))
    }

    /// Puts other tuned weights on the model as it came, or none.
    ///
    /// # Errors
    /// As [`WeightDelta::read`] and [`WeightDelta::apply`]; the model is then as it was.
    #[wasm_bindgen(js_name = setDelta)]
    #[allow(clippy::needless_pass_by_value, reason = "bytes from JavaScript are owned")]
    pub fn set_delta(&mut self, delta: Option<Vec<u8>>) -> std::result::Result<(), JsValue> {
        self.set(delta.as_deref()).map_err(|error| thrown(&error))
    }

    /// Goes on with refused weights, as `tune` gave them, as a variant of one's own under a name; their file says so.
    ///
    /// # Errors
    /// As [`WeightDelta::kept_as_variant`] and [`WeightDelta::apply`]; the model is then as it was.
    #[wasm_bindgen(js_name = keepVariant)]
    #[allow(clippy::needless_pass_by_value, reason = "bytes from JavaScript are owned")]
    pub fn keep_variant(&mut self, refused: Vec<u8>, name: &str) -> std::result::Result<Vec<u8>, JsValue> {
        let kept = WeightDelta::read(&refused).and_then(|delta| delta.kept_as_variant(name)?.write());
        let kept = kept.map_err(|error| thrown(&error))?;
        self.set(Some(&kept)).map_err(|error| thrown(&error))?;
        Ok(kept)
    }

    /// The card of the model as it is.
    ///
    /// # Errors
    /// Never, of a card that was read.
    pub fn card(&self) -> std::result::Result<Vec<u8>, JsValue> {
        self.tuning.current.card.write().map_err(|error| thrown(&error))
    }

    /// Slices of a file in which an annotation would teach most, with a map of where the model does not agree with itself.
    ///
    /// # Errors
    /// As [`tune::suggest::suggest`].
    pub async fn suggest(
        &self,
        header: JsValue,
        voxels: JsValue,
        max_bytes: Option<f64>,
        count: usize,
        axis: Option<usize>,
        progress: Function,
    ) -> std::result::Result<JsValue, JsValue> {
        let found = async {
            let volume = open(header, voxels, max_bytes)?.read()?;
            let current = &self.tuning.current;
            let case =
                AnnotatedCase::new("image", &volume, vec![UNANNOTATED; volume.grid.len()], &current.card)?;
            let mut watch = |_| {
                let _ = progress.call3(&JsValue::NULL, &"suggest".into(), &0.into(), &1.into());
                ControlFlow::Continue(())
            };
            let compute = self.model.compute();
            tune::suggest::suggest(current, &case, count, axis, compute, &mut watch).await
        };
        let found = found.await.map_err(|error| thrown(&error))?;
        let value = Object::new().into();
        set(&value, "slices", &plain(&found.slices));
        set(&value, "map", &Uint8Array::from(found.map.as_slice()));
        Ok(value)
    }
}

impl Session {
    async fn learn(
        &mut self,
        cases: &Array,
        reference: &JsValue,
        settings: JsValue,
        max_bytes: Option<f64>,
        progress: &Function,
    ) -> Result<JsValue> {
        let settings = Asked::read(settings)?.settings()?;
        let (cases, reference) = self.given(cases, reference, max_bytes)?;
        let mut watch = |progress_now: TuneProgress| tell(progress, &progress_now);
        let (current, compute) = (&self.tuning.current, self.model.compute().clone());
        let TuneOutcome { report, tuned, refused } =
            tune::tune(current, &cases, reference.as_ref(), &settings, &compute, &mut watch).await?;
        let value = Object::new().into();
        set(&value, "report", &plain(&report));
        let onto_origin = |(tuned, delta): (ModelWeights, WeightDelta)| {
            delta.onto(&self.tuning.origin, &tuned, self.tuning.delta.as_ref())
        };
        if let Some(refused) = refused.map(onto_origin).transpose()? {
            set(&value, "refused", &Uint8Array::from(refused.write()?.as_slice()));
        }
        if let Some(delta) = tuned.map(onto_origin).transpose()? {
            self.take(delta, &value)?;
        }
        Ok(value)
    }

    /// Runs tuned weights from now on, and puts their file into the answer.
    fn take(&mut self, delta: WeightDelta, answer: &JsValue) -> Result<()> {
        let current = delta.apply(&self.tuning.origin)?;
        let bytes = delta.write()?;
        self.go_on_with(current, Some(delta))?;
        set(answer, "delta", &Uint8Array::from(bytes.as_slice()));
        Ok(())
    }

    /// The cases and the reference case, as JavaScript gives them.
    fn given(&self, cases: &Array, reference: &JsValue, max_bytes: Option<f64>) -> Result<Given> {
        let card = &self.tuning.current.card;
        let cases = cases.iter().map(|one| case(&one, max_bytes, card)).collect::<Result<Vec<_>>>()?;
        let reference = match reference.is_undefined() || reference.is_null() {
            true => None,
            false => Some(case(reference, max_bytes, card)?),
        };
        Ok((cases, reference))
    }

    async fn merge_with(
        &mut self,
        theirs: &[u8],
        (cases, reference): Given,
        settings: JsValue,
        progress: &Function,
    ) -> Result<JsValue> {
        let asked = Asked::read(settings)?;
        let mut merged = self.merged(theirs, asked.share.unwrap_or(SHARE))?;
        let (current, compute) = (&self.tuning.current, self.model.compute().clone());
        let candidate = merged.apply(&self.tuning.origin)?;
        let mut watch = |progress_now: TuneProgress| tell(progress, &progress_now);
        let cases = (&cases[..], reference.as_ref());
        let report =
            tune::judge(current, &candidate, cases, &asked.settings()?, &compute, &mut watch).await?;
        let mut facts = report.value()?;
        facts["merged"] = merged.about.report["merged"].clone();
        let value = Object::new().into();
        set(&value, "report", &plain(&facts));
        merged.about.report = facts;
        if report.accepted {
            self.take(merged, &value)?;
        } else {
            merged.about.standing = Standing::Refused;
            set(&value, "refused", &Uint8Array::from(merged.write()?.as_slice()));
        }
        Ok(value)
    }

    /// The mean of this session's tuned weights and others, rounded as its file holds it.
    fn merged(&self, theirs: &[u8], share: f64) -> Result<WeightDelta> {
        let theirs = WeightDelta::read(theirs)?;
        if [Some(&theirs), self.tuning.delta.as_ref()].into_iter().flatten().any(WeightDelta::is_refused) {
            let expected = "weights that were accepted, or kept as a variant";
            return Err(Error::argument("merge", "tuned weights that were refused", expected));
        }
        if !(share > 0.0 && share <= 1.0) {
            return Err(Error::argument("share", share.to_string(), "above 0, and 1 at most"));
        }
        let own = self.tuning.delta.clone().filter(|_| share < 1.0).map(|own| (own, 1.0 - share));
        let deltas: Vec<(WeightDelta, f64)> = own.into_iter().chain([(theirs, share)]).collect();
        WeightDelta::read(&WeightDelta::merge(&self.tuning.origin, &deltas)?.write()?)
    }
}

/// Cases, and the one that the model must not get worse on.
type Given = (Vec<AnnotatedCase>, Option<AnnotatedCase>);

/// A listener that throws does not stop the work; the way to stop it is to end the worker.
fn tell(progress: &Function, now: &TuneProgress) -> ControlFlow<()> {
    let _ = progress.call1(&JsValue::NULL, &told(now));
    ControlFlow::Continue(())
}

fn told(progress: &TuneProgress) -> JsValue {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        stage: &'static str,
        done: f64,
        total: u32,
        step: usize,
        seconds_left: Option<f64>,
        loss: Option<f64>,
        check: Option<f64>,
    }
    let TuneProgress { phase, step, spent, seconds_left, loss, validation_dice } = *progress;
    let stage = phase.name();
    plain(&Told { stage, done: spent, total: 1, step, seconds_left, loss, check: validation_dice })
}

/// A case as JavaScript gives it. Labels are in the file's own order, or those of another NIfTI file (`labelFile`).
fn case(given: &JsValue, max_bytes: Option<f64>, card: &Card) -> Result<AnnotatedCase> {
    let field = |name: &str| Reflect::get(given, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let name = field("name").as_string().unwrap_or_else(|| "image".to_owned());
    let missing = |what: &str| Error::argument(&name, format!("no {what}"), "an image and its labels");
    let read = |header: &str, voxels: &str| -> Result<Option<Volume>> {
        let header = field(header);
        if header.is_undefined() {
            return Ok(None);
        }
        open(header, field(voxels), max_bytes)?.read().map(Some).map_err(|error| error.within(&name))
    };
    let volume = read("file", "voxels")?.ok_or_else(|| missing("image"))?;
    let labels = field("labels").dyn_into::<Uint8Array>().ok();
    match (labels, read("labelFile", "labelVoxels")?) {
        (Some(labels), _) => AnnotatedCase::new(&name, &volume, labels.to_vec(), card),
        (None, Some(labels)) => AnnotatedCase::of_files(&name, &volume, &labels, card),
        (None, None) => Err(missing("labels")),
    }
}
