//! A GPU that burn opened, and that our kernels use too.

use crate::engine::gpu::device::{Gpu, Options};
use crate::error::{Error, Result};
use burn::tensor::{Device, Tensor, TensorData};
use std::cell::RefCell;
use std::rc::Rc;

/// A device, as burn sees it and as the engine does.
#[derive(Debug, Clone)]
pub struct BurnGpu {
    /// burn's, without autodiff.
    pub device: Device,
    /// Ours.
    pub gpu: Rc<Gpu>,
}

thread_local! {
    /// burn opens its GPU once in the life of a process and forgets none, lost ones neither.
    static OPEN: RefCell<Option<BurnGpu>> = const { RefCell::new(None) };
}

impl BurnGpu {
    /// Opens burn's default GPU, or gives the one that this thread has opened.
    ///
    /// burn panics at a fault that nobody waits for; from here on the engine hears of it, and refuses the result.
    ///
    /// # Errors
    /// `Device` where there is none, where it fails, and natively where another thread has it.
    pub async fn open() -> Result<Self> {
        if let Some(open) = OPEN.with_borrow(Clone::clone) {
            return Ok(open);
        }
        let missing = |found: String| {
            Error::device(
                "GPU",
                found,
                "an adapter for WebGPU, Vulkan, Metal or DirectX 12, not opened before",
            )
        };
        let opened = Device::wgpu_options().init_with_setup_async().await;
        let (device, setup) = opened.map_err(|error| missing(error.to_string()))?;
        let gpu =
            Gpu::adopt(&setup.adapter.get_info(), setup.device, setup.queue, Options::default()).await?;
        let open = Self { device, gpu };
        OPEN.set(Some(open.clone()));
        Ok(open)
    }

    /// Numbers as a flat tensor, without autodiff.
    pub fn tensor(&self, values: Vec<f32>) -> Tensor<1> {
        let shape = [values.len()];
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }
}
