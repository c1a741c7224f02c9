//! What each step of a forward pass lists.

use super::planner::{Chunk, ForwardPlanner, Scratch};
use crate::engine::nn::graph::{Operation, Step};
use crate::engine::nn::scale_shift::padding;
use crate::engine::plan::emit::{Job, Output, View};
use crate::engine::plan::list::{Binding, Command, Packed, Plan};
use crate::engine::plan::statistics::Statistics;
use crate::engine::wgsl::head_conv1x1;
use crate::model::attention_gate_units;
use std::ops::Range;

/// Bytes that are read back at once.
const READ: usize = 16 << 20;

impl ForwardPlanner<'_> {
    /// The whole list.
    pub(super) fn build(mut self) -> Plan {
        let image = self.store(0);
        for chunk in image {
            let (layout, planes) = (self.chunking.layouts[0], chunk.with_halo.clone());
            self.buffers.push(Command::Upload { buffer: chunk.buffer, layout, planes });
        }
        let graph = self.chunking.graph;
        for (index, step) in graph.steps.iter().enumerate() {
            match step.kind {
                Operation::ResidualAdd => self.residual_add(index, step),
                Operation::HeadConv1x1(_) => self.head_conv1x1(index, step),
                _ => self.compute(index, step),
            }
            for source in &step.sources {
                self.release_after(source.map, index);
            }
        }
        self.buffers.plan
    }

    /// The slabs of a step's output, each with the chunk in which it lies; a recomputed map has no chunk of its own.
    fn slabs(&mut self, step: &Step) -> Vec<(Option<Chunk>, Range<usize>)> {
        let chunks = if self.chunking.recomputed[step.output] {
            self.chunking.cores(step.output).into_iter().map(|core| (None, core)).collect()
        } else {
            let stored = self.store(step.output).into_iter();
            stored.map(|chunk| (Some(chunk.clone()), chunk.core)).collect::<Vec<_>>()
        };
        let slabs = chunks.into_iter().flat_map(|(chunk, core)| {
            self.chunking.slabs(step, &core).into_iter().map(move |slab| (chunk.clone(), slab))
        });
        slabs.collect()
    }

    /// A step whose output has statistics, or is pooled.
    fn compute(&mut self, index: usize, step: &Step) {
        let slabs = self.slabs(step);
        let layout = self.chunking.layouts[step.output];
        let longest = slabs.iter().map(|(_, slab)| slab.len()).max().unwrap_or(0);
        let scratch = self.scratch(step, longest);
        let recomputed = self.chunking.recomputed[step.output];
        let window = recomputed.then(|| self.buffers.acquire(self.chunking.bytes(&layout, longest)));
        let norm = self.chunking.graph.norms.iter().position(|norm| norm.map == step.output);
        let ranges = slabs.iter().map(|(_, slab)| slab);
        let mut statistics =
            norm.map(|_| Statistics::new(&mut self.buffers, layout, self.chunking.kernel(step), ranges));
        for (chunk, slab) in &slabs {
            let (buffer, start) = match chunk {
                Some(chunk) => (chunk.buffer, chunk.with_halo.start),
                None => (window.unwrap_or(usize::MAX), slab.start),
            };
            self.produce(index, slab.clone(), Output { buffer, layout, start }, &scratch);
            if let Some(statistics) = &mut statistics {
                statistics.merge(&mut self.buffers, scratch.moments, slab);
            }
        }
        if let (Some(norm), Some(statistics)) = (norm, statistics) {
            let zeros = if self.chunking.graph.norms[norm].padded { padding(layout.dims) } else { 0.0 };
            self.scale_shifts[norm] = Some(statistics.scale_shift(&mut self.buffers, norm, zeros));
            statistics.release(&mut self.buffers);
        }
        self.exchange(step.output);
        let used = [Some(scratch.moments), window].into_iter().chain(scratch.windows);
        used.flatten().for_each(|buffer| self.buffers.release(buffer));
    }

    /// Planes that a step reads to compute these.
    fn planes_read(&self, step: &Step, slab: &Range<usize>) -> Range<usize> {
        match step.kind {
            Operation::Conv(_) => slab.start.saturating_sub(1)..slab.end + 1,
            Operation::Pool => 2 * slab.start..2 * slab.end,
            Operation::AttentionGate(_) => slab.clone(),
            // The last plane of an odd output is padding: it has none below.
            _ => {
                let last = self.chunking.layouts[step.sources[0].map].dims[2] - 1;
                (slab.start / 2).min(last)..slab.end.div_ceil(2)
            }
        }
    }

    /// Computes planes of a step's output.
    pub(super) fn produce(&mut self, index: usize, slab: Range<usize>, output: Output, scratch: &Scratch) {
        let graph = self.chunking.graph;
        let step = &graph.steps[index];
        let read = self.planes_read(step, &slab);
        let mut sources = Vec::new();
        for (which, source) in step.sources.iter().enumerate() {
            let (layout, buffer, start) = self.window(*source, read.clone(), scratch, which);
            let scale_shift = self.scale_shifts_of(*source);
            sources.push(View {
                buffer,
                layout,
                start,
                scale_shift,
                negative_slope: source.negative_slope(),
            });
        }
        let planes = output.layout.dims[2] as f64;
        let job = Job {
            sources: &sources,
            weights: Packed::Weights(index),
            output,
            flops: graph.flops(step, self.chunking.dims) * slab.len() as f64 / planes,
            planes: slab,
        };
        self.buffers.push(match step.kind {
            Operation::Conv(_) => job.conv(self.chunking.kernel(step), scratch.moments),
            Operation::ConvTranspose(_) => job.conv_transpose(scratch.moments),
            Operation::AttentionGate(_) => {
                job.attention_gate(attention_gate_units(graph.maps[step.output].channels))
            }
            _ => job.pool(),
        });
    }

    /// A chunk as a kernel reads it.
    fn view(&self, step: &Step, which: usize, chunk: &Chunk) -> View {
        let source = step.sources[which];
        View {
            buffer: chunk.buffer,
            layout: self.chunking.layouts[source.map],
            start: chunk.with_halo.start,
            scale_shift: self.scale_shifts_of(source),
            negative_slope: source.negative_slope(),
        }
    }

    /// In place: the sum takes the chunks of its first source.
    fn residual_add(&mut self, index: usize, step: &Step) {
        let layout = self.chunking.layouts[step.output];
        let size = layout.dims[0] * layout.dims[1];
        let chunks = std::mem::take(&mut self.chunks[step.sources[0].map]);
        let others = self.chunks[step.sources[1].map].clone();
        for (chunk, other) in chunks.iter().zip(&others) {
            let job = Job {
                sources: &[self.view(step, 0, chunk), self.view(step, 1, other)],
                weights: Packed::Weights(index),
                output: Output { buffer: chunk.buffer, layout, start: chunk.with_halo.start },
                planes: chunk.core.clone(),
                flops: (size * layout.channel_blocks * chunk.core.len() * 16) as f64,
            };
            self.buffers.push(job.residual_add());
        }
        self.chunks[step.output] = chunks;
        self.exchange(step.output);
    }

    fn head_conv1x1(&mut self, index: usize, step: &Step) {
        let map = step.sources[0].map;
        let layout = self.chunking.layouts[map];
        let outputs = self.chunking.graph.maps[step.output].channels;
        let labels = self.chunking.settings.labels;
        let kernel = if labels { head_conv1x1::LABELS } else { head_conv1x1::LOGITS };
        let plane = (layout.dims[0] * layout.dims[1]).div_ceil(4) * if labels { 4 } else { 16 * outputs };
        let most = (READ / plane).max(1);
        let longest = self.chunks[map].iter().map(|chunk| chunk.core.len()).max().unwrap_or(1).min(most);
        let buffer = self.buffers.acquire((longest * plane) as u64);
        let flops = self.chunking.graph.flops(step, self.chunking.dims) / layout.dims[2] as f64;
        for chunk in self.chunks[map].clone() {
            for first in chunk.core.clone().step_by(longest) {
                let planes = first..(first + longest).min(chunk.core.end);
                let bytes = (planes.len() * plane) as u64;
                self.buffers.push(Command::Mark { buffer, bytes });
                let job = Job {
                    sources: &[self.view(step, 0, &chunk)],
                    weights: Packed::Weights(index),
                    output: Output { buffer, layout: self.chunking.layouts[step.output], start: first },
                    planes: planes.clone(),
                    flops: flops * planes.len() as f64,
                };
                self.buffers.push(job.head_conv1x1(kernel, outputs));
                self.buffers.push(Command::Read { binding: Binding::Buffer(buffer), bytes, planes });
            }
        }
        self.buffers.release(buffer);
    }
}
