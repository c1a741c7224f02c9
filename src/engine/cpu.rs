//! A network on the CPU: the graph's steps by kernels of our own, on all threads. Maps are `[z, c, y, x]`: a slab of
//! planes is one piece of memory.

pub mod backward;
mod bend;
mod conv;
mod conv_weight;
mod gate;
mod join;
pub mod learner;
mod out;
pub(super) mod parallel;
mod pool;
mod product;
mod up;
mod up_back;
mod winograd;

use super::NOT_A_NUMBER;
use super::graph::{Graph, Kind, Norm, Source, Step};
use super::norm::{Line, Moments, padding, parameters, tensor};
use crate::error::Result;
use crate::file::afford;
use crate::model::Architecture;
use crate::store::Weights;
use std::ops::Range;

/// A map as it is read.
struct Input<'a> {
    /// `[z, c, y, x]`
    data: &'a [f32],
    /// One per channel.
    lines: Vec<Line>,
}

/// The weights of a step in the order in which its kernel reads them.
enum Prepared {
    Nothing,
    Conv(conv::Weight),
    Up(up::Weight),
    Gate(gate::Weight),
    Out { weight: Vec<f32>, bias: Vec<f32> },
}

impl Prepared {
    fn conv(&self) -> Option<&conv::Weight> {
        if let Self::Conv(weight) = self { Some(weight) } else { None }
    }
}

/// A network ready to run.
pub struct Network {
    graph: Graph,
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
        Self::of(Graph::of(architecture), weights)
    }

    /// The network that finds the region of interest, for an architecture that has it: [`Architecture::roi_pass`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn roi(architecture: &Architecture, weights: &Weights) -> Result<Self> {
        Self::of(Graph::of_roi(architecture), weights)
    }

    /// Both, to learn together.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn learning(architecture: &Architecture, weights: &Weights) -> Result<Self> {
        Self::of(Graph::learning(architecture), weights)
    }

    fn of(graph: Graph, weights: &Weights) -> Result<Self> {
        let norms = graph.norms.iter().map(|norm| parameters(norm, weights)).collect::<Result<_>>()?;
        let prepare = |step: &Step| {
            let (inputs, outputs) = (graph.inputs(step), graph.maps[step.output].channels);
            Ok(match &step.kind {
                Kind::Conv(name) => {
                    Prepared::Conv(conv::Weight::new(tensor(weights, name)?, inputs, outputs))
                }
                Kind::Up(name) => Prepared::Up(up::Weight::new(tensor(weights, name)?, inputs, outputs)),
                Kind::Gate(name) => Prepared::Gate(gate::Weight::new(weights, name)?),
                Kind::Pool | Kind::Join => Prepared::Nothing,
                Kind::Out(name) => Prepared::Out {
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
        let mut run = self.run(image, dims, false, pause)?;
        let logits = run.maps.pop().unwrap_or_default();
        Ok(swap(&logits, self.graph.out_dims(dims)[2], self.graph.outputs()))
    }

    /// A pass whose last map is the logits, `[z, outputs, y, x]`; the others are there too if they are to be kept.
    fn run(
        &self,
        image: &[f32],
        dims: [usize; 3],
        keep: bool,
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Run<'_>> {
        let graph = &self.graph;
        let total = graph.total_flops(dims);
        let mut run = Run {
            network: self,
            dims,
            keep,
            maps: vec![Vec::new(); graph.maps.len()],
            moments: vec![Vec::new(); graph.maps.len()],
        };
        run.maps[0] = swap(image, graph.maps[0].channels, dims[2]);
        let mut done = 0.0;
        for steps in graph.together() {
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

    /// As [`super::Network::labels`].
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
        let mut labels = vec![0; self.graph.out_dims(dims).iter().product()];
        for (logits, label) in logits.chunks_exact(labels.len()).zip(1..) {
            for (voxel, logit) in labels.iter_mut().zip(logits) {
                if !logit.is_finite() {
                    *voxel = NOT_A_NUMBER;
                } else if *logit > 0.0 && *voxel != NOT_A_NUMBER {
                    *voxel = label;
                }
            }
        }
        Ok(labels)
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
fn swap(values: &[f32], a: usize, b: usize) -> Vec<f32> {
    if a == 1 || b == 1 {
        return values.to_vec();
    }
    let plane = values.len() / (a * b);
    (0..b).flat_map(|j| (0..a).flat_map(move |i| &values[(i * b + j) * plane..][..plane])).copied().collect()
}

/// A pass under way.
struct Run<'a> {
    network: &'a Network,
    dims: [usize; 3],
    /// Whether maps stay after their last reader.
    keep: bool,
    /// Raw values by map, empty before and after their time.
    maps: Vec<Vec<f32>>,
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
        if let Kind::Join = step.kind {
            let [first, second] = [step.sources[0], step.sources[1]];
            let mut values = if self.keep {
                afford(self.maps[first.map].len())?;
                self.maps[first.map].clone()
            } else {
                std::mem::take(&mut self.maps[first.map])
            };
            join::join(&mut values, &self.lines(first), &self.input(second), plane);
            self.maps[step.output] = values;
            return Ok(());
        }
        let size = |step: &Step| graph.maps[step.output].channels * plane * dims[2];
        let mut outputs = Vec::new();
        for step in &graph.steps[steps.clone()] {
            afford(size(step))?;
            outputs.push(vec![0.0; size(step)]);
        }
        let inputs: Vec<Input> = step.sources.iter().map(|&source| self.input(source)).collect();
        let moments = match &weights[steps.start] {
            Prepared::Conv(_) => {
                let weights = weights[steps.clone()].iter().filter_map(Prepared::conv);
                let targets = weights.zip(outputs.iter_mut().map(Vec::as_mut_slice));
                conv::conv(&inputs, targets.collect(), dims, pause)?
            }
            Prepared::Up(weight) => vec![up::up(&inputs[0], weight, from, dims, &mut outputs[0])],
            Prepared::Gate(weight) => {
                gate::gate(&inputs[0], &inputs[1], weight, plane, &mut outputs[0]);
                vec![Vec::new()]
            }
            Prepared::Out { weight, bias } => {
                out::out(&inputs[0], weight, bias, plane, &mut outputs[0]);
                vec![Vec::new()]
            }
            Prepared::Nothing => {
                pool::pool(&inputs[0], from, &mut outputs[0]);
                vec![Vec::new()]
            }
        };
        for ((step, output), moments) in graph.steps[steps].iter().zip(outputs).zip(moments) {
            self.maps[step.output] = output;
            self.moments[step.output] = moments;
        }
        Ok(())
    }

    fn input(&self, source: Source) -> Input<'_> {
        Input { data: &self.maps[source.map], lines: self.lines(source) }
    }

    fn lines(&self, source: Source) -> Vec<Line> {
        let channels = self.network.graph.maps[source.map].channels;
        let Some(norm) = source.norm else { return vec![Line::SAME; channels] };
        let parameters = &self.network.norms[norm];
        let lines = self.moments(norm).into_iter().zip(parameters);
        lines.map(|(moments, &pair)| Line::new(&moments, pair, source.leaky)).collect()
    }

    /// The statistics of a normalisation by channel, padding included.
    fn moments(&self, norm: usize) -> Vec<Moments> {
        let graph = &self.network.graph;
        let Norm { map, padded, .. } = graph.norms[norm];
        let zeros = if padded { padding(graph.dims(map, self.dims)) } else { 0.0 };
        self.moments[map].iter().map(|moments| moments.with(Moments::zeros(zeros))).collect()
    }
}
