//! What the old model makes of the cases: where it looks, what it says there, and so what there is to learn.

use super::case::{AnnotatedCase, UNANNOTATED};
use super::patches::PatchSampler;
use super::validation::ValidationMasks;
use crate::card::Stage;
use crate::error::Result;
use crate::predict::{Image, Model, ProgressFn};
use std::ops::ControlFlow;

/// Share of the annotated object that lies outside of the old network's boxes.
pub async fn cut_off(old: &Model, cases: &[AnnotatedCase]) -> Result<f64> {
    let (mut cut, mut all) = (0usize, 0usize);
    for case in cases {
        let transform = case.locate(old, &case.image, &mut |_| ControlFlow::Continue(())).await?;
        for (label, inside) in case.labels.iter().zip(transform.box_mask()) {
            let object = ![0, UNANNOTATED].contains(label);
            (cut, all) = (cut + usize::from(object && !inside), all + usize::from(object));
        }
    }
    Ok(cut as f64 / all.max(1) as f64)
}

/// What a stage's network learns from each case that shows something beside what judges.
pub async fn lessons<'a>(
    old: &Model,
    cases: &'a [AnnotatedCase],
    judging: &ValidationMasks,
    stage: Stage,
    outputs: usize,
) -> Result<Vec<PatchSampler<'a>>> {
    let mut lessons = Vec::new();
    for (case, judging) in cases.iter().zip(judging) {
        let judging = case.to_isotropic(judging);
        let kept = match (stage, &case.out_of_distribution) {
            (Stage::Patch, None) => {
                Some(chances(old, case, &case.image, &mut |_| ControlFlow::Continue(())).await?)
            }
            _ => None,
        };
        let lesson = PatchSampler::new(case, &judging, kept, stage, outputs);
        if lesson.shows_object() {
            lessons.push(lesson);
        }
    }
    Ok(lessons)
}

/// A patch network's probabilities of an image of the case's size in the box around the object that the model finds, `[label,
/// z, y, x]` at 1 mm and 0 outside of it, and where the box is.
pub async fn chances(
    model: &Model,
    case: &AnnotatedCase,
    image: &Image,
    watch: &mut ProgressFn<'_>,
) -> Result<(Vec<f32>, Vec<bool>)> {
    let transform = case.locate(model, image, watch).await?;
    let patch = transform.crop_patch(image);
    let seen = model.patch_probabilities(&patch, watch).await?;
    let channels = seen.chunks_exact(patch.dims.iter().product());
    Ok((channels.flat_map(|channel| transform.paste(channel)).collect(), transform.box_mask()))
}
