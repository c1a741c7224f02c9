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
        Self::connect(options).await?.choose(options).await
    }

    /// Takes a device that somebody else has opened and goes on using. From now on all its faults are heard here.
    ///
    /// # Errors
    /// `Device` where it fails.
    pub async fn adopt(
        info: &wgpu::AdapterInfo,
        device: wgpu::Device,
        queue: wgpu::Queue,
        options: Options,
    ) -> Result<Rc<Self>> {
        Self::of_device(info, device, queue, options).choose(options).await
    }

    async fn choose(self: Rc<Self>, options: Options) -> Result<Rc<Self>> {
        let tiled = match options.tiled {
            Some(tiled) => tiled,
            // A CPU that stands in for a GPU has no fast shared memory: a barrier there is a switch of threads.
            None if self.emulated => false,
            None => tiled_is_faster(&self).await?,
        };
        self.tiled.set(tiled);
        Ok(self)
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
