//! What both devices share and no device is needed for: the recorded graph, normalisation, loss and optimiser.

pub mod adamw;
pub mod example;
pub mod graph;
pub mod labels;
pub mod loss;
pub mod parallel;
pub mod pseudo_random;
mod record;
pub mod scale_shift;
pub mod squeeze_excite;
pub mod targets;
pub mod weights;
