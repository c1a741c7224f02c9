//! The logits, the loss, and the gradient by the logits.

use super::planner::{LossScale, TrainPlanner, bytes};
use crate::engine::nn::graph::Step;
use crate::engine::plan::emit::{Job, Output};
use crate::engine::plan::list::{Binding, Command, Packed};
use crate::engine::wgsl::slab::Slab;
use crate::engine::wgsl::{head_conv1x1, loss};

impl TrainPlanner<'_> {
    /// The logits of a last step, its loss, and the gradient by the logits.
    pub(super) fn loss(&mut self, index: usize, step: &Step, scale: LossScale) {
        let layout = self.layouts[step.output];
        let outputs = self.spec.graph.maps[step.output].channels;
        let (size, planes) = (layout.dims[0] * layout.dims[1], layout.dims[2]);
        let room = planes * size.div_ceil(4) * 16;
        let (logits, target) = (self.scratch(outputs * room), self.scratch((outputs + 2) * room));
        let numbers = self.targets..self.targets + (outputs + 2) * room / 4;
        self.targets = numbers.end;
        self.buffers.push(Command::Target { buffer: target, numbers });
        let job = Job {
            sources: &[self.view(&step.sources[0])],
            weights: Packed::Weights(index),
            output: Output { buffer: logits, layout, start: 0 },
            planes: 0..planes,
            flops: self.spec.graph.flops(step, self.spec.dims),
        };
        self.buffers.push(job.head_conv1x1(head_conv1x1::LOGITS, outputs));
        self.loss_of(step.output, [logits, target], outputs, scale);
        [logits, target].into_iter().for_each(|buffer| self.buffers.release(buffer));
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
