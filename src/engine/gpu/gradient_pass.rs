//! Losses and gradients of examples on a GPU: all parameters in one buffer, in the order of kernels in others, and the buffers
//! of maps that stay from one example to the next.

use super::device::Gpu;
use super::execute::{IoCallbacks, WeightBuffers, enqueue, execute, plan_settings};
use super::self_test;
use crate::engine::nn::example::Example;
use crate::engine::nn::graph::Graph;
use crate::engine::nn::loss::Loss;
use crate::engine::nn::targets::Target;
use crate::engine::plan::list::{Binding, Command, Packed, ParamBuffer, Plan, PlanSettings};
use crate::engine::plan::parameters::Parameters;
use crate::engine::plan::training::{LossScale, TrainSpec, peak, training_step};
use crate::engine::wgsl::layout::Precision;
use crate::engine::wgsl::loss;
use crate::error::{Error, Result};
use crate::model::Architecture;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A network's parameters on a GPU, and the way to their gradients.
pub struct GradientPass {
    pub(super) gpu: Rc<Gpu>,
    pub(super) graph: Graph,
    /// Where each parameter lies in a buffer of all.
    pub parameters: Parameters,
    loss: Loss,
    pub(super) weight_buffers: WeightBuffers,
    /// Numbers by table.
    tables: BTreeMap<Packed, usize>,
    /// The buffers of the last example, and its size.
    pub(super) kept: (Vec<Option<wgpu::Buffer>>, [usize; 3]),
}

/// The work of some examples, planned; every kernel of it has given its known answers.
pub struct Batch<'a> {
    pack_weights: Plan,
    examples: Vec<PlannedExample<'a>>,
}

impl Batch<'_> {
    /// Additions and multiplications of all.
    pub fn flops(&self) -> f64 {
        self.examples.iter().map(|example| example.plan.flops).sum()
    }
}

struct PlannedExample<'a> {
    plan: Plan,
    image: &'a [f32],
    target: Vec<f32>,
    dims: [usize; 3],
}

impl GradientPass {
    /// Room for the parameters of a network, their gradients, and what `flats` names beside these; none is filled.
    ///
    /// # Errors
    /// `Unsupported` on a GPU that stores maps in 16 bits.
    pub fn new(
        architecture: &Architecture,
        loss: Loss,
        gpu: &Rc<Gpu>,
        flats: &[ParamBuffer],
    ) -> Result<Self> {
        if gpu.precision != Precision::F32 {
            return Err(Error::unsupported("training", "maps of 16 bits", "a GPU opened for 32"));
        }
        let (graph, parameters) = (Graph::training(architecture), Parameters::new(architecture));
        let mut weight_buffers = WeightBuffers::new();
        let mut tables = BTreeMap::new();
        for (packed, table) in parameters.tables(&graph) {
            tables.insert(packed, table.len());
            weight_buffers.insert(Binding::Table(packed), gpu.upload_words(&table));
            if !matches!(packed, Packed::WeightsBack(_) | Packed::NormBack(_)) {
                weight_buffers.insert(Binding::Packed(packed), gpu.storage(4 * table.len().max(64) as u64));
            }
        }
        for (index, norm) in graph.norms.iter().enumerate().filter(|(_, norm)| norm.squeeze_excite.is_some())
        {
            let bytes = 32 * graph.maps[norm.map].channels.div_ceil(4) as u64;
            weight_buffers.insert(Binding::Packed(Packed::Norm(index)), gpu.storage(bytes.max(256)));
        }
        for &flat in [ParamBuffer::Values, ParamBuffer::Gradient].iter().chain(flats) {
            weight_buffers.insert(Binding::ParamBuffer(flat), gpu.storage(4 * parameters.total as u64));
        }
        weight_buffers.insert(Binding::Loss, gpu.storage(256));
        let (gpu, kept) = (gpu.clone(), (Vec::new(), [0; 3]));
        Ok(Self { gpu, graph, parameters, loss, weight_buffers, tables, kept })
    }

