//! What the whole network says of several objects: a map of probabilities for each, on a grid over the field of view.

use super::boxes::MeasuredVolume;
use super::cascade::Cascade;
use super::progress::ProgressFn;
use super::transform::SpatialTransform;
use crate::components;
use crate::error::{Error, Result};
use crate::file::Volume;
use crate::prepare::Image;

/// A voxel shows an object where its probability is above this.
const SEEN: f32 = 0.5;

/// What is above this and connected to a seen object may belong to it: its box holds that too. So it is wider where the network
/// doubts where the object ends. Chosen on made heads (docs/heads.md).
const FAINT: f32 = 0.05;

/// Mean probabilities over folds, output after output.
pub(super) struct ObjectMaps {
    pub dims: [usize; 3],
    values: Vec<f32>,
}

impl ObjectMaps {
    /// Runs the whole network on all of an image at 1 mm.
    ///
    /// # Errors
    /// `Argument` where its file was not given; and as [`super::segment`].
    pub async fn find(
        cascade: Cascade<'_>,
        transform: &SpatialTransform,
        image: &Image,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<Self> {
        if cascade.whole.is_empty() {
            let expected = "the file of the network that finds the objects (Model::missing names it)";
            return Err(Error::argument("weights", "none for whole scans", expected));
        }
        let whole = transform.crop_whole(image, &cascade.card.preset)?;
        let mut values = cascade.object_probabilities(&whole, on_progress).await?;
        let share = 1.0 / cascade.whole.len() as f32;
        values.iter_mut().for_each(|value| *value *= share);
        Ok(Self { dims: whole.dims, values })
    }

    /// Where an output is above a probability.
    fn above(&self, output: usize, probability: f32) -> Vec<bool> {
        let count: usize = self.dims.iter().product();
        self.values[output * count..(output + 1) * count].iter().map(|value| *value > probability).collect()
    }

    /// The largest component of an object that is seen, with what is faint around it; none where nothing is seen.
    pub fn object(&self, output: usize) -> Option<Vec<bool>> {
        let seen = components::largest(&self.above(output, SEEN), self.dims);
        let inside = seen.iter().position(|seen| *seen)?;
        let (faint, _) = components::connected_components(&self.above(output, FAINT), self.dims);
        Some(faint.iter().map(|component| *component == faint[inside]).collect())
    }

    /// Volumes of the outputs that are only measured, from output `first` on: their share of the field of view.
    pub fn measured(&self, names: &[String], first: usize, volume: &Volume) -> Vec<MeasuredVolume> {
        let field_ml = volume.grid.len() as f64 * volume.grid.voxel_mm3() / 1000.0;
        let each = names.iter().enumerate().map(|(index, name)| {
            let mask = self.above(first + index, SEEN);
            let share = mask.iter().filter(|inside| **inside).count() as f64 / mask.len() as f64;
            MeasuredVolume { name: name.clone(), milliliters: share * field_ml }
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_reaches_as_far_as_it_is_faint_and_no_other_piece_belongs_to_it() {
        let row = |values: &[f32]| ObjectMaps { dims: [values.len(), 1, 1], values: values.to_vec() };
        // A piece of one, a large faint one, and the object of two with a voxel on either side.
        let maps = row(&[0.9, 0.0, 0.3, 0.3, 0.3, 0.3, 0.3, 0.01, 0.1, 0.6, 0.8, 0.2, 0.04, 0.2]);
        let expected: Vec<bool> = (0..14).map(|voxel| (8..12).contains(&voxel)).collect();
        assert_eq!(maps.object(0), Some(expected));
        assert_eq!(row(&[0.4, 0.2, 0.0]).object(0), None, "faint is not seen");
    }
}
