//! The work of a GPU for one example: there, with all maps kept, the loss, and the way back to the gradients of what
//! learns. As [`super::build`], but every map is one buffer: patches are small, and one whose maps exceed a binding is
//! refused.

mod back;
mod gate;

use super::buffers::Buffers;
use super::parameters::Parameters;
use super::{Binding, Op, Packed, Plan, Settings};
use crate::engine::graph::{Graph, Kind, Norm, Source, Step};
use crate::engine::norm::padding;
use crate::error::{Error, Result};
use crate::kernels::back::{Back, Slab, bend, loss};
use crate::kernels::{Kernel, Layout, conv, join, norm, out, pool, up};
use crate::model::LEAK;
use std::ops::Range;

/// Bytes of moments that a slab may leave: they are no part of the result.
const MOMENTS: usize = 8 << 20;

/// What of a step an example is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Its part of the loss: one over the examples.
    pub share: f32,
    /// Whether it is the first.
    pub fresh: bool,
    /// Whether the cross-entropy counts, or Dice alone.
    pub entropy: bool,
}

/// What is learned by.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The network.
    pub graph: &'a Graph,
    /// Its parameters.
    pub parameters: &'a Parameters,
    /// The image, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Settings; maps are f32.
    pub settings: &'a Settings,
    /// Which parameters learn, by name.
    pub learns: &'a dyn Fn(&str) -> bool,
}

/// The list for one example.
///
/// # Errors
/// `Limit` where a map exceeds a binding.
pub fn lesson(task: Task, share: Share) -> Result<Plan> {
    let maps = task.graph.maps.len();
    let layouts: Vec<Layout> = (0..maps)
        .map(|map| Layout::new(task.graph.maps[map].channels, task.graph.dims(map, task.dims)))
        .collect();
    let largest = layouts.iter().map(bytes).max().unwrap_or(0);
    if largest > task.settings.limits.binding {
        let [x, y, z] = task.dims;
        let found = format!("maps of {} MiB for a {x} x {y} x {z} patch", largest >> 20);
        let limit = task.settings.limits.binding >> 20;
        return Err(Error::limit("GPU", found, format!("at most {limit} MiB: a smaller patch, or the CPU")));
    }
    let lesson = Lesson {
        task,
        reached: task.graph.reached(task.learns),
        layouts,
        buffers: Buffers::kept(),
        maps: vec![None; maps],
        slopes: vec![None; maps],
        targets: 0,
        lines: vec![None; task.graph.norms.len()],
        stats: vec![None; task.graph.norms.len()],
    };
    Ok(lesson.all(share))
}

/// Bytes of a training step at its worst moment, parameters included.
///
/// # Errors
/// As [`lesson`].
pub fn peak(task: Task) -> Result<u64> {
    let share = Share { share: 1.0, fresh: true, entropy: true };
    Ok(lesson(task, share)?.peak + task.parameters.bytes(task.graph))
}

fn bytes(layout: &Layout) -> u64 {
    (layout.dims[2] * layout.pitch * 16) as u64
}

struct Lesson<'a> {
    task: Task<'a>,
    /// By map, whether its gradient is wanted.
    reached: Vec<bool>,
    layouts: Vec<Layout>,
    buffers: Buffers,
    /// Buffers by map, in their time.
    maps: Vec<Option<usize>>,
    /// Buffers of gradients by map.
    slopes: Vec<Option<usize>>,
    /// Numbers of the targets so far.
    targets: usize,
    /// Buffers by normalisation.
    lines: Vec<Option<usize>>,
    stats: Vec<Option<usize>>,
}

impl<'a> Lesson<'a> {
    fn all(mut self, mut share: Share) -> Plan {
        let (graph, layout) = (self.task.graph, self.layouts[0]);
        let image = self.buffers.take(bytes(&layout));
        self.maps[0] = Some(image);
        let planes = 0..layout.dims[2];
        self.buffers.push(Op::Upload { buffer: image, layout, planes });
        for (index, step) in graph.steps.iter().enumerate() {
            match step.kind {
                Kind::Conv(_) | Kind::Up(_) => self.normalised(index, step),
                Kind::Pool => self.pool(step),
                Kind::Join => self.join(step),
                Kind::Gate(_) => self.gate(index, step),
                Kind::Out(_) => {
                    self.loss(index, step, share);
                    share.fresh = false;
                }
            }
        }
        for steps in graph.together().into_iter().rev() {
            let reached = |step: &Step| self.reached[step.output];
            if graph.steps[steps.clone()].iter().any(reached) {
                self.back(steps.clone());
            }
            for step in &graph.steps[steps] {
                if let Some(buffer) = self.slopes[step.output].take() {
                    self.buffers.give(buffer);
                }
                self.forget(step.output);
            }
        }
        self.buffers.plan
    }

    /// Gives a map's buffer back.
    fn forget(&mut self, map: usize) {
        if let Some(buffer) = self.maps[map].take() {
            self.buffers.give(buffer);
        }
    }

