//! Backward: by a map's readers to its gradient, and on to the weights.

use super::planner::{TrainPlanner, bytes};
use crate::engine::nn::graph::{Operation, Step};
use crate::engine::plan::emit::Output;
use crate::engine::plan::list::{Binding, Command, Packed, ParamBuffer};
use crate::engine::wgsl::slab::Slab;
use crate::engine::wgsl::{gather, head_conv1x1, pool, residual_add, sum};
use std::ops::Range;

impl TrainPlanner<'_> {
    /// The whole way back, from the gradients by the logits.
    pub(super) fn backward(&mut self) {
        let graph = self.spec.graph;
        for steps in graph.fusion_groups().into_iter().rev() {
            if graph.steps[steps.clone()].iter().any(|step| self.requires_grad[step.output]) {
                self.back(steps.clone());
            }
            for step in &graph.steps[steps] {
                if let Some(buffer) = self.grads[step.output].take() {
                    self.buffers.release(buffer);
                }
                self.forget(step.output);
            }
        }
    }

    /// Back through one step, or convolutions that read the same.
    fn back(&mut self, steps: Range<usize>) {
        let graph = self.spec.graph;
        for step in &graph.steps[steps.clone()] {
            if self.requires_grad[step.output] {
                self.norm_act_back(step.output);
            }
            // Its raw values were needed for this alone.
            if self.norm_of(step.output).is_some() {
                self.forget(step.output);
            }
        }
        let step = &graph.steps[steps.start];
        match step.kind {
            Operation::Conv(_) => self.conv_back(steps),
            Operation::Pool => self.pool_back(steps.start, step),
            Operation::ConvTranspose(_) => self.conv_transpose_back(steps.start, step),
            Operation::ResidualAdd => self.residual_add_back(step),
            Operation::AttentionGate(_) => self.attention_gate_back(steps.start, step),
            Operation::HeadConv1x1(_) => self.head_conv1x1_back(steps.start, step),
        }
    }

    /// Adds what a kernel left in its order to the gradient of the parameters that begin with `name`.
    pub(super) fn learn(&mut self, found: usize, table: Packed, name: &str, count: usize) {
        let start = self.spec.parameters.place(name).start;
        self.one(
            gather::GATHER,
            gather::shader::words(count, start, 0, true),
            vec![Binding::Buffer(found), Binding::Table(table), Binding::ParamBuffer(ParamBuffer::Gradient)],
            gather::shader::groups(count),
            count as f64,
        );
    }

    /// Adds up `splits` parts of so many numbers, in two runs where they are many.
    pub(super) fn sum(&mut self, parts: usize, numbers: usize, splits: usize, to: usize) {
        let left = sum::shader::left(splits);
        let between = (left > 1).then(|| self.scratch(4 * numbers * left));
        let runs = match between {
            Some(between) => vec![(parts, splits, left, between), (between, left, 1, to)],
            None => vec![(parts, splits, 1, to)],
        };
        for (parts, splits, left, to) in runs {
            self.one(
                sum::SUM,
                sum::shader::words(numbers / 4, splits, left),
                vec![Binding::Buffer(parts), Binding::Buffer(to)],
                sum::shader::groups(numbers / 4, left),
                (numbers * splits) as f64,
            );
        }
        between.into_iter().for_each(|buffer| self.buffers.release(buffer));
    }

    fn pool_back(&mut self, index: usize, step: &Step) {
        let source = step.sources[0];
        if !self.requires_grad[source.map] {
            return;
        }
        if self.grads[source.map].is_none() {
            let buffer = self.buffers.acquire(bytes(&self.layouts[source.map]));
            self.buffers.push(Command::Clear { binding: Binding::Buffer(buffer) });
            self.grads[source.map] = Some(buffer);
        }
        let views = self.views(step);
        let output = Output { buffer: self.there(step.output), layout: self.layouts[step.output], start: 0 };
        let params = self.whole(index, step, &views, output).pooling();
        let bindings = vec![
            Binding::Buffer(self.grad_of(step.output)),
            Binding::Buffer(self.there(source.map)),
            self.scale_shifts_of(source),
            Binding::Buffer(self.grad_of(source.map)),
        ];
        let flops = 3.0 * self.spec.graph.flops(step, self.spec.dims);
        self.one(pool::BACKWARD, params.words(), bindings, params.groups(), flops);
    }

    fn residual_add_back(&mut self, step: &Step) {
        let layout = self.layouts[step.output];
        let slab = Slab::whole(layout);
        let (first, second) = (self.grad_of(step.output), self.buffers.acquire(bytes(&layout)));
        self.one(
            residual_add::BACKWARD,
            residual_add::backward::words(&slab),
            [first, self.there(step.output), second].map(Binding::Buffer).to_vec(),
            slab.groups(),
            self.spec.graph.flops(step, self.spec.dims),
        );
        self.grads[step.output] = None;
        for (source, grad) in step.sources.iter().zip([first, second]) {
            if self.requires_grad[source.map] {
                self.grads[source.map] = Some(grad);
            } else {
                self.buffers.release(grad);
            }
        }
    }

    fn head_conv1x1_back(&mut self, index: usize, step: &Step) {
        let source = step.sources[0];
        let (from, outputs) = (self.layouts[source.map], self.spec.graph.maps[step.output].channels);
        let slab = Slab::whole(from);
        let grad = Binding::Buffer(self.grad_of(step.output));
        let flops = self.spec.graph.flops(step, self.spec.dims);
        let names = step.parameters();
        if self.trains(&names) {
            let (numbers, splits) = (
                head_conv1x1::backward::part(&from, outputs),
                head_conv1x1::backward::splits(&from, outputs),
            );
            let (parts, all) = (self.scratch(4 * numbers * splits), self.scratch(4 * numbers));
            self.one(
                head_conv1x1::WEIGHT_GRAD,
                head_conv1x1::backward::weight_words(&slab, outputs, source.negative_slope(), splits, true),
                vec![
                    grad,
                    Binding::Buffer(self.there(source.map)),
                    self.scale_shifts_of(source),
                    Binding::Buffer(parts),
                ],
                head_conv1x1::backward::weight_groups(&slab, outputs, splits),
                flops,
            );
            self.sum(parts, numbers, splits, all);
            let count = names.iter().map(|name| self.spec.parameters.place(name).len()).sum();
            self.learn(all, Packed::WeightsBack(index), &names[0], count);
            [parts, all].into_iter().for_each(|buffer| self.buffers.release(buffer));
        }
        if self.requires_grad[source.map] {
            let there = self.grads[source.map];
            let to = there.unwrap_or_else(|| self.buffers.acquire(bytes(&from)));
            self.one(
                head_conv1x1::BACKWARD,
                head_conv1x1::backward::words(&slab, outputs, there.is_some()),
                vec![grad, Binding::Packed(Packed::Weights(index)), Binding::Buffer(to)],
                slab.groups(),
                flops,
            );
            self.grads[source.map] = Some(to);
        }
    }
}
