//! The way back on the CPU: from the loss to the gradients of the weights, over the maps that a pass kept.
//!
//! Every map is read in one way only, so its gradient by the **read** values is complete when all of its readers
//! are done; then `norm_act_backward` turns it into that by the **raw** values, which the step that made the map takes on.
//! Normalised values are computed again where they are needed, and never stored. What is not trained costs nothing.

use super::buffers::Buffers;
use super::network::{Network, Run, swap};
use super::ops::add::add;
use super::ops::conv::Weight;
use super::ops::conv_transpose_backward::Up;
use super::ops::conv_weight::conv_weight;
use super::ops::input::Input;
use super::ops::norm_act::{Channel, norm_act_backward};
use super::ops::{attention_gate, conv, head_conv1x1, pool, residual_add};
use crate::engine::nn::example::Example;
use crate::engine::nn::graph::{MapRef, Operation, Step};
use crate::engine::nn::loss::Loss;
use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::nn::squeeze_excite::gradients;
use crate::engine::nn::weights::tensor;
use crate::error::Result;
use crate::store::{Array, Weights};
use std::ops::Range;

/// The loss of an example and its gradients.
#[derive(Debug, Clone)]
pub struct LossGradients {
    /// The loss.
    pub loss: f64,
    /// Soft Dice of each label, of the segmentation.
    pub soft_dice: Vec<f64>,
    /// Gradients by name, of the tensors that are trained.
    pub gradients: Weights,
}

impl Network {
    /// The loss of an example, and its gradients by those of `weights` that learn, by name. `weights` are what the network
    /// was made of. Where there is a region of interest its loss is added ([`crate::engine::nn::graph::Graph::targets`]).
    ///
    /// # Errors
    /// `Limit` where memory does not suffice; `Malformed` where a weight is missing.
    pub fn loss_gradients(
        &self,
        weights: &Weights,
        example: &Example,
        loss: Loss,
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<LossGradients> {
        self.loss_gradients_in(&mut Buffers::default(), weights, example, loss, trainable)
    }

    /// The same with maps and gradients made in `buffers`, which have them back at the end.
    ///
    /// # Errors
    /// As [`Self::loss_gradients`].
    pub fn loss_gradients_in(
        &self,
        buffers: &mut Buffers,
        weights: &Weights,
        example: &Example,
        loss: Loss,
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<LossGradients> {
        buffers.ready_for(example.dims);
        let run = self.run((example.image, example.dims), true, buffers, &mut |_| Ok(()))?;
        let (mut value, mut soft_dice, mut grads) =
            (0.0, Vec::new(), vec![Vec::new(); self.graph.maps.len()]);
        for target in self.graph.targets(example) {
            let (map, dims) = (target.map, self.graph.dims(target.map, example.dims));
            let outputs = self.graph.maps[map].channels;
            let mut values = swap(&run.maps[map], dims[2], outputs, run.buffers)?;
            let loss = loss.gradient(&mut values, &target.values, target.weighting().as_ref(), outputs);
            value += loss.loss;
            soft_dice = loss.soft_dice; // The segmentation is the last step.
            grads[map] = swap(&values, outputs, dims[2], run.buffers)?;
            run.buffers.give(values);
        }
        let requires_grad = self.graph.requires_grad(trainable);
        let mut back = Backward { run, weights, trainable, requires_grad, grads, gradients: Weights::new() };
        for steps in self.graph.fusion_groups().into_iter().rev() {
            back.steps(steps)?;
        }
        let Backward { run, grads, gradients, .. } = back;
        run.maps.into_iter().chain(grads).for_each(|map| run.buffers.give(map));
        Ok(LossGradients { loss: value, soft_dice, gradients })
    }
}

/// The way back.
struct Backward<'a> {
    run: Run<'a>,
    weights: &'a Weights,
    trainable: &'a dyn Fn(&str) -> bool,
    /// Whether a map's gradient is wanted.
    requires_grad: Vec<bool>,
    /// Gradients by map, `[z, c, y, x]`; empty before and after their time.
    grads: Vec<Vec<f32>>,
    gradients: Weights,
}

impl Backward<'_> {
    /// Some steps: one, or convolutions that read the same.
    fn steps(&mut self, steps: Range<usize>) -> Result<()> {
        let graph = &self.run.network.graph;
        let steps = &graph.steps[steps];
        for step in steps {
            if self.requires_grad[step.output] {
                self.norm_act(step.output)?;
            }
        }
        let step = &steps[0];
        if steps.iter().any(|step| self.requires_grad[step.output]) {
            match &step.kind {
                Operation::Conv(_) => self.conv(steps)?,
                Operation::Pool => self.pool(step)?,
                Operation::ConvTranspose(name) => self.up(step, name)?,
                Operation::ResidualAdd => self.join(step)?,
                Operation::AttentionGate(name) => self.gate(step, name)?,
                Operation::HeadConv1x1(name) => self.out(step, name)?,
            }
        }
        for step in steps {
            for done in [&mut self.grads[step.output], &mut self.run.maps[step.output]] {
                self.run.buffers.give(std::mem::take(done));
            }
        }
        Ok(())
    }

