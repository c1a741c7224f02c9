//! The device that a page asks for. In the module with burn the GPU is one that burn opened, and burn trains on it.

use crate::engine::compute::{Backend, Compute};
use crate::error::Result;

/// Opens it.
///
/// # Errors
/// As [`Compute::open`].
pub async fn open(backend: Backend) -> Result<Compute> {
    #[cfg(feature = "burn-gpu")]
    if backend == Backend::Gpu {
        return crate::burn::gpu::BurnGpu::open().await.map(Compute::BurnGpu);
    }
    Compute::open(backend).await
}
