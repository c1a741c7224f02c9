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
use planner::TrainPlanner;

pub use planner::{LossScale, TrainSpec};

/// The list for one example.
///
/// # Errors
/// `Limit` where a map exceeds a binding.
pub fn training_step(spec: TrainSpec, loss: LossScale) -> Result<Plan> {
    let mut planner = TrainPlanner::new(spec)?;
    planner.forward(loss);
    planner.backward();
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
