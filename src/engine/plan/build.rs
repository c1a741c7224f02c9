//! Writing the list.

mod hold;

use super::buffers::Buffers;
use super::cuts::Cuts;
use super::{Binding, Op, Packed, Plan};
use crate::engine::graph::{Kind, Source, Step};
use crate::engine::norm::padding;
use crate::kernels::{Kernel, Layout, conv, gate, join, norm, out, pool, up};
use crate::model::{LEAK, gate_units};
use hold::{Chunk, Scratch};
use std::ops::Range;

/// A list under way.
pub struct Builder<'a> {
    cuts: Cuts<'a>,
    /// By map; empty before and after its time.
    chunks: Vec<Vec<Chunk>>,
    /// Lines by normalisation.
    lines: Vec<Option<usize>>,
    buffers: Buffers,
}

impl<'a> Builder<'a> {
    /// An empty list.
    pub fn new(cuts: Cuts<'a>) -> Self {
        Self {
            chunks: vec![Vec::new(); cuts.graph.maps.len()],
            lines: vec![None; cuts.graph.norms.len()],
            buffers: Buffers::within(cuts.settings.limits.budget),
            cuts,
        }
    }

    /// The whole list.
    pub fn build(mut self) -> Plan {
        let image = self.store(0);
        for chunk in image {
            let (layout, planes) = (self.cuts.layouts[0], chunk.held.clone());
            self.buffers.push(Op::Upload { buffer: chunk.buffer, layout, planes });
        }
        let graph = self.cuts.graph;
        for (index, step) in graph.steps.iter().enumerate() {
            match step.kind {
                Kind::Join => self.join(step),
                Kind::Out(_) => self.out(index, step),
                _ => self.compute(index, step),
            }
            for source in &step.sources {
                self.release(source.map, index);
            }
        }
        self.buffers.plan
    }

    /// A step whose output has statistics, or is pooled.
    fn compute(&mut self, index: usize, step: &Step) {
        let passing = self.cuts.passing[step.output];
        let targets = if passing {
            self.cuts
                .own(step.output)
                .into_iter()
                .map(|own| Chunk { buffer: usize::MAX, held: own.clone(), own })
                .collect()
        } else {
            self.store(step.output)
        };
        let slabs: Vec<(Chunk, Range<usize>)> = targets
            .iter()
            .flat_map(|chunk| self.cuts.slabs(step, &chunk.own).into_iter().map(|slab| (chunk.clone(), slab)))
            .collect();
        let layout = self.cuts.layouts[step.output];
        let longest = slabs.iter().map(|(_, slab)| slab.len()).max().unwrap_or(0);
        let scratch = self.scratch(step, longest);
        let passed = passing.then(|| self.buffers.take(self.cuts.bytes(&layout, longest)));
        let norms = self.cuts.graph.norms.iter().position(|norm| norm.map == step.output);
        let row = self.cuts.kernel(step).row();
        let count = |slab: &Range<usize>| conv::moments(&layout, slab.len(), row);
        let of = slabs.iter().map(|(_, slab)| norm::merge_groups(count(slab))).sum::<usize>();
        let slots = norms.map(|_| self.buffers.take((of * layout.quads * 48) as u64));
        let mut slot = 0;
        for (chunk, slab) in &slabs {
            let target = match passed {
                Some(buffer) => (buffer, slab.start),
                None => (chunk.buffer, chunk.held.start),
            };
            self.produce(index, step, slab.clone(), target, &scratch);
            if let Some(slots) = slots {
                let (moments, groups) = (count(slab), norm::merge_groups(count(slab)));
                self.buffers.push(Op::Dispatch {
                    kernel: Kernel::Merge,
                    words: norm::merge_words(moments, slot, of),
                    bindings: vec![Binding::Buffer(scratch.moments), Binding::Buffer(slots)],
                    groups: [groups as u32, layout.quads as u32, 1],
                    flops: (moments * layout.quads * 40) as f64,
                });
                slot += groups;
            }
        }
        if let (Some(norm), Some(slots)) = (norms, slots) {
            let lines = self.buffers.take((layout.quads * 32) as u64);
            let zeros = if self.cuts.graph.norms[norm].padded { padding(layout.dims) } else { 0.0 };
            self.buffers.push(Op::Dispatch {
                kernel: Kernel::Norm,
                words: norm::norm_words(of, layout.quads, zeros),
                bindings: vec![
                    Binding::Buffer(slots),
                    Binding::Packed(Packed::Norm(norm)),
                    Binding::Buffer(lines),
                ],
                groups: [layout.quads.div_ceil(64) as u32, 1, 1],
                flops: 0.0,
            });
            self.lines[norm] = Some(lines);
            self.buffers.give(slots);
        }
        self.exchange(step.output);
        [Some(scratch.moments), passed].into_iter().flatten().for_each(|buffer| self.buffers.give(buffer));
        scratch.windows.into_iter().flatten().for_each(|buffer| self.buffers.give(buffer));
    }

