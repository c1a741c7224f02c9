//! How well a segmentation agrees with the truth: overlap of the volumes, overlap and distance of the surfaces.
//!
//! The numbers are those of google-deepmind/surface-distance (PyPI `surface-distance-based-measures`), the
//! implementation of Nikolov et al., "Clinically applicable segmentation of head and neck anatomy for
//! radiotherapy", JMIR 2021 (arXiv 1809.04430). Other tools count border voxels instead of weighing surface
//! elements by their area; their surface numbers differ, most of all on grids with thick slices.

mod agreement;
mod distance;
mod surface;

pub use agreement::{Agreement, agreement, dice};
