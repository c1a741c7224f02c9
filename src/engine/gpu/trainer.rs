//! Training on a GPU: parameters, gradients and the optimiser's memory stay there. What is read of a step is its loss.

use super::device::Gpu;
use super::gradient_pass::GradientPass;
use super::self_test;
use crate::engine::nn::adamw::{AdamWConfig, AdamWStep};
use crate::engine::nn::example::Example;
use crate::engine::nn::loss::Loss;
use crate::engine::plan::list::ParamBuffer;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::{Weights, check_weights};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What the optimiser keeps of every parameter, in the order of [`STATE`](crate::engine::plan::flat::STATE).
pub(super) const KEPT: [ParamBuffer; 3] = [ParamBuffer::First, ParamBuffer::Second, ParamBuffer::Average];

/// Weights that are trained, on a GPU.
pub struct Trainer {
    pub(super) architecture: Architecture,
    pub(super) pass: GradientPass,
    settings: AdamWConfig,
    pub(super) step: usize,
    /// Names of what was trained so far.
    pub(super) learned: BTreeSet<String>,
}

impl Trainer {
    /// Starts from weights.
    ///
    /// # Errors
    /// As [`check_weights`] and [`GradientPass::new`].
    pub fn new(
        architecture: Architecture,
        weights: &Weights,
        settings: AdamWConfig,
        loss: Loss,
        gpu: &Rc<Gpu>,
    ) -> Result<Self> {
        check_weights(&architecture, weights)?;
        let pass = GradientPass::new(&architecture, loss, gpu, &KEPT)?;
        let mut learner = Self { architecture, pass, settings, step: 0, learned: BTreeSet::new() };
        learner.restore(weights, Weights::new(), 0)?;
        Ok(learner)
    }

    /// One step down the mean gradient of the examples, of the tensors that are trained, by name; the mean loss before it.
    /// Where the gradient is not finite nothing changes.
    ///
    /// # Errors
    /// `Limit` where a map exceeds a binding; `Device` where the device fails or reports an error.
    pub async fn step(
        &mut self,
        examples: &[Example<'_>],
        rate: f32,
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<f64> {
        let loss = self.pass.learn(examples, trainable).await?;
        self.step += 1;
        let parameters = &self.pass.parameters;
        let ranges = parameters.ranges(trainable);
        if !ranges.is_empty() {
            let plan = parameters.step(&ranges, AdamWStep::new(self.settings, self.step, rate));
            self_test::before_use(&self.pass.gpu, &plan.kernels()).await?;
            self.pass.execute_once(&plan, &mut Vec::new(), (&[], &[]), &mut |_, _| ()).await?;
        }
        let names = parameters.list.iter().map(|parameter| &parameter.name);
        self.learned.extend(names.filter(|name| trainable(name)).cloned());
        Ok(loss)
    }

    /// Bytes of a step on an example of `dims`: of its maps at the worst moment, and of all parameters.
    ///
    /// # Errors
    /// `Limit` where a map exceeds a binding.
    pub fn peak_bytes(&self, dims: [usize; 3]) -> Result<u64> {
        self.pass.peak_bytes(dims)
    }

    /// Mean loss and mean gradients of some examples, without a step.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub async fn gradients(
        &mut self,
        examples: &[Example<'_>],
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<(f64, Weights)> {
        let loss = self.pass.learn(examples, trainable).await?;
        let mut gradients = self.named(ParamBuffer::Gradient).await?;
        gradients.retain(|name, _| trainable(name));
        Ok((loss, gradients))
    }

    /// Steps of the optimiser so far.
    pub fn steps(&self) -> usize {
        self.step
    }
}
