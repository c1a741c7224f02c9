//! Training on a device: gradients of some examples, a step of the optimiser, and again.
//!
//! Gradients come from walking the recorded graph ([`super::nn::graph`]) backwards, the same that forward passes run.

use super::cpu;
use super::nn::adamw::AdamWConfig;
use super::nn::example::Example;
use super::nn::loss::Loss;
use crate::engine::compute::Compute;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::Weights;

/// Weights that are trained, and what the optimiser remembers, on a device.
pub enum Trainer {
    /// On the CPU.
    Cpu(cpu::trainer::Trainer),
    /// On a GPU.
    #[cfg(feature = "gpu")]
    Gpu(Box<super::gpu::trainer::Trainer>),
    /// On a device of burn.
    #[cfg(feature = "burn")]
    Burn(Box<crate::burn::trainer::Trainer>),
    /// On a GPU that burn opened, by burn's autodiff and optimiser with our kernels.
    #[cfg(feature = "burn-gpu")]
    BurnGpu(Box<crate::burn::gpu_trainer::GpuTrainer>),
}

impl Trainer {
    /// Starts from weights.
    ///
    /// # Errors
    /// As [`crate::store::check_weights`].
    pub fn new(
        architecture: Architecture,
        weights: Weights,
        settings: AdamWConfig,
        loss: Loss,
        compute: &Compute,
    ) -> Result<Self> {
        match compute {
            Compute::Cpu => cpu::trainer::Trainer::new(architecture, weights, settings, loss).map(Self::Cpu),
            #[cfg(feature = "gpu")]
            Compute::Gpu(gpu) => {
                super::gpu::trainer::Trainer::new(architecture, &weights, settings, loss, gpu)
                    .map(|learner| Self::Gpu(Box::new(learner)))
            }
            #[cfg(feature = "burn")]
            Compute::Burn(device) => {
                crate::burn::trainer::Trainer::new(architecture, &weights, settings, loss, device)
                    .map(|learner| Self::Burn(Box::new(learner)))
            }
            #[cfg(feature = "burn-gpu")]
            Compute::BurnGpu(device) => {
                crate::burn::gpu_trainer::GpuTrainer::new(architecture, &weights, settings, loss, device)
                    .map(|learner| Self::BurnGpu(Box::new(learner)))
            }
        }
    }

