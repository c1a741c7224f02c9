//! The network as the steps that our kernels run, recorded from [`crate::model::Architecture::pass`].
//!
//! Nothing is stored that can be had on the way. A step writes **raw** values and their statistics; who reads them
//! normalises ([`MapRef`]). A concat is two sources of one convolution. Squeeze-and-excite is no step at all: it
//! looks at the means of channels that were just normalised, and these are `beta`, whatever the image is; so its
//! factors are numbers of the model, and are multiplied into the `gamma` and `beta` before it ([`Norm::squeeze_excite`]).

use crate::model::{NEGATIVE_SLOPE, attention_gate_parameters, attention_gate_units};
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
    pub squeeze_excite: Option<String>,
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

impl MapRef {
    /// The slope below zero, 1 without a LeakyReLU.
    pub fn negative_slope(&self) -> f32 {
        if self.leaky { NEGATIVE_SLOPE } else { 1.0 }
    }
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
        let excite = self.squeeze_excite.iter().flat_map(|name| parts.map(|part| format!("{name}.{part}")));
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

impl Graph {
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

    /// Channels that a step reads.
    pub fn input_channels(&self, step: &Step) -> usize {
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

    /// By map, whether its gradient is wanted where only trained parameters (by name) get one: whether it was
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
        let (inputs, outputs) = (self.input_channels(step) as f64, self.maps[step.output].channels as f64);
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
}
