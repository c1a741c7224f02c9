//! What the original model makes of the annotated cases, and so what there is to learn.

use super::case::{AnnotatedCase, is_object};
use super::patch_sampler::{OriginalOutput, PatchSampler};
use super::validation::ValidationMasks;
use crate::card::Stage;
use crate::error::Result;
use crate::predict::{Image, Model, ProgressFn};
use std::ops::ControlFlow;

/// Share of the annotated object that lies outside of the boxes that the model finds.
///
/// # Errors
/// As [`crate::predict::segment`].
pub async fn share_outside_boxes(model: &Model, cases: &[AnnotatedCase]) -> Result<f64> {
    let (mut outside, mut all) = (0usize, 0usize);
    for case in cases {
        let transform = case.locate(model, &case.image, &mut |_| ControlFlow::Continue(())).await?;
        for (label, inside) in case.labels.iter().zip(transform.box_mask()) {
            let object = is_object(*label);
            (outside, all) = (outside + usize::from(object && !inside), all + usize::from(object));
        }
    }
    Ok(outside as f64 / all.max(1) as f64)
}

/// What a stage's network learns from: the cases that show the object in voxels that do not validate.
///
/// # Errors
/// As [`crate::predict::segment`].
pub async fn patch_samplers<'a>(
    model: &Model,
    cases: &'a [AnnotatedCase],
    validation: &ValidationMasks,
    stage: Stage,
    outputs: usize,
) -> Result<Vec<PatchSampler<'a>>> {
    let mut samplers = Vec::new();
    for (case, validation) in cases.iter().zip(validation) {
        let validation = case.to_isotropic(validation);
        let original = match (stage, &case.out_of_distribution) {
            (Stage::Patch, None) => {
                let go_on = &mut |_| ControlFlow::Continue(());
                Some(patch_probabilities(model, case, &case.image, go_on).await?)
            }
            _ => None,
        };
        let sampler = PatchSampler::new(case, &validation, original, stage, outputs);
        if sampler.shows_object() {
            samplers.push(sampler);
        }
    }
    Ok(samplers)
}

/// The patch network's probabilities of an image of the case's size, in the box that the model finds.
///
/// # Errors
/// As [`crate::predict::segment`].
pub async fn patch_probabilities(
    model: &Model,
    case: &AnnotatedCase,
    image: &Image,
    watch: &mut ProgressFn<'_>,
) -> Result<OriginalOutput> {
    let transform = case.locate(model, image, watch).await?;
    let patch = transform.crop_patch(image);
    let seen = model.cascade().patch_probabilities(&patch, watch).await?;
    let channels = seen.chunks_exact(patch.dims.iter().product());
    let probabilities = channels.flat_map(|channel| transform.paste(channel)).collect();
    Ok(OriginalOutput { probabilities, inside: transform.box_mask() })
}
