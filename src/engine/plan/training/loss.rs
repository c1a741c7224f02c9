//! The logits, the loss, and the gradient by the logits.

use super::planner::{LossScale, TrainPlanner, bytes};
use crate::engine::nn::graph::Step;
use crate::engine::plan::emit::{Job, Output};
use crate::engine::plan::list::{Binding, Command, Packed};
use crate::engine::wgsl::slab::Slab;
use crate::engine::wgsl::{head_conv1x1, loss};

/// Bytes of so many channels of logits, as the kernels lay them: rows of whole channel blocks of voxels.
pub fn logits_bytes(channels: usize, [x, y, z]: [usize; 3]) -> usize {
    4 * channels * z * (x * y).next_multiple_of(4)
}

impl TrainPlanner<'_> {
    /// The logits of a last step, its loss, and the gradient by the logits.
    pub(super) fn loss(&mut self, index: usize, step: &Step, scale: LossScale) {
        let outputs = self.spec.graph.maps[step.output].channels;
        let room = logits_bytes(outputs + 2, self.layouts[step.output].dims);
        let target = self.scratch(room);
        let numbers = self.targets..self.targets + room / 4;
        self.targets = numbers.end;
        self.buffers.push(Command::Target { buffer: target, numbers });
        let logits = self.logits(index, step);
        self.loss_of(step.output, [logits, target], outputs, scale);
        [logits, target].into_iter().for_each(|buffer| self.buffers.release(buffer));
    }

    /// The logits of a last step, kept for whoever asked.
    pub(super) fn keep_logits(&mut self, index: usize, step: &Step) {
        let bytes = logits_bytes(self.spec.graph.maps[step.output].channels, self.layouts[step.output].dims);
        let logits = self.logits(index, step);
        self.buffers.push(Command::Copy {
            from: (Binding::Buffer(logits), 0),
            to: (Binding::Logits, 0),
            bytes: bytes as u64,
        });
        self.buffers.release(logits);
    }

    /// The gradient by the logits of a last step, from where it was put.
    pub(super) fn take_gradient(&mut self, step: &Step) {
        let slab = Slab::whole(self.layouts[step.output]);
        let outputs = self.spec.graph.maps[step.output].channels;
        let grad = self.buffers.acquire(bytes(&slab.map));
        self.grads[step.output] = Some(grad);
        self.one(
            loss::GIVEN,
            loss::shader::back_words(&slab, outputs),
            vec![Binding::LogitsGradient, Binding::Buffer(grad)],
            slab.groups(),
            (slab.map.dims.iter().product::<usize>() * outputs) as f64,
        );
    }

    /// The logits of a last step.
    fn logits(&mut self, index: usize, step: &Step) -> usize {
        let layout = self.layouts[step.output];
        let outputs = self.spec.graph.maps[step.output].channels;
        let logits = self.scratch(logits_bytes(outputs, layout.dims));
        let job = Job {
            sources: &[self.view(&step.sources[0])],
            weights: Packed::Weights(index),
            output: Output { buffer: logits, layout, start: 0 },
            planes: 0..layout.dims[2],
            flops: self.spec.graph.flops(step, self.spec.dims),
        };
        self.buffers.push(job.head_conv1x1(head_conv1x1::LOGITS, outputs));
        logits
    }

    fn loss_of(&mut self, map: usize, [logits, target]: [usize; 2], outputs: usize, scale: LossScale) {
        let slab = Slab::whole(self.layouts[map]);
        let total = loss::shader::slots(&slab);
        let (sums, coefficients) = (self.scratch(outputs * total * 16), self.scratch(outputs * 16));
        let read = [logits, target].map(Binding::Buffer);
        let voxels = slab.map.dims.iter().product::<usize>();
        let flops = (20 * voxels * outputs) as f64;
        self.one(
            loss::SUMS,
            loss::shader::sums_words(&slab, outputs, 0, total),
            [&read[..], &[Binding::Buffer(sums)]].concat(),
            loss::shader::sums_groups(&slab, outputs),
            flops,
        );
        let LossScale { share, fresh, entropy } = scale;
        self.one(
            loss::TOTAL,
            loss::shader::End { total, outputs, voxels, share, entropy, fresh }.words(),
            vec![Binding::Buffer(sums), Binding::Buffer(coefficients), Binding::Loss],
            [1; 3],
            0.0,
        );
        let grad = self.buffers.acquire(bytes(&slab.map));
        self.grads[map] = Some(grad);
        self.one(
            loss::BACKWARD,
            loss::shader::back_words(&slab, outputs),
            [&read[..], &[coefficients, grad].map(Binding::Buffer)].concat(),
            slab.groups(),
            flops,
        );
        [sums, coefficients].into_iter().for_each(|buffer| self.buffers.release(buffer));
    }
}
