//! The network as the steps that our kernels run, recorded from [`Architecture::pass`].
//!
//! Nothing is stored that can be had on the way. A step writes **raw** values and their statistics; who reads them
//! normalises ([`Source`]). A concat is two sources of one convolution. Squeeze-and-excite is no step at all: it
//! looks at the means of channels that were just normalised, and these are `beta`, whatever the image is; so its
//! factors are numbers of the model, and are multiplied into the `gamma` and `beta` before it ([`Norm::excite`]).

use super::example::Example;
use super::loss::Weighting;
use crate::model::{Architecture, Ops, ROI, attention_gate_parameters, attention_gate_units};
use std::borrow::Cow;
use std::ops::Range;

/// A map in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Map {
    /// Channels.
    pub channels: usize,
    /// How often its sides were halved.
    pub level: usize,
}

/// Normalisation of a map, done where the map is read: `gamma (x - mean) / sqrt(variance + epsilon) + beta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Norm {
    /// The map whose statistics count.
    pub map: usize,
    /// Name of `gamma` and `beta`.
    pub name: String,
    /// Name of the squeeze-and-excite whose factors scale both.
    pub excite: Option<String>,
    /// Whether statistics are over an up-convolution's padded size: two more planes of zeros on each axis.
    pub padded: bool,
}

/// How a map is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapRef {
    /// Which map.
    pub map: usize,
    /// Index of its normalisation.
    pub norm: Option<usize>,
    /// Whether LeakyReLU follows.
    pub leaky: bool,
}

/// What is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// 3^3 convolution of one or two maps' channels by the weight of this name.
    Conv(String),
    /// Largest of each 2^3 block.
    Pool,
    /// Up-convolution 2^3, stride 2, by the weight of this name; zeros where the output is longer.
    ConvTranspose(String),
    /// LeakyReLU of the sum of both sources.
    ResidualAdd,
    /// The first source weighed by an attention gate of this name, which looks at both.
    AttentionGate(String),
    /// 1^3 convolution by the weight and bias of this name: the logits. Its output is no map.
    HeadConv1x1(String),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is computed.
    pub kind: Operation,
    /// From what.
    pub sources: Vec<MapRef>,
    /// Into which map.
    pub output: usize,
}

impl Norm {
    /// Names of its tensors.
    pub fn parameters(&self) -> Vec<String> {
        let own = ["gamma", "beta"].map(|part| format!("{}.{part}", self.name)).into_iter();
        let parts = ["squeeze.weight", "squeeze.bias", "excite.weight", "excite.bias"];
        let excite = self.excite.iter().flat_map(|name| parts.map(|part| format!("{name}.{part}")));
        own.chain(excite).collect()
    }
}

impl Step {
    /// Names of its tensors.
    pub fn parameters(&self) -> Vec<String> {
        match &self.kind {
            Operation::Conv(name) | Operation::ConvTranspose(name) => vec![name.clone()],
            Operation::HeadConv1x1(name) => vec![format!("{name}.weight"), format!("{name}.bias")],
            Operation::AttentionGate(name) => attention_gate_parameters(name).into(),
            Operation::Pool | Operation::ResidualAdd => Vec::new(),
        }
    }
}

/// The whole network. Map 0 is the image, the last map the logits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// What lies in memory.
    pub maps: Vec<Map>,
    /// How maps are normalised.
    pub norms: Vec<Norm>,
    /// In the order of computation.
    pub steps: Vec<Step>,
}

/// What an example wants of a map of logits.
pub struct Target<'a> {
    /// The map.
    pub map: usize,
    /// `[channel, z, y, x]`
    pub values: Cow<'a, [f32]>,
    weights: Option<[Cow<'a, [f32]>; 2]>,
}

impl Target<'_> {
    /// How much each voxel counts.
    pub fn weighting(&self) -> Option<Weighting<'_>> {
        self.weights.as_ref().map(|[overlap, entropy]| Weighting { overlap, entropy })
    }
}

impl Graph {
    /// The graph of an architecture's network.
    pub fn inference(architecture: &Architecture) -> Self {
        Self::recorded(architecture, |graph, image| drop(architecture.pass(graph, image)))
    }

    /// The graph of the network that finds the region of interest; no steps where the architecture has none.
    pub fn roi(architecture: &Architecture) -> Self {
        Self::recorded(architecture, |graph, image| drop(architecture.roi_pass(graph, image)))
    }

    /// The graph that learns: of both networks, where there are two.
    pub fn training(architecture: &Architecture) -> Self {
        Self::recorded(architecture, |graph, image| drop(architecture.training_pass(graph, image)))
    }

    fn recorded(architecture: &Architecture, pass: impl Fn(&mut Self, &Vec<MapRef>)) -> Self {
        let mut graph = Self::default();
        let image = graph.map(architecture.inputs, 0);
        pass(&mut graph, &image);
        graph
    }

    /// Size of the logits for an image of `dims`, `[x, y, z]`.
    pub fn out_dims(&self, dims: [usize; 3]) -> [usize; 3] {
        self.dims(self.maps.len() - 1, dims)
    }