    /// One step down the mean gradient of the examples, of the tensors that are trained, by name; the mean loss before it.
    /// Where that is not finite nothing changes.
    ///
    /// # Errors
    /// `Limit` where memory does not suffice; `Device` where the device fails.
    pub async fn step(
        &mut self,
        examples: &[Example<'_>],
        rate: f32,
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<f64> {
        match self {
            Self::Cpu(learner) => learner.step(examples, rate, trainable),
            #[cfg(feature = "gpu")]
            Self::Gpu(learner) => learner.step(examples, rate, trainable).await,
            #[cfg(feature = "burn")]
            Self::Burn(learner) => learner.step(examples, rate, trainable).await,
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(learner) => learner.step(examples, rate, trainable).await,
        }
    }

    /// Mean loss and mean gradients of some examples, without a step, of the tensors that are trained.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub async fn gradients(
        &mut self,
        examples: &[Example<'_>],
        trainable: &dyn Fn(&str) -> bool,
    ) -> Result<(f64, Weights)> {
        match self {
            Self::Cpu(learner) => learner.gradients(examples, trainable),
            #[cfg(feature = "gpu")]
            Self::Gpu(learner) => learner.gradients(examples, trainable).await,
            #[cfg(feature = "burn")]
            Self::Burn(learner) => learner.gradients(examples, trainable).await,
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(learner) => learner.gradients(examples, trainable).await,
        }
    }

    /// Mean soft Dice of each label over the examples of the last step, before it; empty on other devices, of whose steps the
    /// loss alone is read.
    pub fn soft_dice(&self) -> &[f64] {
        match self {
            Self::Cpu(learner) => learner.soft_dice(),
            #[cfg(feature = "gpu")]
            Self::Gpu(_) => &[],
            #[cfg(feature = "burn")]
            Self::Burn(_) => &[],
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(_) => &[],
        }
    }

    /// Bytes of a step on an example of `dims` at its worst moment, weights included.
    ///
    /// # Errors
    /// `Limit` where a map exceeds what the device binds.
    pub fn peak_bytes(&self, dims: [usize; 3]) -> Result<u64> {
        match self {
            Self::Cpu(learner) => Ok(learner.peak_bytes(dims)),
            #[cfg(feature = "gpu")]
            Self::Gpu(learner) => learner.peak_bytes(dims),
            #[cfg(feature = "burn")]
            Self::Burn(learner) => Ok(learner.peak_bytes(dims)),
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(learner) => learner.peak_bytes(dims),
        }
    }

    /// Steps of the optimiser so far.
    pub fn steps(&self) -> usize {
        match self {
            Self::Cpu(learner) => learner.steps(),
            #[cfg(feature = "gpu")]
            Self::Gpu(learner) => learner.steps(),
            #[cfg(feature = "burn")]
            Self::Burn(learner) => learner.steps(),
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(learner) => learner.steps(),
        }
    }

    /// The weights as they are.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn weights(&self) -> Result<Weights> {
        match self {
            Self::Cpu(learner) => Ok(learner.weights().clone()),
            #[cfg(feature = "gpu")]
            Self::Gpu(learner) => learner.weights().await,
            #[cfg(feature = "burn")]
            Self::Burn(learner) => learner.weights().await,
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(learner) => learner.weights().await,
        }
    }

    /// Their running average.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn averaged(&self) -> Result<Weights> {
        match self {
            Self::Cpu(learner) => Ok(learner.averaged()),
            #[cfg(feature = "gpu")]
            Self::Gpu(learner) => learner.averaged().await,
            #[cfg(feature = "burn")]
            Self::Burn(learner) => learner.averaged().await,
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(learner) => learner.averaged().await,
        }
    }

    /// The optimiser's state.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn state(&self) -> Result<Weights> {
        match self {
            Self::Cpu(learner) => Ok(learner.state()),
            #[cfg(feature = "gpu")]
            Self::Gpu(learner) => learner.state().await,
            #[cfg(feature = "burn")]
            Self::Burn(learner) => learner.state().await,
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(learner) => learner.state().await,
        }
    }

    /// Goes on from weights and a [`Self::state`] after `step` steps.
    ///
    /// # Errors
    /// As [`crate::store::check_weights`].
    pub fn restore(&mut self, weights: Weights, state: Weights, step: usize) -> Result<()> {
        match self {
            Self::Cpu(learner) => learner.restore(weights, state, step),
            #[cfg(feature = "gpu")]
            Self::Gpu(learner) => learner.restore(&weights, state, step),
            #[cfg(feature = "burn")]
            Self::Burn(learner) => learner.restore(&weights, &state, step),
            #[cfg(feature = "burn-gpu")]
            Self::BurnGpu(learner) => learner.restore(&weights, state, step),
        }
    }
}

/// The side of the largest cube on which a network learns within `budget` bytes, a multiple of 2^depth, and what that
/// takes; none where not even the smallest fits.
pub fn largest_patch(architecture: &Architecture, compute: &Compute, budget: u64) -> Option<(usize, u64)> {
    let smallest = architecture.min_side();
    let bytes = |side: usize| match compute {
        Compute::Cpu => Some(cpu::trainer::peak_bytes(architecture, [side; 3])),
        #[cfg(feature = "gpu")]
        Compute::Gpu(gpu) => super::gpu::gradient_pass::peak_bytes(architecture, [side; 3], gpu),
        #[cfg(feature = "burn")]
        Compute::Burn(_) => Some(cpu::trainer::peak_bytes(architecture, [side; 3])),
        #[cfg(feature = "burn-gpu")]
        Compute::BurnGpu(device) => {
            super::gpu::gradient_pass::peak_bytes(architecture, [side; 3], &device.gpu)
        }
    };
    let fits = |side: usize| bytes(side).filter(|bytes| *bytes <= budget).map(|bytes| (side, bytes));
    (1..=512 / smallest).map_while(|n| fits(n * smallest)).last()
}
