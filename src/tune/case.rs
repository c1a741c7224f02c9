//! What a model is tuned on: an image and what somebody says of it, of all of its voxels or of some.

use crate::card::Card;
use crate::error::{Error, Result};
use crate::file::{Overlay, Volume};
use crate::grid::{Reorientation, Resample};
use crate::predict::{Image, Model, ProgressFn, SpatialTransform, largest_object};

/// The label of a voxel that nobody has annotated.
pub const UNANNOTATED: u8 = 255;

/// An image at 1 mm and on the file's own grid, with its annotations.
#[derive(Debug, Clone)]
pub struct AnnotatedCase {
    /// Its name, for messages.
    pub name: String,
    /// Size of the file's grid, in its own order.
    pub dims: [usize; 3],
    /// From the file's axes to RAS.
    reorientation: Reorientation,
    /// From the file's grid to 1 mm, and back.
    pub transform: SpatialTransform,
    /// Normalised, at 1 mm.
    pub image: Image,
    /// Labels at 1 mm, x fastest.
    pub labels: Vec<u8>,
    /// Labels in the file's own order.
    pub own: Vec<u8>,
    /// What is unlike the images that the model was trained on, in words; none where the image is in its domain.
    pub out_of_distribution: Option<String>,
}

impl AnnotatedCase {
    /// A volume with its labels, in the file's own order.
    ///
    /// # Errors
    /// `Malformed` for voxels that are not finite, labels that the model lacks, or another number of labels than of
    /// voxels; as [`SpatialTransform::forward`].
    pub fn new(name: &str, volume: &Volume, own: Vec<u8>, card: &Card) -> Result<Self> {
        Self::checked(volume, own, name, card).map_err(|error| error.within(name))
    }

    /// A volume with the labels of another file, whose axes may run other ways: each lies where its header says.
    ///
    /// # Errors
    /// `Malformed` for labels that lie elsewhere than the image, by more than half a voxel; as [`Self::new`].
    pub fn of_files(name: &str, volume: &Volume, labels: &Volume, card: &Card) -> Result<Self> {
        let laid = volume.overlay(labels).and_then(Overlay::require_aligned);
        let own = volume.reorientation.undo(&laid.map_err(|error| error.within(name))?);
        Self::new(name, volume, own, card)
    }

    /// Voxels in the file's own order, at 1 mm.
    pub fn to_isotropic<T: Copy + Default>(&self, own: &[T]) -> Vec<T> {
        to_isotropic(self.reorientation, &self.image, own)
    }

    /// Voxels at 1 mm, in the file's own order.
    pub fn to_native<T: Copy + Default>(&self, voxels: &[T]) -> Vec<T> {
        let isotropic = Resample { from: self.reorientation.ras_dims(), to: self.image.dims };
        self.reorientation.undo(&isotropic.undo(voxels))
    }

    /// Where a model looks in an image of the case's size: the way to the box around the object that it finds.
    ///
    /// # Errors
    /// As [`crate::predict::segment`].
    pub async fn locate(
        &self,
        model: &Model,
        image: &Image,
        watch: &mut ProgressFn<'_>,
    ) -> Result<SpatialTransform> {
        let preset = &model.card.preset;
        let mut transform = self.transform;
        let whole = transform.crop_whole(image, preset)?;
        let (seen, _) = largest_object(&model.object_probabilities(&whole, watch).await?, whole.dims);
        transform.set_box_around(&seen, whole.dims, preset)?;
        Ok(transform)
    }

    fn checked(volume: &Volume, own: Vec<u8>, name: &str, card: &Card) -> Result<Self> {
        if volume.nonfinite > 0 {
            let found = format!("{} voxels that are not finite", volume.nonfinite);
            return Err(Error::malformed("image", found, "numbers in every voxel of an image to learn from"));
        }
        if own.len() != volume.grid.len() {
            let [x, y, z] = volume.grid.dims;
            let found = format!("{} voxels", own.len());
            return Err(Error::malformed("labels", found, format!("{x} x {y} x {z}, as the image has")));
        }
        let most = card.labels.len();
        if let Some(label) = own.iter().find(|&&label| usize::from(label) > most && label != UNANNOTATED) {
            let expected = format!("0 to {most}, or {UNANNOTATED} where nothing is annotated");
            return Err(Error::malformed("labels", format!("a label {label}"), expected));
        }
        let (transform, image) = SpatialTransform::forward(volume, card)?;
        let labels = to_isotropic(volume.reorientation, &image, &own);
        let out_of_distribution = card.out_of_distribution(&image.values, image.dims);
        Ok(Self {
            name: name.to_owned(),
            dims: volume.grid.dims,
            reorientation: volume.reorientation,
            transform,
            image,
            labels,
            own,
            out_of_distribution,
        })
    }
}

/// Voxels in the file's own order, at 1 mm.
fn to_isotropic<T: Copy + Default>(reorientation: Reorientation, image: &Image, own: &[T]) -> Vec<T> {
    Resample { from: reorientation.ras_dims(), to: image.dims }.apply(&reorientation.apply(own))
}

/// Refuses annotations that teach nothing, or would teach that a label does not exist.
///
/// # Errors
/// `Argument`, in words.
pub fn check(cases: &[AnnotatedCase], card: &Card) -> Result<()> {
    let all = || cases.iter().flat_map(|case| &case.own).copied();
    let annotated = all().filter(|&label| label != UNANNOTATED).count();
    let refused = |found: String, expected: &str| Err(Error::argument("annotations", found, expected));
    if annotated == 0 {
        return refused("no annotated voxel".to_owned(), "strokes or masks of some cases");
    }
    if all().all(|label| label == 0 || label == UNANNOTATED) {
        let found = format!("{annotated} voxels, all of them background");
        return refused(
            found,
            "voxels of every label: background alone teaches that there is nothing to find",
        );
    }
    for label in &card.labels {
        let count = all().filter(|&found| found == label.index).count();
        if count < LEAST {
            let name = &label.name;
            let found = if count == 0 {
                format!("no voxel of label {} ({name})", label.index)
            } else {
                format!("{count} voxels of label {} ({name})", label.index)
            };
            let expected = format!(
                "at least {LEAST} of every label in one case or another: a label that no one shows would be unlearned"
            );
            return refused(found, &expected);
        }
    }
    Ok(())
}

/// Voxels of a label that say something.
pub const LEAST: usize = 10;
