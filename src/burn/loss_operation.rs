//! The loss of a network on some examples, as one operation of burn: forward it runs the engine's whole training plan on the
//! parameters and keeps their gradient; backward it multiplies that by what comes from above. So the plan keeps its order of
//! buffers, its fused kernels and its memory, of which burn's autodiff sees one node.

use super::border::{on_buffer, put_parameters};
use crate::engine::gpu::gradient_pass::{Batch, GradientPass};
use crate::error::{Error, Result};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, FloatDType, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

#[cfg(any(feature = "cuda", feature = "rocm"))]
compile_error!(
    "burn-gpu hands burn's buffers to the engine, which fusion (cuda, rocm) has not filled yet: build one without the other"
);

/// What an operation needs beside its tensors, and its error: an operation of burn returns none.
pub struct Lesson<'a> {
    /// The engine's side of the parameters.
    pub pass: &'a mut GradientPass,
    /// The examples.
    pub batch: &'a Batch<'a>,
    /// What went wrong.
    pub fault: Option<Error>,
}

/// The mean loss of the examples at the parameters `theta`, flat and all of them, on the device of burn that the pass shares.
///
/// # Shapes
/// theta `[parameters]` -> `[1]`
///
/// # Errors
/// `Device` where the device fails.
pub fn loss(theta: Tensor<1>, pass: &mut GradientPass, batch: &Batch<'_>) -> Result<Tensor<1>> {
    let mut lesson = Lesson { pass, batch, fault: None };
    let loss = <Dispatch as LossOperation>::network_loss(theta.into_dispatch(), &mut lesson);
    match lesson.fault {
        Some(fault) => Err(fault),
        None => Ok(Tensor::from_dispatch(loss)),
    }
}

/// Backends on which a network's loss is one operation.
#[backend_extension(Cube, Autodiff)]
pub trait LossOperation: Backend {
    /// See [`loss`].
    fn network_loss(theta: FloatTensor<Self>, lesson: &mut Lesson<'_>) -> FloatTensor<Self>;
}

impl LossOperation for Cube {
    fn network_loss(theta: FloatTensor<Self>, lesson: &mut Lesson<'_>) -> FloatTensor<Self> {
        loss_and_gradient(&theta, lesson).0
    }
}

impl<C: CheckpointStrategy> LossOperation for Autodiff<Cube, C> {
    fn network_loss(theta: FloatTensor<Self>, lesson: &mut Lesson<'_>) -> FloatTensor<Self> {
        let (theta, node) = theta.into_parts();
        let (loss, gradient) = loss_and_gradient(&theta, lesson);
        match Kept.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(gradient, loss),
            OpsKind::UnTracked(prepared) => prepared.finish(loss),
        }
    }
}

/// The way back: the gradient is there already.
#[derive(Debug)]
struct Kept;

impl Backward<Cube, 1> for Kept {
    type State = FloatTensor<Cube>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let above = gradients.consume::<Cube>(&ops.node);
        if let [Some(theta)] = ops.parents {
            gradients.register::<Cube>(theta.id, Cube::float_mul(ops.state, above));
        }
    }
}

/// The loss `[1]` and the gradient, of theta's shape. Where it fails the loss is whatever was there, and the lesson has the fault.
fn loss_and_gradient(
    theta: &FloatTensor<Cube>,
    lesson: &mut Lesson<'_>,
) -> (FloatTensor<Cube>, FloatTensor<Cube>) {
    let empty = |shape: Shape| Cube::float_empty(shape, &theta.device, FloatDType::F32);
    let (loss, gradient) = (empty([1].into()), empty(theta.shape()));
    lesson.fault = run(theta, &loss, &gradient, lesson).err();
    (loss, gradient)
}

fn run(
    theta: &FloatTensor<Cube>,
    loss: &FloatTensor<Cube>,
    gradient: &FloatTensor<Cube>,
    lesson: &mut Lesson<'_>,
) -> Result<()> {
    put_parameters(lesson.pass, theta)?;
    lesson.pass.enqueue(lesson.batch)?;
    on_buffer(gradient, |resource| lesson.pass.copy_gradient_to((&resource.buffer, resource.offset)))?;
    on_buffer(loss, |resource| lesson.pass.copy_loss_to((&resource.buffer, resource.offset)))
}
