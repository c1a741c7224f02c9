//! The work of a GPU for one example: there, with all maps kept, the loss, and the way back to the gradients of what
//! learns. As [`super::build`], but every map is one buffer: patches are small, and one whose maps exceed a binding is
//! refused.

mod attention_gate;
mod steps;

use super::buffers::Buffers;
use super::list::{Binding, Command, Packed, Plan, PlanSettings};
use super::parameters::Parameters;
use crate::engine::nn::graph::{Graph, MapRef, Norm, Operation, Step};
use crate::engine::nn::scale_shift::padding;
use crate::engine::wgsl::kernel::Kernel;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::slab::Slab;
use crate::engine::wgsl::{conv, conv_transpose, head_conv1x1, loss, norm_act, pool, residual_add};
use crate::error::{Error, Result};
use crate::model::NEGATIVE_SLOPE;
use std::ops::Range;

/// Bytes of moments that a slab may leave: they are no part of the result.
const MOMENTS: usize = 8 << 20;

/// What of a step an example is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossScale {
    /// Its part of the loss: one over the examples.
    pub share: f32,
    /// Whether it is the first.
    pub fresh: bool,
    /// Whether the cross-entropy counts, or Dice alone.
    pub entropy: bool,
}

/// What is learned by.
#[derive(Clone, Copy)]
pub struct TrainSpec<'a> {
    /// The network.
    pub graph: &'a Graph,
    /// Its parameters.
    pub parameters: &'a Parameters,
    /// The image, `[x, y, z]`.
    pub dims: [usize; 3],
    /// PlanSettings; maps are f32.
    pub settings: &'a PlanSettings,
    /// Which parameters learn, by name.
    pub trainable: &'a dyn Fn(&str) -> bool,
}

/// The list for one example.
///
/// # Errors
/// `Limit` where a map exceeds a binding.
pub fn training_step(spec: TrainSpec, share: LossScale) -> Result<Plan> {
    let maps = spec.graph.maps.len();
    let layouts: Vec<Layout> = (0..maps)
        .map(|map| Layout::new(spec.graph.maps[map].channels, spec.graph.dims(map, spec.dims)))
        .collect();
    let largest = layouts.iter().map(bytes).max().unwrap_or(0);
    if largest > spec.settings.limits.binding {
        let [x, y, z] = spec.dims;
        let found = format!("maps of {} MiB for a {x} x {y} x {z} patch", largest >> 20);
        let limit = spec.settings.limits.binding >> 20;
        return Err(Error::limit("GPU", found, format!("at most {limit} MiB: a smaller patch, or the CPU")));
    }
    let lesson = TrainPlanner {
        spec,
        requires_grad: spec.graph.requires_grad(spec.trainable),
        layouts,
        buffers: Buffers::kept(),
        maps: vec![None; maps],
        grads: vec![None; maps],
        targets: 0,
        scale_shifts: vec![None; spec.graph.norms.len()],
        stats: vec![None; spec.graph.norms.len()],
    };
    Ok(lesson.all(share))
}

/// Bytes of a training step at its worst moment, parameters included.
///
/// # Errors
/// As [`training_step`].
pub fn peak(spec: TrainSpec) -> Result<u64> {
    let share = LossScale { share: 1.0, fresh: true, entropy: true };
    Ok(training_step(spec, share)?.peak + spec.parameters.bytes(spec.graph))
}

fn bytes(layout: &Layout) -> u64 {
    (layout.dims[2] * layout.pitch * 16) as u64
}

struct TrainPlanner<'a> {
    spec: TrainSpec<'a>,
    /// By map, whether its gradient is wanted.
    requires_grad: Vec<bool>,
    layouts: Vec<Layout>,
    buffers: Buffers,
    /// Buffers by map, in their time.
    maps: Vec<Option<usize>>,
    /// Buffers of gradients by map.
    grads: Vec<Option<usize>>,
    /// Numbers of the targets so far.
    targets: usize,
    /// Buffers by normalisation.
    scale_shifts: Vec<Option<usize>>,
    stats: Vec<Option<usize>>,
}

