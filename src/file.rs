//! Bytes to [`Volume`] and back: NIfTI-1 and NIfTI-2, in one file or two, and FreeSurfer's MGH, plain or gzip.
//!
//! ```text
//! bytes -> source (gzip off) -> head (fields: nifti1, layout, or mgh) -> checks (all of them) -> sform_qform (affine)
//!       -> decode (RAS order)
//! bytes <- write: NIfTI on the file's own grid, nrrd: the same for 3D Slicer
//! ```
//!
//! No header field is used before it is checked. No memory is allocated beyond [`Limits`], nor beyond what the bytes of
//! the file can fill.

mod checks;
mod datatype;
mod decode;
mod extension;
mod format;
mod head;
mod header;
mod layout;
mod limits;
mod mgh;
mod nifti1;
#[cfg(all(feature = "nifti-object", not(target_arch = "wasm32")))]
mod nifti_object;
mod nrrd;
mod overlay;
mod path;
mod read;
mod resampled;
mod sform_qform;
mod source;
mod values;
mod volume;
mod voxels;
mod write;

pub use checks::Check;
pub use datatype::DataType;
pub use header::{Format, Header};
pub use layout::Version;
pub use limits::Limits;
pub use nrrd::{Segment, write_seg_nrrd};
pub use overlay::Overlay;
pub use path::{open_path, parts, split_name};
pub use read::{VolumeFile, read_volume};
pub use source::ByteSource;
pub use values::Statistics;
pub use volume::Volume;
pub use voxels::Voxels;
pub use write::{write_labels, write_values};
#[cfg(feature = "net")]
pub(crate) use {nrrd::rgb, voxels::check_allocatable};
