//! An attention gate, there and back.

use super::back::Part;
use super::{Lesson, bytes, leak};
use crate::engine::graph::Step;
use crate::engine::plan::parameters::gate_parts;
use crate::engine::plan::{Binding, Op, Packed};
use crate::kernels::back::{Back, Slab, gate as gate_back, out};
use crate::kernels::{Kernel, Layout, gate};
use crate::model::gate_units;

/// A 1^3 convolution whose weights learn.
struct Point {
    /// The gradient of its output: buffer and channels.
    slopes: (usize, usize),
    /// What it read: buffer, layout, lines, leak.
    read: (usize, Layout, Binding, f32),
}

impl Lesson<'_> {
    fn gate_params(&self, step: &Step) -> gate_back::Params {
        let sources = [0, 1].map(|n| (self.layouts[step.sources[n].map], leak(step.sources[n])));
        let units = gate_units(self.task.graph.maps[step.output].channels);
        gate_back::Params { sources, units, first: 0, planes: sources[0].0.dims[2] }
    }

    /// Both sources, then their lines.
    fn gate_sources(&self, step: &Step) -> Vec<Binding> {
        let there = step.sources.iter().map(|source| Binding::Buffer(self.there(source.map)));
        there.chain(step.sources.iter().map(|source| self.lines_of(*source))).collect()
    }

    pub(super) fn gate(&mut self, index: usize, step: &Step) {
        let layout = self.layouts[step.output];
        let output = self.buffers.take(bytes(&layout));
        self.maps[step.output] = Some(output);
        let gate_back::Params { sources, units, planes, .. } = self.gate_params(step);
        let sources = sources.map(|(layout, leak)| (layout, 0, leak));
        let mut bindings = self.gate_sources(step);
        bindings.extend([Binding::Packed(Packed::Weights(index)), Binding::Buffer(output)]);
        let params = |first, planes| gate::Params { output: layout, start: 0, first, planes, units, sources };
        self.part(&Part {
            kernel: Kernel::Gate,
            words: &|slab, _| params(slab.start, slab.len()).words(),
            groups: &|slab| params(slab.start, slab.len()).groups(),
            bindings,
            planes,
            flops: self.task.graph.flops(step, self.task.dims),
        });
    }

    pub(super) fn gate_back(&mut self, index: usize, step: &Step) {
        let [skip, up] = [step.sources[0], step.sources[1]];
        let whole = self.gate_params(step);
        let params = |first, planes| gate_back::Params { first, planes, ..whole };
        let [units, top] = whole.inner_maps();
        let [inner, tops] = [units, top].map(|layout| self.buffers.take(bytes(&layout)));
        let flops = self.task.graph.flops(step, self.task.dims);
        let (slopes, weights) = (self.slope(step.output), Binding::Packed(Packed::Weights(index)));
        let mut bindings = vec![Binding::Buffer(slopes)];
        bindings.extend(self.gate_sources(step));
        bindings.extend([weights, Binding::Buffer(inner), Binding::Buffer(tops)]);
        self.part(&Part {
            kernel: Kernel::Back(Back::GateInner),
            words: &|slab, _| params(slab.start, slab.len()).inner_words(),
            groups: &|slab| params(slab.start, slab.len()).groups(),
            bindings,
            planes: whole.planes,
            flops,
        });
        let names = step.parameters();
        let learning = names.iter().any(|name| (self.task.learns)(name));
        let [wide, narrow] = gate_parts(self.task.graph.maps[step.output].channels, whole.units);
        let all = self.scratch(4 * (2 * wide + narrow));
        if learning {
            let read = (inner, units, Binding::Same, 1.0);
            self.point(&Point { slopes: (tops, 1), read }, all, 2 * wide);
        }
        let others = self.slopes[up.map].unwrap_or_else(|| self.buffers.take(bytes(&whole.sources[1].0)));
        let [slopes_there, inner_there, tops_there, others_there] =
            [slopes, inner, tops, others].map(Binding::Buffer);
        self.part(&Part {
            kernel: Kernel::Back(Back::GateBack),
            words: &|slab, _| params(slab.start, slab.len()).back_words(),
            groups: &|slab| params(slab.start, slab.len()).groups(),
            bindings: vec![slopes_there, inner_there, tops_there, weights, others_there],
            planes: whole.planes,
            flops,
        });
        if learning {
            for (source, at) in [(skip, 0), (up, wide)] {
                let lines = self.lines_of(source);
                let read = (self.there(source.map), self.layouts[source.map], lines, leak(source));
                self.point(&Point { slopes: (inner, whole.units), read }, all, at);
            }
            let count = names.iter().map(|name| self.task.parameters.place(name).len()).sum();
            self.learn(all, Packed::WeightsBack(index), &names[0], count);
        }
        [inner, tops, all].into_iter().for_each(|buffer| self.buffers.give(buffer));
        self.slopes[step.output] = None;
        for (source, buffer) in [(skip, slopes), (up, others)] {
            self.slopes[source.map] = self.reached[source.map].then_some(buffer);
            if !self.reached[source.map] {
                self.buffers.give(buffer);
            }
        }
    }

    /// The gradient of a 1^3 convolution's weights and bias to number `at` of `all`.
    fn point(&mut self, point: &Point, all: usize, at: usize) {
        let ((slopes, outputs), (values, layout, lines, leak)) = (point.slopes, point.read);
        let (numbers, splits) = (out::part(&layout, outputs), out::splits(&layout, outputs));
        let (parts, summed) = (self.scratch(4 * numbers * splits), self.scratch(4 * numbers));
        let slab = |first, planes| Slab { map: layout, first, planes };
        self.part(&Part {
            kernel: Kernel::Back(Back::OutWeight),
            words: &|planes, k| {
                out::weight_words(&slab(planes.start, planes.len()), outputs, leak, splits, k == 0)
            },
            groups: &|planes| out::weight_groups(&slab(planes.start, planes.len()), outputs, splits),
            bindings: vec![Binding::Buffer(slopes), Binding::Buffer(values), lines, Binding::Buffer(parts)],
            planes: layout.dims[2],
            flops: (8 * outputs * layout.quads * layout.dims.iter().product::<usize>()) as f64,
        });
        self.sum(parts, numbers, splits, summed);
        self.buffers.push(Op::Copy {
            from: (summed, 0),
            to: (all, 4 * at as u64),
            bytes: 4 * numbers as u64,
        });
        [parts, summed].into_iter().for_each(|buffer| self.buffers.give(buffer));
    }
}