impl<'a> TrainPlanner<'a> {
    fn all(mut self, mut share: LossScale) -> Plan {
        let (graph, layout) = (self.spec.graph, self.layouts[0]);
        let image = self.buffers.acquire(bytes(&layout));
        self.maps[0] = Some(image);
        let planes = 0..layout.dims[2];
        self.buffers.push(Command::Upload { buffer: image, layout, planes });
        for (index, step) in graph.steps.iter().enumerate() {
            match step.kind {
                Operation::Conv(_) | Operation::ConvTranspose(_) => self.normalised(index, step),
                Operation::Pool => self.pool(step),
                Operation::ResidualAdd => self.join(step),
                Operation::AttentionGate(_) => self.gate(index, step),
                Operation::HeadConv1x1(_) => {
                    self.loss(index, step, share);
                    share.fresh = false;
                }
            }
        }
        for steps in graph.fusion_groups().into_iter().rev() {
            let requires_grad = |step: &Step| self.requires_grad[step.output];
            if graph.steps[steps.clone()].iter().any(requires_grad) {
                self.back(steps.clone());
            }
            for step in &graph.steps[steps] {
                if let Some(buffer) = self.grads[step.output].take() {
                    self.buffers.release(buffer);
                }
                self.forget(step.output);
            }
        }
        self.buffers.plan
    }

    /// Gives a map's buffer back.
    fn forget(&mut self, map: usize) {
        if let Some(buffer) = self.maps[map].take() {
            self.buffers.release(buffer);
        }
    }

    /// The buffer of a map that is there.
    fn there(&self, map: usize) -> usize {
        self.maps[map].unwrap_or(usize::MAX)
    }

    /// A kernel that is not cut.
    fn one(&mut self, kernel: Kernel, words: Vec<u32>, bindings: Vec<Binding>, groups: [u32; 3], flops: f64) {
        self.buffers.push(Command::Dispatch { kernel, words, bindings, groups, flops });
    }

    fn scratch(&mut self, bytes: usize) -> usize {
        self.buffers.acquire(bytes as u64)
    }

    fn scale_shifts_of(&self, source: MapRef) -> Binding {
        source.norm.and_then(|norm| self.scale_shifts[norm]).map_or(Binding::Identity, Binding::Buffer)
    }

    fn norm_of(&self, map: usize) -> Option<(usize, &'a Norm)> {
        self.spec.graph.norms.iter().enumerate().find(|(_, norm)| norm.map == map)
    }

    /// The kernel of a convolution or up-convolution, in slabs; its moments are merged into slots.
    fn convolve(
        &mut self,
        output: Layout,
        sources: &[(Layout, f32)],
        mut bindings: Vec<Binding>,
        flops: f64,
        merged: bool,
    ) -> Option<(usize, usize)> {
        let planes = output.dims[2];
        let most = (self.spec.settings.limits.dispatch / flops * planes as f64).clamp(1.0, 65535.0) as usize;
        let most =
            most.min(MOMENTS / (conv::forward::moments(&output, 1, 8) * output.channel_blocks * 48)).max(1);
        let slabs: Vec<Range<usize>> = (0..planes.div_ceil(most))
            .map(|k| k * planes / planes.div_ceil(most)..(k + 1) * planes / planes.div_ceil(most))
            .collect();
        let up = sources[0].0.dims != output.dims;
        let kernel =
            if up { conv_transpose::FORWARD } else { conv::kernel(&output, self.spec.settings.tiled) };
        let count = |slab: &Range<usize>| conv::forward::moments(&output, slab.len(), conv::row(kernel));
        let longest = slabs.iter().map(count).max().unwrap_or(0);
        let moments = self.scratch(longest * output.channel_blocks * 48);
        let total = slabs.iter().map(|slab| norm_act::forward::merge_groups(count(slab))).sum::<usize>();
        let slots = merged.then(|| self.scratch(total * output.channel_blocks * 48));
        bindings.push(Binding::Buffer(moments));
        let mut slot = 0;
        for slab in slabs {
            let (first, planes, start) = (slab.start, slab.len(), 0);
            let (words, groups) = if up {
                let (layout, negative_slope) = sources[0];
                let params = conv_transpose::forward::Params {
                    output,
                    start,
                    first,
                    planes,
                    source: (layout, 0, negative_slope),
                };
                (params.words(), params.groups())
            } else {
                let none = (Layout { channel_blocks: 0, ..sources[0].0 }, sources[0].1);
                let (a, b) = (sources[0], sources.get(1).copied().unwrap_or(none));
                let sources = [(a.0, 0, a.1), (b.0, 0, b.1)];
                let params = conv::forward::Params { output, start, first, planes, sources };
                (params.words(), conv::groups(&params, kernel))
            };
            let share = flops * planes as f64 / output.dims[2] as f64;
            self.one(kernel, words, bindings.clone(), groups, share);
            if let Some(slots) = slots {
                let (moments_of, merge) = (count(&slab), norm_act::forward::merge_groups(count(&slab)));
                self.one(
                    norm_act::MERGE,
                    norm_act::forward::merge_words(moments_of, slot, total),
                    vec![Binding::Buffer(moments), Binding::Buffer(slots)],
                    [merge as u32, output.channel_blocks as u32, 1],
                    (moments_of * output.channel_blocks * 40) as f64,
                );
                slot += merge;
            }
        }
        self.buffers.release(moments);
        slots.map(|slots| (slots, total))
    }