    /// The buffer of a map that is there.
    fn there(&self, map: usize) -> usize {
        self.maps[map].unwrap_or(usize::MAX)
    }

    /// A kernel that is not cut.
    fn one(&mut self, kernel: Kernel, words: Vec<u32>, bindings: Vec<Binding>, groups: [u32; 3], flops: f64) {
        self.buffers.push(Op::Dispatch { kernel, words, bindings, groups, flops });
    }

    fn scratch(&mut self, bytes: usize) -> usize {
        self.buffers.take(bytes as u64)
    }

    fn lines_of(&self, source: Source) -> Binding {
        source.norm.and_then(|norm| self.lines[norm]).map_or(Binding::Same, Binding::Buffer)
    }

    fn norm_of(&self, map: usize) -> Option<(usize, &'a Norm)> {
        self.task.graph.norms.iter().enumerate().find(|(_, norm)| norm.map == map)
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
        let most = (self.task.settings.limits.dispatch / flops * planes as f64).clamp(1.0, 65535.0) as usize;
        let most = most.min(MOMENTS / (conv::moments(&output, 1, 8) * output.quads * 48)).max(1);
        let slabs: Vec<Range<usize>> = (0..planes.div_ceil(most))
            .map(|k| k * planes / planes.div_ceil(most)..(k + 1) * planes / planes.div_ceil(most))
            .collect();
        let up = sources[0].0.dims != output.dims;
        let kernel = if up { Kernel::Up } else { conv::kernel(&output, self.task.settings.tiled) };
        let count = |slab: &Range<usize>| conv::moments(&output, slab.len(), kernel.row());
        let longest = slabs.iter().map(count).max().unwrap_or(0);
        let moments = self.scratch(longest * output.quads * 48);
        let total = slabs.iter().map(|slab| norm::merge_groups(count(slab))).sum::<usize>();
        let slots = merged.then(|| self.scratch(total * output.quads * 48));
        bindings.push(Binding::Buffer(moments));
        let mut slot = 0;
        for slab in slabs {
            let (first, planes, start) = (slab.start, slab.len(), 0);
            let (words, groups) = if up {
                let (layout, leak) = sources[0];
                let params = up::Params { output, start, first, planes, source: (layout, 0, leak) };
                (params.words(), params.groups())
            } else {
                let none = (Layout { quads: 0, ..sources[0].0 }, sources[0].1);
                let (a, b) = (sources[0], sources.get(1).copied().unwrap_or(none));
                let sources = [(a.0, 0, a.1), (b.0, 0, b.1)];
                let params = conv::Params { output, start, first, planes, sources };
                (params.words(), conv::groups(&params, kernel))
            };
            let share = flops * planes as f64 / output.dims[2] as f64;
            self.one(kernel, words, bindings.clone(), groups, share);
            if let Some(slots) = slots {
                let (moments_of, merge) = (count(&slab), norm::merge_groups(count(&slab)));
                self.one(
                    Kernel::Merge,
                    norm::merge_words(moments_of, slot, total),
                    vec![Binding::Buffer(moments), Binding::Buffer(slots)],
                    [merge as u32, output.quads as u32, 1],
                    (moments_of * output.quads * 40) as f64,
                );
                slot += merge;
            }
        }
        self.buffers.give(moments);
        slots.map(|slots| (slots, total))
    }

    /// Sources, or the first with no channels where there is no second, then lines.
    fn convolution(&self, sources: &[(usize, Binding)]) -> Vec<Binding> {
        let (first, second) = (sources[0], sources.get(1).copied().unwrap_or(sources[0]));
        vec![Binding::Buffer(first.0), Binding::Buffer(second.0), first.1, second.1]
    }

    fn normalised(&mut self, index: usize, step: &Step) {
        let layout = self.layouts[step.output];
        let output = self.buffers.take(bytes(&layout));
        self.maps[step.output] = Some(output);
        let (weights, output) = (Binding::Packed(Packed::Weights(index)), Binding::Buffer(output));
        let read = |source: &Source| (self.there(source.map), self.lines_of(*source));
        let read: Vec<(usize, Binding)> = step.sources.iter().map(read).collect();
        let mut bindings = match step.kind {
            Kind::Up(_) => vec![Binding::Buffer(read[0].0), read[0].1],
            _ => self.convolution(&read),
        };
        bindings.extend([weights, output]);
        let sources: Vec<(Layout, f32)> =
            step.sources.iter().map(|source| (self.layouts[source.map], leak(*source))).collect();
        let flops = self.task.graph.flops(step, self.task.dims);
        let merged = self.convolve(layout, &sources, bindings, flops, true);
        let (Some((slots, total)), Some((norm, of))) = (merged, self.norm_of(step.output)) else { return };
        let zeros = if of.padded { padding(layout.dims) } else { 0.0 };
        let words = norm::norm_words(total, layout.quads, zeros);
        let (lines, stats) = (self.scratch(layout.quads * 32), self.scratch(layout.quads * 32));
        let packed = Binding::Packed(Packed::Norm(norm));
        let groups = [layout.quads.div_ceil(64) as u32, 1, 1];
        self.one(
            Kernel::Norm,
            words.clone(),
            vec![Binding::Buffer(slots), packed, Binding::Buffer(lines)],
            groups,
            0.0,
        );
        self.one(
            Kernel::Back(Back::Stats),
            words,
            vec![Binding::Buffer(slots), Binding::Buffer(stats)],
            bend::stats_groups(layout.quads),
            0.0,
        );
        (self.lines[norm], self.stats[norm]) = (Some(lines), Some(stats));
        self.buffers.give(slots);
    }

