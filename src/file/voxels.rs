//! Memory for voxels.
//!
//! Natively a large volume lies in a mapping of its own, for which huge pages are asked: half of the time to read a
//! CT would go into faults of 4 KiB pages. It is zero to begin with and refused with an error, not an abort.

use crate::error::{Error, Result};
use std::ops::{Deref, DerefMut};

/// Decoded values, as a slice.
#[derive(Debug)]
pub struct Voxels(Memory);

#[derive(Debug)]
enum Memory {
    Owned(Vec<f32>),
    #[cfg(not(target_arch = "wasm32"))]
    Mapped(memmap2::MmapMut),
}

/// Values from which a mapping is worth its price.
#[cfg(not(target_arch = "wasm32"))]
const LARGE: usize = 4 << 20;

impl Voxels {
    /// Zeros.
    ///
    /// # Errors
    /// `Limit` where the machine refuses the memory.
    pub(super) fn zeros(count: usize) -> Result<Self> {
        #[cfg(not(target_arch = "wasm32"))]
        if count >= LARGE {
            let map = memmap2::MmapMut::map_anon(4 * count).map_err(|_| allocation_refused(count))?;
            // Advice only: where it is not followed the pages are small.
            #[cfg(target_os = "linux")]
            let _ = map.advise(memmap2::Advice::HugePage);
            return Ok(Self(Memory::Mapped(map)));
        }
        check_allocatable(count)?;
        Ok(Self(Memory::Owned(vec![0.0; count])))
    }
}

/// Asks for the memory of `count` values and gives it back: `vec!` does not survive a refusal, this does.
///
/// # Errors
/// `Limit` where the machine refuses the memory.
pub(crate) fn check_allocatable(count: usize) -> Result<()> {
    Vec::<f32>::new().try_reserve_exact(count).map_err(|_| allocation_refused(count))
}

fn allocation_refused(count: usize) -> Error {
    let found = format!("{} MiB, which this machine refuses", count >> 18);
    Error::limit("memory", found, "a volume that fits; crop it")
}

impl Deref for Voxels {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.0 {
            Memory::Owned(values) => values,
            #[cfg(not(target_arch = "wasm32"))]
            Memory::Mapped(map) => bytemuck::cast_slice(map),
        }
    }
}

impl DerefMut for Voxels {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.0 {
            Memory::Owned(values) => values,
            #[cfg(not(target_arch = "wasm32"))]
            Memory::Mapped(map) => bytemuck::cast_slice_mut(map),
        }
    }
}
