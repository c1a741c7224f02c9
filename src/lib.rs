//! **insitu-seg**: 3-D medical image segmentation that stays where the image is.
//!
//! A cascade of two 3-D networks finds and labels a structure in a NIfTI or FreeSurfer volume, on a GPU or on the CPU. With the feature
//! `native`:
//!
#![cfg_attr(feature = "native", doc = "```")]
#![cfg_attr(not(feature = "native"), doc = "```ignore")]
//! use insitu_seg::{Model, Volume};
//!
//! fn main() -> insitu_seg::Result<()> {
//!     let model = Model::open("hippocampus")?; // the name of an installed model, or a model's folder
//!     let volume = Volume::open("pkg/samples/hippocampus/image.nii.gz")?; // or a scan of yours
//!     let mask = model.segment(&volume)?;
//!     for class in &mask.classes {
//!         println!("{}: {:.2} mL", class.label.name, class.milliliters);
//!     }
//!     mask.save(std::env::temp_dir().join("mask.nii.gz"), &volume) // on the file's own grid
//! }
//! ```
//!
//! [`Model::open`] says where models are looked for, [`ModelOptions`] what can be chosen, and
//! [`Model::segment_with`] how to show progress and to stop. [`segment`] is the same road for callers that are
//! asynchronous. Programs to begin with lie in the repository's folder `examples`: `segment`, `train`, `tune`.
//!
//! **Not a medical device. Not for diagnosis.**
//!
//! # The road
//!
//! ```text
//! bytes -> file (RAS) -> grid (1 mm) -> intensity -> predict: whole network -> box -> patch network -> labels
//! bytes <- file <- grid (the file's own)                                                        <-'
//! ```
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | none | files ([`Volume`]), grids, intensities, metrics |
//! | `nifti-object` | images of the crate `nifti` and arrays of `ndarray`, natively |
//! | `net` | model cards, weights, the networks on the CPU |
//! | `gpu` | the networks on a GPU |
//! | `threads` | several threads on the CPU |
//! | `train` | training and tuning |
//! | `native` | all of these, and models by name, calls that block, masks as files |
//! | `burn` | the networks as modules of [burn](https://burn.dev), and training by it; `cuda` and `rocm` are its GPUs |
//! | `burn-gpu` | training by burn's autodiff and optimiser with the kernels of `gpu` |
//! | `cli` | the command `insitu` |
//! | `web` | the module of a browser, of which the npm package `insitu-seg` is made |
//!
//! What this page lists is supported; modules that it does not list are public for the command only and may change.

#[doc(hidden)]
pub mod components;
#[doc(hidden)]
pub mod error;
#[doc(hidden)]
pub mod file;
#[doc(hidden)]
pub mod grid;
#[doc(hidden)]
pub mod intensity;
#[doc(hidden)]
pub mod metrics;

#[cfg(any(feature = "burn", feature = "burn-gpu"))]
pub mod burn;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod card;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod domain;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod engine;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod info;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod model;
#[cfg(feature = "native")]
#[doc(hidden)]
pub mod native;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod phantom;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod predict;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod prepare;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod store;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod task;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod train;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod tune;

#[cfg(feature = "web")]
#[doc(hidden)]
pub mod web;

#[doc(inline)]
pub use error::{Error, ErrorKind, Result};
#[doc(inline)]
pub use file::{Limits, Volume, VolumeFile, open_path, read_volume, write_labels, write_seg_nrrd};
#[doc(inline)]
pub use grid::Grid;
#[doc(inline)]
pub use intensity::Intensity;

#[cfg(feature = "net")]
#[doc(inline)]
pub use {
    card::{Card, Label},
    engine::compute::{Backend, Compute},
    info::VolumeInfo,
    predict::{
        Bounds, InferenceOptions, LabelVolume, Model, ProgressFn, SegmentProgress, Segmentation, Timing,
        segment, segment_within,
    },
};

#[cfg(feature = "native")]
#[doc(inline)]
pub use native::ModelOptions;

/// Training a network from cases with known labels; see the repository's `examples/train.rs`.
#[cfg(feature = "train")]
pub mod training {
    #[cfg(feature = "native")]
    #[doc(inline)]
    pub use crate::native::save_weights;
    #[doc(inline)]
    pub use crate::{
        card::Stage,
        engine::nn::loss::Loss,
        model::Architecture,
        phantom::PhantomKind,
        store::Weights,
        train::{
            augment::Augment,
            case::LabeledCase,
            config::{TrainConfig, TrainingBudget},
            dataset::Dataset,
            fit::{TrainReport, fit},
            init::initial_weights,
            recipe::TrainingRecipe,
            run::{EpochReport, TrainEvent},
            split::{FoldsBy, split_fold},
        },
    };
}

/// Tuning a model on corrected masks, and never making it worse; see the repository's `examples/tune.rs`.
#[cfg(feature = "train")]
pub mod tuning {
    #[doc(inline)]
    pub use crate::tune::{
        AnnotatedCase, ModelWeights, Scope, TuneConfig, TuneOutcome, TuneProgress, TuneReport, UNANNOTATED,
        WeightDelta, tune,
    };
}
