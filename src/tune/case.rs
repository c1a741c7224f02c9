//! Images with annotations, of all of their voxels or of some: what a model is tuned on.

use crate::card::Card;
use crate::error::{Error, Result};
use crate::file::{Overlay, Volume};
use crate::grid::{Reorientation, Resample};
use crate::predict::{Image, Model, ProgressFn, SpatialTransform, field_mm, locate};

/// The label of a voxel without annotation.
pub const UNANNOTATED: u8 = 255;
/// Least number of annotated voxels of a label, and of the object on either side of the validation split.
pub const MIN_VOXELS: usize = 10;

/// Whether a label is that of an object: neither background nor unannotated.
pub fn is_object(label: u8) -> bool {
    label != 0 && label != UNANNOTATED
}

/// An image with its annotations, at 1 mm and on the grid of its file.
#[derive(Debug, Clone)]
pub struct AnnotatedCase {
    /// Name, for messages.
    pub name: String,
    /// Size of the file's grid, in the order of its axes.
    pub dims: [usize; 3],
    /// From the axes of the file to RAS.
    reorientation: Reorientation,
    /// From the grid of the file to 1 mm, and back.
    pub transform: SpatialTransform,
    /// The normalised image at 1 mm.
    pub image: Image,
    /// Labels at 1 mm, `[z, y, x]`, x fastest.
    pub labels: Vec<u8>,
    /// Labels in the order of the file's voxels.
    pub file_labels: Vec<u8>,
    /// How the image differs from those that the model was trained on, in words; `None` where it does not.
    pub out_of_distribution: Option<String>,
}

impl AnnotatedCase {
    /// A volume with `labels` in the order of the file's voxels.
    ///
    /// # Errors
    /// `Malformed` for voxels that are not finite, labels that the model lacks, or another number of labels than of
    /// voxels; as [`SpatialTransform::forward`].
    pub fn new(name: &str, volume: &Volume, labels: Vec<u8>, card: &Card) -> Result<Self> {
        Self::checked(volume, labels, name, card).map_err(|error| error.within(name))
    }

    /// A volume with the labels of another file, each where the header of that file puts it: the axes may differ.
    ///
    /// # Errors
    /// `Malformed` for labels that lie elsewhere than the image, by more than half a voxel; as [`Self::new`].
    pub fn of_files(name: &str, volume: &Volume, labels: &Volume, card: &Card) -> Result<Self> {
        let laid = volume.overlay(labels).and_then(Overlay::require_aligned);
        let labels = volume.reorientation.undo(&laid.map_err(|error| error.within(name))?);
        Self::new(name, volume, labels, card)
    }

    /// A map in the order of the file's voxels, resample_isotropic to 1 mm.
    pub fn to_isotropic<T: Copy + Default>(&self, map: &[T]) -> Vec<T> {
        to_isotropic(self.reorientation, &self.image, map)
    }

    /// A map at 1 mm, resample_isotropic to the file's grid, in the order of its voxels.
    pub fn to_native<T: Copy + Default>(&self, map: &[T]) -> Vec<T> {
        let to_isotropic = Resample { from: self.reorientation.ras_dims(), to: self.image.dims };
        self.reorientation.undo(&to_isotropic.undo(map))
    }

    /// Runs a model's whole network on an image of the case's size: the transform to the box around the object that it finds.
    ///
    /// # Errors
    /// As [`crate::predict::segment`].
    pub async fn locate(
        &self,
        model: &Model,
        image: &Image,
        watch: &mut ProgressFn<'_>,
    ) -> Result<SpatialTransform> {
        let mut transform = self.transform;
        locate(model.cascade(), &mut transform, image, watch).await?;
        Ok(transform)
    }

