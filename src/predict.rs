//! The cascade: from a volume to its mask. [`segment`] is the whole road, to be read aloud.

mod cascade;
mod forecast;
mod transform;
mod upsample;

pub use crate::prepare::Image;
pub use cascade::{InferenceOptions, Model, self_check};
pub use forecast::{RunForecast, TrainablePatch};
pub use transform::SpatialTransform;

use crate::card::{Card, Label};
use crate::components;
use crate::error::{Error, Result};
use crate::file::{Segment, Volume};
use std::ops::ControlFlow;
use web_time::Instant;

/// Where the work stands: the stage's name and the share of it that is done, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentProgress {
    /// `prepare`, `whole`, `patch` or `restore`.
    pub stage: &'static str,
    /// Share of the stage that is done.
    pub done: f64,
}

/// Hears about progress; a `Break` stops the work.
pub type ProgressFn<'a> = dyn FnMut(SegmentProgress) -> ControlFlow<()> + 'a;

/// A label with its size in a mask.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LabelVolume {
    /// Value in the mask, name and colour.
    #[serde(flatten)]
    pub label: Label,
    /// Number of voxels.
    pub voxels: usize,
    /// Volume in mL.
    pub milliliters: f64,
}

/// How long a stage took.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Timing {
    /// The stage.
    pub stage: &'static str,
    /// Milliseconds.
    pub ms: f64,
}

/// A mask on the file's own grid, and what is to be said of it.
#[derive(Debug, Clone)]
pub struct Segmentation {
    /// One label per voxel, in the file's own order.
    pub labels: Vec<u8>,
    /// Size of each label.
    pub classes: Vec<LabelVolume>,
    /// Where the axes of the file point, for example `LPS`: the sides of the body that each index runs to.
    pub orientation: String,
    /// The box in which the patch network looked, in voxels of the file: first, and one past the last.
    pub region: Bounds,
    /// What the reader of the mask should know.
    pub warnings: Vec<String>,
    /// Time per stage.
    pub timings: Vec<Timing>,
}

/// Segments a volume: whole network, largest object, box, patch network, and all the way back.
///
/// # Errors
/// `Limit` where the volume at 1 mm would be too large; `Device` where the device fails or gives values that no
/// network can give; `Cancelled` where `on_progress` breaks.
pub async fn segment(
    model: &Model,
    volume: &Volume,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    segment_within(model, volume, None, on_progress).await
}

/// A half-open box in voxels of the file: first, and one past the last.
pub type Bounds = ([usize; 3], [usize; 3]);

