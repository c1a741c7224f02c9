//! The participant level: for each scan a mask with what lies beside it, or the reason why there is none.

use super::super::inference::{load, share_done};
use super::super::output::{SOME_FAILED, print_line, progress_bar, stop_on_ctrl_c};
use super::super::report::{report, sha256};
use super::arguments::Arguments;
use super::dataset::{Found, Scan, find_scans};
use super::derivative::{self, Kind};
use super::picture::picture;
use super::record::{MadeOf, Outcome, Outputs, Record, RunOptions, model_sha256};
use super::sidecars;
use super::words::scans;
use indicatif::ProgressBar;
use insitu_seg::native::{ModelFiles, create_folder, parent_folder, write_file};
use insitu_seg::predict::{ChosenBoxes, Model, SegmentProgress, segment_boxes};
use insitu_seg::{Error, ErrorKind, Result};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Suffix of the images where nothing is said.
const SUFFIX: &str = "T1w";
/// Units of the progress bar for one scan.
const BAR_UNITS: u64 = 1000;

/// Segments every wanted scan that is not done. A scan that fails stops no other.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { bids_dir, out_dir, model, .. } = arguments;
    let suffix = arguments.suffix.as_deref().unwrap_or(SUFFIX);
    let Found { scans, misnamed } = find_scans(bids_dir, suffix, &arguments.selection())?;
    for file in misnamed {
        eprintln!(
            "insitu: warning: {file} is left out: its name is not that of an image of its folder in BIDS"
        );
    }
    let source = ModelFiles::find(&model.model)?;
    let options = RunOptions::new(model.ensemble, model.inference(&source.card)?);
    let kind = Kind { model: source.card.name.clone(), suffix: suffix.to_owned() };
    derivative::check(out_dir, bids_dir, &kind)?;
    derivative::describe(out_dir, bids_dir, &kind)?;
    let model_sha256 = model_sha256(&source.card)?;
    let bar = progress_bar(BAR_UNITS * scans.len() as u64, "{msg} [{bar:40}] {percent}%, {eta} left");
    let mut level =
        Level { arguments, source, model: None, model_sha256, options, bar, stop: stop_on_ctrl_c() };
    let mut count = Count::default();
    for (number, scan) in scans.iter().enumerate() {
        level.bar.set_position(BAR_UNITS * number as u64);
        level.bar.set_message(scan.source.clone());
        count.add(level.scan(scan)?);
    }
    level.bar.finish_and_clear();
    print_line(&format!("{}: {count}", out_dir.display()))?;
    Ok(if count.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
}

/// How many scans ended in which way.
#[derive(Default)]
struct Count {
    made: usize,
    current: usize,
    failed: usize,
}

/// How a scan ended.
#[derive(Clone, Copy)]
enum End {
    Made,
    Current,
    Failed,
}

impl Count {
    fn add(&mut self, end: End) {
        *match end {
            End::Made => &mut self.made,
            End::Current => &mut self.current,
            End::Failed => &mut self.failed,
        } += 1;
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { made, current, failed } = self;
        write!(
            f,
            "{}: {made} segmented, {current} as they were, {failed} failed",
            scans(made + current + failed)
        )
    }
}

/// A run of this level.
struct Level<'a> {
    arguments: &'a Arguments,
    source: ModelFiles,
    /// Opened for the first scan that needs it.
    model: Option<Model>,
    model_sha256: String,
    options: RunOptions,
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
}

