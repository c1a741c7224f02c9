//! An attention gate, forward and backward.

use super::planner::{Part, TrainPlanner, bytes};
use crate::engine::nn::graph::Step;
use crate::engine::plan::emit::Job;
use crate::engine::plan::list::{Binding, Command, Packed};
use crate::engine::plan::packing::attention_gate_parts;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::slab::Slab;
use crate::engine::wgsl::{attention_gate, head_conv1x1};
use crate::model::attention_gate_units;

/// A 1^3 convolution whose weights are trained.
struct Point {
    /// The gradient of its output: buffer and channels.
    grad: (usize, usize),
    /// What it read: buffer, layout, scales and shifts, slope below zero.
    read: (usize, Layout, Binding, f32),
}

impl TrainPlanner<'_> {
    fn attention_gate_params(&self, step: &Step) -> attention_gate::backward::Params {
        let sources = [0, 1].map(|n| (self.layouts[step.sources[n].map], step.sources[n].negative_slope()));
        let units = attention_gate_units(self.spec.graph.maps[step.output].channels);
        attention_gate::backward::Params { sources, units, first: 0, planes: sources[0].0.dims[2] }
    }

    /// Both sources, then their scales and shifts.
    fn attention_gate_sources(&self, step: &Step) -> Vec<Binding> {
        let there = step.sources.iter().map(|source| Binding::Buffer(self.there(source.map)));
        there.chain(step.sources.iter().map(|source| self.scale_shifts_of(*source))).collect()
    }

    /// Forward.
    pub(super) fn attention_gate(&mut self, index: usize, step: &Step) {
        let output = self.output(step.output);
        let views = self.views(step);
        let units = attention_gate_units(self.spec.graph.maps[step.output].channels);
        let whole = self.whole(index, step, &views, output);
        for planes in self.dispatches(whole.planes.len(), whole.flops) {
            let flops = whole.flops * planes.len() as f64 / whole.planes.len() as f64;
            self.buffers.push(Job { planes, flops, ..whole }.attention_gate(units));
        }
    }

    /// Backward.
    pub(super) fn attention_gate_back(&mut self, index: usize, step: &Step) {
        let [skip, up] = [step.sources[0], step.sources[1]];
        let whole = self.attention_gate_params(step);
        let params = |first, planes| attention_gate::backward::Params { first, planes, ..whole };
        let [units, top] = whole.inner_maps();
        let [inner, tops] = [units, top].map(|layout| self.buffers.acquire(bytes(&layout)));
        let flops = self.spec.graph.flops(step, self.spec.dims);
        let (grad, weights) = (self.grad_of(step.output), Binding::Packed(Packed::Weights(index)));
        let mut bindings = vec![Binding::Buffer(grad)];
        bindings.extend(self.attention_gate_sources(step));
        bindings.extend([weights, Binding::Buffer(inner), Binding::Buffer(tops)]);
        self.part(&Part {
            kernel: attention_gate::BACKWARD_INNER,
            words: &|slab, _| params(slab.start, slab.len()).inner_words(),
            groups: &|slab| params(slab.start, slab.len()).groups(),
            bindings,
            planes: whole.planes,
            flops,
        });
        let names = step.parameters();
        let training = self.trains(&names);
        let [wide, narrow] = attention_gate_parts(self.spec.graph.maps[step.output].channels, whole.units);
        let all = self.scratch(4 * (2 * wide + narrow));
        if training {
            let read = (inner, units, Binding::Identity, 1.0);
            self.point(&Point { grad: (tops, 1), read }, all, 2 * wide);
        }
        let others = self.grads[up.map].unwrap_or_else(|| self.buffers.acquire(bytes(&whole.sources[1].0)));
        let [slopes_there, inner_there, tops_there, others_there] =
            [grad, inner, tops, others].map(Binding::Buffer);
        self.part(&Part {
            kernel: attention_gate::BACKWARD,
            words: &|slab, _| params(slab.start, slab.len()).back_words(),
            groups: &|slab| params(slab.start, slab.len()).groups(),
            bindings: vec![slopes_there, inner_there, tops_there, weights, others_there],
            planes: whole.planes,
            flops,
        });
        if training {
            for (source, at) in [(skip, 0), (up, wide)] {
                let scale_shifts = self.scale_shifts_of(source);
                let read =
                    (self.there(source.map), self.layouts[source.map], scale_shifts, source.negative_slope());
                self.point(&Point { grad: (inner, whole.units), read }, all, at);
            }
            let count = names.iter().map(|name| self.spec.parameters.place(name).len()).sum();
            self.learn(all, Packed::WeightsBack(index), &names[0], count);
        }
        [inner, tops, all].into_iter().for_each(|buffer| self.buffers.release(buffer));
        self.grads[step.output] = None;
        for (source, buffer) in [(skip, grad), (up, others)] {
            self.grads[source.map] = self.requires_grad[source.map].then_some(buffer);
            if !self.requires_grad[source.map] {
                self.buffers.release(buffer);
            }
        }
    }

    /// The gradient of a 1^3 convolution's weights and bias to number `at` of `all`.
    fn point(&mut self, point: &Point, all: usize, at: usize) {
        let ((grad, outputs), (values, layout, scale_shifts, negative_slope)) = (point.grad, point.read);
        let (numbers, splits) = (
            head_conv1x1::backward::part(&layout, outputs),
            head_conv1x1::backward::splits(&layout, outputs),
        );
        let (parts, summed) = (self.scratch(4 * numbers * splits), self.scratch(4 * numbers));
        let slab = |first, planes| Slab { map: layout, first, planes };
        self.part(&Part {
            kernel: head_conv1x1::WEIGHT_GRAD,
            words: &|planes, k| {
                head_conv1x1::backward::weight_words(
                    &slab(planes.start, planes.len()),
                    outputs,
                    negative_slope,
                    splits,
                    k == 0,
                )
            },
            groups: &|planes| {
                head_conv1x1::backward::weight_groups(&slab(planes.start, planes.len()), outputs, splits)
            },
            bindings: vec![
                Binding::Buffer(grad),
                Binding::Buffer(values),
                scale_shifts,
                Binding::Buffer(parts),
            ],
            planes: layout.dims[2],
            flops: (8 * outputs * layout.channel_blocks * layout.dims.iter().product::<usize>()) as f64,
        });
        self.sum(parts, numbers, splits, summed);
        self.buffers.push(Command::Copy {
            from: (Binding::Buffer(summed), 0),
            to: (Binding::Buffer(all), 4 * at as u64),
            bytes: 4 * numbers as u64,
        });
        [parts, summed].into_iter().for_each(|buffer| self.buffers.release(buffer));
    }
}
