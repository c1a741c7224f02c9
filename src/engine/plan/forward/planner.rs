//! A forward pass under way: its buffers, and where the planes of each map lie.

use crate::engine::nn::graph::MapRef;
use crate::engine::plan::buffers::Buffers;
use crate::engine::plan::chunks::Chunking;
use crate::engine::plan::list::Binding;
use std::ops::Range;

/// A piece of a map: `core` planes, and in the buffer `with_halo`.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Its buffer.
    pub buffer: usize,
    /// Planes that it is there for.
    pub core: Range<usize>,
    /// Planes that its buffer holds.
    pub with_halo: Range<usize>,
}

/// Buffers for the time of a step.
pub struct Scratch {
    /// Of the statistics.
    pub moments: usize,
    /// By source: planes of a recomputed map.
    pub windows: Vec<Option<usize>>,
}

/// A list under way.
pub struct ForwardPlanner<'a> {
    pub(super) chunking: Chunking<'a>,
    /// By map; empty before and after its time.
    pub(super) chunks: Vec<Vec<Chunk>>,
    /// Scales and shifts by normalisation.
    pub(super) scale_shifts: Vec<Option<usize>>,
    pub(super) buffers: Buffers,
}

impl<'a> ForwardPlanner<'a> {
    /// An empty list.
    pub(super) fn new(chunking: Chunking<'a>) -> Self {
        Self {
            chunks: vec![Vec::new(); chunking.graph.maps.len()],
            scale_shifts: vec![None; chunking.graph.norms.len()],
            buffers: Buffers::within(chunking.settings.limits.budget),
            chunking,
        }
    }

    /// How a map is normalised where it is read.
    pub(super) fn scale_shifts_of(&self, source: MapRef) -> Binding {
        source.norm.and_then(|norm| self.scale_shifts[norm]).map_or(Binding::Identity, Binding::Buffer)
    }
}