/// As [`segment`]; where somebody has chosen the box, the whole network is not asked and only the patch network runs.
///
/// # Errors
/// As [`segment`], and `Argument` where the box is empty or not within the file.
pub async fn segment_within(
    model: &Model,
    volume: &Volume,
    bounds: Option<Bounds>,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Segmentation> {
    let mut clock = Clock::start();
    report_progress(on_progress, "prepare", 0.0)?;
    let (mut transform, image) = SpatialTransform::forward(volume, &model.card)?;
    clock.lap("prepare");

    let mut seen = true;
    if let Some((start, end)) = bounds {
        transform.set_box(start, end, &model.card.preset)?;
    } else {
        let whole = transform.crop_whole(&image, &model.card.preset)?;
        let found = model.object_probabilities(&whole, on_progress).await?;
        let object;
        (object, seen) = largest_object(&found, whole.dims);
        transform.set_box_around(&object, whole.dims, &model.card.preset)?;
        clock.lap("whole");
    }

    let patch = transform.crop_patch(&image);
    let labels = if transform.is_exact() || model.options.nearest {
        let inside = model.patch_labels(&patch, on_progress).await?;
        clock.lap("patch");
        report_progress(on_progress, "restore", 0.0)?;
        transform.inverse(&inside)
    } else {
        let inside = model.patch_probabilities(&patch, on_progress).await?;
        clock.lap("patch");
        report_progress(on_progress, "restore", 0.0)?;
        let indices: Vec<u8> = model.card.labels.iter().map(|label| label.index).collect();
        transform.inverse_probabilities(&inside, &indices)
    };
    clock.lap("restore");

    let classes = classes(&model.card, &labels, volume.grid.voxel_mm3());
    let mut warnings = volume.warnings();
    warnings.extend(model.card.field_mm.warning(transform.field_mm()));
    warnings.extend(
        model
            .card
            .out_of_distribution(&image.values, image.dims)
            .map(|why| out_of_distribution_warning(&why)),
    );
    if !seen {
        warnings.push("the whole network saw no object; the box lies around its largest value".to_owned());
    }
    if labels.iter().all(|&label| label == 0) {
        warnings.push("the mask is empty".to_owned());
    }
    let orientation = volume.grid.orientation();
    Ok(Segmentation {
        labels,
        classes,
        orientation,
        region: transform.region(),
        warnings,
        timings: clock.laps,
    })
}

/// The largest connected component above one half, and whether there was any. Where nothing is above it, the
/// voxels of the largest value.
pub(crate) fn largest_object(found: &[f32], dims: [usize; 3]) -> (Vec<bool>, bool) {
    let mask: Vec<bool> = found.iter().map(|&value| value > 0.5).collect();
    if mask.contains(&true) {
        return (components::largest(&mask, dims), true);
    }
    let top = found.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mask: Vec<bool> = found.iter().map(|&value| value >= top).collect();
    (components::largest(&mask, dims), false)
}

/// What is said before an image is segmented that is unlike those that the model was trained on.
pub fn out_of_distribution_warning(why: &str) -> String {
    format!(
        "the image is unlike those that this model was trained on: {why}; do not expect a right mask before it is tuned"
    )
}

fn classes(card: &Card, labels: &[u8], voxel_mm3: f64) -> Vec<LabelVolume> {
    let mut counts = [0usize; 256];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let class = |label: &Label| {
        let voxels = counts[usize::from(label.index)];
        LabelVolume { label: label.clone(), voxels, milliliters: voxels as f64 * voxel_mm3 / 1000.0 }
    };
    card.labels.iter().map(class).collect()
}

fn report_progress(on_progress: &mut ProgressFn<'_>, stage: &'static str, done: f64) -> Result<()> {
    match on_progress(SegmentProgress { stage, done }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::cancelled(stage)),
    }
}

struct Clock {
    since: Instant,
    laps: Vec<Timing>,
}

impl Clock {
    fn start() -> Self {
        Self { since: Instant::now(), laps: Vec::new() }
    }

    fn lap(&mut self, stage: &'static str) {
        let ms = (self.since.elapsed().as_secs_f64() * 1e4).round() / 10.0;
        self.since = Instant::now();
        self.laps.push(Timing { stage, ms });
    }
}

impl Segmentation {
    /// The labels as a file for a viewer holds them, in the card's order.
    pub fn segments(&self) -> Vec<Segment<'_>> {
        let labels = self.classes.iter().map(|class| &class.label);
        labels.map(|Label { index, name, color }| Segment { label: *index, name, color }).collect()
    }

    /// The table of volumes as CSV: `index,name,voxels,milliliters`.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("index,name,voxels,milliliters\n");
        for LabelVolume { label, voxels, milliliters } in &self.classes {
            let name = label.name.replace('"', "\"\"");
            text += &format!("{},\"{name}\",{voxels},{milliliters:.4}\n", label.index);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_seen_the_largest_value_is_the_object() {
        let (mask, seen) = largest_object(&[0.1, 0.4, 0.2, 0.4], [4, 1, 1]);
        assert!(!seen);
        assert_eq!(mask, [false, true, false, false]);
    }

    #[test]
    fn volumes_are_in_millilitres() {
        let card = Card::draft("a", "a", &["one".into(), "two".into()], vec!["MRI".into()], "", "");
        let found = classes(&card, &[1, 1, 2, 0], 500.0);
        assert_eq!((found[0].voxels, found[0].milliliters), (2, 1.0));
        assert_eq!((found[1].voxels, found[1].milliliters), (1, 0.5));
    }
}
