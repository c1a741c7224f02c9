//! A network on a GPU: what [`super::plan`] lists, executed by wgpu.
//!
//! The trap of WebGPU is silence: a shader that does not compile, or memory that runs out, gives an error *event* and
//! a buffer of zeros or of an earlier result, and every call succeeds. So no result is returned after a fault
//! ([`device::Gpu::sound`]), results are read over a mark that no result is, and a device that does not give known
//! answers is refused before it is used ([`self_test`]).

pub mod device;
pub mod execute;
pub mod gradient_pass;
pub mod logits_pass;
pub mod microbench;
pub mod network;
pub mod open;
mod run_kernel;
pub mod self_test;
pub mod trainer;
mod trainer_state;
