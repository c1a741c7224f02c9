//! A forward pass on the CPU.

use super::buffers::Buffers;
use super::ops::input::Input;
use super::ops::{attention_gate, conv, conv_transpose, head_conv1x1, pool, residual_add};
use crate::engine::nn::graph::{Graph, MapRef, Norm, Operation, Step};
use crate::engine::nn::labels;
use crate::engine::nn::parallel;
use crate::engine::nn::scale_shift::{Moments, ScaleShift, padding};
use crate::engine::nn::squeeze_excite::parameters;
use crate::engine::nn::weights::tensor;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::Weights;
use std::ops::Range;

/// The weights of a step in the order in which its kernel reads them.
enum Prepared {
    Nothing,
    Conv(conv::Weight),
    Up(conv_transpose::Weight),
    Gate(attention_gate::Weight),
    Out { weight: Vec<f32>, bias: Vec<f32> },
}

impl Prepared {
    fn conv(&self) -> Option<&conv::Weight> {
        if let Self::Conv(weight) = self { Some(weight) } else { None }
    }
}

/// A network ready to run.
pub struct Network {
    pub(super) graph: Graph,
    /// `[gamma, beta]` by normalisation and channel.
    norms: Vec<Vec<[f32; 2]>>,
    /// One per step.
    weights: Vec<Prepared>,
}

impl Network {
    /// Prepares weights that fit the architecture ([`crate::store::check_weights`]).
    ///
    /// # Errors
    /// `Malformed` where a weight is missing.
    pub fn new(architecture: &Architecture, weights: &Weights) -> Result<Self> {
        Self::with_graph(Graph::inference(architecture), weights)
    }

    /// The network that finds the region of interest, for an architecture that has it: [`Architecture::roi_pass`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn roi(architecture: &Architecture, weights: &Weights) -> Result<Self> {
        Self::with_graph(Graph::roi(architecture), weights)
    }

    /// Both, to learn together.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn training(architecture: &Architecture, weights: &Weights) -> Result<Self> {
        Self::with_graph(Graph::training(architecture), weights)
    }

    fn with_graph(graph: Graph, weights: &Weights) -> Result<Self> {
        let norms = graph.norms.iter().map(|norm| parameters(norm, weights)).collect::<Result<_>>()?;
        let prepare = |step: &Step| {
            let (inputs, outputs) = (graph.input_channels(step), graph.maps[step.output].channels);
            Ok(match &step.kind {
                Operation::Conv(name) => {
                    Prepared::Conv(conv::Weight::new(tensor(weights, name)?, inputs, outputs))
                }
                Operation::ConvTranspose(name) => {
                    Prepared::Up(conv_transpose::Weight::new(tensor(weights, name)?, inputs, outputs))
                }
                Operation::AttentionGate(name) => Prepared::Gate(attention_gate::Weight::new(weights, name)?),
                Operation::Pool | Operation::ResidualAdd => Prepared::Nothing,
                Operation::HeadConv1x1(name) => Prepared::Out {
                    weight: tensor(weights, &format!("{name}.weight"))?.to_vec(),
                    bias: tensor(weights, &format!("{name}.bias"))?.to_vec(),
                },
            })
        };
        let steps = graph.steps.iter().collect();
        let weights =
            parallel::map(steps, || (), |(), step| prepare(step)).into_iter().collect::<Result<_>>()?;
        Ok(Self { graph, norms, weights })
    }

    /// The logits `[outputs, z, y, x]`, of size [`Graph::out_dims`], of an image `[inputs, z, y, x]` of size `dims`,
    /// `[x, y, z]`. `pause` is told the share that is done, many times; its error stops the work.
    ///
    /// # Errors
    /// What `pause` gives; `Limit` where memory does not suffice.
    pub fn logits(
        &self,
        image: &[f32],
        dims: [usize; 3],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Vec<f32>> {
        let mut buffers = Buffers::default();
        let mut run = self.run((image, dims), false, &mut buffers, pause)?;
        let logits = run.maps.pop().unwrap_or_default();
        swap(&logits, self.graph.out_dims(dims)[2], self.graph.outputs(), &mut buffers)
    }

    /// A pass whose last map is the logits, `[z, outputs, y, x]`; the others are there too if they are to be kept. Maps
    /// are made in `buffers`.
    pub(super) fn run<'a>(
        &'a self,
        (image, dims): (&[f32], [usize; 3]),
        keep: bool,
        buffers: &'a mut Buffers,
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Run<'a>> {
        let graph = &self.graph;
        let total = graph.total_flops(dims);
        let mut run = Run {
            network: self,
            dims,
            keep,
            buffers,
            maps: vec![Vec::new(); graph.maps.len()],
            moments: vec![Vec::new(); graph.maps.len()],
        };
        run.maps[0] = swap(image, graph.maps[0].channels, dims[2], run.buffers)?;
        let mut done = 0.0;
        for steps in graph.fusion_groups() {
            let share: f64 = graph.steps[steps.clone()].iter().map(|step| graph.flops(step, dims)).sum();
            run.steps(steps.clone(), &mut |part| pause((done + part * share) / total))?;
            done += share;
            pause(done / total)?;
            for source in graph.steps[steps.clone()].iter().flat_map(|step| &step.sources) {
                if !keep && graph.last_use(source.map) < steps.end {
                    run.maps[source.map] = Vec::new();
                }
            }
        }
        Ok(run)
    }

    /// As [`crate::engine::network::Network::labels`].
    ///
    /// # Errors
    /// As [`Self::logits`].
    pub fn labels(
        &self,
        image: &[f32],
        dims: [usize; 3],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Vec<u8>> {
        let logits = self.logits(image, dims, pause)?;
        Ok(labels::labels(&logits, self.graph.out_dims(dims).iter().product()))
    }

    /// What it computes.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Bytes of maps at the worst moment.
    pub fn peak_bytes(&self, dims: [usize; 3]) -> u64 {
        4 * self.graph.peak_values(dims) as u64
    }
}

