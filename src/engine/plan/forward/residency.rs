//! Which planes of which map lie in which buffer, and how long.

use super::planner::{Chunk, ForwardPlanner, Scratch};
use crate::engine::nn::graph::{MapRef, Operation, Step};
use crate::engine::plan::emit::Output;
use crate::engine::plan::list::{Binding, Command};
use crate::engine::wgsl::conv;
use crate::engine::wgsl::layout::Layout;
use std::ops::Range;

impl ForwardPlanner<'_> {
    /// Releases the buffers of a map, and of what it is made of if it is recomputed, after their last reader.
    pub(super) fn release_after(&mut self, map: usize, index: usize) {
        let graph = self.chunking.graph;
        if self.chunking.last_use(map) > index {
            return;
        }
        for chunk in std::mem::take(&mut self.chunks[map]) {
            self.buffers.release(chunk.buffer);
        }
        if self.chunking.recomputed[map] {
            for step in graph.steps.iter().filter(|step| step.output == map) {
                step.sources.iter().for_each(|source| self.release_after(source.map, index));
            }
        }
    }

    /// Buffers for a map.
    pub(super) fn store(&mut self, map: usize) -> Vec<Chunk> {
        let (layout, halo) = (self.chunking.layouts[map], self.chunking.halos[map]);
        let mut chunks = Vec::new();
        for core in self.chunking.cores(map) {
            let with_halo = core.start.saturating_sub(halo)..(core.end + halo).min(layout.dims[2]);
            chunks.push(Chunk {
                buffer: self.buffers.acquire(self.chunking.bytes(&layout, with_halo.len())),
                core,
                with_halo,
            });
        }
        self.chunks[map].clone_from(&chunks);
        chunks
    }

    /// Fills the halos from the neighbours.
    pub(super) fn exchange(&mut self, map: usize) {
        let (layout, chunks) = (self.chunking.layouts[map], self.chunks[map].clone());
        for to in &chunks {
            for from in &chunks {
                let planes = from.core.start.max(to.with_halo.start)..from.core.end.min(to.with_halo.end);
                if from.core != to.core && !planes.is_empty() {
                    let at = |chunk: &Chunk| {
                        (
                            Binding::Buffer(chunk.buffer),
                            self.chunking.bytes(&layout, planes.start - chunk.with_halo.start),
                        )
                    };
                    let bytes = self.chunking.bytes(&layout, planes.len());
                    let op = Command::Copy { from: at(from), to: at(to), bytes };
                    self.buffers.push(op);
                }
            }
        }
    }

    /// Scratch of a step whose slabs have so many planes.
    pub(super) fn scratch(&mut self, step: &Step, planes: usize) -> Scratch {
        let size = |step: &Step, planes: usize| {
            if !matches!(step.kind, Operation::Conv(_) | Operation::ConvTranspose(_)) {
                return 0;
            }
            let layout = &self.chunking.layouts[step.output];
            conv::forward::moments(layout, planes, conv::row(self.chunking.kernel(step)))
                * layout.channel_blocks
        };
        let mut moments = size(step, planes);
        let with_halo = if step.kind == Operation::Pool { 2 * planes } else { planes + 2 };
        let recomputed = |source: &&MapRef| self.chunking.recomputed[source.map];
        for source in step.sources.iter().filter(recomputed) {
            let made = self.chunking.graph.steps.iter().filter(|made| made.output == source.map);
            moments = made.fold(moments, |most, made| most.max(size(made, with_halo)));
        }
        let mut windows = Vec::new();
        for source in &step.sources {
            let layout = self.chunking.layouts[source.map];
            windows.push(
                self.chunking.recomputed[source.map]
                    .then(|| self.buffers.acquire(self.chunking.bytes(&layout, with_halo))),
            );
        }
        Scratch { moments: self.buffers.acquire((moments * 48) as u64), windows }
    }

    /// Planes of a source: its buffer and the plane with which that begins. A recomputed map is made.
    pub(super) fn window(
        &mut self,
        source: MapRef,
        planes: Range<usize>,
        scratch: &Scratch,
        which: usize,
    ) -> (Layout, usize, usize) {
        let layout = self.chunking.layouts[source.map];
        let planes = planes.start..planes.end.min(layout.dims[2]);
        if let Some(&Some(buffer)) =
            scratch.windows.get(which).filter(|_| self.chunking.recomputed[source.map])
        {
            let graph = self.chunking.graph;
            if let Some(index) = graph.steps.iter().position(|step| step.output == source.map) {
                let inner = Scratch { moments: scratch.moments, windows: Vec::new() };
                let output = Output { buffer, layout, start: planes.start };
                self.produce(index, planes.clone(), output, &inner);
            }
            return (layout, buffer, planes.start);
        }
        let holds =
            |chunk: &&Chunk| chunk.with_halo.start <= planes.start && chunk.with_halo.end >= planes.end;
        match self.chunks[source.map].iter().find(holds) {
            Some(chunk) => (layout, chunk.buffer, chunk.with_halo.start),
            // Chunking and halos are made such that this cannot be; a test looks.
            None => (layout, usize::MAX, 0),
        }
    }
}
