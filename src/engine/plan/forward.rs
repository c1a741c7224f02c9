//! Writing the list.

mod residency;

use super::buffers::Buffers;
use super::chunks::Chunking;
use super::list::{Binding, Command, Packed, Plan, PlanSettings};
use crate::engine::nn::graph::{Graph, MapRef, Operation, Step};
use crate::engine::nn::scale_shift::padding;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::{attention_gate, conv, conv_transpose, head_conv1x1, norm_act, pool, residual_add};
use crate::error::Result;
use crate::model::{NEGATIVE_SLOPE, attention_gate_units};
use residency::{Chunk, Scratch};
use std::ops::Range;

/// A list under way.
pub struct ForwardPlanner<'a> {
    cuts: Chunking<'a>,
    /// By map; empty before and after its time.
    chunks: Vec<Vec<Chunk>>,
    /// Lines by normalisation.
    scale_shifts: Vec<Option<usize>>,
    buffers: Buffers,
}

impl<'a> ForwardPlanner<'a> {
    /// An empty list.
    pub fn new(cuts: Chunking<'a>) -> Self {
        Self {
            chunks: vec![Vec::new(); cuts.graph.maps.len()],
            scale_shifts: vec![None; cuts.graph.norms.len()],
            buffers: Buffers::within(cuts.settings.limits.budget),
            cuts,
        }
    }

    /// The whole list.
    pub fn build(mut self) -> Plan {
        let image = self.store(0);
        for chunk in image {
            let (layout, planes) = (self.cuts.layouts[0], chunk.held.clone());
            self.buffers.push(Command::Upload { buffer: chunk.buffer, layout, planes });
        }
        let graph = self.cuts.graph;
        for (index, step) in graph.steps.iter().enumerate() {
            match step.kind {
                Operation::ResidualAdd => self.join(step),
                Operation::HeadConv1x1(_) => self.out(index, step),
                _ => self.compute(index, step),
            }
            for source in &step.sources {
                self.release_after(source.map, index);
            }
        }
        self.buffers.plan
    }

