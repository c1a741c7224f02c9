//! A network on the CPU: the graph's steps by kernels of our own, on all threads. Maps are `[z, c, y, x]`: a slab of
//! planes is one piece of memory.

mod conv;
mod join;
mod out;
mod parallel;
mod pool;
mod product;
mod up;

use super::NOT_A_NUMBER;
use super::graph::{Graph, Kind, Source, Step};
use super::norm::{Line, Moments, padding, parameters, tensor};
use crate::error::Result;
use crate::file::afford;
use crate::model::Architecture;
use crate::store::Weights;

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
    Out { weight: Vec<f32>, bias: Vec<f32> },
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
        let graph = Graph::of(architecture);
        let norms = graph.norms.iter().map(|norm| parameters(norm, weights)).collect::<Result<_>>()?;
        let prepare = |step: &Step| {
            let (inputs, outputs) = (graph.inputs(step), graph.maps[step.output].channels);
            Ok(match &step.kind {
                Kind::Conv(name) => {
                    Prepared::Conv(conv::Weight::new(tensor(weights, name)?, inputs, outputs))
                }
                Kind::Up(name) => Prepared::Up(up::Weight::new(tensor(weights, name)?, inputs, outputs)),
                Kind::Pool | Kind::Join => Prepared::Nothing,
                Kind::Out(name) => Prepared::Out {
                    weight: tensor(weights, &format!("{name}.weight"))?.to_vec(),
                    bias: tensor(weights, &format!("{name}.bias"))?.to_vec(),
                },
            })
        };
        let weights = graph.steps.iter().map(prepare).collect::<Result<_>>()?;
        Ok(Self { graph, norms, weights })
    }

    /// The logits `[outputs, z, y, x]` of an image `[inputs, z, y, x]` of size `dims`, `[x, y, z]`. `pause` is told
    /// the share that is done, many times; its error stops the work.
    ///
    /// # Errors
    /// What `pause` gives; `Limit` where memory does not suffice.
    pub fn logits(
        &self,
        image: &[f32],
        dims: [usize; 3],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Vec<f32>> {
        let graph = &self.graph;
        let total = graph.total_flops(dims);
        let mut run = Run {
            network: self,
            dims,
            maps: vec![Vec::new(); graph.maps.len()],
            moments: vec![Vec::new(); graph.maps.len()],
        };
        run.maps[0] = swap(image, graph.maps[0].channels, dims[2]);
        let mut done = 0.0;
        for (index, step) in graph.steps.iter().enumerate() {
            let share = graph.flops(step, dims);
            run.step(step, &self.weights[index], &mut |part| pause((done + part * share) / total))?;
            done += share;
            pause(done / total)?;
            for source in &step.sources {
                if graph.last_use(source.map) == index {
                    run.maps[source.map] = Vec::new();
                }
            }
        }
        let logits = run.maps.pop().unwrap_or_default();
        Ok(swap(&logits, dims[2], graph.maps.last().map_or(1, |map| map.channels)))
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
        let mut labels = vec![0; dims.iter().product()];
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
    /// Raw values by map, empty before and after their time.
    maps: Vec<Vec<f32>>,
    /// Statistics by map and channel.
    moments: Vec<Vec<Moments>>,
}

impl Run<'_> {
    fn step(
        &mut self,
        step: &Step,
        weights: &Prepared,
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<()> {
        let graph = &self.network.graph;
        let dims = graph.dims(step.output, self.dims);
        let [x, y, z] = dims;
        let channels = graph.maps[step.output].channels;
        if let Kind::Join = step.kind {
            let [first, second] = [step.sources[0], step.sources[1]];
            let mut values = std::mem::take(&mut self.maps[first.map]);
            join::join(&mut values, &self.lines(first), &self.input(second), x * y);
            self.maps[step.output] = values;
            return Ok(());
        }
        afford(channels * x * y * z)?;
        let mut output = vec![0.0; channels * x * y * z];
        let from = graph.dims(step.sources[0].map, self.dims);
        match weights {
            Prepared::Conv(weight) => {
                let inputs: Vec<Input> = step.sources.iter().map(|&source| self.input(source)).collect();
                self.moments[step.output] = conv::conv(&inputs, weight, dims, &mut output, pause)?;
            }
            Prepared::Up(weight) => {
                self.moments[step.output] =
                    up::up(&self.input(step.sources[0]), weight, from, dims, &mut output);
            }
            Prepared::Out { weight, bias } => {
                out::out(&self.input(step.sources[0]), weight, bias, x * y, &mut output);
            }
            Prepared::Nothing => pool::pool(&self.input(step.sources[0]), from, &mut output),
        }
        self.maps[step.output] = output;
        Ok(())
    }

    fn input(&self, source: Source) -> Input<'_> {
        Input { data: &self.maps[source.map], lines: self.lines(source) }
    }

    fn lines(&self, source: Source) -> Vec<Line> {
        let graph = &self.network.graph;
        let Some(norm) = source.norm else {
            return vec![Line::SAME; graph.maps[source.map].channels];
        };
        let zeros = if graph.norms[norm].padded { padding(graph.dims(source.map, self.dims)) } else { 0.0 };
        let moments = self.moments[source.map].iter().map(|moments| moments.with(Moments::zeros(zeros)));
        let parameters = &self.network.norms[norm];
        moments.zip(parameters).map(|(moments, &pair)| Line::new(&moments, pair, source.leaky)).collect()
    }
}
