//! The stages of a run by the browser's own clock: its developer tools show them, and so does the run's report.

use crate::predict::Phase;
use js_sys::Reflect;
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Performance;

/// What the names of our measures begin with, beside those of the page.
const OURS: &str = "insitu-seg ";
/// The file is read, and its voxels are decoded.
pub const READ: &str = "read";
/// Mask and segmentation are written as files.
pub const WRITE: &str = "write";

/// A stage that has ended.
#[derive(Debug, Serialize)]
pub struct Measure {
    name: &'static str,
    /// Milliseconds since the run began.
    start: f64,
    ms: f64,
}

/// One stage after the other; no time lies between them.
pub struct Stages {
    /// Every browser has one, in pages and in workers.
    clock: Option<Performance>,
    began: f64,
    current: &'static str,
    since: f64,
    ended: Vec<Measure>,
}

impl Stages {
    /// Begins the first stage. What is left of the last run is cleared: it would pile up over the life of a page.
    pub fn begin(first: &'static str) -> Self {
        let clock = Reflect::get(&js_sys::global(), &"performance".into());
        let clock = clock.ok().and_then(|found: JsValue| found.dyn_into::<Performance>().ok());
        let phases = [Phase::Prepare, Phase::Whole, Phase::Patch, Phase::Restore].map(Phase::name);
        if let Some(clock) = &clock {
            phases
                .into_iter()
                .chain([READ, WRITE])
                .for_each(|name| clock.clear_measures_with_measure_name(&ours(name)));
        }
        let now = clock.as_ref().map_or(0.0, Performance::now);
        let stages = Self { clock, began: now, current: first, since: now, ended: Vec::new() };
        stages.mark();
        stages
    }

    /// Ends the stage that runs, unless it is this one, and begins this one.
    pub fn enter(&mut self, name: &'static str) {
        if self.current == name {
            return;
        }
        self.leave();
        self.current = name;
        self.mark();
    }

    /// Ends the last stage: all of them, in order.
    pub fn end(mut self) -> Vec<Measure> {
        self.leave();
        self.ended
    }

    fn mark(&self) {
        // A browser that keeps no record changes no run.
        let _ = self.clock.as_ref().map(|clock| clock.mark(&ours(self.current)));
    }

    fn leave(&mut self) {
        let Some(clock) = &self.clock else { return };
        let (name, now) = (ours(self.current), clock.now());
        let _ = clock.measure_with_start_mark(&name, &name);
        clock.clear_marks_with_mark_name(&name);
        let tenths = |ms: f64| (ms * 10.0).round() / 10.0;
        let (start, ms) = (tenths(self.since - self.began), tenths(now - self.since));
        self.ended.push(Measure { name: self.current, start, ms });
        self.since = now;
    }
}

fn ours(name: &str) -> String {
    format!("{OURS}{name}")
}
