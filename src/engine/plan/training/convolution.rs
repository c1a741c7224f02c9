//! Backward through convolutions and up-convolutions.

use super::planner::{Part, TrainPlanner, bytes};
use crate::engine::nn::graph::{MapRef, Step};
use crate::engine::plan::emit::{Job, Output, View};
use crate::engine::plan::list::{Binding, Command, Packed};
use crate::engine::plan::packing::part;
use crate::engine::wgsl::slab::Slab;
use crate::engine::wgsl::{conv, conv_transpose};
use std::ops::Range;

impl TrainPlanner<'_> {
    /// Convolutions that read the same: their weights, then what they read.
    pub(super) fn conv_back(&mut self, steps: Range<usize>) {
        let graph = self.spec.graph;
        for index in steps.clone() {
            let step = &graph.steps[index];
            if self.requires_grad[step.output] && self.trains(&step.parameters()) {
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
            let view = |&map: &usize| View {
                buffer: self.grad_of(map),
                layout: self.layouts[map],
                start: 0,
                scale_shift: Binding::Identity,
                negative_slope: 1.0,
            };
            let views: Vec<View> = outputs.iter().map(view).collect();
            let channels: usize = outputs.iter().map(|&map| graph.maps[map].channels).sum();
            let voxels = layout.dims.iter().product::<usize>();
            let job = Job {
                sources: &views,
                weights: Packed::Transposed(source.map),
                output: Output { buffer: to, layout, start: 0 },
                planes: 0..layout.dims[2],
                flops: 54.0 * (channels * graph.maps[source.map].channels * voxels) as f64,
            };
            self.convolve(&job, false);
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
                negative_slope: source.negative_slope(),
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
                    from: (Binding::Buffer(summed), 0),
                    to: (Binding::Buffer(all), 4 * before as u64),
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

    pub(super) fn conv_transpose_back(&mut self, index: usize, step: &Step) {
        let graph = self.spec.graph;
        let source = step.sources[0];
        let (from, output) = (self.layouts[source.map], self.layouts[step.output]);
        let splits = conv_transpose::backward::splits(&from, &output, from.dims[2]);
        let params = |slab: Range<usize>, fresh| conv_transpose::backward::Params {
            slab: Slab { map: from, first: slab.start, planes: slab.len() },
            output,
            negative_slope: source.negative_slope(),
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
}