    /// What *pool* and its way back are told.
    fn pooling(&self, step: &Step, slab: &Range<usize>) -> pool::Params {
        let source = step.sources[0];
        pool::Params {
            output: self.layouts[step.output],
            start: 0,
            first: slab.start,
            planes: slab.len(),
            source: (self.layouts[source.map], 0, leak(source)),
        }
    }

    fn pool(&mut self, step: &Step) {
        let (layout, source) = (self.layouts[step.output], step.sources[0]);
        let output = self.buffers.take(bytes(&layout));
        self.maps[step.output] = Some(output);
        let params = self.pooling(step, &(0..layout.dims[2]));
        let bindings =
            vec![Binding::Buffer(self.there(source.map)), self.lines_of(source), Binding::Buffer(output)];
        let flops = self.task.graph.flops(step, self.task.dims);
        self.one(Kernel::Pool, params.words(), bindings, params.groups(), flops);
    }

    fn join(&mut self, step: &Step) {
        let layout = self.layouts[step.output];
        let [a, b] = [step.sources[0], step.sources[1]];
        let output = self.buffers.take(bytes(&layout));
        self.maps[step.output] = Some(output);
        self.buffers.push(Op::Copy { from: (self.there(a.map), 0), to: (output, 0), bytes: bytes(&layout) });
        let size = layout.dims[0] * layout.dims[1];
        self.one(
            Kernel::Join,
            join::words(size, layout.quads, layout.pitch, [0, 0]),
            vec![
                Binding::Buffer(output),
                Binding::Buffer(self.there(b.map)),
                self.lines_of(a),
                self.lines_of(b),
            ],
            join::groups(size, layout.quads, layout.dims[2]),
            self.task.graph.flops(step, self.task.dims),
        );
    }

    /// The logits, the loss, and the gradient by the logits.
    fn loss(&mut self, index: usize, step: &Step, Share { share, fresh, entropy }: Share) {
        let source = step.sources[0];
        let (from, layout) = (self.layouts[source.map], self.layouts[step.output]);
        let outputs = self.task.graph.maps[step.output].channels;
        let (size, planes) = (layout.dims[0] * layout.dims[1], layout.dims[2]);
        let room = planes * size.div_ceil(4) * 16;
        let (logits, target) = (self.scratch(outputs * room), self.scratch((outputs + 2) * room));
        let numbers = self.targets..self.targets + (outputs + 2) * room / 4;
        self.targets = numbers.end;
        self.buffers.push(Op::Target { buffer: target, numbers });
        let flops = self.task.graph.flops(step, self.task.dims);
        self.one(
            Kernel::Logits,
            out::words(size, from.pitch, 0, planes, from.quads, outputs, leak(source)),
            vec![
                Binding::Buffer(self.there(source.map)),
                self.lines_of(source),
                Binding::Packed(Packed::Weights(index)),
                Binding::Buffer(logits),
            ],
            out::groups(size, planes),
            flops,
        );
        let slab = Slab::whole(layout);
        let total = loss::slots(&slab);
        let (sums, coefficients) = (self.scratch(outputs * total * 16), self.scratch(outputs * 16));
        let [logits_there, target_there] = [logits, target].map(Binding::Buffer);
        let voxels = size * planes;
        self.one(
            Kernel::Back(Back::LossSums),
            loss::sums_words(&slab, outputs, 0, total),
            vec![logits_there, target_there, Binding::Buffer(sums)],
            loss::sums_groups(&slab, outputs),
            (20 * voxels * outputs) as f64,
        );
        self.one(
            Kernel::Back(Back::LossEnd),
            loss::End { total, outputs, voxels, share, entropy, fresh }.words(),
            vec![Binding::Buffer(sums), Binding::Buffer(coefficients), Binding::Loss],
            [1; 3],
            0.0,
        );
        let slopes = self.buffers.take(bytes(&layout));
        self.slopes[step.output] = Some(slopes);
        self.one(
            Kernel::Back(Back::LossBack),
            loss::back_words(&slab, outputs),
            vec![logits_there, target_there, Binding::Buffer(coefficients), Binding::Buffer(slopes)],
            slab.groups(),
            (20 * voxels * outputs) as f64,
        );
        [logits, target, sums, coefficients].into_iter().for_each(|buffer| self.buffers.give(buffer));
    }
}

fn leak(source: Source) -> f32 {
    if source.leaky { LEAK } else { 1.0 }
}
