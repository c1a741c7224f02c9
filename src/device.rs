//! Which device computes, chosen openly: the caller says what it wants and is told what it got.

use crate::error::{Error, Result};

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
}

impl Compute {
    /// Opens a device.
    ///
    /// # Errors
    /// `Device` if a GPU was asked for and there is none, or it cannot be had twice.
    pub async fn open(backend: Backend) -> Result<Self> {
        match backend {
            Backend::Cpu => Ok(Self::Cpu),
            Backend::Gpu => Err(Error::device("GPU", "this build has none", "a build with WebGPU")),
            Backend::Auto => Ok(Self::Cpu),
        }
    }

    /// Whether it is a GPU.
    pub fn is_gpu(&self) -> bool {
        !matches!(self, Self::Cpu)
    }

    /// `cpu` or `webgpu`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
        }
    }

    /// The device in words.
    pub fn adapter(&self) -> &str {
        match self {
            Self::Cpu => "CPU",
        }
    }
}
