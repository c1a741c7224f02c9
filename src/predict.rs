//! The cascade: from a volume to its mask. [`segment`] is all of it, step by step.

mod boxes;
mod cascade;
mod forecast;
mod objects;
mod options;
mod progress;
mod run;
mod segment;
mod segmentation;
mod self_check;
mod transform;
mod upsample;

pub use crate::prepare::Image;
pub use boxes::{Bounds, MeasuredVolume, NamedBox, ObjectBox};
pub use cascade::Model;
pub use forecast::{RunForecast, TrainablePatch};
pub use options::InferenceOptions;
#[cfg(feature = "train")]
pub(crate) use progress::PhaseTimer;
pub use progress::{Phase, ProgressFn, SegmentProgress, Timing};
pub use run::{segment, segment_boxes, segment_within};
pub use segment::{image_warnings, out_of_distribution_warning};
#[cfg(feature = "train")]
pub(crate) use segment::{locate, segment_patch};
pub use segmentation::{LabelVolume, Segmentation, volumes_csv};
pub use self_check::self_check;
pub use transform::SpatialTransform;
