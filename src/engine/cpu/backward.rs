//! The way back on the CPU: from the loss to the gradients of the weights, over the maps that a pass kept.
//!
//! Every map is read in one way only, so its gradient by the **read** values is complete when all of its readers
//! are done; then [`bend`] turns it into that by the **raw** values, which the step that made the map takes on.
//! Normalised values are computed again where they are needed, and never stored. What does not learn costs nothing.

use super::super::graph::{Kind, Source, Step};
use super::super::learner::Example;
use super::super::loss::Loss;
use super::super::norm::{gradients, tensor};
use super::bend::{Channel, bend};
use super::conv::Weight;
use super::conv_weight::conv_weight;
use super::up_back::Up;
use super::{Input, Line, Network, Run, conv, gate, join, out, pool, swap};
use crate::error::Result;
use crate::file::afford;
use crate::store::{Array, Weights};
use std::ops::Range;

/// What a sample teaches.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The loss.
    pub loss: f64,
    /// Gradients by name, of the tensors that learn.
    pub gradients: Weights,
}

impl Network {
    /// The loss of an example, and its gradients by those of `weights` that learn, by name. `weights` are what the network
    /// was made of. Where there is a region of interest its loss is added ([`crate::engine::graph::Graph::targets`]).
    ///
    /// # Errors
    /// `Limit` where memory does not suffice; `Malformed` where a weight is missing.
    pub fn learn(
        &self,
        weights: &Weights,
        example: &Example,
        loss: Loss,
        learns: &dyn Fn(&str) -> bool,
    ) -> Result<Lesson> {
        let run = self.run(example.image, example.dims, true, &mut |_| Ok(()))?;
        let (mut value, mut slopes) = (0.0, vec![Vec::new(); self.graph.maps.len()]);
        for target in self.graph.targets(example) {
            let (map, dims) = (target.map, self.graph.dims(target.map, example.dims));
            let outputs = self.graph.maps[map].channels;
            let logits = swap(&run.maps[map], dims[2], outputs);
            let (loss, by_logits) =
                loss.gradient(&logits, &target.values, target.weighting().as_ref(), outputs);
            value += loss;
            slopes[map] = swap(&by_logits, outputs, dims[2]);
        }
        let reached = self.graph.reached(learns);
        let mut back = Backward { run, weights, learns, reached, slopes, gradients: Weights::new() };
        for steps in self.graph.together().into_iter().rev() {
            back.steps(steps)?;
        }
        Ok(Lesson { loss: value, gradients: back.gradients })
    }
}

/// The way back.
struct Backward<'a> {
    run: Run<'a>,
    weights: &'a Weights,
    learns: &'a dyn Fn(&str) -> bool,
    /// Whether a map's gradient is wanted.
    reached: Vec<bool>,
    /// Gradients by map, `[z, c, y, x]`; empty before and after their time.
    slopes: Vec<Vec<f32>>,
    gradients: Weights,
}

