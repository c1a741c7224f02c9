//! Training a stage of a model: cases, samples, the loop. Nothing here knows the command line or the browser.
//!
//! ```text
//! manifest -> dataset (cases at 1 mm, normalised) -> split -> sampler (samples per step) -> run (steps, validation)
//! ```
//! [`fit()`] trains from start to end; [`run::TrainingRun`] is the same loop for callers that save and resume.

pub mod augment;
mod blur;
pub mod case;
pub mod config;
mod ct_window;
pub mod dataset;
pub mod divergence;
pub mod fit;
pub mod init;
mod lattice;
pub mod manifest;
pub mod prefetch;
pub mod random;
pub mod recipe;
pub mod run;
pub mod sample;
pub(crate) mod sample_box;
pub mod sampler;
pub mod scanner;
pub mod schedule;
pub mod source;
pub mod split;
pub mod synthesis;
pub(crate) mod trilinear;

pub use config::{TrainConfig, TrainingBudget};
pub use dataset::{Dataset, ReadOptions};
pub use fit::{TrainReport, fit};
pub use init::initial_weights;
pub use manifest::Manifest;
pub use recipe::TrainingRecipe;
pub use split::{FoldsBy, split_fold};
