//! What computes a network: one recorded graph, run by kernels of our own on the CPU or on a GPU.
//!
//! Imports go downward in this list: [`bench`] -> [`trainer`], [`network`] -> [`compute`] -> [`gpu`] -> [`plan`] ->
//! [`wgsl`], [`cpu`] -> [`nn`].

pub mod bench;
pub mod compute;
pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod network;
pub mod nn;
pub mod plan;
pub mod trainer;
pub mod wgsl;
