//! Memory for voxels.
//!
//! Natively a large volume is an anonymous memory map with huge pages, as faults of 4 KiB pages would take half of the
//! time to read a CT. A map starts zeroed, and its failure is an error where a vector would abort.

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

/// Number of values from which a memory map is used.
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
            // Only a hint; without it the pages are small.
            #[cfg(target_os = "linux")]
            let _ = map.advise(memmap2::Advice::HugePage);
            return Ok(Self(Memory::Mapped(map)));
        }
        check_allocatable(count)?;
        Ok(Self(Memory::Owned(vec![0.0; count])))
    }
}

impl From<Vec<f32>> for Voxels {
    fn from(values: Vec<f32>) -> Self {
        Self(Memory::Owned(values))
    }
}

/// Allocates `count` values and frees them at once: an error where `vec!` would abort.
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
