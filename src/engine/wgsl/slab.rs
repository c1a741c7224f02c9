//! Planes of a map on which one dispatch works, and how sums over them are split.

use super::layout::Layout;

/// Planes of a map, as many as a dispatch takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slab {
    /// The map.
    pub map: Layout,
    /// Its first plane.
    pub first: usize,
    /// How many.
    pub planes: usize,
}

impl Slab {
    /// All planes.
    pub fn whole(map: Layout) -> Self {
        Self { map, first: 0, planes: map.dims[2] }
    }

    /// Voxels of a plane.
    pub fn size(&self) -> usize {
        self.map.dims[0] * self.map.dims[1]
    }

    /// As the shaders read it: voxels of a plane, channel blocks, pitch, first plane.
    pub fn words(&self) -> Vec<u32> {
        [self.size(), self.map.channel_blocks, self.map.pitch, self.first].map(|n| n as u32).to_vec()
    }

    /// Workgroups of 64, an invocation for every channel block.
    pub fn groups(&self) -> [u32; 3] {
        [(self.size() * self.map.channel_blocks).div_ceil(64) as u32, self.planes as u32, 1]
    }

    /// Workgroups of 64 that leave one part each, of up to 4096 voxels or some more: how many to a plane, where it is
    /// large, and how many planes deep, where they are small. The shaders count the same.
    pub fn parts(&self) -> [usize; 2] {
        let deep = (4096 / self.size()).max(1);
        [self.size().div_ceil(4096), self.planes.div_ceil(deep)]
    }
}

/// Invocations that a GPU should have at least, where sums are cut to have as many.
const INVOCATIONS: usize = 16384;

/// Into how many parts `rows` are cut where each part takes `invocations`: all of about the same length.
pub fn splits(invocations: usize, rows: usize) -> usize {
    let wanted = INVOCATIONS.div_ceil(invocations).clamp(1, rows.max(1));
    rows.max(1).div_ceil(rows.max(1).div_ceil(wanted))
}
