//! Logits of a network with weights that change, and the way back from a gradient by them, whatever loss it is of.

use super::device::Gpu;
use super::gradient_pass::{GradientPass, kept_for, settings};
use super::self_test;
use crate::engine::plan::list::{Binding, Plan};
use crate::engine::plan::training::{TrainSpec, from_logits_gradient, logits, logits_bytes};
use crate::error::Result;

/// The work for images of one size: to the logits, and back.
#[derive(Debug)]
pub struct LogitsPlans {
    pack_weights: Plan,
    forward: Plan,
    backward: Plan,
    dims: [usize; 3],
    /// Numbers of the logits as they lie, `[z, outputs, row]`, rows of planes filled up to whole channel blocks of voxels.
    pub numbers: usize,
}

impl LogitsPlans {
    /// Lets every kernel give its known answers.
    ///
    /// # Errors
    /// `Device` that names a kernel whose known answer is wrong.
    pub async fn check(&self, gpu: &Gpu) -> Result<()> {
        for plan in [&self.pack_weights, &self.forward, &self.backward] {
            self_test::before_use(gpu, &plan.kernels()).await?;
        }
        Ok(())
    }
}

impl GradientPass {
    /// Plans for images of `dims`; not to be used before [`LogitsPlans::check`].
    ///
    /// # Errors
    /// `Limit` where a map exceeds a binding.
    pub fn logits_plans(&self, dims: [usize; 3]) -> Result<LogitsPlans> {
        let (graph, parameters, settings) = (&self.graph, &self.parameters, &settings(&self.gpu));
        let spec = TrainSpec { graph, parameters, dims, settings, trainable: &|_| true };
        Ok(LogitsPlans {
            pack_weights: self.pack_weights(),
            forward: logits(spec)?,
            backward: from_logits_gradient(spec)?,
            dims,
            numbers: logits_bytes(graph.outputs(), dims) / 4,
        })
    }

    /// Hands over the way to the logits of an image, which stay on the device.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub fn enqueue_logits(&mut self, plans: &LogitsPlans, image: &[f32]) -> Result<()> {
        self.room(Binding::Logits, plans.numbers);
        self.enqueue_plan(plans, &plans.forward, image)
    }

    /// Hands over the way to the gradients by all parameters; that by the logits has been put there
    /// ([`Self::copy_logits_gradient_from`]).
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub fn enqueue_from_logits_gradient(&mut self, plans: &LogitsPlans, image: &[f32]) -> Result<()> {
        self.enqueue_plan(plans, &plans.backward, image)
    }

    /// The logits into a buffer of this device.
    pub fn copy_logits_to(&self, plans: &LogitsPlans, place: (&wgpu::Buffer, u64)) {
        self.copy((&self.weight_buffers[&Binding::Logits], 0), place, plans.numbers);
    }

    /// The gradient by the logits from a buffer of this device.
    pub fn copy_logits_gradient_from(&mut self, plans: &LogitsPlans, place: (&wgpu::Buffer, u64)) {
        self.room(Binding::LogitsGradient, plans.numbers);
        self.copy(place, (&self.weight_buffers[&Binding::LogitsGradient], 0), plans.numbers);
    }

    fn enqueue_plan(&mut self, plans: &LogitsPlans, plan: &Plan, image: &[f32]) -> Result<()> {
        self.enqueue_once(&plans.pack_weights, &mut Vec::new(), (&[], &[]))?;
        let mut kept = kept_for(&mut self.kept, plans.dims, plan);
        let done = self.enqueue_once(plan, &mut kept, (image, &[]));
        self.kept = (kept, plans.dims);
        done
    }

    /// A buffer of so many numbers.
    fn room(&mut self, binding: Binding, numbers: usize) {
        let bytes = 4 * numbers as u64;
        if self.weight_buffers.get(&binding).is_none_or(|buffer| buffer.size() != bytes) {
            let before = self.weight_buffers.insert(binding, self.gpu.storage(bytes));
            if let Some(before) = before {
                before.destroy();
            }
        }
    }
}
