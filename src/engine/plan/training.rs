//! The work of a GPU for one example of a training step: forward with all maps kept, the loss, and backward to the
//! gradients of what is trained. As [`super::forward`], but every map is one buffer: patches are small, and one whose
//! maps exceed a binding is refused.

mod attention_gate;
mod backward;
mod convolution;
mod forward;
mod loss;
mod norm_act;
mod planner;

use super::list::Plan;
use crate::error::Result;
use planner::{End, TrainPlanner};

pub use loss::logits_bytes;
pub use planner::{LossScale, TrainSpec};

/// The list for one example.
///
/// # Errors
/// `Limit` where a map exceeds a binding.
pub fn training_step(spec: TrainSpec, loss: LossScale) -> Result<Plan> {
    planned(spec, End::Loss(loss))
}

/// The list for the logits of one example, with no way back: into [`Binding::Logits`](super::list::Binding::Logits).
///
/// # Errors
/// As [`training_step`].
pub fn logits(spec: TrainSpec) -> Result<Plan> {
    planned(spec, End::Logits)
}

/// The list for the gradients by all parameters where that by the logits is given, in
/// [`Binding::LogitsGradient`](super::list::Binding::LogitsGradient). The way forward is gone again.
///
/// # Errors
/// As [`training_step`].
pub fn from_logits_gradient(spec: TrainSpec) -> Result<Plan> {
    planned(spec, End::Gradient)
}

fn planned(spec: TrainSpec, end: End) -> Result<Plan> {
    let mut planner = TrainPlanner::new(spec)?;
    planner.forward(end);
    if end != End::Logits {
        planner.backward();
    }
    Ok(planner.buffers.plan)
}

/// Bytes of a training step at its worst moment, parameters included.
///
/// # Errors
/// As [`training_step`].
pub fn peak(spec: TrainSpec) -> Result<u64> {
    let loss = LossScale { share: 1.0, fresh: true, entropy: true };
    Ok(training_step(spec, loss)?.peak + spec.parameters.bytes(spec.graph))
}
