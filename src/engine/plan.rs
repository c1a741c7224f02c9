//! The work of a GPU for one image, as a list that is known before any of it is done: which buffers, which kernels
//! on which slabs, what it costs. [`super::gpu`] executes it; tests count what it says.
//!
//! A large map is cut along z into chunks, one buffer each, so that every binding stays within the adapter's limit;
//! a chunk repeats the planes of its neighbours that a convolution of it needs (its halo). All maps of one size are
//! cut at the same places. A kernel works on a slab that lies in one chunk of every map it sees; statistics add up
//! over slabs, so nothing depends on the cuts. A map is dropped after its last reader, its buffer goes to the next
//! that fits.
//!
//! Where memory would exceed the budget, the maps of full size that are cheap to make are **recomputed**: the stem (from
//! the image) and the last up-convolution (from the level below) are never stored, but made again, slab by slab, for
//! each reader.

mod buffers;
mod chunks;
mod emit;
pub mod flat;
pub mod forward;
pub mod list;
pub mod packing;
pub mod parameters;
mod statistics;
pub mod training;