    /// Sources, or the first with no channels where there is no second, then lines.
    fn convolution(&self, sources: &[(usize, Binding)]) -> Vec<Binding> {
        let (first, second) = (sources[0], sources.get(1).copied().unwrap_or(sources[0]));
        vec![Binding::Buffer(first.0), Binding::Buffer(second.0), first.1, second.1]
    }

    fn normalised(&mut self, index: usize, step: &Step) {
        let layout = self.layouts[step.output];
        let output = self.buffers.acquire(bytes(&layout));
        self.maps[step.output] = Some(output);
        let (weights, output) = (Binding::Packed(Packed::Weights(index)), Binding::Buffer(output));
        let read = |source: &MapRef| (self.there(source.map), self.scale_shifts_of(*source));
        let read: Vec<(usize, Binding)> = step.sources.iter().map(read).collect();
        let mut bindings = match step.kind {
            Operation::ConvTranspose(_) => vec![Binding::Buffer(read[0].0), read[0].1],
            _ => self.convolution(&read),
        };
        bindings.extend([weights, output]);
        let sources: Vec<(Layout, f32)> =
            step.sources.iter().map(|source| (self.layouts[source.map], negative_slope(*source))).collect();
        let flops = self.spec.graph.flops(step, self.spec.dims);
        let merged = self.convolve(layout, &sources, bindings, flops, true);
        let (Some((slots, total)), Some((norm, of))) = (merged, self.norm_of(step.output)) else { return };
        let zeros = if of.padded { padding(layout.dims) } else { 0.0 };
        let words = norm_act::forward::norm_words(total, layout.channel_blocks, zeros);
        let (scale_shifts, stats) =
            (self.scratch(layout.channel_blocks * 32), self.scratch(layout.channel_blocks * 32));
        let packed = Binding::Packed(Packed::Norm(norm));
        let groups = [layout.channel_blocks.div_ceil(64) as u32, 1, 1];
        self.one(
            norm_act::SCALE_SHIFT,
            words.clone(),
            vec![Binding::Buffer(slots), packed, Binding::Buffer(scale_shifts)],
            groups,
            0.0,
        );
        self.one(
            norm_act::STATS,
            words,
            vec![Binding::Buffer(slots), Binding::Buffer(stats)],
            norm_act::backward::stats_groups(layout.channel_blocks),
            0.0,
        );
        (self.scale_shifts[norm], self.stats[norm]) = (Some(scale_shifts), Some(stats));
        self.buffers.release(slots);
    }

    /// What *pool* and its way back are told.
    fn pooling(&self, step: &Step, slab: &Range<usize>) -> pool::forward::Params {
        let source = step.sources[0];
        pool::forward::Params {
            output: self.layouts[step.output],
            start: 0,
            first: slab.start,
            planes: slab.len(),
            source: (self.layouts[source.map], 0, negative_slope(source)),
        }
    }

