//! The cascade: from a volume to its mask. [`segment`] is all of it, step by step.

mod agreement;
mod boxes;
mod cascade;
mod forecast;
mod locate;
mod model;
mod object_maps;
mod objects;
mod options;
mod progress;
mod reading;
mod run;
mod segment;
mod segmentation;
mod self_check;
mod side;
mod transform;
mod upright;
mod upsample;
mod view;
mod views;

pub use crate::prepare::Image;
pub use boxes::{Bounds, ChosenBoxes, MeasuredVolume, NamedBox, ObjectBox};
pub use forecast::{RunForecast, TrainablePatch};
pub use model::Model;
pub use options::InferenceOptions;
#[cfg(feature = "train")]
pub(crate) use progress::PhaseTimer;
pub use progress::{Phase, ProgressFn, SegmentProgress, Timing};
pub use run::{segment, segment_boxes, segment_views, segment_within};
pub use segment::{image_warnings, out_of_distribution_warning};
pub use segmentation::{LabelVolume, Segmentation, volumes_csv};
pub use self_check::self_check;
pub use transform::{SpatialTransform, field_mm};
pub use views::{Views, view_of_file};
#[cfg(feature = "train")]
pub(crate) use {locate::locate, view::segment_patch};