    /// The mean gradients of the examples into [`ParamBuffer::Gradient`], 0 where nothing learns; their mean loss.
    ///
    /// # Errors
    /// `Limit` where a map exceeds a binding; `Device` where the device fails or reports an error.
    pub async fn learn(&mut self, examples: &[Example<'_>], trainable: &dyn Fn(&str) -> bool) -> Result<f64> {
        let pack_weights = self.pack_weights();
        self_test::before_use(&self.gpu, &pack_weights.kernels()).await?;
        self.execute_once(&pack_weights, &mut Vec::new(), (&[], &[]), &mut |_, _| ()).await?;
        let mut loss = f64::NAN;
        for (number, example) in examples.iter().enumerate() {
            let mut planned = self.planned(example, (number, examples.len()), trainable).await?;
            if number + 1 == examples.len() {
                planned.plan.ops.push(Command::Read { binding: Binding::Loss, bytes: 4, planes: 0..1 });
            }
            let PlannedExample { plan, image, target, dims } = planned;
            let mut kept = kept_for(&mut self.kept, dims, &plan);
            let read = &mut |found: &[u8], _: usize| {
                if let [a, b, c, d, ..] = *found {
                    loss = f64::from(f32::from_le_bytes([a, b, c, d]));
                }
            };
            let done = self.execute_once(&plan, &mut kept, (image, &target), read).await;
            self.kept = (kept, dims);
            done?;
        }
        Ok(loss)
    }

    /// Plans what [`Self::enqueue`] hands over.
    ///
    /// # Errors
    /// As [`Self::learn`].
    pub async fn prepare<'a>(
        &self,
        examples: &[Example<'a>],
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<Batch<'a>> {
        let pack_weights = self.pack_weights();
        self_test::before_use(&self.gpu, &pack_weights.kernels()).await?;
        let mut planned = Vec::with_capacity(examples.len());
        for (number, example) in examples.iter().enumerate() {
            planned.push(self.planned(example, (number, examples.len()), trainable).await?);
        }
        Ok(Batch { pack_weights, examples: planned })
    }

    /// As [`Self::learn`], handed over and not waited for; the mean loss stays on the device.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub fn enqueue(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.enqueue_once(&batch.pack_weights, &mut Vec::new(), (&[], &[]))?;
        for PlannedExample { plan, image, target, dims } in &batch.examples {
            let mut kept = kept_for(&mut self.kept, *dims, plan);
            let done = self.enqueue_once(plan, &mut kept, (image, target));
            self.kept = (kept, *dims);
            done?;
        }
        Ok(())
    }

    pub(super) fn enqueue_once(
        &self,
        plan: &Plan,
        kept: &mut Vec<Option<wgpu::Buffer>>,
        (image, target): (&[f32], &[f32]),
    ) -> Result<()> {
        let mut io = IoCallbacks { image, target, pause: &mut |_| Ok(()), keep: &mut |_, _| () };
        enqueue(&self.gpu, &self.weight_buffers, plan, kept, &mut io)
    }

    /// All parameters from a buffer of this device.
    pub fn copy_values_from(&self, (buffer, offset): (&wgpu::Buffer, u64)) {
        let values = &self.weight_buffers[&Binding::ParamBuffer(ParamBuffer::Values)];
        self.copy((buffer, offset), (values, 0), self.parameters.total);
    }

    /// All gradients into a buffer of this device.
    pub fn copy_gradient_to(&self, place: (&wgpu::Buffer, u64)) {
        let gradient = &self.weight_buffers[&Binding::ParamBuffer(ParamBuffer::Gradient)];
        self.copy((gradient, 0), place, self.parameters.total);
    }

    /// The mean loss into a buffer of this device.
    pub fn copy_loss_to(&self, place: (&wgpu::Buffer, u64)) {
        self.copy((&self.weight_buffers[&Binding::Loss], 0), place, 1);
    }

    pub(super) fn copy(&self, from: (&wgpu::Buffer, u64), to: (&wgpu::Buffer, u64), numbers: usize) {
        let mut encoder = self.gpu.encoder();
        encoder.copy_buffer_to_buffer(from.0, from.1, to.0, to.1, 4 * numbers as u64);
        self.gpu.queue.submit([encoder.finish()]);
    }