    fn lines_of(&self, source: Source) -> Binding {
        source.norm.and_then(|norm| self.lines[norm]).map_or(Binding::Same, Binding::Buffer)
    }

    /// Computes planes of a step's output into `target`, a buffer and the plane with which it begins.
    fn produce(
        &mut self,
        index: usize,
        step: &Step,
        slab: Range<usize>,
        target: (usize, usize),
        scratch: &Scratch,
    ) {
        let output = self.cuts.layouts[step.output];
        let (first, planes, start) = (slab.start, slab.len(), target.1);
        let read = match step.kind {
            Kind::Conv(_) => first.saturating_sub(1)..slab.end + 1,
            Kind::Pool => 2 * first..2 * slab.end,
            Kind::Gate(_) => slab.clone(),
            // The last plane of an odd output is padding: it has none below.
            _ => (first / 2).min(self.cuts.layouts[step.sources[0].map].dims[2] - 1)..slab.end.div_ceil(2),
        };
        let sources: Vec<_> = (step.sources.iter().enumerate())
            .map(|(which, &source)| {
                let (layout, buffer, start) = self.window(source, read.clone(), scratch, which);
                let leak = if source.leaky { LEAK } else { 1.0 };
                (layout, buffer, start, leak, self.lines_of(source))
            })
            .collect();
        let flops = self.cuts.graph.flops(step, self.cuts.dims) * planes as f64 / output.dims[2] as f64;
        let (a, a_buffer, a_start, a_leak, a_lines) = sources[0];
        let out = Binding::Buffer(target.0);
        let op = match step.kind {
            Kind::Conv(_) => {
                // Without a second source the first stands in for it, with no channels.
                let none = Layout { quads: 0, ..a };
                let (b, b_buffer, b_start, b_leak, b_lines) =
                    sources.get(1).copied().unwrap_or((none, a_buffer, a_start, a_leak, a_lines));
                let sources = [(a, a_start, a_leak), (b, b_start, b_leak)];
                let params = conv::Params { output, start, first, planes, sources };
                let (kernel, groups) =
                    (self.cuts.kernel(step), conv::groups(&params, self.cuts.kernel(step)));
                let bindings = vec![
                    Binding::Buffer(a_buffer),
                    Binding::Buffer(b_buffer),
                    a_lines,
                    b_lines,
                    Binding::Packed(Packed::Weights(index)),
                    out,
                    Binding::Buffer(scratch.moments),
                ];
                Op::Dispatch { kernel, words: params.words(), bindings, groups, flops }
            }
            Kind::Up(_) => {
                let params = up::Params { output, start, first, planes, source: (a, a_start, a_leak) };
                let moments = Binding::Buffer(scratch.moments);
                let bindings = vec![
                    Binding::Buffer(a_buffer),
                    a_lines,
                    Binding::Packed(Packed::Weights(index)),
                    out,
                    moments,
                ];
                Op::Dispatch {
                    kernel: Kernel::Up,
                    words: params.words(),
                    bindings,
                    groups: params.groups(),
                    flops,
                }
            }
            Kind::Gate(_) => {
                let (b, b_buffer, b_start, b_leak, b_lines) = sources[1];
                let (units, sources) = (
                    gate_units(self.cuts.graph.maps[step.output].channels),
                    [(a, a_start, a_leak), (b, b_start, b_leak)],
                );
                let params = gate::Params { output, start, first, planes, units, sources };
                let weights = Binding::Packed(Packed::Weights(index));
                let bindings = vec![
                    Binding::Buffer(a_buffer),
                    Binding::Buffer(b_buffer),
                    a_lines,
                    b_lines,
                    weights,
                    out,
                ];
                let (words, groups) = (params.words(), params.groups());
                Op::Dispatch { kernel: Kernel::Gate, words, bindings, groups, flops }
            }
            _ => {
                let params = pool::Params { output, start, first, planes, source: (a, a_start, a_leak) };
                let bindings = vec![Binding::Buffer(a_buffer), a_lines, out];
                Op::Dispatch {
                    kernel: Kernel::Pool,
                    words: params.words(),
                    bindings,
                    groups: params.groups(),
                    flops,
                }
            }
        };
        self.buffers.push(op);
    }

