//! An image of one object, read by the networks: as it is, or mirrored left to right.

use super::agreement::fold_agreement;
use super::boxes::Bounds;
use super::locate::locate;
use super::model::Model;
use super::progress::{Phase, PhaseTimer, ProgressFn};
use super::transform::SpatialTransform;
use super::views::View;
use crate::error::Result;
use crate::prepare::Image;

/// An image at 1 mm, with the box of its object.
pub(super) struct Reading {
    /// The way from the file to the networks; its box is set.
    pub transform: SpatialTransform,
    /// What they see.
    pub image: Image,
    /// Whether the object was found, or its box was given.
    pub found: bool,
    /// What the patch network gave, where it ran already: label after label, in the box.
    pub probabilities: Option<Vec<f32>>,
    /// How its folds agree, where that was asked.
    pub agreement: Option<f64>,
}

impl Reading {
    /// Finds the object of an image, unless the box is given.
    ///
    /// # Errors
    /// As [`super::segment`].
    pub(super) async fn locate(
        model: &Model,
        View { mut transform, image }: View,
        bounds: Option<Bounds>,
        timer: &mut PhaseTimer,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<Self> {
        image.check_contrast("image")?;
        timer.end(Phase::Prepare);
        let mut found = true;
        if let Some((start, end)) = bounds {
            transform.set_box(start, end, &model.card.preset)?;
            transform.crop_patch(&image).check_contrast("box")?;
        } else {
            found = locate(model.cascade(), &mut transform, &image, on_progress).await?;
            timer.end(Phase::Whole);
        }
        Ok(Self { transform, image, found, probabilities: None, agreement: None })
    }

    /// The same, with what every fold of the patch network makes of the object.
    ///
    /// # Errors
    /// As [`super::segment`].
    pub(super) async fn by_all_folds(self, model: &Model, on_progress: &mut ProgressFn<'_>) -> Result<Self> {
        let patch = self.transform.crop_patch(&self.image);
        let (probabilities, agreement) =
            fold_agreement(model.cascade(), &model.card.labels, &patch, on_progress).await?;
        Ok(Self { probabilities: Some(probabilities), agreement, ..self })
    }
}
