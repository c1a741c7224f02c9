//! Kernels on images of a useful size, timed.

mod attention_gate;
pub(super) mod forward;
mod training;
mod work;

use super::device::Gpu;
use super::run_kernel::seconds;
use crate::engine::wgsl::layout::Precision;
use crate::error::Result;
use work::KernelWork;

pub use work::KernelTiming;

/// Times the kernels of a network of `base` channels on an image of `dims`.
///
/// # Errors
/// `Device` where the device fails.
pub async fn time_kernels(
    gpu: &Gpu,
    base: usize,
    dims: [usize; 3],
    times: usize,
) -> Result<Vec<KernelTiming>> {
    let mut list = Vec::new();
    for tiled in [false, true] {
        list.extend(
            [(4, base), (base, base), (2 * base, base)].map(|(i, o)| forward::conv(gpu, tiled, i, o, dims)),
        );
        list.push(forward::conv(gpu, tiled, 4 * base, 2 * base, dims.map(|n| n / 2)));
    }
    list.extend(forward::others(gpu, base, dims));
    list.push(attention_gate::forward(gpu, base, dims));
    // Training is in 32 bits.
    if gpu.precision == Precision::F32 {
        list.extend(training::all(gpu, base, dims));
    }
    let mut timings = Vec::new();
    for KernelWork { name, kernel, input, flops, bytes } in list {
        timings.push(KernelTiming {
            name,
            seconds: seconds(gpu, kernel, &input, times).await?,
            flops,
            bytes,
        });
    }
    Ok(timings)
}
