//! The work of a forward pass.

mod planner;
mod residency;
mod steps;

use super::chunks::Chunking;
use super::list::{Plan, PlanSettings};
use crate::engine::nn::graph::Graph;
use crate::error::Result;
use planner::ForwardPlanner;

/// The plan of `graph` for an image of `dims`, `[x, y, z]`.
///
/// # Errors
/// `Limit` where a plane of a map exceeds a binding.
pub fn plan(graph: &Graph, dims: [usize; 3], settings: &PlanSettings) -> Result<Plan> {
    let plan = |recompute| Ok(ForwardPlanner::new(Chunking::new(graph, dims, settings, recompute)?).build());
    let stored: Plan = plan(false)?;
    if stored.peak <= settings.limits.budget {
        return Ok(stored);
    }
    let recomputed = plan(true)?;
    Ok(if recomputed.peak < stored.peak { recomputed } else { stored })
}
