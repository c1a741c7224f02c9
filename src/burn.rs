//! The network for [burn](https://burn.dev): a `SeResUNet` that is a module like any other, on any device
//! of burn, and training by burn's autodiff and optimiser. The only place that uses burn.
//!
//! Our own engine is what the product computes with: it is many times faster where burn has no kernels of its own for 3-D
//! networks (CPU, WebGPU). burn brings CUDA and ROCm, and every tool that is written for its modules. On a GPU by WebGPU it can
//! train with the engine's kernels: there a network's loss is one operation of burn's (`loss_operation.rs`).

#[cfg(feature = "burn")]
pub mod bench;
#[cfg(feature = "burn-gpu")]
mod border;
#[cfg(feature = "burn")]
pub mod device;
#[cfg(feature = "burn-gpu")]
pub mod gpu;
#[cfg(feature = "burn-gpu")]
pub mod gpu_trainer;
#[cfg(feature = "burn")]
mod layers;
#[cfg(feature = "burn-gpu")]
mod logits_operation;
#[cfg(feature = "burn")]
pub mod loss;
#[cfg(feature = "burn-gpu")]
mod loss_operation;
#[cfg(feature = "burn")]
pub mod module;
#[cfg(feature = "burn")]
pub mod network;
mod optimizer;
#[cfg(feature = "burn-gpu")]
pub mod pass;
mod read;
#[cfg(feature = "burn")]
mod replicas;
#[cfg(all(feature = "burn", not(target_arch = "wasm32")))]
mod store;
#[cfg(feature = "burn")]
pub mod trainer;

#[cfg(feature = "burn")]
pub use module::SeResUNet;
pub use read::read;
