//! What the old model makes of the cases: where it looks, what it says there, and so what there is to learn.

use super::case::{Case, UNKNOWN};
use super::lesson::Lesson;
use super::split::Judging;
use crate::card::Stage;
use crate::error::Result;
use crate::grid::Region;
use crate::predict::{self, Model, largest_object};
use crate::prepare::{Image, View};
use std::ops::ControlFlow;

/// Share of the annotated object that lies outside of the old network's boxes.
pub async fn cut_off(old: &Model, cases: &[Case]) -> Result<f64> {
    let (mut cut, mut all) = (0usize, 0usize);
    for case in cases {
        let whole = case.route.whole(&case.image, &old.card.preset)?;
        let (seen, _) =
            largest_object(&old.find(&whole, &mut |_| ControlFlow::Continue(())).await?, whole.dims);
        let region =
            Region::around_object(whole.dims, case.image.dims, &old.card.preset.box_rule(), |i| seen[i]);
        let inside = region.paste(&vec![true; region.dims().iter().product()]);
        for (label, inside) in case.labels.iter().zip(inside) {
            let object = ![0, UNKNOWN].contains(label);
            (cut, all) = (cut + usize::from(object && !inside), all + usize::from(object));
        }
    }
    Ok(cut as f64 / all.max(1) as f64)
}

/// What a stage's network learns from each case that shows something beside what judges.
pub async fn lessons<'a>(
    old: &Model,
    cases: &'a [Case],
    judging: &Judging,
    stage: Stage,
    outputs: usize,
) -> Result<Vec<Lesson<'a>>> {
    let mut lessons = Vec::new();
    for (case, judging) in cases.iter().zip(judging) {
        let judging = case.at_mm(judging);
        let kept = match (stage, &case.outside) {
            (Stage::Patch, None) => Some(kept(old, case).await?),
            _ => None,
        };
        let lesson = Lesson::new(case, &judging, kept, stage, outputs);
        if lesson.shows_object() {
            lessons.push(lesson);
        }
    }
    Ok(lessons)
}

/// The old patch network's probabilities, and where its box is.
async fn kept(old: &Model, case: &Case) -> Result<(Vec<f32>, Vec<bool>)> {
    let whole = case.route.whole(&case.image, &old.card.preset)?;
    let quiet = &mut |_| ControlFlow::Continue(());
    let (seen, _) = largest_object(&old.find(&whole, quiet).await?, whole.dims);
    kept_in_box(old, &case.image, (&seen, whole.dims), quiet).await
}

/// A patch network's probabilities of an image of the case's size in the box around an object, `[label, z, y, x]` at 1 mm,
/// and where the box is.
pub async fn kept_in_box(
    model: &Model,
    image: &Image,
    (seen, dims): (&[bool], [usize; 3]),
    watch: &mut predict::Watch<'_>,
) -> Result<(Vec<f32>, Vec<bool>)> {
    let preset = &model.card.preset;
    let region = Region::around_object(dims, image.dims, &preset.box_rule(), |i| seen[i]);
    let View { region, fit } = View::of(region, preset)?;
    let patch = Image { dims: fit.to, values: fit.apply(&region.crop(&image.values)) };
    let chances = model.probabilities(&patch, watch).await?;
    let inside = |channel: &[f32]| region.paste(&fit.undo(channel));
    let all = chances.chunks_exact(fit.to.iter().product()).flat_map(inside).collect();
    Ok((all, region.paste(&vec![true; region.dims().iter().product()])))
}
