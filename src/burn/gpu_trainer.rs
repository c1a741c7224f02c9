//! Training on a GPU by burn's autodiff and its AdamW, with the engine's kernels: all parameters are one flat tensor, the loss
//! is one operation. What the engine's trainer does around the step is done here too.

use super::gpu::BurnGpu;
use super::loss_operation::loss;
use super::optimizer::optimizer;
use super::read::read;
use crate::engine::gpu::gradient_pass::GradientPass;
use crate::engine::nn::adamw::{AdamWConfig, AdamWStep};
use crate::engine::nn::example::Example;
use crate::engine::nn::loss::Loss;
use crate::engine::plan::flat::Flats;
use crate::error::{Error, Result};
use crate::model::Architecture;
use crate::store::{Weights, check_weights};
use burn::optim::{AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::Tensor;
use std::collections::BTreeSet;
use std::ops::Range;
use web_time::Instant;

/// Flat tensors that a step holds more than the engine's own trainer: values and gradient on either side of the border, the gradient
/// before its factor, and the pieces that the optimiser makes. Counted in a browser.
const MORE_FLATS: u64 = 4;

/// Pieces of the parameters that burn works on one after the other, as every operation of its makes a tensor.
const PIECES: usize = 32;

/// Weights that are trained, and what the optimiser remembers.
pub struct GpuTrainer {
    architecture: Architecture,
    settings: AdamWConfig,
    on: BurnGpu,
    pass: GradientPass,
    /// All parameters, in the order of [`GradientPass::parameters`]; as all of the following flat, and without autodiff.
    values: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
    average: Tensor<1>,
    /// Names of what was trained so far.
    learned: BTreeSet<String>,
    steps: usize,
}

impl GpuTrainer {
    /// Starts from weights.
    ///
    /// # Errors
    /// As [`check_weights`] and [`GradientPass::new`].
    pub fn new(
        architecture: Architecture,
        weights: &Weights,
        settings: AdamWConfig,
        loss: Loss,
        on: &BurnGpu,
    ) -> Result<Self> {
        check_weights(&architecture, weights)?;
        let pass = GradientPass::new(&architecture, loss, &on.gpu, &[])?;
        let empty = Tensor::zeros([pass.parameters.total], &on.device);
        let mut trainer = Self {
            architecture,
            settings,
            on: on.clone(),
            pass,
            values: empty.clone(),
            first: empty.clone(),
            second: empty.clone(),
            average: empty,
            learned: BTreeSet::new(),
            steps: 0,
        };
        trainer.restore(weights, Weights::new(), 0)?;
        Ok(trainer)
    }

    /// One step down the mean gradient of the examples; the mean loss before it. Where that or the gradient is not finite
    /// nothing changes.
    ///
    /// # Errors
    /// `Limit` where a map exceeds a binding; `Device` where the device fails or reports an error.
    pub async fn step(
        &mut self,
        examples: &[Example<'_>],
        rate: f32,
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<f64> {
        let (loss, norm, gradient) = self.lesson(examples, trainable).await?;
        if loss.is_finite() && norm.is_finite() {
            let clip = (f64::from(self.settings.clip) / (norm + 1e-12)).min(1.0) as f32;
            self.update(&gradient, clip, rate, &self.pass.parameters.ranges(trainable));
            let names = self.pass.parameters.list.iter().map(|parameter| &parameter.name);
            self.learned.extend(names.filter(|name| trainable(name)).cloned());
        }
        Ok(loss)
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
        let (loss, _, gradient) = self.lesson(examples, trainable).await?;
        let mut gradients = self.named(&gradient).await?;
        gradients.retain(|name, _| trainable(name));
        Ok((loss, gradients))
    }

    /// The mean loss, the norm of its gradient, and the gradient, 0 where nothing learns.
    async fn lesson(
        &mut self,
        examples: &[Example<'_>],
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<(f64, f64, Tensor<1>)> {
        let gpu = self.on.gpu.clone();
        let batch = self.pass.prepare(examples, trainable).await?;
        let (before, since) = (gpu.faults(), Instant::now());
        // All are tracked, whatever learns: where only some are, burn's GPU gradients can be wrong (tracel-ai/burn#5162).
        let theta = self.values.clone().autodiff().require_grad();
        let loss = loss(theta.clone(), &mut self.pass, &batch)?;
        let gradient = theta.grad_remove(&mut loss.backward());
        let gradient =
            gradient.ok_or_else(|| Error::device("burn", "no gradient", "one of the parameters"))?;
        let squares = pieces(0..self.pass.parameters.total, self.piece())
            .map(|piece| gradient.clone().slice([piece]).square().sum());
        // Read together, as every reading waits for the device.
        let numbers = read(Tensor::cat([loss.inner()].into_iter().chain(squares).collect(), 0)).await?;
        gpu.sound(before)?;
        gpu.learn_rate(batch.flops(), since.elapsed().as_secs_f64());
        let squares: f64 = numbers[1..].iter().map(|&sum| f64::from(sum)).sum();
        Ok((f64::from(numbers[0]), squares.sqrt(), gradient))
    }

    /// One step of the optimiser down `gradient` times `scale`, of what learns.
    fn update(&mut self, gradient: &Tensor<1>, scale: f32, rate: f32, ranges: &[Range<usize>]) {
        let steps = self.steps;
        self.steps += 1;
        let AdamWStep { keep, .. } = AdamWStep::new(self.settings, self.steps, rate);
        let optimizer = optimizer(&self.settings);
        let most = self.piece();
        for range in ranges.iter().flat_map(|range| pieces(range.clone(), most)) {
            let part = |flat: &Tensor<1>| flat.clone().slice([range.clone()]);
            let momentum = AdaptiveMomentumState::new(steps, part(&self.first), part(&self.second));
            let state = Some(AdamWState::new(momentum));
            let (values, state) =
                optimizer.step(f64::from(rate), part(&self.values), part(gradient) * scale, state);
            let average = part(&self.average) * keep + values.clone() * (1.0 - keep);
            if let Some(AdamWState { momentum }) = state {
                put(&mut self.first, &range, momentum.moment_1);
                put(&mut self.second, &range, momentum.moment_2);
            }
            put(&mut self.values, &range, values);
            put(&mut self.average, &range, average);
        }
    }

    /// How many numbers a piece has at most.
    fn piece(&self) -> usize {
        self.pass.parameters.total.div_ceil(PIECES)
    }

    /// Bytes of a step on an example of `dims`: of its maps at the worst moment, and of all parameters, burn's among them.
    ///
    /// # Errors
    /// `Limit` where a map exceeds a binding.
    pub fn peak_bytes(&self, dims: [usize; 3]) -> Result<u64> {
        Ok(self.pass.peak_bytes(dims)? + 4 * MORE_FLATS * self.pass.parameters.total as u64)
    }

    /// Steps of the optimiser so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The weights as they are.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn weights(&self) -> Result<Weights> {
        self.named(&self.values).await
    }

    /// Their running average.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn averaged(&self) -> Result<Weights> {
        self.named(&self.average).await
    }

    /// The optimiser's state, as that of [`crate::engine::nn::adamw::AdamW`]: every trainer goes on from it.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn state(&self) -> Result<Weights> {
        let mut flats = [Vec::new(), Vec::new(), Vec::new()];
        for (flat, kept) in flats.iter_mut().zip([&self.first, &self.second, &self.average]) {
            *flat = read(kept.clone()).await?;
        }
        Ok(self.pass.parameters.state(&flats, &self.learned))
    }

    /// Goes on from weights and a [`Self::state`] after `steps` steps. Tensors that the state lacks start afresh.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn restore(&mut self, weights: &Weights, state: Weights, steps: usize) -> Result<()> {
        check_weights(&self.architecture, weights)?;
        self.steps = steps;
        let Flats { values, state, learned } = self.pass.parameters.flats(weights, state)?;
        self.learned = learned;
        self.values = self.on.tensor(values);
        let [first, second, average] = state.map(|values| self.on.tensor(values));
        (self.first, self.second, self.average) = (first, second, average);
        Ok(())
    }

    /// A flat tensor, by the names of the parameters.
    async fn named(&self, flat: &Tensor<1>) -> Result<Weights> {
        Ok(self.pass.parameters.named(&read(flat.clone()).await?))
    }
}

/// A range in pieces of at most so many numbers.
fn pieces(range: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(most).map(move |start| start..(start + most).min(end))
}

/// Puts values into a range of a flat tensor.
fn put(flat: &mut Tensor<1>, range: &Range<usize>, values: Tensor<1>) {
    flat.inplace(|flat| flat.slice_assign([range.clone()], values));
}