/// `[a, b, plane]` -> `[b, a, plane]`.
pub(super) fn swap(values: &[f32], a: usize, b: usize, buffers: &mut Buffers) -> Result<Vec<f32>> {
    if a == 1 || b == 1 {
        return buffers.copy(values);
    }
    let mut swapped = buffers.take(values.len())?;
    let plane = values.len() / (a * b);
    for (index, to) in swapped.chunks_exact_mut(plane).enumerate() {
        let (j, i) = (index / a, index % a);
        to.copy_from_slice(&values[(i * b + j) * plane..][..plane]);
    }
    Ok(swapped)
}

/// A pass under way.
pub(super) struct Run<'a> {
    pub(super) network: &'a Network,
    pub(super) dims: [usize; 3],
    /// Whether maps stay after their last reader.
    keep: bool,
    /// Where they come from.
    pub(super) buffers: &'a mut Buffers,
    /// Raw values by map, empty before and after their time.
    pub(super) maps: Vec<Vec<f32>>,
    /// Statistics by map and channel.
    moments: Vec<Vec<Moments>>,
}

impl Run<'_> {
    /// Some steps: one, or convolutions that read the same.
    fn steps(&mut self, steps: Range<usize>, pause: &mut dyn FnMut(f64) -> Result<()>) -> Result<()> {
        let Network { graph, weights, .. } = self.network;
        let step = &graph.steps[steps.start];
        let (dims, from) = (graph.dims(step.output, self.dims), graph.dims(step.sources[0].map, self.dims));
        let plane = dims[0] * dims[1];
        if let Operation::ResidualAdd = step.kind {
            let [first, second] = [step.sources[0], step.sources[1]];
            let mut values = if self.keep {
                self.buffers.copy(&self.maps[first.map])?
            } else {
                std::mem::take(&mut self.maps[first.map])
            };
            residual_add::forward(&mut values, &self.scale_shifts(first), &self.input(second), plane);
            self.maps[step.output] = values;
            return Ok(());
        }
        let size = |step: &Step| graph.maps[step.output].channels * plane * dims[2];
        let mut outputs = Vec::new();
        for step in &graph.steps[steps.clone()] {
            outputs.push(self.buffers.take(size(step))?);
        }
        let inputs: Vec<Input> = step.sources.iter().map(|&source| self.input(source)).collect();
        let moments = match &weights[steps.start] {
            Prepared::Conv(_) => {
                let weights = weights[steps.clone()].iter().filter_map(Prepared::conv);
                let targets = weights.zip(outputs.iter_mut().map(Vec::as_mut_slice));
                conv::forward(&inputs, targets.collect(), dims, pause)?
            }
            Prepared::Up(weight) => {
                vec![conv_transpose::forward(&inputs[0], weight, from, dims, &mut outputs[0])]
            }
            Prepared::Gate(weight) => {
                attention_gate::forward(&inputs[0], &inputs[1], weight, plane, &mut outputs[0]);
                vec![Vec::new()]
            }
            Prepared::Out { weight, bias } => {
                head_conv1x1::forward(&inputs[0], weight, bias, plane, &mut outputs[0]);
                vec![Vec::new()]
            }
            Prepared::Nothing => {
                pool::forward(&inputs[0], from, &mut outputs[0]);
                vec![Vec::new()]
            }
        };
        for ((step, output), moments) in graph.steps[steps].iter().zip(outputs).zip(moments) {
            self.maps[step.output] = output;
            self.moments[step.output] = moments;
        }
        Ok(())
    }

    pub(super) fn input(&self, source: MapRef) -> Input<'_> {
        Input { data: &self.maps[source.map], scale_shifts: self.scale_shifts(source) }
    }

    pub(super) fn scale_shifts(&self, source: MapRef) -> Vec<ScaleShift> {
        let channels = self.network.graph.maps[source.map].channels;
        let Some(norm) = source.norm else { return vec![ScaleShift::IDENTITY; channels] };
        let parameters = &self.network.norms[norm];
        let scale_shifts = self.moments(norm).into_iter().zip(parameters);
        scale_shifts.map(|(moments, &pair)| ScaleShift::new(&moments, pair, source.leaky)).collect()
    }

    /// The statistics of a normalisation by channel, padding included.
    pub(super) fn moments(&self, norm: usize) -> Vec<Moments> {
        let graph = &self.network.graph;
        let Norm { map, padded, .. } = graph.norms[norm];
        let zeros = if padded { padding(graph.dims(map, self.dims)) } else { 0.0 };
        self.moments[map].iter().map(|moments| moments.with(Moments::zeros(zeros))).collect()
    }
}
