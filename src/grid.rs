//! Where voxels are: dimensions and the affine that maps voxel indices to the patient.
//!
//! ```text
//! world [mm, +x right, +y anterior, +z superior] = affine * [i, j, k, 1]
//! memory index = i + nx * (j + ny * k)            (x fastest; a tensor [z, y, x] has the same bytes)
//! ```
//!
//! Every step between the file's grid and the network's is a value that knows its own way back:
//! [`Reorientation`] (axes), [`Resample`] (size), [`Upright`] (the patient's axes), [`Region`] (crop and paste).

mod region;
mod reorient;
mod resample;
mod upright;
mod voxel_grid;

pub use region::{BoxRule, Region};
pub use reorient::Reorientation;
pub use resample::{Resample, capped_dims, isotropic_dims};
pub use upright::{Corners, Upright, corners, oblique_degrees};
pub use voxel_grid::Grid;
