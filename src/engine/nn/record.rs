//! Recording the steps of an architecture, by running its network on [`Graph`].

use super::graph::{Graph, Map, MapRef, Norm, Operation, Step};
use crate::model::{Architecture, Ops};

impl Graph {
    /// The graph of an architecture's network.
    pub fn inference(architecture: &Architecture) -> Self {
        Self::recorded(architecture, |graph, image| drop(architecture.pass(graph, image)))
    }

    /// The graph of the network that finds the region of interest; no steps where the architecture has none.
    pub fn roi(architecture: &Architecture) -> Self {
        Self::recorded(architecture, |graph, image| drop(architecture.roi_pass(graph, image)))
    }

    /// The graph that is trained: of both networks, where there are two.
    pub fn training(architecture: &Architecture) -> Self {
        Self::recorded(architecture, |graph, image| drop(architecture.training_pass(graph, image)))
    }

    fn recorded(architecture: &Architecture, pass: impl Fn(&mut Self, &Vec<MapRef>)) -> Self {
        let mut graph = Self::default();
        let image = graph.map(architecture.inputs, 0);
        pass(&mut graph, &image);
        graph
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
        let norm = Norm { map: sources[0].map, name: format!("{name}.norm"), squeeze_excite: None, padded };
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
            self.norms[norm].squeeze_excite = Some(name.to_owned());
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
