//! FreeSurfer's volumes: `.mgh`, and `.mgz`, which is the same packed by gzip.
//!
//! ```text
//! 0   version, width, height, depth, nframes, type, dof    int32
//! 28  goodRASFlag                                          int16; what follows is stated where it is above 0
//! 30  spacing of x, y, z                                   float32, mm
//! 42  cosines of x, of y, of z                             float32, each towards right, anterior, superior
//! 78  centre c_ras                                         float32, mm: where voxel width/2, height/2, depth/2 lies
//! 284 voxels, x fastest, frame after frame; then scan parameters and tags, which are passed over
//! ```
//!
//! All big-endian. The affine's columns are the cosines times the spacings; its offset follows from the centre.

mod checks;
mod fields;

pub(super) use checks::{run, tail};
pub(super) use fields::{MghFields, begins};
