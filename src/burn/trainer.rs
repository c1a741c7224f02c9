//! Training on a device of burn, by burn's autodiff and its AdamW. What the engine's trainer does around the step is done here
//! too: the gradient is clipped over all tensors, and a running average of the weights is kept.

use super::device::BurnDevice;
use super::layers::{Layers, Tensors};
use super::loss::{Weighting, loss};
use super::optimizer::optimizer;
use super::read::read;
use super::replicas::Replica;
use crate::engine::cpu;
use crate::engine::nn::adamw::{AdamWConfig, AdamWStep};
use crate::engine::nn::example::Example;
use crate::engine::nn::graph::{Graph, Operation};
use crate::engine::nn::loss::Loss;
use crate::engine::nn::targets::Target;
use crate::error::Result;
use crate::model::{Architecture, ROI};
use crate::store::{Array, Weights, check_weights};
use burn::optim::{AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// What the optimiser remembers of a tensor.
#[derive(Clone)]
struct Slot {
    state: Option<AdamWState<1>>,
    average: Tensor<1>,
}

/// Weights that are trained, and what the optimiser remembers.
pub struct Trainer {
    architecture: Architecture,
    graph: Graph,
    settings: AdamWConfig,
    loss: Loss,
    device: BurnDevice,
    /// Flat, without autodiff.
    tensors: Tensors,
    shapes: BTreeMap<String, Vec<usize>>,
    slots: BTreeMap<String, Slot>,
    steps: usize,
}

impl Trainer {
    /// Starts from weights.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn new(
        architecture: Architecture,
        weights: &Weights,
        settings: AdamWConfig,
        loss: Loss,
        device: &BurnDevice,
    ) -> Result<Self> {
        let shapes = architecture.parameters().into_iter().map(|p| (p.name, p.shape)).collect();
        let mut trainer = Self {
            architecture,
            graph: Graph::training(&architecture),
            settings,
            loss,
            device: device.clone(),
            tensors: Tensors::new(),
            shapes,
            slots: BTreeMap::new(),
            steps: 0,
        };
        trainer.restore(weights, &Weights::new(), 0)?;
        Ok(trainer)
    }

    /// One step down the mean gradient of the examples; the mean loss before it. Where that or the gradient is not finite
    /// nothing changes.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn step(
        &mut self,
        examples: &[Example<'_>],
        rate: f32,
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<f64> {
        let Some((loss, gradients)) = self.sums(examples, trainable) else { return Ok(f64::NAN) };
        let squares = gradients.values().map(|gradient| gradient.clone().square().sum());
        // Read together, as every reading waits for the device.
        let numbers = read(Tensor::cat([loss].into_iter().chain(squares).collect(), 0)).await?;
        let count = examples.len() as f64;
        let loss = f64::from(numbers[0]) / count;
        let norm = numbers[1..].iter().map(|&square| f64::from(square)).sum::<f64>().sqrt() / count;
        if loss.is_finite() && norm.is_finite() {
            let clip = (f64::from(self.settings.clip) / (norm + 1e-12)).min(1.0);
            self.update(gradients, (clip / count) as f32, rate);
        }
        Ok(loss)
    }

    /// Mean loss of the examples and mean gradients, by the names of the tensors that are trained.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn gradients(
        &self,
        examples: &[Example<'_>],
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<(f64, Weights)> {
        let Some((loss, sums)) = self.sums(examples, trainable) else {
            return Ok((f64::NAN, Weights::new()));
        };
        let (loss, count) = (read(loss).await?, examples.len() as f32);
        let means = sums.into_iter().map(|(name, gradient)| (name, gradient / count)).collect();
        Ok((f64::from(loss[0] / count), self.read_all(&means).await?))
    }

    /// The sums over the examples of their losses and of their gradients; nothing of no examples. The examples go to the devices
    /// by turns, and each device computes while the next is given its own.
    fn sums(
        &self,
        examples: &[Example<'_>],
        trainable: &dyn Fn(&str) -> bool,
    ) -> Option<(Tensor<1>, Tensors)> {
        let mut replicas = Replica::on_each(&self.device, &self.tensors, examples.len());
        let count = replicas.len();
        for (position, example) in examples.iter().enumerate() {
            let replica = replicas.get_mut(position % count)?;
            let leaves = replica.leaves();
            let loss = self.example_loss(example, leaves.clone(), &replica.device);
            replica.add(loss, &leaves, trainable);
        }
        Replica::gathered(replicas, &self.device.device)
    }

    /// The loss of an example, with that of the region of interest where there is one.
    fn example_loss(&self, example: &Example<'_>, leaves: Tensors, device: &BurnDevice) -> Tensor<1> {
        let [x, y, z] = example.dims;
        let image = device.tensor(example.image, [1, self.architecture.inputs, z, y, x]).autodiff();
        let mut layers = Layers::new(leaves, device.half());
        let logits = self.architecture.training_pass(&mut layers, &image);
        let targets = self.graph.targets(example).into_iter();
        let losses = targets.filter_map(|target| {
            let logits = if self.is_roi(&target) { layers.roi.clone()? } else { logits.clone() };
            Some(self.target_loss(logits, &target, device))
        });
        losses.reduce(|sum, loss| sum + loss).unwrap_or_else(|| logits.mean())
    }

    fn is_roi(&self, target: &Target) -> bool {
        let made = self.graph.steps.iter().find(|step| step.output == target.map);
        made.is_some_and(|step| matches!(&step.kind, Operation::HeadConv1x1(name) if name == ROI))
    }

    fn target_loss(&self, logits: Tensor<5>, target: &Target, device: &BurnDevice) -> Tensor<1> {
        let [_, labels, z, y, x] = logits.dims();
        let values = device.tensor(&target.values, [1, labels, z, y, x]);
        let weighting = target.weighting().map(|weights| Weighting {
            overlap: device.tensor(weights.overlap, [1, 1, z, y, x]),
            entropy: device.tensor(weights.entropy, [1, 1, z, y, x]),
        });
        loss(self.loss, logits, values, weighting)
    }

    /// One step of the optimiser down `gradients` times `scale`.
    fn update(&mut self, gradients: Tensors, scale: f32, rate: f32) {
        self.steps += 1;
        let AdamWStep { keep, .. } = AdamWStep::new(self.settings, self.steps, rate);
        let optimizer = optimizer(&self.settings);
        for (name, gradient) in gradients {
            let Some(tensor) = self.tensors.remove(&name) else { continue };
            let slot = self.slots.remove(&name);
            let Slot { state, average } =
                slot.unwrap_or_else(|| Slot { state: None, average: tensor.clone() });
            let (tensor, state) = optimizer.step(f64::from(rate), tensor, gradient * scale, state);
            let average = average * keep + tensor.clone() * (1.0 - keep);
            self.slots.insert(name.clone(), Slot { state, average });
            self.tensors.insert(name, tensor);
        }
    }

    /// Bytes of maps, gradients and weights of a step on an example of `dims`, were no map kept twice. burn keeps more.
    pub fn peak_bytes(&self, dims: [usize; 3]) -> u64 {
        cpu::trainer::peak_bytes(&self.architecture, dims)
    }

    /// Steps of the optimiser so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The weights as they are.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn weights(&self) -> Result<Weights> {
        self.read_all(&self.tensors).await
    }

    /// Their running average.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn averaged(&self) -> Result<Weights> {
        let average = |(name, tensor): (&String, &Tensor<1>)| {
            (name.clone(), self.slots.get(name).map_or_else(|| tensor.clone(), |slot| slot.average.clone()))
        };
        self.read_all(&self.tensors.iter().map(average).collect()).await
    }

    /// The optimiser's state, as that of [`crate::engine::nn::adamw::AdamW`]: either trainer goes on from it.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn state(&self) -> Result<Weights> {
        let mut found = Weights::new();
        for (name, Slot { state, average }) in &self.slots {
            let Some(AdamWState { momentum }) = state else { continue };
            for (part, tensor) in
                [("first", &momentum.moment_1), ("second", &momentum.moment_2), ("average", average)]
            {
                let values = read(tensor.clone()).await?;
                found.insert(format!("{part}/{name}"), Array { shape: vec![values.len()], values });
            }
        }
        Ok(found)
    }

    /// Goes on from weights and a [`Self::state`] after `steps` steps. Tensors that the state lacks start afresh.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn restore(&mut self, weights: &Weights, state: &Weights, steps: usize) -> Result<()> {
        check_weights(&self.architecture, weights)?;
        let flat = |values: &[f32]| self.device.tensor(values, [values.len()]);
        self.tensors = weights.iter().map(|(name, array)| (name.clone(), flat(&array.values))).collect();
        let slot = |name: &String| {
            let size = weights[name].values.len();
            let part = |part: &str| {
                state.get(&format!("{part}/{name}")).map(|array| &array.values).filter(|v| v.len() == size)
            };
            let (first, second) = (flat(part("first")?), flat(part("second")?));
            let momentum = AdaptiveMomentumState::new(steps, first, second);
            Some(Slot { state: Some(AdamWState::new(momentum)), average: flat(part("average")?) })
        };
        self.slots = weights.keys().filter_map(|name| Some((name.clone(), slot(name)?))).collect();
        self.steps = steps;
        Ok(())
    }

    async fn read_all(&self, tensors: &Tensors) -> Result<Weights> {
        let mut found = Weights::new();
        for (name, tensor) in tensors {
            let values = read(tensor.clone()).await?;
            found.insert(name.clone(), Array { shape: self.shapes[name].clone(), values });
        }
        Ok(found)
    }
}
