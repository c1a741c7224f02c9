//! Training on a GPU: parameters, gradients and the optimiser's memory stay there. What is read of a step is its loss.

use super::device::Gpu;
use super::execute::{IoCallbacks, WeightBuffers, execute, plan_settings};
use super::self_test;
use crate::engine::nn::adamw::{AdamWConfig, AdamWStep};
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
use crate::store::{Weights, check_weights};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// All that is kept of every parameter.
const FLATS: [ParamBuffer; 5] = [
    ParamBuffer::Values,
    ParamBuffer::Gradient,
    ParamBuffer::First,
    ParamBuffer::Second,
    ParamBuffer::Average,
];

/// Weights that are trained, on a GPU.
pub struct Trainer {
    pub(super) gpu: Rc<Gpu>,
    pub(super) architecture: Architecture,
    graph: Graph,
    pub(super) parameters: Parameters,
    settings: AdamWConfig,
    loss: Loss,
    pub(super) weight_buffers: WeightBuffers,
    /// Numbers by table.
    tables: BTreeMap<Packed, usize>,
    pub(super) step: usize,
    /// Names of what was trained so far.
    pub(super) learned: BTreeSet<String>,
    /// The buffers of the last example, and its size.
    kept: (Vec<Option<wgpu::Buffer>>, [usize; 3]),
}

impl Trainer {
    /// Starts from weights.
    ///
    /// # Errors
    /// As [`check_weights`]; `Unsupported` on a GPU that stores maps in 16 bits.
    pub fn new(
        architecture: Architecture,
        weights: &Weights,
        settings: AdamWConfig,
        loss: Loss,
        gpu: &Rc<Gpu>,
    ) -> Result<Self> {
        check_weights(&architecture, weights)?;
        if gpu.precision != Precision::F32 {
            return Err(Error::unsupported("training", "maps of 16 bits", "a GPU opened for 32"));
        }
        let (graph, parameters) = (Graph::training(&architecture), Parameters::new(&architecture));
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
        for flat in FLATS {
            weight_buffers.insert(Binding::ParamBuffer(flat), gpu.storage(4 * parameters.total as u64));
        }
        weight_buffers.insert(Binding::Loss, gpu.storage(256));
        let mut learner = Self {
            gpu: gpu.clone(),
            architecture,
            graph,
            parameters,
            settings,
            loss,
            weight_buffers,
            tables,
            step: 0,
            learned: BTreeSet::new(),
            kept: (Vec::new(), [0; 3]),
        };
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
        let loss = self.learn(examples, trainable).await?;
        self.step += 1;
        let ranges = self.parameters.ranges(trainable);
        if !ranges.is_empty() {
            let plan = self.parameters.step(&ranges, AdamWStep::new(self.settings, self.step, rate));
            self_test::before_use(&self.gpu, &plan.kernels()).await?;
            self.execute_once(&plan, &mut Vec::new(), (&[], &[]), &mut |_, _| ()).await?;
        }
        let names = self.parameters.list.iter().map(|parameter| &parameter.name);
        self.learned.extend(names.filter(|name| trainable(name)).cloned());
        Ok(loss)
    }

    /// The mean gradients of the examples into [`ParamBuffer::Gradient`]; their mean loss.
    async fn learn(&mut self, examples: &[Example<'_>], trainable: &dyn Fn(&str) -> bool) -> Result<f64> {
        let mut pack_weights = self.parameters.pack_weights(&self.graph, &self.tables);
        pack_weights.ops.push(Command::Clear { binding: Binding::ParamBuffer(ParamBuffer::Gradient) });
        self_test::before_use(&self.gpu, &pack_weights.kernels()).await?;
        self.execute_once(&pack_weights, &mut Vec::new(), (&[], &[]), &mut |_, _| ()).await?;
        let mut loss = f64::NAN;
        for (number, example) in examples.iter().enumerate() {
            let dims = example.dims;
            let share = LossScale {
                share: 1.0 / examples.len() as f32,
                fresh: number == 0,
                entropy: self.loss == Loss::DiceAndEntropy,
            };
            let settings = settings(&self.gpu);
            let spec = TrainSpec {
                graph: &self.graph,
                parameters: &self.parameters,
                dims,
                settings: &settings,
                trainable,
            };
            let mut plan = training_step(spec, share)?;
            self_test::before_use(&self.gpu, &plan.kernels()).await?;
            if number + 1 == examples.len() {
                plan.ops.push(Command::Read { binding: Binding::Loss, bytes: 4, planes: 0..1 });
            }
            let pack = |target: Target| {
                let (channels, dims) =
                    (self.graph.maps[target.map].channels, self.graph.dims(target.map, dims));
                loss::shader::pack(&target.values, target.weighting().as_ref(), channels, dims)
            };
            let target: Vec<f32> = self.graph.targets(example).into_iter().flat_map(pack).collect();
            let mut kept = self.kept_for(dims, &plan);
            let read = &mut |found: &[u8], _: usize| {
                if let [a, b, c, d, ..] = *found {
                    loss = f64::from(f32::from_le_bytes([a, b, c, d]));
                }
            };
            let done = self.execute_once(&plan, &mut kept, (example.image, &target), read).await;
            self.kept = (kept, dims);
            done?;
        }
        Ok(loss)
    }

    /// The buffers of the last example, if a plan wants the same; else room for new ones.
    fn kept_for(&mut self, dims: [usize; 3], plan: &Plan) -> Vec<Option<wgpu::Buffer>> {
        let (kept, size) = std::mem::take(&mut self.kept);
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
        let settings = settings(&self.gpu);
        let spec = TrainSpec {
            graph: &self.graph,
            parameters: &self.parameters,
            dims,
            settings: &settings,
            trainable: &|_| true,
        };
        peak(spec)
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
        let loss = self.learn(examples, trainable).await?;
        let mut gradients = self.named(ParamBuffer::Gradient).await?;
        gradients.retain(|name, _| trainable(name));
        Ok((loss, gradients))
    }

    /// Steps of the optimiser so far.
    pub fn steps(&self) -> usize {
        self.step
    }
}

impl Drop for Trainer {
    fn drop(&mut self) {
        self.weight_buffers.values().chain(self.kept.0.iter().flatten()).for_each(wgpu::Buffer::destroy);
    }
}

/// Bytes of a step on an example of `dims`; none where a map exceeds a binding.
pub fn peak_bytes(architecture: &Architecture, dims: [usize; 3], gpu: &Gpu) -> Option<u64> {
    let (graph, parameters) = (Graph::training(architecture), Parameters::new(architecture));
    let settings = settings(gpu);
    let trainable = &|_: &str| true;
    let spec = TrainSpec { graph: &graph, parameters: &parameters, dims, settings: &settings, trainable };
    peak(spec).ok()
}

fn settings(gpu: &Gpu) -> PlanSettings {
    PlanSettings { precision: Precision::F32, ..plan_settings(gpu, false) }
}