    fn pool(&mut self, step: &Step) {
        let (layout, source) = (self.layouts[step.output], step.sources[0]);
        let output = self.buffers.acquire(bytes(&layout));
        self.maps[step.output] = Some(output);
        let params = self.pooling(step, &(0..layout.dims[2]));
        let bindings = vec![
            Binding::Buffer(self.there(source.map)),
            self.scale_shifts_of(source),
            Binding::Buffer(output),
        ];
        let flops = self.spec.graph.flops(step, self.spec.dims);
        self.one(pool::FORWARD, params.words(), bindings, params.groups(), flops);
    }

    fn join(&mut self, step: &Step) {
        let layout = self.layouts[step.output];
        let [a, b] = [step.sources[0], step.sources[1]];
        let output = self.buffers.acquire(bytes(&layout));
        self.maps[step.output] = Some(output);
        self.buffers.push(Command::Copy {
            from: (self.there(a.map), 0),
            to: (output, 0),
            bytes: bytes(&layout),
        });
        let size = layout.dims[0] * layout.dims[1];
        self.one(
            residual_add::FORWARD,
            residual_add::forward::words(size, layout.channel_blocks, layout.pitch, [0, 0]),
            vec![
                Binding::Buffer(output),
                Binding::Buffer(self.there(b.map)),
                self.scale_shifts_of(a),
                self.scale_shifts_of(b),
            ],
            residual_add::forward::groups(size, layout.channel_blocks, layout.dims[2]),
            self.spec.graph.flops(step, self.spec.dims),
        );
    }

    /// The logits, the loss, and the gradient by the logits.
    fn loss(&mut self, index: usize, step: &Step, LossScale { share, fresh, entropy }: LossScale) {
        let source = step.sources[0];
        let (from, layout) = (self.layouts[source.map], self.layouts[step.output]);
        let outputs = self.spec.graph.maps[step.output].channels;
        let (size, planes) = (layout.dims[0] * layout.dims[1], layout.dims[2]);
        let room = planes * size.div_ceil(4) * 16;
        let (logits, target) = (self.scratch(outputs * room), self.scratch((outputs + 2) * room));
        let numbers = self.targets..self.targets + (outputs + 2) * room / 4;
        self.targets = numbers.end;
        self.buffers.push(Command::Target { buffer: target, numbers });
        let flops = self.spec.graph.flops(step, self.spec.dims);
        self.one(
            head_conv1x1::LOGITS,
            head_conv1x1::forward::words(
                size,
                from.pitch,
                0,
                planes,
                from.channel_blocks,
                outputs,
                negative_slope(source),
            ),
            vec![
                Binding::Buffer(self.there(source.map)),
                self.scale_shifts_of(source),
                Binding::Packed(Packed::Weights(index)),
                Binding::Buffer(logits),
            ],
            head_conv1x1::forward::groups(size, planes),
            flops,
        );
        let slab = Slab::whole(layout);
        let total = loss::shader::slots(&slab);
        let (sums, coefficients) = (self.scratch(outputs * total * 16), self.scratch(outputs * 16));
        let [logits_there, target_there] = [logits, target].map(Binding::Buffer);
        let voxels = size * planes;
        self.one(
            loss::SUMS,
            loss::shader::sums_words(&slab, outputs, 0, total),
            vec![logits_there, target_there, Binding::Buffer(sums)],
            loss::shader::sums_groups(&slab, outputs),
            (20 * voxels * outputs) as f64,
        );
        self.one(
            loss::TOTAL,
            loss::shader::End { total, outputs, voxels, share, entropy, fresh }.words(),
            vec![Binding::Buffer(sums), Binding::Buffer(coefficients), Binding::Loss],
            [1; 3],
            0.0,
        );
        let grad = self.buffers.acquire(bytes(&layout));
        self.grads[step.output] = Some(grad);
        self.one(
            loss::BACKWARD,
            loss::shader::back_words(&slab, outputs),
            vec![logits_there, target_there, Binding::Buffer(coefficients), Binding::Buffer(grad)],
            slab.groups(),
            (20 * voxels * outputs) as f64,
        );
        [logits, target, sums, coefficients].into_iter().for_each(|buffer| self.buffers.release(buffer));
    }
}

fn negative_slope(source: MapRef) -> f32 {
    if source.leaky { NEGATIVE_SLOPE } else { 1.0 }
}
