//! The way back: by a map's readers to its gradient, and on to the weights.

use super::{TrainPlanner, bytes, negative_slope};
use crate::engine::nn::graph::{MapRef, Operation, Step};
use crate::engine::nn::scale_shift::padding;
use crate::engine::plan::list::{Binding, Command, Packed, ParamBuffer};
use crate::engine::plan::parameters::part;
use crate::engine::wgsl::kernel::Kernel;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::slab::Slab;
use crate::engine::wgsl::{
    conv, conv_transpose, gather, head_conv1x1, norm_act, pool, residual_add, squeeze_excite, sum,
};
use std::ops::Range;

/// Some kernel's part of some planes.
pub(super) struct Part<'a> {
    pub kernel: Kernel,
    pub words: &'a dyn Fn(Range<usize>, usize) -> Vec<u32>,
    pub groups: &'a dyn Fn(Range<usize>) -> [u32; 3],
    pub bindings: Vec<Binding>,
    /// Planes of what is cut.
    pub planes: usize,
    /// Operations of all planes.
    pub flops: f64,
}

impl TrainPlanner<'_> {
    /// Lists a kernel in slabs that each cost no more than a dispatch may.
    pub(super) fn part(&mut self, part: &Part) {
        let each = part.flops / part.planes as f64;
        let most = (self.spec.settings.limits.dispatch / each).clamp(1.0, 65535.0) as usize;
        let count = part.planes.div_ceil(most);
        for k in 0..count {
            let slab = k * part.planes / count..(k + 1) * part.planes / count;
            self.buffers.push(Command::Dispatch {
                kernel: part.kernel,
                words: (part.words)(slab.clone(), k),
                bindings: part.bindings.clone(),
                groups: (part.groups)(slab.clone()),
                flops: each * slab.len() as f64,
            });
        }
    }

    /// Back through one step, or convolutions that read the same.
    pub(super) fn back(&mut self, steps: Range<usize>) {
        let graph = self.spec.graph;
        for step in &graph.steps[steps.clone()] {
            if self.requires_grad[step.output] {
                self.bend(step.output);
            }
            // Its raw values were needed for this alone.
            if self.norm_of(step.output).is_some() {
                self.forget(step.output);
            }
        }
        let step = &graph.steps[steps.start];
        match step.kind {
            Operation::Conv(_) => self.conv_back(steps),
            Operation::Pool => self.pool_back(step),
            Operation::ConvTranspose(_) => self.up_back(steps.start, step),
            Operation::ResidualAdd => self.join_back(step),
            Operation::AttentionGate(_) => self.gate_back(steps.start, step),
            Operation::HeadConv1x1(_) => self.out_back(steps.start, step),
        }
    }

    pub(super) fn grad_of(&self, map: usize) -> usize {
        self.grads[map].unwrap_or(usize::MAX)
    }

    /// From the gradient by a map's read values to that by its raw ones, and those of its normalisation.
    fn bend(&mut self, map: usize) {
        let Some((index, norm)) = self.norm_of(map) else { return };
        let (Some(scale_shifts), Some(stats)) = (self.scale_shifts[index], self.stats[index]) else { return };
        let readers = self.spec.graph.steps.iter().flat_map(|step| &step.sources);
        let negative_slope = readers
            .into_iter()
            .find(|source| source.map == map)
            .map_or(1.0, |source| negative_slope(*source));
        let layout = self.layouts[map];
        let slab = Slab::whole(layout);
        let voxels = layout.dims.iter().product::<usize>();
        let values = layout.channel_blocks * voxels;
        let [grad, data, scale_shifts, stats] =
            [self.grad_of(map), self.there(map), scale_shifts, stats].map(Binding::Buffer);
        let total = norm_act::backward::slots(&slab);
        let (sums, bends) =
            (self.scratch(layout.channel_blocks * total * 32), self.scratch(layout.channel_blocks * 64));
        let found = self.scratch(layout.channel_blocks * 32);
        self.one(
            norm_act::SUMS,
            norm_act::backward::sums_words(&slab, negative_slope, 0, total),
            vec![grad, data, scale_shifts, stats, Binding::Buffer(sums)],
            norm_act::backward::sums_groups(&slab),
            (40 * values) as f64,
        );
        let zeros = if norm.padded { padding(layout.dims) } else { 0.0 };
        self.one(
            norm_act::COEFFICIENTS,
            norm_act::backward::end_words(total, layout.channel_blocks, voxels as f64 + zeros),
            vec![Binding::Buffer(sums), scale_shifts, stats, Binding::Buffer(bends), Binding::Buffer(found)],
            norm_act::backward::end_groups(layout.channel_blocks),
            0.0,
        );
        self.one(
            norm_act::APPLY,
            norm_act::backward::apply_words(&slab, negative_slope),
            vec![grad, data, scale_shifts, Binding::Buffer(bends)],
            slab.groups(),
            (40 * values) as f64,
        );
        if norm.parameters().iter().any(|name| (self.spec.trainable)(name)) {
            match self.spec.parameters.excite(self.spec.graph, norm) {
                Some(params) => self.one(
                    squeeze_excite::BACKWARD,
                    params.words(),
                    vec![
                        Binding::ParamBuffer(ParamBuffer::Values),
                        Binding::Buffer(found),
                        Binding::ParamBuffer(ParamBuffer::Gradient),
                    ],
                    [1; 3],
                    (8 * params.channels * params.narrow) as f64,
                ),
                None => {
                    let channels = self.spec.graph.maps[map].channels;
                    self.learn(found, Packed::NormBack(index), &format!("{}.gamma", norm.name), 2 * channels);
                }
            }
        }
        [sums, bends, found].into_iter().for_each(|buffer| self.buffers.release(buffer));
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

    fn conv_back(&mut self, steps: Range<usize>) {
        let graph = self.spec.graph;
        for index in steps.clone() {
            let step = &graph.steps[index];
            if self.requires_grad[step.output]
                && step.parameters().iter().any(|name| (self.spec.trainable)(name))
            {
                self.conv_weight(index, step);
            }
        }
        let outputs: Vec<usize> = graph.steps[steps.clone()].iter().map(|step| step.output).collect();
        for source in &graph.steps[steps.start].sources {
            if !self.requires_grad[source.map] {
                continue;
            }
            let layout = self.layouts[source.map];
            let to = self.buffers.acquire(bytes(&layout));
            let read: Vec<(usize, Binding)> =
                outputs.iter().map(|&map| (self.grad_of(map), Binding::Identity)).collect();
            let mut bindings = self.convolution(&read);
            bindings.extend([Binding::Packed(Packed::Transposed(source.map)), Binding::Buffer(to)]);
            let sources: Vec<(Layout, f32)> = outputs.iter().map(|&map| (self.layouts[map], 1.0)).collect();
            let channels: usize = outputs.iter().map(|&map| graph.maps[map].channels).sum();
            let voxels = layout.dims.iter().product::<usize>();
            let flops = 54.0 * (channels * graph.maps[source.map].channels * voxels) as f64;
            self.convolve(layout, &sources, bindings, flops, false);
            self.grads[source.map] = Some(to);
        }
    }

    fn conv_weight(&mut self, index: usize, step: &Step) {
        let graph = self.spec.graph;
        let (layout, outputs) = (self.layouts[step.output], graph.maps[step.output].channels);
        let channels = |source: &MapRef| graph.maps[source.map].channels;
        let sizes: Vec<usize> = step.sources.iter().map(|source| part(channels(source), outputs)).collect();
        let all = self.scratch(4 * sizes.iter().sum::<usize>());
        let mut before = 0;
        for (source, size) in step.sources.iter().zip(&sizes) {
            let from = self.layouts[source.map];
            let splits = conv::backward::splits(&from, &layout, layout.dims[2]);
            let parts = self.scratch(4 * size * splits);
            let params = |slab: Range<usize>, fresh| conv::backward::Params {
                slab: Slab { map: layout, first: slab.start, planes: slab.len() },
                source: from,
                negative_slope: negative_slope(*source),
                splits,
                fresh,
            };
            let bindings = vec![
                Binding::Buffer(self.grad_of(step.output)),
                Binding::Buffer(self.there(source.map)),
                self.scale_shifts_of(*source),
                Binding::Buffer(parts),
            ];
            self.part(&Part {
                kernel: conv::WEIGHT_GRAD,
                words: &|slab, k| params(slab, k == 0).words(),
                groups: &|slab| params(slab, true).groups(),
                bindings,
                planes: layout.dims[2],
                flops: 54.0 * (channels(source) * outputs * layout.dims.iter().product::<usize>()) as f64,
            });
            if before == 0 {
                self.sum(parts, *size, splits, all);
            } else {
                let summed = self.scratch(4 * size);
                self.sum(parts, *size, splits, summed);
                self.buffers.push(Command::Copy {
                    from: (summed, 0),
                    to: (all, 4 * before as u64),
                    bytes: 4 * *size as u64,
                });
                self.buffers.release(summed);
            }
            self.buffers.release(parts);
            before += size;
        }
        if let Some(name) = step.parameters().first() {
            let count = self.spec.parameters.place(name).len();
            self.learn(all, Packed::WeightsBack(index), name, count);
        }
        self.buffers.release(all);
    }

    fn pool_back(&mut self, step: &Step) {
        let source = step.sources[0];
        if !self.requires_grad[source.map] {
            return;
        }
        if self.grads[source.map].is_none() {
            let buffer = self.buffers.acquire(bytes(&self.layouts[source.map]));
            self.buffers.push(Command::Clear { binding: Binding::Buffer(buffer) });
            self.grads[source.map] = Some(buffer);
        }
        let params = self.pooling(step, &(0..self.layouts[step.output].dims[2]));
        let bindings = vec![
            Binding::Buffer(self.grad_of(step.output)),
            Binding::Buffer(self.there(source.map)),
            self.scale_shifts_of(source),
            Binding::Buffer(self.grad_of(source.map)),
        ];
        let flops = 3.0 * self.spec.graph.flops(step, self.spec.dims);
        self.one(pool::BACKWARD, params.words(), bindings, params.groups(), flops);
    }

    fn join_back(&mut self, step: &Step) {
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

    fn up_back(&mut self, index: usize, step: &Step) {
        let graph = self.spec.graph;
        let source = step.sources[0];
        let (from, output) = (self.layouts[source.map], self.layouts[step.output]);
        let splits = conv_transpose::backward::splits(&from, &output, from.dims[2]);
        let params = |slab: Range<usize>, fresh| conv_transpose::backward::Params {
            slab: Slab { map: from, first: slab.start, planes: slab.len() },
            output,
            negative_slope: negative_slope(source),
            splits,
            fresh,
        };
        let (planes, flops) = (from.dims[2], graph.flops(step, self.spec.dims));
        let grad = Binding::Buffer(self.grad_of(step.output));
        let name = step.parameters().remove(0);
        if (self.spec.trainable)(&name) {
            let numbers = conv_transpose::backward::part(&from, &output);
            let (parts, all) = (self.scratch(4 * numbers * splits), self.scratch(4 * numbers));
            let bindings = vec![
                grad,
                Binding::Buffer(self.there(source.map)),
                self.scale_shifts_of(source),
                Binding::Buffer(parts),
            ];
            self.part(&Part {
                kernel: conv_transpose::WEIGHT_GRAD,
                words: &|slab, k| params(slab, k == 0).words(),
                groups: &|slab| params(slab, true).weight_groups(),
                bindings,
                planes,
                flops,
            });
            self.sum(parts, numbers, splits, all);
            let count = self.spec.parameters.place(&name).len();
            self.learn(all, Packed::WeightsBack(index), &name, count);
            [parts, all].into_iter().for_each(|buffer| self.buffers.release(buffer));
        }
        if self.requires_grad[source.map] {
            let to = self.buffers.acquire(bytes(&from));
            self.part(&Part {
                kernel: conv_transpose::BACKWARD,
                words: &|slab, _| params(slab, true).words(),
                groups: &|slab| params(slab, true).groups(),
                bindings: vec![grad, Binding::Packed(Packed::Weights(index)), Binding::Buffer(to)],
                planes,
                flops,
            });
            self.grads[source.map] = Some(to);
        }
    }

    fn out_back(&mut self, index: usize, step: &Step) {
        let source = step.sources[0];
        let (from, outputs) = (self.layouts[source.map], self.spec.graph.maps[step.output].channels);
        let slab = Slab::whole(from);
        let grad = Binding::Buffer(self.grad_of(step.output));
        let flops = self.spec.graph.flops(step, self.spec.dims);
        let names = step.parameters();
        if names.iter().any(|name| (self.spec.trainable)(name)) {
            let (numbers, splits) = (
                head_conv1x1::backward::part(&from, outputs),
                head_conv1x1::backward::splits(&from, outputs),
            );
            let (parts, all) = (self.scratch(4 * numbers * splits), self.scratch(4 * numbers));
            self.one(
                head_conv1x1::WEIGHT_GRAD,
                head_conv1x1::backward::weight_words(&slab, outputs, negative_slope(source), splits, true),
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