impl Backward<'_> {
    /// Some steps: one, or convolutions that read the same.
    fn steps(&mut self, steps: Range<usize>) -> Result<()> {
        let graph = &self.run.network.graph;
        let steps = &graph.steps[steps];
        for step in steps {
            if self.reached[step.output] {
                self.bend(step.output)?;
            }
        }
        let step = &steps[0];
        if steps.iter().any(|step| self.reached[step.output]) {
            match &step.kind {
                Kind::Conv(_) => self.conv(steps)?,
                Kind::Pool => self.pool(step)?,
                Kind::Up(name) => self.up(step, name)?,
                Kind::Join => self.join(step)?,
                Kind::Gate(name) => self.gate(step, name)?,
                Kind::Out(name) => self.out(step, name)?,
            }
        }
        for step in steps {
            self.slopes[step.output] = Vec::new();
            self.run.maps[step.output] = Vec::new();
        }
        Ok(())
    }

    /// From the gradient by a map's read values to that by its raw ones, and those of its normalisation.
    fn bend(&mut self, map: usize) -> Result<()> {
        let graph = &self.run.network.graph;
        let Some(index) = graph.norms.iter().position(|norm| norm.map == map) else { return Ok(()) };
        let readers = graph.steps.iter().flat_map(|step| &step.sources);
        let Some(&source) = readers.into_iter().find(|source| source.map == map) else { return Ok(()) };
        let channels = self.run.lines(source).into_iter().zip(self.run.moments(index));
        let channels: Vec<Channel> = channels.map(|(line, moments)| Channel { line, moments }).collect();
        let [x, y, _] = graph.dims(map, self.run.dims);
        let found = bend(&mut self.slopes[map], &self.run.maps[map], &channels, x * y);
        for (name, values) in gradients(&graph.norms[index], self.weights, &found)? {
            self.keep(name, values);
        }
        Ok(())
    }

    fn keep(&mut self, name: String, values: Vec<f32>) {
        if (self.learns)(&name) {
            let shape = self.weights.get(&name).map(|array| array.shape.clone()).unwrap_or_default();
            self.gradients.insert(name, Array { shape, values });
        }
    }

    fn inputs(&self, step: &Step) -> Vec<Input<'_>> {
        step.sources.iter().map(|&source| self.run.input(source)).collect()
    }

    fn conv(&mut self, steps: &[Step]) -> Result<()> {
        let graph = &self.run.network.graph;
        let (sources, dims) = (&steps[0].sources, graph.dims(steps[0].output, self.run.dims));
        let channels = |map: usize| graph.maps[map].channels;
        let named = steps.iter().filter_map(|step| match &step.kind {
            Kind::Conv(name) if self.reached[step.output] => Some((name, step.output)),
            _ => None,
        });
        let named: Vec<(&String, usize)> = named.collect();
        let learning: Vec<_> = named.iter().filter(|(name, _)| (self.learns)(name)).collect();
        if !learning.is_empty() {
            let slopes = learning.iter().map(|&&(_, map)| (self.slopes[map].as_slice(), channels(map)));
            let found = conv_weight(&self.inputs(&steps[0]), &slopes.collect::<Vec<_>>(), dims);
            for (&&(name, _), values) in learning.iter().zip(found) {
                self.keep(name.clone(), values);
            }
        }
        let inputs = graph.inputs(&steps[0]);
        let weights = named.iter().map(|&(name, map)| Ok((tensor(self.weights, name)?, channels(map))));
        let weights = weights.collect::<Result<Vec<_>>>()?;
        let slopes: Vec<Input> = named
            .iter()
            .map(|&(_, map)| Input { data: &self.slopes[map], lines: vec![Line::SAME; channels(map)] })
            .collect();
        let (mut first, mut wanted) = (0, Vec::new());
        for &Source { map, .. } in sources {
            if self.reached[map] {
                let weight = Weight::back(&weights, inputs, first..first + channels(map));
                let size = channels(map) * dims.iter().product::<usize>();
                afford(size)?;
                wanted.push((map, weight, vec![0.0; size]));
            }
            first += channels(map);
        }
        if !wanted.is_empty() {
            let targets = wanted.iter_mut().map(|(_, weight, to)| (&*weight, to.as_mut_slice()));
            conv::conv(&slopes, targets.collect(), dims, &mut |_| Ok(()))?;
        }
        for (map, _, slopes) in wanted {
            self.add(map, slopes);
        }
        Ok(())
    }

    /// Adds to the gradient by a map's read values.
    fn add(&mut self, map: usize, slopes: Vec<f32>) {
        let all = &mut self.slopes[map];
        if all.is_empty() {
            *all = slopes;
        } else {
            all.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
        }
    }

    fn pool(&mut self, step: &Step) -> Result<()> {
        let source = step.sources[0];
        if !self.reached[source.map] {
            return Ok(());
        }
        let mut to = std::mem::take(&mut self.slopes[source.map]);
        if to.is_empty() {
            afford(self.run.maps[source.map].len())?;
            to = vec![0.0; self.run.maps[source.map].len()];
        }
        let from = self.run.network.graph.dims(source.map, self.run.dims);
        pool::back(&self.run.input(source), from, &self.slopes[step.output], &mut to);
        self.slopes[source.map] = to;
        Ok(())
    }

    fn up(&mut self, step: &Step, name: &str) -> Result<()> {
        let (graph, dims, source) = (&self.run.network.graph, self.run.dims, step.sources[0]);
        let up = Up {
            slopes: &self.slopes[step.output],
            outputs: graph.maps[step.output].channels,
            from: graph.dims(source.map, dims),
            to: graph.dims(step.output, dims),
        };
        let by_weight = (self.learns)(name).then(|| up.by_weight(&self.run.input(source)));
        let by_input =
            if self.reached[source.map] { Some(up.by_input(tensor(self.weights, name)?)) } else { None };
        if let Some(values) = by_weight {
            self.keep(name.to_owned(), values);
        }
        if let Some(slopes) = by_input {
            self.add(source.map, slopes);
        }
        Ok(())
    }

    fn join(&mut self, step: &Step) -> Result<()> {
        let [x, y, _] = self.run.network.graph.dims(step.output, self.run.dims);
        let mut slopes = std::mem::take(&mut self.slopes[step.output]);
        join::back(&mut slopes, &self.run.maps[step.output], x * y);
        let [first, second] = [step.sources[0].map, step.sources[1].map];
        if self.reached[first] {
            afford(slopes.len())?;
            self.add(first, slopes.clone());
        }
        if self.reached[second] {
            self.add(second, slopes);
        }
        Ok(())
    }

    fn gate(&mut self, step: &Step, name: &str) -> Result<()> {
        let [x, y, _] = self.run.network.graph.dims(step.output, self.run.dims);
        let mut slopes = std::mem::take(&mut self.slopes[step.output]);
        afford(slopes.len())?;
        let (weight, inputs) = (gate::Weight::new(self.weights, name)?, self.inputs(step));
        let gate::Back { by_up, tensors } = gate::back(&inputs[0], &inputs[1], &weight, x * y, &mut slopes);
        for (name, values) in step.parameters().into_iter().zip(tensors) {
            self.keep(name, values);
        }
        for (source, slopes) in step.sources.iter().zip([slopes, by_up]) {
            if self.reached[source.map] {
                self.add(source.map, slopes);
            }
        }
        Ok(())
    }

    fn out(&mut self, step: &Step, name: &str) -> Result<()> {
        let graph = &self.run.network.graph;
        let ([x, y, _], source) = (graph.dims(step.output, self.run.dims), step.sources[0]);
        let slopes = std::mem::take(&mut self.slopes[step.output]);
        let outputs = self.run.network.graph.maps[step.output].channels;
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        if (self.learns)(&weight) || (self.learns)(&bias) {
            let (by_weight, by_bias) = out::weights(&self.run.input(source), &slopes, outputs, x * y);
            self.keep(weight.clone(), by_weight);
            self.keep(bias, by_bias);
        }
        if self.reached[source.map] {
            self.add(source.map, out::back(&slopes, tensor(self.weights, &weight)?, outputs, x * y));
        }
        Ok(())
    }
}
