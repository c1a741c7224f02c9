//! What is timed: a kernel with buffers of a useful size.

use crate::engine::gpu::device::Gpu;
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::conv;
use crate::engine::wgsl::kernel::{Kernel, KnownAnswer};
use crate::engine::wgsl::layout::Layout;

/// A kernel to be timed, and what a run of it does.
pub struct KernelWork {
    /// In words.
    pub name: String,
    pub kernel: Kernel,
    pub input: KnownAnswer,
    /// Operations.
    pub flops: f64,
    /// Bytes that must be moved at least: every buffer once.
    pub bytes: f64,
}

/// What was measured.
pub struct KernelTiming {
    /// In words.
    pub name: String,
    /// Of one run.
    pub seconds: f64,
    /// Operations.
    pub flops: f64,
    /// Bytes.
    pub bytes: f64,
}

/// A kernel with its buffers.
pub fn work(
    name: String,
    kernel: Kernel,
    words: Vec<u32>,
    buffers: Vec<Vec<u8>>,
    groups: [u32; 3],
    flops: f64,
) -> KernelWork {
    let bytes = buffers.iter().map(|buffer| buffer.len() as f64).sum();
    let found = Box::new(|_: &[u8]| Vec::new());
    KernelWork {
        name,
        kernel,
        input: KnownAnswer { words, buffers, groups, look: 0, expected: Vec::new(), found },
        flops,
        bytes,
    }
}

/// A buffer of numbers without a pattern.
pub fn random(count: usize, seed: u64) -> Vec<u8> {
    pseudo_random(count, seed).into_iter().flat_map(f32::to_le_bytes).collect()
}

/// Scales and shifts that change nothing.
pub fn same(channel_blocks: usize) -> Vec<u8> {
    [1f32; 4]
        .into_iter()
        .chain([0.0; 4])
        .flat_map(f32::to_le_bytes)
        .collect::<Vec<_>>()
        .repeat(channel_blocks)
}

/// A map as a buffer.
pub fn map(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> (Layout, Vec<u8>) {
    let layout = Layout::new(channels, dims);
    let values = pseudo_random(channels * dims.iter().product::<usize>(), 1);
    let bytes = layout.pack(&values, 0..dims[2], gpu.precision);
    (layout, bytes)
}

/// A buffer for a map.
pub fn empty(gpu: &Gpu, layout: &Layout) -> Vec<u8> {
    vec![0; layout.dims[2] * layout.pitch * gpu.precision.block_bytes()]
}

/// A buffer for the moments of a map.
pub fn moments(layout: &Layout) -> Vec<u8> {
    vec![0; conv::forward::moments(layout, layout.dims[2], conv::forward::ROW) * layout.channel_blocks * 48]
}