impl Level<'_> {
    /// Brings the outputs of a scan up to date.
    ///
    /// # Errors
    /// What stops the whole run: the model cannot be opened, outputs cannot be written, or Ctrl-C.
    fn scan(&mut self, scan: &Scan) -> Result<End> {
        let Arguments { bids_dir, out_dir, .. } = self.arguments;
        self.go_on()?;
        let image = bids_dir.join(&scan.source);
        if let Some(twin) = &scan.twin {
            let error =
                Error::argument(scan.source.clone(), format!("{twin} beside it"), "one image of this name");
            self.say(&format!("insitu: {error}"));
            return Ok(End::Failed);
        }
        let outputs = Outputs::new(out_dir, scan, &self.source.card.name);
        let (input_sha256, unreadable) = match sha256(&image) {
            Ok(hash) => (hash, None),
            Err(error) => (String::new(), Some(error)),
        };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let (model_sha256, options) = (self.model_sha256.clone(), self.options);
        let made_of = MadeOf { input_sha256, model_sha256, version, options };
        if let Some(record) = outputs.current(&made_of) {
            let Outcome::Failed { reason, .. } = record.outcome else { return Ok(End::Current) };
            self.say(&format!("insitu: {reason} (as before; not tried again)"));
            return Ok(End::Failed);
        }
        outputs.remove()?;
        create_folder(parent_folder(&outputs.record))?;
        let since = Instant::now();
        let done = match unreadable {
            Some(error) => Err(Stop::Scan(error)),
            None => self.segment(scan, &image, &outputs),
        };
        let (outcome, end) = match done {
            Ok(outcome) => (outcome, End::Made),
            Err(Stop::Scan(error)) => {
                if error.kind == ErrorKind::Device {
                    self.model = None; // the next scan opens the device anew
                }
                (Outcome::failed(&error, bids_dir), End::Failed)
            }
            Err(Stop::Run(error)) => return Err(error),
        };
        match &outcome {
            Outcome::Done { .. } => {
                self.say(&format!("{}: {:.2} s", scan.source, since.elapsed().as_secs_f64()));
            }
            Outcome::Failed { reason, .. } => self.say(&format!("insitu: {reason}")),
        }
        Record::new(scan, made_of, outcome).write(&outputs.record)?;
        Ok(end)
    }

    /// # Errors
    /// `Cancelled` after Ctrl-C.
    fn go_on(&self) -> Result<()> {
        if self.stop.load(Ordering::SeqCst) { Err(Error::cancelled("insitu bids")) } else { Ok(()) }
    }

    fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// Segments an image, and writes all but the record.
    fn segment(
        &mut self,
        scan: &Scan,
        image: &Path,
        outputs: &Outputs,
    ) -> std::result::Result<Outcome, Stop> {
        let card = &self.source.card;
        let of_scan = |error: Error| Stop::Scan(error.of_file(image));
        let volume = load(image, card, &self.arguments.budget.limits()).map_err(of_scan)?;
        if self.model.is_none() {
            self.model = Some(self.arguments.model.open(&self.source).map_err(Stop::Run)?);
        }
        let Some(model) = &self.model else { return Err(Stop::Run(Error::cancelled("the model"))) };
        let (bar, stop, begun) = (&self.bar, &self.stop, self.bar.position());
        let mut on_progress = |progress: SegmentProgress| {
            bar.set_position(begun + (share_done(progress) * BAR_UNITS as f64) as u64);
            if stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let chosen = ChosenBoxes::default();
        let result = pollster::block_on(segment_boxes(model, &volume, &chosen, &mut on_progress)).map_err(
            |error| {
                if error.kind == ErrorKind::Cancelled { Stop::Run(error) } else { of_scan(error) }
            },
        )?;
        self.go_on().map_err(Stop::Run)?;
        let drawn = picture(&volume, &result).map_err(of_scan)?;
        let run = report(model, image, &result).map_err(of_scan)?;
        let write = || {
            result.save(&outputs.mask, &volume)?;
            let description = sidecars::description(scan, card, &self.model_sha256);
            write_file(&outputs.sidecar, description.as_bytes())?;
            write_file(&outputs.labels, sidecars::labels(&result).as_bytes())?;
            write_file(&outputs.volumes, sidecars::volumes(&result).as_bytes())?;
            write_file(&outputs.picture, &drawn)
        };
        write().map_err(Stop::Run)?;
        Ok(Outcome::Done { run })
    }
}

/// What an error stops.
enum Stop {
    /// This scan alone.
    Scan(Error),
    /// All of them.
    Run(Error),
}
