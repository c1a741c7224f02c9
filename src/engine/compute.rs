//! Which device computes, chosen openly: the caller says what it wants and is told what it got.

#[cfg(not(feature = "gpu"))]
use crate::error::Error;
use crate::error::Result;

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
pub enum Compute {
    /// The CPU.
    Cpu,
    /// A GPU.
    #[cfg(feature = "gpu")]
    Gpu(std::rc::Rc<crate::engine::gpu::device::Gpu>),
    /// A device of burn: its kernels, not ours. Networks run on it, and learn.
    #[cfg(feature = "burn")]
    Burn(crate::burn::device::BurnDevice),
    /// A GPU that burn opened: our kernels run networks on it, burn's autodiff and optimiser train them.
    #[cfg(feature = "burn-gpu")]
    BurnGpu(crate::burn::gpu::BurnGpu),
}

impl Compute {
    /// Opens a device. A GPU is asked known questions first.
    ///
    /// # Errors
    /// `Device` if a GPU was asked for and there is none, or it answers wrongly.
    pub async fn open(backend: Backend) -> Result<Self> {
        match backend {
            Backend::Cpu => Ok(Self::Cpu),
            Backend::Gpu => Self::gpu().await.map(|(compute, _)| compute),
            // A software adapter computes on the CPU too, only slower.
            Backend::Auto => Ok(Self::gpu()
                .await
                .map_or(Self::Cpu, |(compute, emulated)| if emulated { Self::Cpu } else { compute })),
        }
    }

    /// The GPU, and whether it is only emulated.
    #[cfg(feature = "gpu")]
    async fn gpu() -> Result<(Self, bool)> {
        use crate::engine::gpu::device::{Gpu, Options};
        let gpu = Gpu::open(Options::default()).await?;
        let emulated = gpu.emulated;
        Ok((Self::Gpu(gpu), emulated))
    }

    #[cfg(not(feature = "gpu"))]
    async fn gpu() -> Result<(Self, bool)> {
        Err(Error::device("GPU", "a build without WebGPU", "the build with it"))
    }

    /// Whether it is a GPU that our kernels run on.
    pub fn is_gpu(&self) -> bool {
        self.name() == "webgpu"
    }

    /// `cpu` or `webgpu`; of burn's devices `flex`, `cuda` or `rocm`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            #[cfg(feature = "gpu")]
            Self::Gpu(_) => "webgpu",
            #[cfg(feature = "burn")]
            Self::Burn(device) => device.name,
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(_) => "webgpu",
        }
    }

    /// The device in words.
    pub fn adapter(&self) -> &str {
        match self {
            Self::Cpu => "CPU",
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => &gpu.adapter,
            #[cfg(feature = "burn")]
            Self::Burn(device) => &device.adapter,
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(device) => &device.gpu.adapter,
        }
    }
}
