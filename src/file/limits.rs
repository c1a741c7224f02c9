//! The memory budget.

/// Upper bounds, checked from the header before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of decoded voxels (4 per voxel). Default 2 GiB, which fits a browser tab.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 2 << 30 }
    }
}
