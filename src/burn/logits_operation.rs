//! A network's logits as one operation of burn; [`super::pass`] is for its users.

use super::border::{on_buffer, put_parameters, whole};
use crate::engine::gpu::gradient_pass::GradientPass;
use crate::engine::gpu::logits_pass::LogitsPlans;
use crate::error::{Error, Result};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, FloatDType, TensorMetadata, backend_extension};
use send_wrapper::SendWrapper;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What forward and backward share, of one thread.
pub struct Shared {
    /// The engine's side.
    pub pass: RefCell<GradientPass>,
    /// What went wrong: an operation of burn returns no error.
    pub fault: RefCell<Option<Error>>,
}

/// Backends on which a network's logits are one operation.
#[backend_extension(Cube, Autodiff)]
pub trait LogitsOperation: Backend {
    /// Parameters to logits as they lie, `[z, outputs, row]`.
    fn network_logits(theta: FloatTensor<Self>, way: &Way) -> FloatTensor<Self>;
}

impl LogitsOperation for Cube {
    fn network_logits(theta: FloatTensor<Self>, way: &Way) -> FloatTensor<Self> {
        way.logits(&theta)
    }
}

impl<C: CheckpointStrategy> LogitsOperation for Autodiff<Cube, C> {
    fn network_logits(theta: FloatTensor<Self>, way: &Way) -> FloatTensor<Self> {
        let (theta, node) = theta.into_parts();
        let logits = way.logits(&theta);
        match Back.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((way.clone(), theta), logits),
            OpsKind::UnTracked(prepared) => prepared.finish(logits),
        }
    }
}

/// The way back.
#[derive(Debug)]
struct Back;

impl Backward<Cube, 1> for Back {
    type State = (Way, FloatTensor<Cube>);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let above = gradients.consume::<Cube>(&ops.node);
        if let [Some(parent)] = ops.parents {
            let (way, theta) = ops.state;
            gradients.register::<Cube>(parent.id, way.gradient(&theta, &above));
        }
    }
}

/// What an operation needs beside its tensors, and leaves its error in.
#[derive(Clone)]
pub struct Way {
    /// The network.
    pub shared: SendWrapper<Rc<Shared>>,
    /// The plans, all of whose kernels have given their known answers.
    pub plans: Arc<LogitsPlans>,
    /// `[inputs, z, y, x]`
    pub image: Arc<[f32]>,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way").field("numbers", &self.plans.numbers).finish_non_exhaustive()
    }
}

impl Way {
    fn logits(&self, theta: &FloatTensor<Cube>) -> FloatTensor<Cube> {
        let logits = Cube::float_empty([self.plans.numbers].into(), &theta.device, FloatDType::F32);
        self.or_not_a_number(logits, |pass, logits| {
            put_parameters(pass, theta)?;
            pass.enqueue_logits(&self.plans, &self.image)?;
            on_buffer(logits, |held| pass.copy_logits_to(&self.plans, (&held.buffer, held.offset)))
        })
    }

    fn gradient(&self, theta: &FloatTensor<Cube>, above: &FloatTensor<Cube>) -> FloatTensor<Cube> {
        let gradient = Cube::float_empty(theta.shape(), &theta.device, FloatDType::F32);
        self.or_not_a_number(gradient, |pass, gradient| {
            whole("gradient by the logits", above, self.plans.numbers)?;
            put_parameters(pass, theta)?;
            on_buffer(above, |held| {
                pass.copy_logits_gradient_from(&self.plans, (&held.buffer, held.offset));
            })?;
            pass.enqueue_from_logits_gradient(&self.plans, &self.image)?;
            on_buffer(gradient, |held| pass.copy_gradient_to((&held.buffer, held.offset)))
        })
    }

    /// Fills a tensor; where that fails it is of no numbers, and the fault is kept. So it is on another thread, whose GPU this is not.
    fn or_not_a_number(
        &self,
        tensor: FloatTensor<Cube>,
        fill: impl FnOnce(&mut GradientPass, &FloatTensor<Cube>) -> Result<()>,
    ) -> FloatTensor<Cube> {
        let no_number = |tensor: &FloatTensor<Cube>| {
            Cube::float_full(tensor.shape(), f32::NAN.into(), &tensor.device, FloatDType::F32)
        };
        if !self.shared.valid() {
            return no_number(&tensor);
        }
        match fill(&mut self.shared.pass.borrow_mut(), &tensor) {
            Ok(()) => tensor,
            Err(fault) => {
                self.shared.fault.borrow_mut().get_or_insert(fault);
                no_number(&tensor)
            }
        }
    }
}
