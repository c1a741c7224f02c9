//! The network on a GPU: one folder per operation, with its formula, its WGSL, and a CPU reference of a few lines.
//!
//! What they share. A map lies as `[z, c / 4, y, x]` in **channel blocks** of four channels: a slab of planes is one
//! piece of a buffer, neighbours in x are neighbours in memory. A plane may be longer than its values
//! ([`layout::Layout::pitch`]). Values are f32, or f16 packed by pairs (`pack2x16float` is core WGSL, so every adapter
//! has it); sums are f32. A reader normalises: `leaky(scale x + shift)`, `negative_slope` 1 where no LeakyReLU follows.
//! A kernel works on a slab: planes `first..first + planes` of its output; every map that it sees says by `start`
//! which plane of the volume its buffer begins with.
//!
//! Backward kernels see maps that are f32 and whole: plane 0 begins the buffer. A map is stored raw, `x`, and read as
//! `v = leaky(n)` with `n = scale x + shift`. Its **gradient** is `d loss / d v`, laid out as the map; [`norm_act`]
//! makes `d loss / d x` of it, in the same place. That is what the step which wrote the map goes back from:
//!
//! ```text
//! gradient of v, by every reader -> norm_act: gradient of x -> of the step's sources, and of its weights
//! ```
//! A convolution's gradient of its source is a convolution: the forward kernel, with its weights transposed. Two
//! readers of one map are two sources of it, so that nothing has to be added up.
//!
//! Sums over voxels are split: every invocation leaves a part of its own, [`sum`] adds the parts up. A gradient of
//! weights lies as the forward kernel's weights do; [`crate::engine::wgsl::gather`] brings it into the order of the parameters.

pub mod adamw;
pub mod attention_gate;
pub mod catalogue;
pub mod conv;
pub mod conv_transpose;
pub mod gather;
pub mod head_conv1x1;
pub mod kernel;
mod known_answer;
pub mod layout;
pub mod loss;
pub mod norm_act;
pub mod pool;
pub mod residual_add;
pub mod slab;
pub mod squeeze_excite;
pub mod sum;