    /// Channels of the logits.
    pub fn outputs(&self) -> usize {
        self.maps.last().map_or(1, |map| map.channels)
    }

    /// Size of a map for an image of `dims`, `[x, y, z]`.
    pub fn dims(&self, map: usize, dims: [usize; 3]) -> [usize; 3] {
        dims.map(|side| side >> self.maps[map].level)
    }

    /// The maps of logits in the order of their steps, and what an example wants of each. The region of interest is
    /// wherever a block of voxels, as the poolings see it, has any label; a block counts as its least voxel does.
    pub fn targets<'a>(&self, example: &Example<'a>) -> Vec<Target<'a>> {
        let &Example { target, weighting, dims, .. } = example;
        let weights = weighting.map(|Weighting { overlap, entropy }| [overlap, entropy]);
        let outs = self.steps.iter().filter_map(|step| match &step.kind {
            Operation::HeadConv1x1(name) if name == ROI => {
                let side = 1 << self.maps[step.output].level;
                let blocks = |values, join, first| Cow::Owned(by_block(values, dims, side, join, first));
                let weights = weights.map(|each| each.map(|values| blocks(values, f32::min, f32::INFINITY)));
                Some(Target { map: step.output, values: blocks(target, f32::max, 0.0), weights })
            }
            Operation::HeadConv1x1(_) => {
                let weights = weights.map(|each| each.map(Cow::Borrowed));
                Some(Target { map: step.output, values: Cow::Borrowed(target), weights })
            }
            _ => None,
        });
        outs.collect()
    }

    /// Channels that a step reads.
    pub fn inputs(&self, step: &Step) -> usize {
        step.sources.iter().map(|source| self.maps[source.map].channels).sum()
    }

    /// The steps in order, convolutions that read the same taken together.
    pub fn fusion_groups(&self) -> Vec<Range<usize>> {
        let alike = |a: &Step, b: &Step| {
            matches!((&a.kind, &b.kind), (Operation::Conv(_), Operation::Conv(_))) && a.sources == b.sources
        };
        let mut at = 0;
        let ranges = self.steps.chunk_by(alike).map(|steps| {
            at += steps.len();
            at - steps.len()..at
        });
        ranges.collect()
    }

    /// By map, whether its gradient is wanted where only parameters that learn (by name) get one: whether it was
    /// computed from any of them.
    pub fn requires_grad(&self, trainable: &dyn Fn(&str) -> bool) -> Vec<bool> {
        let mut requires_grad = vec![false; self.maps.len()];
        for step in &self.steps {
            let norms = self.norms.iter().filter(|norm| norm.map == step.output).flat_map(Norm::parameters);
            let own = step.parameters().into_iter().chain(norms).any(|name| trainable(&name));
            requires_grad[step.output] = own || step.sources.iter().any(|source| requires_grad[source.map]);
        }
        requires_grad
    }

    /// Index of the last step that reads a map, or writes it where none does.
    pub fn last_use(&self, map: usize) -> usize {
        let uses = |step: &Step| step.output == map || step.sources.iter().any(|source| source.map == map);
        self.steps.iter().rposition(uses).unwrap_or(0)
    }

    /// Multiplications and additions of a step for an image of `dims`.
    pub fn flops(&self, step: &Step, dims: [usize; 3]) -> f64 {
        let voxels = self.dims(step.output, dims).map(|side| side as f64).iter().product::<f64>();
        let (inputs, outputs) = (self.inputs(step) as f64, self.maps[step.output].channels as f64);
        let taps = match step.kind {
            Operation::Conv(_) => 27.0 * inputs,
            Operation::ConvTranspose(_) | Operation::HeadConv1x1(_) => inputs,
            Operation::Pool => 8.0,
            Operation::ResidualAdd => 2.0,
            Operation::AttentionGate(_) => {
                1.0 + (inputs + 1.0) * attention_gate_units(self.maps[step.output].channels) as f64 / outputs
            }
        };
        2.0 * taps * voxels * outputs
    }

    /// The same of all steps.
    pub fn total_flops(&self, dims: [usize; 3]) -> f64 {
        self.steps.iter().map(|step| self.flops(step, dims)).sum()
    }

    /// Values in memory at the worst moment, where every map lies there from its step to its last use.
    pub fn peak_values(&self, dims: [usize; 3]) -> usize {
        let size = |map: usize| self.maps[map].channels * self.dims(map, dims).iter().product::<usize>();
        let written = |map: usize| self.steps.iter().position(|step| step.output == map);
        let alive = |index: usize| {
            let here =
                |map: &usize| written(*map).is_none_or(|at| at <= index) && self.last_use(*map) >= index;
            // The sum of a join takes the place of its first source.
            let joined = matches!(self.steps[index].kind, Operation::ResidualAdd)
                .then(|| size(self.steps[index].output));
            (0..self.maps.len()).filter(here).map(size).sum::<usize>() - joined.unwrap_or(0)
        };
        (0..self.steps.len()).map(alive).max().unwrap_or(0)
    }

    /// The same of a pass that keeps all maps, and of the way back with its gradients.
    pub fn peak_values_learning(&self, dims: [usize; 3]) -> usize {
        let size = |map: usize| self.maps[map].channels * self.dims(map, dims).iter().product::<usize>();
        let mut maps: usize = (0..self.maps.len()).map(size).sum();
        let mut grad = vec![0; self.maps.len()];
        grad[self.maps.len() - 1] = size(self.maps.len() - 1);
        let mut peak = 0;
        for steps in self.fusion_groups().into_iter().rev() {
            let read = self.steps[steps.clone()].iter().flat_map(|step| &step.sources);
            read.filter(|source| source.map > 0).for_each(|source| grad[source.map] = size(source.map));
            peak = peak.max(maps + grad.iter().sum::<usize>());
            for step in &self.steps[steps] {
                grad[step.output] = 0;
                maps -= size(step.output);
            }
        }
        peak
    }

    fn map(&mut self, channels: usize, level: usize) -> Vec<MapRef> {
        self.maps.push(Map { channels, level });
        vec![MapRef { map: self.maps.len() - 1, norm: None, leaky: false }]
    }

    fn step(&mut self, kind: Operation, sources: Vec<MapRef>, channels: usize, level: usize) -> Vec<MapRef> {
        let output = self.map(channels, level);
        self.steps.push(Step { kind, sources, output: output[0].map });
        output
    }

    fn level(&self, sources: &[MapRef]) -> usize {
        self.maps[sources[0].map].level
    }

    fn normalised(&mut self, mut sources: Vec<MapRef>, name: &str, padded: bool) -> Vec<MapRef> {
        let norm = Norm { map: sources[0].map, name: format!("{name}.norm"), excite: None, padded };
        self.norms.push(norm);
        sources[0].norm = Some(self.norms.len() - 1);
        sources
    }
}

