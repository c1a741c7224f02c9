//! Opening a GPU: connecting, and choosing the variant of the convolution that is faster on it.

use super::device::{Gpu, Options};
use super::microbench::forward;
use super::run_kernel::seconds;
use crate::error::Result;
use std::rc::Rc;

impl Gpu {
    /// Opens the best adapter.
    ///
    /// # Errors
    /// `Device` where there is no adapter, or it fails.
    pub async fn open(options: Options) -> Result<Rc<Self>> {
        let gpu = Self::connect(options).await?;
        let tiled = match options.tiled {
            Some(tiled) => tiled,
            // A CPU that stands in for a GPU has no fast shared memory: a barrier there is a switch of threads.
            None if gpu.emulated => false,
            None => tiled_is_faster(&gpu).await?,
        };
        gpu.tiled.set(tiled);
        Ok(gpu)
    }
}

/// Times both variants of the convolution on 32 channels of 24^3.
async fn tiled_is_faster(gpu: &Gpu) -> Result<bool> {
    let mut times = [0.0; 2];
    for (time, tiled) in times.iter_mut().zip([false, true]) {
        let work = forward::conv(gpu, tiled, 32, 32, [24; 3]);
        *time = seconds(gpu, work.kernel, &work.input, 1).await?;
    }
    Ok(times[1] < times[0])
}
