//! The gradients of a batch over several devices: each has a copy of the weights and its share of the examples; the sums meet on
//! the first device.

use super::device::BurnDevice;
use super::layers::Tensors;
use burn::tensor::{Device, Tensor};

/// A device with its copy of the weights, and what its share of the examples has come to so far.
pub(super) struct Replica {
    pub(super) device: BurnDevice,
    weights: Tensors,
    loss: Option<Tensor<1>>,
    gradients: Tensors,
}

impl Replica {
    /// One on each of the devices, but no more than there are examples.
    pub(super) fn on_each(device: &BurnDevice, weights: &Tensors, examples: usize) -> Vec<Self> {
        let replica = |device: BurnDevice| {
            let copied = |(name, tensor): (&String, &Tensor<1>)| {
                (name.clone(), tensor.clone().to_device(&device.device))
            };
            let weights = weights.iter().map(copied).collect();
            Self { device, weights, loss: None, gradients: Tensors::new() }
        };
        device.each().take(examples).map(replica).collect()
    }

    /// The weights, with autodiff. All are tracked, whatever learns: where only some are, burn's GPU gradients can be wrong
    /// (tracel-ai/burn#5162).
    pub(super) fn leaves(&self) -> Tensors {
        let leaf =
            |(name, tensor): (&String, &Tensor<1>)| (name.clone(), tensor.clone().autodiff().require_grad());
        self.weights.iter().map(leaf).collect()
    }

    /// Adds the loss of an example, and its gradient by those of the leaves that are trained.
    pub(super) fn add(&mut self, loss: Tensor<1>, leaves: &Tensors, trainable: &dyn Fn(&str) -> bool) {
        let mut gradients = loss.backward();
        for (name, leaf) in leaves.iter().filter(|(name, _)| trainable(name)) {
            if let Some(gradient) = leaf.grad_remove(&mut gradients) {
                add_to(&mut self.gradients, name.clone(), gradient);
            }
        }
        self.loss = Some(plus(self.loss.take(), loss.inner()));
    }

    /// The sums of all replicas, on `device`; nothing of no examples. Copied only here, at the end, as a copy waits for what its
    /// device still computes.
    pub(super) fn gathered(replicas: Vec<Self>, device: &Device) -> Option<(Tensor<1>, Tensors)> {
        let (mut loss, mut sums) = (None, Tensors::new());
        for replica in replicas {
            let Some(share) = replica.loss else { continue };
            loss = Some(plus(loss, share.to_device(device)));
            for (name, gradient) in replica.gradients {
                add_to(&mut sums, name, gradient.to_device(device));
            }
        }
        Some((loss?, sums))
    }
}

fn plus(sum: Option<Tensor<1>>, value: Tensor<1>) -> Tensor<1> {
    match sum {
        Some(sum) => sum + value,
        None => value,
    }
}

fn add_to(sums: &mut Tensors, name: String, gradient: Tensor<1>) {
    let sum = plus(sums.remove(&name), gradient);
    sums.insert(name, sum);
}
