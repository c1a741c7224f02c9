//! **insitu-seg**: 3-D medical image segmentation that stays where the image is.
//!
//! One road from bytes to mask and back:
//!
//! ```text
//! bytes -> file (RAS) -> grid (1 mm) -> intensity -> predict: whole network -> box -> patch network -> labels
//! bytes <- file <- grid (the file's own)                                                        <-'
//! ```
//!
//! Without features the crate is pure: files, grids, intensities, metrics. `net` adds models and the network on our
//! CPU kernels, `gpu` our WebGPU kernels, `train` the training loop; `web` and `cli` are two faces of the same.

pub mod components;
pub mod error;
pub mod file;
pub mod grid;
pub mod intensity;
pub mod metrics;

#[cfg(feature = "net")]
pub mod card;
#[cfg(feature = "net")]
pub mod device;
#[cfg(feature = "net")]
pub mod domain;
#[cfg(feature = "net")]
pub mod engine;
#[cfg(feature = "net")]
pub mod info;
#[cfg(feature = "net")]
pub mod kernels;
#[cfg(feature = "net")]
pub mod model;
#[cfg(feature = "train")]
pub mod phantom;
#[cfg(feature = "net")]
pub mod predict;
#[cfg(feature = "net")]
pub mod prepare;
#[cfg(feature = "stock")]
pub mod stock;
#[cfg(feature = "net")]
pub mod store;
#[cfg(feature = "net")]
pub mod task;
#[cfg(feature = "train")]
pub mod train;
#[cfg(feature = "train")]
pub mod tune;

#[cfg(feature = "web")]
mod web;

pub use error::{Error, Kind, Result};
pub use file::{Limits, Nifti, Volume, open_path, read_volume, write_labels, write_seg_nrrd};
pub use grid::Grid;
pub use intensity::Intensity;