/// Recording: a map is how it will be read, one source or, after a concat, two.
impl Ops for Graph {
    type Map = Vec<MapRef>;

    fn conv_norm(&mut self, x: &Self::Map, name: &str, outputs: usize) -> Self::Map {
        let kind = Operation::Conv(format!("{name}.conv.weight"));
        let raw = self.step(kind, x.clone(), outputs, self.level(x));
        self.normalised(raw, name, false)
    }

    fn leaky(&mut self, mut x: Self::Map) -> Self::Map {
        x.iter_mut().for_each(|source| source.leaky = true);
        x
    }

    fn pool(&mut self, x: &Self::Map) -> Self::Map {
        let channels = self.maps[x[0].map].channels;
        self.step(Operation::Pool, x.clone(), channels, self.level(x) + 1)
    }

    fn conv_transpose(&mut self, x: &Self::Map, name: &str, outputs: usize, skip: &Self::Map) -> Self::Map {
        let raw = self.step(
            Operation::ConvTranspose(format!("{name}.weight")),
            x.clone(),
            outputs,
            self.level(skip),
        );
        let x = self.normalised(raw, name, true);
        self.leaky(x)
    }

    fn concat(&mut self, a: Self::Map, b: Self::Map) -> Self::Map {
        [a, b].concat()
    }

    fn squeeze_excite(&mut self, x: Self::Map, name: &str, _: usize) -> Self::Map {
        if let Some(norm) = x[0].norm {
            self.norms[norm].excite = Some(name.to_owned());
        }
        x
    }

    fn residual_add(&mut self, a: Self::Map, b: Self::Map) -> Self::Map {
        let (channels, level) = (self.maps[a[0].map].channels, self.level(&a));
        self.step(Operation::ResidualAdd, [a, b].concat(), channels, level)
    }

    fn attention_gate(&mut self, skip: &Self::Map, up: &Self::Map, name: &str, _: usize) -> Self::Map {
        let (channels, level) = (self.maps[skip[0].map].channels, self.level(skip));
        self.step(
            Operation::AttentionGate(name.to_owned()),
            [skip.clone(), up.clone()].concat(),
            channels,
            level,
        )
    }

    fn head_conv1x1(&mut self, x: &Self::Map, name: &str, outputs: usize) -> Self::Map {
        self.step(Operation::HeadConv1x1(name.to_owned()), x.clone(), outputs, self.level(x))
    }
}

/// By block of `side`^3 voxels all of its values, of all channels, joined; what does not fill a block is left out.
fn by_block(
    values: &[f32],
    dims: [usize; 3],
    side: usize,
    join: fn(f32, f32) -> f32,
    first: f32,
) -> Vec<f32> {
    let [x, y, _] = dims;
    let [blocks_x, blocks_y, blocks_z] = dims.map(|n| n / side);
    let mut found = vec![first; blocks_x * blocks_y * blocks_z];
    for (row, values) in values.chunks_exact(x).enumerate() {
        let [at_y, at_z] = [row % y, row / y % dims[2]].map(|n| n / side);
        if at_y < blocks_y && at_z < blocks_z {
            let to = &mut found[(at_z * blocks_y + at_y) * blocks_x..][..blocks_x];
            for (to, block) in to.iter_mut().zip(values.chunks_exact(side)) {
                *to = block.iter().copied().fold(*to, join);
            }
        }
    }
    found
}
