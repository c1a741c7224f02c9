//! The network for [burn](https://burn.dev): a [`SeResUNet`] that is a module like any other, on any device of burn, and
//! training by burn's autodiff and optimiser. The only place that uses burn.
//!
//! Our own engine is what the product computes with: it is many times faster where burn has no kernels of its own for 3-D
//! networks (CPU, WebGPU). burn brings CUDA and ROCm, and every tool that is written for its modules.

pub mod bench;
pub mod device;
mod layers;
pub mod loss;
pub mod module;
pub mod network;
mod replicas;
#[cfg(not(target_arch = "wasm32"))]
mod store;
pub mod trainer;

pub use module::SeResUNet;
