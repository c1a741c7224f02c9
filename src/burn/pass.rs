//! A network's logits as one operation of burn, for losses of one's own: forward and backward run on the engine's kernels, and burn
//! differentiates what is made of the logits. The way forward is gone again on the way back, so nothing is kept between them.

use super::gpu::BurnGpu;
use super::logits_operation::{LogitsOperation, Shared, Way};
use crate::engine::gpu::gradient_pass::GradientPass;
use crate::engine::nn::loss::Loss;
use crate::error::{Error, Result};
use crate::model::Architecture;
use crate::store::{Weights, check_weights};
use burn::backend::Dispatch;
use burn::tensor::Tensor;
use send_wrapper::SendWrapper;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// A network whose weights are a tensor of burn, and whose kernels are the engine's.
///
/// The head for the region of interest, of networks that have one, is left out.
pub struct Pass {
    architecture: Architecture,
    on: BurnGpu,
    shared: SendWrapper<Rc<Shared>>,
    /// Faults of the device that were heard of before what is not yet known to be sound.
    before: Cell<usize>,
}

impl Pass {
    /// Room for a network on a GPU.
    ///
    /// # Errors
    /// As [`GradientPass::new`].
    pub fn new(architecture: Architecture, on: &BurnGpu) -> Result<Self> {
        let architecture = Architecture { roi: false, ..architecture };
        let pass = GradientPass::new(&architecture, Loss::DiceAndEntropy, &on.gpu, &[])?;
        let shared = Shared { pass: RefCell::new(pass), fault: RefCell::new(None) };
        let before = Cell::new(on.gpu.faults());
        Ok(Self { architecture, on: on.clone(), shared: SendWrapper::new(Rc::new(shared)), before })
    }

    /// Weights as one flat tensor, without autodiff.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn parameters(&self, weights: &Weights) -> Result<Tensor<1>> {
        check_weights(&self.architecture, weights)?;
        let flat = self.shared.pass.borrow().parameters.flat(weights)?;
        Ok(self.on.tensor(flat))
    }

    /// The weights of a module on this device as one flat tensor, through which burn differentiates: a loss of [`Self::forward`]
    /// reaches every parameter of the module, which any optimiser of burn then steps.
    ///
    /// # Errors
    /// `Malformed` for the module of another architecture.
    #[cfg(feature = "burn")]
    pub fn parameters_of(&self, network: &super::SeResUNet) -> Result<Tensor<1>> {
        let mut tensors = network.tensors();
        let pass = self.shared.pass.borrow();
        let parts = pass.parameters.list.iter().map(|parameter| {
            let count = parameter.shape.iter().product::<usize>();
            let found = tensors.remove(&parameter.name).filter(|found| found.dims() == [count]);
            found.ok_or_else(|| {
                Error::malformed(&parameter.name, "no such tensor", "every weight of the network")
            })
        });
        Ok(Tensor::cat(parts.collect::<Result<Vec<_>>>()?, 0))
    }

    /// One logit per voxel and label, as [`SeResUNet::forward`](super::module::SeResUNet::forward) has them. Whether the device
    /// computed them soundly [`Self::sound`] says.
    ///
    /// # Shapes
    /// theta `[parameters]`, image `[inputs, z, y, x]` of `dims`, `[x, y, z]` -> `[1, outputs, z, y, x]`
    ///
    /// # Errors
    /// `Argument` for numbers that do not fit; `Limit` where a map exceeds a binding; `Device` where the device fails.
    pub async fn forward(&self, theta: Tensor<1>, image: &[f32], dims: [usize; 3]) -> Result<Tensor<5>> {
        let Architecture { inputs, outputs, .. } = self.architecture;
        let least = self.architecture.min_side();
        let wanted = inputs * dims.iter().product::<usize>();
        if image.len() != wanted || dims.iter().any(|&side| side < least) {
            let found = format!("{} numbers for {inputs} channels of {dims:?}", image.len());
            return Err(Error::argument("image", found, format!("{wanted}, every side at least {least}")));
        }
        let plans = self.shared.pass.borrow().logits_plans(dims)?;
        plans.check(&self.on.gpu).await?;
        let way = Way { shared: self.shared.clone(), plans: Arc::new(plans), image: image.into() };
        let flat = <Dispatch as LogitsOperation>::network_logits(theta.into_dispatch(), &way);
        self.fault()?;
        let [x, y, z] = dims;
        let (size, row) = (x * y, (x * y).next_multiple_of(4));
        let rows = Tensor::<1>::from_dispatch(flat).reshape([z, outputs, row]);
        Ok(rows.slice([0..z, 0..outputs, 0..size]).reshape([z, outputs, y, x]).swap_dims(0, 1).unsqueeze())
    }

    /// Waits for all that was asked for; what came out is to be used after this only.
    ///
    /// # Errors
    /// `Device` where an operation failed, on the way back too, or the device reported an error.
    pub async fn sound(&self) -> Result<()> {
        self.fault()?;
        let gpu = &self.on.gpu;
        gpu.idle().await?;
        gpu.sound(self.before.replace(gpu.faults()))
    }

    fn fault(&self) -> Result<()> {
        self.shared.fault.borrow_mut().take().map_or(Ok(()), Err)
    }
}
