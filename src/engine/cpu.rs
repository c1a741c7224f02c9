//! A network on the CPU: the graph's steps by kernels of our own, on all threads. Maps are `[z, c, y, x]`: a slab of
//! planes is one piece of memory.

pub mod backward;
pub mod buffers;
pub mod network;
mod ops;
pub mod trainer;

pub use ops::known_answer::known_answers;