    /// In place: the sum takes the chunks of its first source.
    fn join(&mut self, step: &Step) {
        let [a, b] = [step.sources[0], step.sources[1]];
        let layout = self.cuts.layouts[step.output];
        let size = layout.dims[0] * layout.dims[1];
        let chunks = std::mem::take(&mut self.chunks[a.map]);
        let others = self.chunks[b.map].clone();
        for (chunk, other) in chunks.iter().zip(&others) {
            let planes = chunk.own.len();
            self.buffers.push(Op::Dispatch {
                kernel: Kernel::Join,
                words: join::words(
                    size,
                    layout.quads,
                    layout.pitch,
                    [chunk, other].map(|c| c.own.start - c.held.start),
                ),
                bindings: vec![
                    Binding::Buffer(chunk.buffer),
                    Binding::Buffer(other.buffer),
                    self.lines_of(a),
                    self.lines_of(b),
                ],
                groups: join::groups(size, layout.quads, planes),
                flops: (size * layout.quads * planes * 16) as f64,
            });
        }
        self.chunks[step.output] = chunks;
        self.exchange(step.output);
    }

    fn out(&mut self, index: usize, step: &Step) {
        let source = step.sources[0];
        let layout = self.cuts.layouts[source.map];
        let outputs = self.cuts.graph.maps[step.output].channels;
        let size = layout.dims[0] * layout.dims[1];
        let labels = self.cuts.settings.labels;
        let plane = size.div_ceil(4) * if labels { 4 } else { 16 * outputs };
        let most = ((16 << 20) / plane).max(1);
        let longest =
            self.chunks[source.map].iter().map(|chunk| chunk.own.len()).max().unwrap_or(1).min(most);
        let buffer = self.buffers.take((longest * plane) as u64);
        for chunk in self.chunks[source.map].clone() {
            for first in chunk.own.clone().step_by(longest) {
                let planes = first..(first + longest).min(chunk.own.end);
                let bytes = (planes.len() * plane) as u64;
                self.buffers.push(Op::Mark { buffer, bytes });
                let leak = if source.leaky { LEAK } else { 1.0 };
                let at = first - chunk.held.start;
                self.buffers.push(Op::Dispatch {
                    kernel: if labels { Kernel::Labels } else { Kernel::Logits },
                    words: out::words(size, layout.pitch, at, planes.len(), layout.quads, outputs, leak),
                    bindings: vec![
                        Binding::Buffer(chunk.buffer),
                        self.lines_of(source),
                        Binding::Packed(Packed::Weights(index)),
                        Binding::Buffer(buffer),
                    ],
                    groups: out::groups(size, planes.len()),
                    flops: self.cuts.graph.flops(step, self.cuts.dims) * planes.len() as f64
                        / layout.dims[2] as f64,
                });
                self.buffers.push(Op::Read { binding: Binding::Buffer(buffer), bytes, planes });
            }
        }
        self.buffers.give(buffer);
    }
}
