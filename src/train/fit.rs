//! Training from start to end.

use super::config::TrainConfig;
use super::dataset::Dataset;
use super::run::{EpochEnd, EpochReport, TrainEvent, TrainingRun};
use crate::engine::compute::Compute;
use crate::error::Result;
use crate::store::Weights;
use std::ops::ControlFlow;

/// Result of [`fit`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TrainReport {
    /// The averaged weights with the lowest validation loss; the initial ones where no validation loss was finite.
    pub weights: Weights,
    /// One report per epoch.
    pub epochs: Vec<EpochReport>,
}

/// Trains one stage from start to end and keeps the best weights. Calls `on_event` after each step and epoch; a `Break` ends
/// the training there.
///
/// # Errors
/// As [`TrainingRun::new`] and [`TrainingRun::epoch`].
pub async fn fit(
    config: TrainConfig,
    weights: Weights,
    compute: &Compute,
    training: Dataset,
    validation: &Dataset,
    on_event: &mut dyn FnMut(&TrainEvent) -> ControlFlow<()>,
) -> Result<TrainReport> {
    let mut report = TrainReport { weights: weights.clone(), epochs: Vec::new() };
    let mut run = TrainingRun::new(config, weights, compute.clone(), training).await?;
    let mut end = EpochEnd::Completed;
    while end == EpochEnd::Completed {
        end = run
            .epoch(validation, &mut |event| {
                if let TrainEvent::Epoch(epoch, weights) = event {
                    report.epochs.push(epoch.clone());
                    if epoch.improved {
                        report.weights.clone_from(weights);
                    }
                }
                on_event(&event)
            })
            .await?;
    }
    Ok(report)
}
