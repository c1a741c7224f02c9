//! Which device computes, chosen openly: the caller says what it wants and is told what it got.

use crate::error::{Error, Result};
use burn::tensor::Device;

/// What the caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A GPU if there is a real one, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU, or an error.
    Gpu,
}

/// A device that is ready.
#[derive(Debug, Clone)]
pub struct Compute {
    /// burn's handle.
    pub device: Device,
    /// Whether it is a GPU.
    pub gpu: bool,
    /// The device in words.
    pub adapter: String,
}

impl Compute {
    /// The CPU.
    pub fn cpu() -> Self {
        Self { device: Device::flex(), gpu: false, adapter: "CPU".to_owned() }
    }

    /// Opens a device.
    ///
    /// # Errors
    /// `Device` if a GPU was asked for and there is none, or it cannot be had twice.
    pub async fn open(backend: Backend) -> Result<Self> {
        match backend {
            Backend::Cpu => Ok(Self::cpu()),
            Backend::Gpu => Self::gpu().await.map(|(compute, _)| compute),
            Backend::Auto => match Self::gpu().await {
                // A software adapter computes on the CPU too, only slower.
                Ok((compute, false)) => Ok(compute),
                _ => Ok(Self::cpu()),
            },
        }
    }

    /// The GPU, and whether it is only emulated.
    async fn gpu() -> Result<(Self, bool)> {
        let (device, setup) = Device::wgpu_options().init_with_setup_async().await.map_err(|error| {
            Error::device("GPU", error.to_string(), "an adapter for WebGPU, Vulkan, Metal or DirectX 12")
        })?;
        let info = setup.adapter.get_info();
        // Browsers keep the name to themselves.
        let name = if info.name.is_empty() { "GPU" } else { &info.name };
        let adapter = format!("{name} ({:?}, {:?})", info.device_type, info.backend);
        let emulated = format!("{:?}", info.device_type) == "Cpu";
        Ok((Self { device, gpu: true, adapter }, emulated))
    }

    /// Gives pooled memory back; between phases of work.
    pub fn tidy(&self) {
        if self.gpu {
            self.device.memory_cleanup();
        }
    }
}
