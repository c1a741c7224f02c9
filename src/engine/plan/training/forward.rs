//! Forward, with all maps kept.

use super::planner::{End, TrainPlanner, bytes};
use crate::engine::nn::graph::{Operation, Step};
use crate::engine::nn::scale_shift::padding;
use crate::engine::plan::emit::{Job, Output, View};
use crate::engine::plan::list::{Binding, Command, Packed};
use crate::engine::plan::statistics::{Statistics, moments_bytes};
use crate::engine::wgsl::{conv, conv_transpose};
use std::ops::Range;

/// Bytes of moments that a slab may leave: they are no part of the result.
const MOMENTS: usize = 8 << 20;

impl TrainPlanner<'_> {
    /// The whole pass, to its end.
    pub(super) fn forward(&mut self, mut end: End) {
        let graph = self.spec.graph;
        let Output { buffer, layout, .. } = self.output(0);
        self.buffers.push(Command::Upload { buffer, layout, planes: 0..layout.dims[2] });
        for (index, step) in graph.steps.iter().enumerate() {
            match step.kind {
                Operation::Conv(_) | Operation::ConvTranspose(_) => self.normalised(index, step),
                Operation::Pool => self.pool(index, step),
                Operation::ResidualAdd => self.residual_add(index, step),
                Operation::AttentionGate(_) => self.attention_gate(index, step),
                Operation::HeadConv1x1(_) => match &mut end {
                    End::Loss(scale) => {
                        self.loss(index, step, *scale);
                        scale.fresh = false;
                    }
                    End::Logits => self.keep_logits(index, step),
                    End::Gradient => self.take_gradient(step),
                },
            }
        }
    }

    /// A convolution or up-convolution in slabs, and the statistics of its output where `merged`.
    pub(super) fn convolve(&mut self, whole: &Job, merged: bool) -> Option<Statistics> {
        let Output { layout, .. } = whole.output;
        let planes = layout.dims[2];
        let most =
            (self.spec.settings.limits.dispatch / whole.flops * planes as f64).clamp(1.0, 65535.0) as usize;
        let most = most.min(MOMENTS / moments_bytes(&layout, 1, conv::tiled(1))).max(1);
        let count = planes.div_ceil(most);
        let slabs: Vec<Range<usize>> =
            (0..count).map(|k| k * planes / count..(k + 1) * planes / count).collect();
        let raises = whole.sources[0].layout.dims != layout.dims;
        let kernel =
            if raises { conv_transpose::FORWARD } else { conv::kernel(&layout, self.spec.settings.tiled) };
        let room = slabs.iter().map(|slab| moments_bytes(&layout, slab.len(), kernel)).max().unwrap_or(0);
        let moments = self.scratch(room);
        let mut statistics = merged.then(|| Statistics::new(&mut self.buffers, layout, kernel, slabs.iter()));
        for slab in slabs {
            let flops = whole.flops * slab.len() as f64 / planes as f64;
            let job = Job { planes: slab.clone(), flops, ..*whole };
            self.buffers.push(if raises { job.conv_transpose(moments) } else { job.conv(kernel, moments) });
            if let Some(statistics) = &mut statistics {
                statistics.merge(&mut self.buffers, moments, &slab);
            }
        }
        self.buffers.release(moments);
        statistics
    }

    /// A step of all planes from maps that are there.
    pub(super) fn whole<'v>(&self, index: usize, step: &Step, views: &'v [View], output: Output) -> Job<'v> {
        Job {
            sources: views,
            weights: Packed::Weights(index),
            output,
            planes: 0..output.layout.dims[2],
            flops: self.spec.graph.flops(step, self.spec.dims),
        }
    }

    pub(super) fn views(&self, step: &Step) -> Vec<View> {
        step.sources.iter().map(|source| self.view(source)).collect()
    }

    fn normalised(&mut self, index: usize, step: &Step) {
        let output = self.output(step.output);
        let views = self.views(step);
        let whole = self.whole(index, step, &views, output);
        let statistics = self.convolve(&whole, true);
        let (Some(statistics), Some((norm, of))) = (statistics, self.norm_of(step.output)) else { return };
        let zeros = if of.padded { padding(output.layout.dims) } else { 0.0 };
        self.scale_shifts[norm] = Some(statistics.scale_shift(&mut self.buffers, norm, zeros));
        self.stats[norm] = Some(statistics.mean_deviation(&mut self.buffers, zeros));
        statistics.release(&mut self.buffers);
    }

    fn pool(&mut self, index: usize, step: &Step) {
        let output = self.output(step.output);
        let views = self.views(step);
        let command = self.whole(index, step, &views, output).pool();
        self.buffers.push(command);
    }

    fn residual_add(&mut self, index: usize, step: &Step) {
        let output = self.output(step.output);
        let mut views = self.views(step);
        let bytes = bytes(&output.layout);
        let [from, to] = [views[0].buffer, output.buffer].map(|buffer| (Binding::Buffer(buffer), 0));
        self.buffers.push(Command::Copy { from, to, bytes });
        views[0].buffer = output.buffer;
        let command = self.whole(index, step, &views, output).residual_add();
        self.buffers.push(command);
    }
}