    /// A step whose output has statistics, or is pooled.
    fn compute(&mut self, index: usize, step: &Step) {
        let recomputed = self.cuts.recomputed[step.output];
        let targets = if recomputed {
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
        let passed = recomputed.then(|| self.buffers.acquire(self.cuts.bytes(&layout, longest)));
        let norms = self.cuts.graph.norms.iter().position(|norm| norm.map == step.output);
        let row = conv::row(self.cuts.kernel(step));
        let count = |slab: &Range<usize>| conv::forward::moments(&layout, slab.len(), row);
        let of = slabs.iter().map(|(_, slab)| norm_act::forward::merge_groups(count(slab))).sum::<usize>();
        let slots = norms.map(|_| self.buffers.acquire((of * layout.channel_blocks * 48) as u64));
        let mut slot = 0;
        for (chunk, slab) in &slabs {
            let target = match passed {
                Some(buffer) => (buffer, slab.start),
                None => (chunk.buffer, chunk.held.start),
            };
            self.produce(index, step, slab.clone(), target, &scratch);
            if let Some(slots) = slots {
                let (moments, groups) = (count(slab), norm_act::forward::merge_groups(count(slab)));
                self.buffers.push(Command::Dispatch {
                    kernel: norm_act::MERGE,
                    words: norm_act::forward::merge_words(moments, slot, of),
                    bindings: vec![Binding::Buffer(scratch.moments), Binding::Buffer(slots)],
                    groups: [groups as u32, layout.channel_blocks as u32, 1],
                    flops: (moments * layout.channel_blocks * 40) as f64,
                });
                slot += groups;
            }
        }
        if let (Some(norm), Some(slots)) = (norms, slots) {
            let scale_shifts = self.buffers.acquire((layout.channel_blocks * 32) as u64);
            let zeros = if self.cuts.graph.norms[norm].padded { padding(layout.dims) } else { 0.0 };
            self.buffers.push(Command::Dispatch {
                kernel: norm_act::SCALE_SHIFT,
                words: norm_act::forward::norm_words(of, layout.channel_blocks, zeros),
                bindings: vec![
                    Binding::Buffer(slots),
                    Binding::Packed(Packed::Norm(norm)),
                    Binding::Buffer(scale_shifts),
                ],
                groups: [layout.channel_blocks.div_ceil(64) as u32, 1, 1],
                flops: 0.0,
            });
            self.scale_shifts[norm] = Some(scale_shifts);
            self.buffers.release(slots);
        }
        self.exchange(step.output);
        [Some(scratch.moments), passed].into_iter().flatten().for_each(|buffer| self.buffers.release(buffer));
        scratch.windows.into_iter().flatten().for_each(|buffer| self.buffers.release(buffer));
    }

    fn scale_shifts_of(&self, source: MapRef) -> Binding {
        source.norm.and_then(|norm| self.scale_shifts[norm]).map_or(Binding::Identity, Binding::Buffer)
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
            Operation::Conv(_) => first.saturating_sub(1)..slab.end + 1,
            Operation::Pool => 2 * first..2 * slab.end,
            Operation::AttentionGate(_) => slab.clone(),
            // The last plane of an odd output is padding: it has none below.
            _ => (first / 2).min(self.cuts.layouts[step.sources[0].map].dims[2] - 1)..slab.end.div_ceil(2),
        };
        let sources: Vec<_> = (step.sources.iter().enumerate())
            .map(|(which, &source)| {
                let (layout, buffer, start) = self.window(source, read.clone(), scratch, which);
                let negative_slope = if source.leaky { NEGATIVE_SLOPE } else { 1.0 };
                (layout, buffer, start, negative_slope, self.scale_shifts_of(source))
            })
            .collect();
        let flops = self.cuts.graph.flops(step, self.cuts.dims) * planes as f64 / output.dims[2] as f64;
        let (a, a_buffer, a_start, a_leak, a_norm) = sources[0];
        let out = Binding::Buffer(target.0);
        let op = match step.kind {
            Operation::Conv(_) => {
                // Without a second source the first stands in for it, with no channels.
                let none = Layout { channel_blocks: 0, ..a };
                let (b, b_buffer, b_start, b_leak, b_norm) =
                    sources.get(1).copied().unwrap_or((none, a_buffer, a_start, a_leak, a_norm));
                let sources = [(a, a_start, a_leak), (b, b_start, b_leak)];
                let params = conv::forward::Params { output, start, first, planes, sources };
                let (kernel, groups) =
                    (self.cuts.kernel(step), conv::groups(&params, self.cuts.kernel(step)));
                let bindings = vec![
                    Binding::Buffer(a_buffer),
                    Binding::Buffer(b_buffer),
                    a_norm,
                    b_norm,
                    Binding::Packed(Packed::Weights(index)),
                    out,
                    Binding::Buffer(scratch.moments),
                ];
                Command::Dispatch { kernel, words: params.words(), bindings, groups, flops }
            }
            Operation::ConvTranspose(_) => {
                let params = conv_transpose::forward::Params {
                    output,
                    start,
                    first,
                    planes,
                    source: (a, a_start, a_leak),
                };
                let moments = Binding::Buffer(scratch.moments);
                let bindings = vec![
                    Binding::Buffer(a_buffer),
                    a_norm,
                    Binding::Packed(Packed::Weights(index)),
                    out,
                    moments,
                ];
                Command::Dispatch {
                    kernel: conv_transpose::FORWARD,
                    words: params.words(),
                    bindings,
                    groups: params.groups(),
                    flops,
                }
            }
            Operation::AttentionGate(_) => {
                let (b, b_buffer, b_start, b_leak, b_norm) = sources[1];
                let (units, sources) = (
                    attention_gate_units(self.cuts.graph.maps[step.output].channels),
                    [(a, a_start, a_leak), (b, b_start, b_leak)],
                );
                let params = attention_gate::forward::Params { output, start, first, planes, units, sources };
                let weights = Binding::Packed(Packed::Weights(index));
                let bindings =
                    vec![Binding::Buffer(a_buffer), Binding::Buffer(b_buffer), a_norm, b_norm, weights, out];
                let (words, groups) = (params.words(), params.groups());
                Command::Dispatch { kernel: attention_gate::FORWARD, words, bindings, groups, flops }
            }
            _ => {
                let params =
                    pool::forward::Params { output, start, first, planes, source: (a, a_start, a_leak) };
                let bindings = vec![Binding::Buffer(a_buffer), a_norm, out];
                Command::Dispatch {
                    kernel: pool::FORWARD,
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
            self.buffers.push(Command::Dispatch {
                kernel: residual_add::FORWARD,
                words: residual_add::forward::words(
                    size,
                    layout.channel_blocks,
                    layout.pitch,
                    [chunk, other].map(|c| c.own.start - c.held.start),
                ),
                bindings: vec![
                    Binding::Buffer(chunk.buffer),
                    Binding::Buffer(other.buffer),
                    self.scale_shifts_of(a),
                    self.scale_shifts_of(b),
                ],
                groups: residual_add::forward::groups(size, layout.channel_blocks, planes),
                flops: (size * layout.channel_blocks * planes * 16) as f64,
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
        let buffer = self.buffers.acquire((longest * plane) as u64);
        for chunk in self.chunks[source.map].clone() {
            for first in chunk.own.clone().step_by(longest) {
                let planes = first..(first + longest).min(chunk.own.end);
                let bytes = (planes.len() * plane) as u64;
                self.buffers.push(Command::Mark { buffer, bytes });
                let negative_slope = if source.leaky { NEGATIVE_SLOPE } else { 1.0 };
                let at = first - chunk.held.start;
                self.buffers.push(Command::Dispatch {
                    kernel: if labels { head_conv1x1::LABELS } else { head_conv1x1::LOGITS },
                    words: head_conv1x1::forward::words(
                        size,
                        layout.pitch,
                        at,
                        planes.len(),
                        layout.channel_blocks,
                        outputs,
                        negative_slope,
                    ),
                    bindings: vec![
                        Binding::Buffer(chunk.buffer),
                        self.scale_shifts_of(source),
                        Binding::Packed(Packed::Weights(index)),
                        Binding::Buffer(buffer),
                    ],
                    groups: head_conv1x1::forward::groups(size, planes.len()),
                    flops: self.cuts.graph.flops(step, self.cuts.dims) * planes.len() as f64
                        / layout.dims[2] as f64,
                });
                self.buffers.push(Command::Read { binding: Binding::Buffer(buffer), bytes, planes });
            }
        }
        self.buffers.release(buffer);
    }
}

/// The plan of `graph` for an image of `dims`, `[x, y, z]`.
///
/// # Errors
/// `Limit` where a plane of a map exceeds a binding.
pub fn plan(graph: &Graph, dims: [usize; 3], settings: &PlanSettings) -> Result<Plan> {
    let plan = |recompute| Ok(ForwardPlanner::new(Chunking::new(graph, dims, settings, recompute)?).build());
    let stored: Plan = plan(false)?;
    if stored.peak <= settings.limits.budget {
        return Ok(stored);
    }
    let recomputed = plan(true)?;
    Ok(if recomputed.peak < stored.peak { recomputed } else { stored })
}