    fn checked(volume: &Volume, file_labels: Vec<u8>, name: &str, card: &Card) -> Result<Self> {
        if volume.nonfinite > 0 {
            let found = format!("{} voxels that are not finite", volume.nonfinite);
            return Err(Error::malformed("image", found, "numbers in every voxel of an image to learn from"));
        }
        if file_labels.len() != volume.grid.len() {
            let [x, y, z] = volume.grid.dims;
            let found = format!("{} voxels", file_labels.len());
            return Err(Error::malformed("labels", found, format!("{x} x {y} x {z}, as the image has")));
        }
        if card.is_scan(field_mm(&volume.grid)) {
            let expected = "one cropped around one object: tuning learns from such";
            return Err(Error::unsupported("image", "a whole scan", expected));
        }
        let (object, file_labels) = of_first_object(file_labels, card)?;
        let mirrored =
            card.scan.as_ref().is_some_and(|scan| scan.objects[object].mirror).then(|| volume.mirrored());
        let volume = mirrored.as_ref().unwrap_or(volume);
        let most = card.labels.len();
        let unknown = |&&label: &&u8| usize::from(label) > most && label != UNANNOTATED;
        if let Some(label) = file_labels.iter().find(unknown) {
            let last = card.scan.as_ref().map_or(most, |scan| scan.labels.len());
            let expected = format!("0 to {last}, or {UNANNOTATED} where nothing is annotated");
            return Err(Error::malformed("labels", format!("a label {label}"), expected));
        }
        let (transform, image) = SpatialTransform::forward(volume, card)?;
        image.check_contrast("image")?;
        let labels = to_isotropic(volume.reorientation, &image, &file_labels);
        let out_of_distribution = card.out_of_distribution(&image.values, image.dims);
        Ok(Self {
            name: name.to_owned(),
            dims: volume.grid.dims,
            reorientation: volume.reorientation,
            transform,
            image,
            labels,
            file_labels,
            out_of_distribution,
        })
    }
}

/// The object whose labels these are, by its place in the card's list, and the labels as they would be of the first one.
///
/// # Errors
/// `Unsupported` where they are of several.
fn of_first_object(mut labels: Vec<u8>, card: &Card) -> Result<(usize, Vec<u8>)> {
    let (count, known) = (card.labels.len(), card.scan.as_ref().map_or(0, |scan| scan.labels.len()));
    let mut marked = [false; 256];
    labels.iter().for_each(|label| marked[usize::from(*label)] = true);
    let labelled = (0..=known.min(255)).filter(|label| marked[*label] && is_object(*label as u8));
    let mut objects: Vec<usize> = labelled.map(|label| (label - 1) / count).collect();
    objects.dedup();
    match objects[..] {
        [] => Ok((0, labels)),
        [object] => {
            let shift = (object * count) as u8;
            labels
                .iter_mut()
                .filter(|label| is_object(**label))
                .for_each(|label| *label = label.saturating_sub(shift));
            Ok((object, labels))
        }
        _ => Err(Error::unsupported("labels", "those of both sides", "those of one object in each image")),
    }
}

fn to_isotropic<T: Copy + Default>(reorientation: Reorientation, image: &Image, map: &[T]) -> Vec<T> {
    Resample { from: reorientation.ras_dims(), to: image.dims }.apply(&reorientation.apply(map))
}

/// Refuses annotations from which nothing can be learned, or only that a label does not exist.
///
/// # Errors
/// `Argument`, in words.
pub fn check_annotations(cases: &[AnnotatedCase], card: &Card) -> Result<()> {
    let all = || cases.iter().flat_map(|case| &case.file_labels).copied();
    let annotated = all().filter(|&label| label != UNANNOTATED).count();
    let refused = |found: String, expected: &str| Err(Error::argument("annotations", found, expected));
    if annotated == 0 {
        return refused("no annotated voxel".to_owned(), "strokes or masks of some cases");
    }
    if !all().any(is_object) {
        let found = format!("{annotated} voxels, all of them background");
        return refused(
            found,
            "voxels of every label: background alone teaches that there is nothing to find",
        );
    }
    for label in &card.labels {
        let count = all().filter(|&found| found == label.index).count();
        if count < MIN_VOXELS {
            let name = &label.name;
            let found = if count == 0 {
                format!("no voxel of label {} ({name})", label.index)
            } else {
                format!("{count} voxels of label {} ({name})", label.index)
            };
            let expected = format!(
                "at least {MIN_VOXELS} of every label in one case or another: a label that no one shows would be unlearned"
            );
            return refused(found, &expected);
        }
    }
    Ok(())
}