    /// From the gradient by a map's read values to that by its raw ones, and those of its normalisation.
    fn norm_act(&mut self, map: usize) -> Result<()> {
        let graph = &self.run.network.graph;
        let Some(index) = graph.norms.iter().position(|norm| norm.map == map) else { return Ok(()) };
        let readers = graph.steps.iter().flat_map(|step| &step.sources);
        let Some(&source) = readers.into_iter().find(|source| source.map == map) else { return Ok(()) };
        let channels = self.run.scale_shifts(source).into_iter().zip(self.run.moments(index));
        let channels: Vec<Channel> =
            channels.map(|(scale_shift, moments)| Channel { scale_shift, moments }).collect();
        let [x, y, _] = graph.dims(map, self.run.dims);
        let found = norm_act_backward(&mut self.grads[map], &self.run.maps[map], &channels, x * y);
        for (name, values) in gradients(&graph.norms[index], self.weights, &found)? {
            self.keep(name, values);
        }
        Ok(())
    }

    fn keep(&mut self, name: String, values: Vec<f32>) {
        if (self.trainable)(&name) {
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
            Operation::Conv(name) if self.requires_grad[step.output] => Some((name, step.output)),
            _ => None,
        });
        let named: Vec<(&String, usize)> = named.collect();
        let learning: Vec<_> = named.iter().filter(|(name, _)| (self.trainable)(name)).collect();
        if !learning.is_empty() {
            let grad = learning.iter().map(|&&(_, map)| (self.grads[map].as_slice(), channels(map)));
            let found = conv_weight(&self.inputs(&steps[0]), &grad.collect::<Vec<_>>(), dims);
            for (&&(name, _), values) in learning.iter().zip(found) {
                self.keep(name.clone(), values);
            }
        }
        let inputs = graph.input_channels(&steps[0]);
        let weights = named.iter().map(|&(name, map)| Ok((tensor(self.weights, name)?, channels(map))));
        let weights = weights.collect::<Result<Vec<_>>>()?;
        let grad: Vec<Input> = named
            .iter()
            .map(|&(_, map)| Input {
                data: &self.grads[map],
                scale_shifts: vec![ScaleShift::IDENTITY; channels(map)],
            })
            .collect();
        let (mut first, mut wanted) = (0, Vec::new());
        for &MapRef { map, .. } in sources {
            if self.requires_grad[map] {
                let weight = Weight::backward(&weights, inputs, first..first + channels(map));
                let size = channels(map) * dims.iter().product::<usize>();
                wanted.push((map, weight, self.run.buffers.take(size)?));
            }
            first += channels(map);
        }
        if !wanted.is_empty() {
            let targets = wanted.iter_mut().map(|(_, weight, to)| (&*weight, to.as_mut_slice()));
            conv::backward(&grad, targets.collect(), dims)?;
        }
        for (map, _, grad) in wanted {
            self.add(map, grad);
        }
        Ok(())
    }

    /// Adds to the gradient by a map's read values.
    fn add(&mut self, map: usize, grad: Vec<f32>) {
        let all = &mut self.grads[map];
        if all.is_empty() {
            *all = grad;
        } else {
            add(all, &grad);
            self.run.buffers.give(grad);
        }
    }

    fn pool(&mut self, step: &Step) -> Result<()> {
        let source = step.sources[0];
        if !self.requires_grad[source.map] {
            return Ok(());
        }
        let mut to = std::mem::take(&mut self.grads[source.map]);
        if to.is_empty() {
            to = self.run.buffers.zeros(self.run.maps[source.map].len())?;
        }
        let from = self.run.network.graph.dims(source.map, self.run.dims);
        pool::backward(&self.run.input(source), from, &self.grads[step.output], &mut to);
        self.grads[source.map] = to;
        Ok(())
    }

    fn up(&mut self, step: &Step, name: &str) -> Result<()> {
        let (graph, dims, source) = (&self.run.network.graph, self.run.dims, step.sources[0]);
        let up = Up {
            grad: &self.grads[step.output],
            outputs: graph.maps[step.output].channels,
            from: graph.dims(source.map, dims),
            to: graph.dims(step.output, dims),
        };
        let grad_weight = (self.trainable)(name).then(|| up.grad_weight(&self.run.input(source)));
        let by_input = if self.requires_grad[source.map] {
            let mut grad = self.run.buffers.take(self.run.maps[source.map].len())?;
            up.by_input(tensor(self.weights, name)?, &mut grad);
            Some(grad)
        } else {
            None
        };
        if let Some(values) = grad_weight {
            self.keep(name.to_owned(), values);
        }
        if let Some(grad) = by_input {
            self.add(source.map, grad);
        }
        Ok(())
    }

    fn join(&mut self, step: &Step) -> Result<()> {
        let [x, y, _] = self.run.network.graph.dims(step.output, self.run.dims);
        let mut grad = std::mem::take(&mut self.grads[step.output]);
        residual_add::backward(&mut grad, &self.run.maps[step.output], x * y);
        let [first, second] = [step.sources[0].map, step.sources[1].map];
        if self.requires_grad[first] {
            let copy = self.run.buffers.copy(&grad)?;
            self.add(first, copy);
        }
        if self.requires_grad[second] {
            self.add(second, grad);
        }
        Ok(())
    }

    fn gate(&mut self, step: &Step, name: &str) -> Result<()> {
        let [x, y, _] = self.run.network.graph.dims(step.output, self.run.dims);
        let mut grad = std::mem::take(&mut self.grads[step.output]);
        let mut grad_up = self.run.buffers.take(grad.len())?;
        let (weight, inputs) = (attention_gate::Weight::new(self.weights, name)?, self.inputs(step));
        let tensors =
            attention_gate::backward(&inputs[0], &inputs[1], &weight, x * y, [&mut grad, &mut grad_up]);
        for (name, values) in step.parameters().into_iter().zip(tensors) {
            self.keep(name, values);
        }
        for (source, grad) in step.sources.iter().zip([grad, grad_up]) {
            if self.requires_grad[source.map] {
                self.add(source.map, grad);
            }
        }
        Ok(())
    }

    fn out(&mut self, step: &Step, name: &str) -> Result<()> {
        let graph = &self.run.network.graph;
        let ([x, y, _], source) = (graph.dims(step.output, self.run.dims), step.sources[0]);
        let outputs = self.run.network.graph.maps[step.output].channels;
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        if (self.trainable)(&weight) || (self.trainable)(&bias) {
            let (grad_weight, by_bias) =
                head_conv1x1::weights(&self.run.input(source), &self.grads[step.output], outputs, x * y);
            self.keep(weight.clone(), grad_weight);
            self.keep(bias, by_bias);
        }
        if self.requires_grad[source.map] {
            let mut grad = self.run.buffers.take(self.run.maps[source.map].len())?;
            let weight = tensor(self.weights, &weight)?;
            head_conv1x1::backward(&self.grads[step.output], weight, outputs, x * y, &mut grad);
            self.add(source.map, grad);
        }
        Ok(())
    }
}