    /// What brings the parameters to where the kernels see them, and clears the gradients.
    pub(super) fn pack_weights(&self) -> Plan {
        let mut plan = self.parameters.pack_weights(&self.graph, &self.tables);
        plan.ops.push(Command::Clear { binding: Binding::ParamBuffer(ParamBuffer::Gradient) });
        plan
    }

    /// The work of one example, by its number of how many.
    async fn planned<'a>(
        &self,
        example: &Example<'a>,
        (number, count): (usize, usize),
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<PlannedExample<'a>> {
        let Example { image, dims, .. } = *example;
        let share = LossScale {
            share: 1.0 / count as f32,
            fresh: number == 0,
            entropy: self.loss == Loss::DiceAndEntropy,
        };
        let settings = settings(&self.gpu);
        let (graph, parameters) = (&self.graph, &self.parameters);
        let plan =
            training_step(TrainSpec { graph, parameters, dims, settings: &settings, trainable }, share)?;
        self_test::before_use(&self.gpu, &plan.kernels()).await?;
        let pack = |target: Target| {
            let (channels, dims) = (graph.maps[target.map].channels, graph.dims(target.map, dims));
            loss::shader::pack(&target.values, target.weighting().as_ref(), channels, dims)
        };
        let target = graph.targets(example).into_iter().flat_map(pack).collect();
        Ok(PlannedExample { plan, image, target, dims })
    }

    /// Executes a plan that nobody waits to stop.
    pub(super) async fn execute_once(
        &self,
        plan: &Plan,
        kept: &mut Vec<Option<wgpu::Buffer>>,
        (image, target): (&[f32], &[f32]),
        keep: &mut dyn FnMut(&[u8], usize),
    ) -> Result<()> {
        let mut io = IoCallbacks { image, target, pause: &mut |_| Ok(()), keep };
        execute(&self.gpu, &self.weight_buffers, plan, kept, &mut io).await
    }

    /// Bytes of a step on an example of `dims`: of its maps at the worst moment, and of all parameters.
    ///
    /// # Errors
    /// As [`training_step`].
    pub fn peak_bytes(&self, dims: [usize; 3]) -> Result<u64> {
        let (graph, parameters, settings) = (&self.graph, &self.parameters, &settings(&self.gpu));
        peak(TrainSpec { graph, parameters, dims, settings, trainable: &|_| true })
    }
}

impl Drop for GradientPass {
    fn drop(&mut self) {
        self.weight_buffers.values().chain(self.kept.0.iter().flatten()).for_each(wgpu::Buffer::destroy);
    }
}

/// The buffers of the last example, if a plan wants the same; else room for new ones.
pub(super) fn kept_for(
    kept: &mut (Vec<Option<wgpu::Buffer>>, [usize; 3]),
    dims: [usize; 3],
    plan: &Plan,
) -> Vec<Option<wgpu::Buffer>> {
    let (kept, size) = std::mem::take(kept);
    let wanted = plan.ops.iter().filter_map(|op| match op {
        Command::Create { buffer, bytes } => Some((*buffer, *bytes)),
        _ => None,
    });
    let there = |(buffer, bytes): (usize, u64)| {
        kept.get(buffer).and_then(Option::as_ref).is_some_and(|found| found.size() == bytes)
    };
    if size == dims && wanted.clone().all(there) {
        return kept;
    }
    kept.iter().flatten().for_each(wgpu::Buffer::destroy);
    vec![None; wanted.count().max(1)]
}

/// Bytes of a step on an example of `dims`; none where a map exceeds a binding.
pub fn peak_bytes(architecture: &Architecture, dims: [usize; 3], gpu: &Gpu) -> Option<u64> {
    let (graph, parameters) = (&Graph::training(architecture), &Parameters::new(architecture));
    let settings = &settings(gpu);
    peak(TrainSpec { graph, parameters, dims, settings, trainable: &|_| true }).ok()
}

pub(super) fn settings(gpu: &Gpu) -> PlanSettings {
    PlanSettings { precision: Precision::F32, ..plan_settings(gpu, false) }
}
