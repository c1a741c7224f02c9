//! Tuning a model on annotated cases without making it worse.
//!
//! ```text
//! case            an image with annotations; 255 where there is none
//! domain          does it resemble the model's training images? (crate::domain)
//! validation      which annotated voxels train, and which validate
//! original        what the original model makes of the cases
//! patch_sampler   training samples, with their targets and weights
//! fine_tuner      the steps of one network; best_weights keeps the best ones
//! evaluation      scores before and after
//! acceptance      accepted, refused with the reason, or offered as a variant of one's own
//! weights, delta  the model in memory, and the file of the tuned tensors
//! merge, judge    the mean of several such files; whether it holds on one's own annotations
//! ```
//! [`tune`] is that road. The model that is given does not change; the result is another model, or none. Beside it,
//! [`suggest`] finds the slices in which an annotation would teach most.

pub mod acceptance;
mod best_weights;
pub mod case;
pub mod config;
pub mod delta;
pub mod evaluation;
pub mod fine_tuner;
mod gradient_check;
mod judge;
mod merge;
pub mod original;
pub mod patch_sampler;
pub mod progress;
pub mod report;
mod run;
pub mod scope;
pub mod suggest;
pub mod validation;
pub mod weights;

pub use acceptance::{AcceptanceBounds, Cause, Verdict};
pub use case::{AnnotatedCase, UNANNOTATED};
pub use config::TuneConfig;
pub use delta::{Standing, WeightDelta};
pub use judge::judge;
pub use progress::{TunePhase, TuneProgress, TuneProgressFn};
pub use report::TuneReport;
pub use run::{TuneOutcome, tune};
pub use scope::Scope;
pub use weights::{Files, ModelWeights};
