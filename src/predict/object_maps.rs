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

/// Of two objects of which one shares this part of its voxels with the other, one only is there.
const SAME_PLACE: f64 = 0.25;

/// How near to an end of the image what is measured may come, in mm, before it may go on beyond: nearer, networks that learned from
/// images of whole heads see less and less of it.
const NEAR_END_MM: f64 = 7.0;

/// What is cut has, so near to an end, at least this part of its largest cross-section; a cap that ends by itself has less.
const CUT_SHARE: f64 = 0.1;

/// The ends of an image, axis after axis.
const ENDS: [[&str; 2]; 3] = [["left", "right"], ["posterior", "anterior"], ["inferior", "superior"]];

/// What the whole network shows of an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shown {
    /// Nothing.
    Nothing,
    /// Something, where it shows more of the object of this number.
    InPlaceOf(usize),
    /// Its largest component, with what is faint around it, on a grid of `dims` over the field of view.
    Object { voxels: Vec<bool>, dims: [usize; 3] },
}

/// Mean probabilities over folds, output after output.
pub(super) struct ObjectMaps {
    dims: [usize; 3],
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

    /// What is shown of each of so many objects. Of an object that is missing the networks may show another one again, as where half
    /// of a head is not in the image: what lies in the same place is the larger of the two.
    pub fn objects(&self, count: usize) -> Vec<Shown> {
        let seen: Vec<Vec<bool>> =
            (0..count).map(|output| components::largest(&self.above(output, SEEN), self.dims)).collect();
        let size = |object: usize| seen[object].iter().filter(|inside| **inside).count();
        let both = |a: usize, b: usize| seen[a].iter().zip(&seen[b]).filter(|(a, b)| **a && **b).count();
        let is_less = |a: usize, b: usize| (size(a), b) < (size(b), a);
        let hides = |object: usize, other: usize| {
            is_less(object, other) && both(object, other) as f64 >= SAME_PLACE * size(object) as f64
        };
        let shown = (0..count).map(|object| {
            let Some(inside) = seen[object].iter().position(|inside| *inside) else { return Shown::Nothing };
            if let Some(other) = (0..count).find(|other| hides(object, *other)) {
                return Shown::InPlaceOf(other);
            }
            let (faint, _) = components::connected_components(&self.above(object, FAINT), self.dims);
            let voxels = faint.iter().map(|component| *component == faint[inside]).collect();
            Shown::Object { voxels, dims: self.dims }
        });
        shown.collect()
    }

    /// The ends of the image, `spacing` mm from voxel to voxel, that what an output shows may go beyond.
    fn cut_ends(&self, output: usize, spacing: [f64; 3]) -> Vec<&'static str> {
        let [nx, ny, _] = self.dims;
        let mut areas = self.dims.map(|n| vec![0usize; n]);
        for (index, _) in self.above(output, SEEN).iter().enumerate().filter(|(_, inside)| **inside) {
            let at = [index % nx, index / nx % ny, index / (nx * ny)];
            areas.iter_mut().zip(at).for_each(|(areas, at)| areas[at] += 1);
        }
        let cut = areas.iter().enumerate().flat_map(|(axis, areas)| {
            let least = CUT_SHARE * areas.iter().copied().max().unwrap_or(0) as f64;
            let depth = ((NEAR_END_MM / spacing[axis]).round() as usize).min(areas.len() / 2);
            let planes = [areas[depth], areas[areas.len() - 1 - depth]];
            let ends = planes.into_iter().zip(ENDS[axis]);
            ends.filter(move |(area, _)| *area > 0 && *area as f64 >= least).map(|(_, end)| end)
        });
        cut.collect()
    }

    /// What is to be said of the outputs that are only measured, from output `first` on: an image of `field_mm` may show less than all of it.
    pub fn cut_warnings(&self, names: &[String], first: usize, field_mm: [f64; 3]) -> Vec<String> {
        let spacing = std::array::from_fn(|axis| field_mm[axis] / self.dims[axis] as f64);
        let each = names.iter().enumerate().filter_map(|(index, name)| {
            let ends = self.cut_ends(first + index, spacing).join(", ");
            (!ends.is_empty()).then(|| {
                format!(
                    "the {name} volume comes near the end of the image ({ends}): if it goes on beyond, it is larger than measured"
                )
            })
        });
        each.collect()
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
        assert_eq!(maps.objects(1), [Shown::Object { voxels: expected, dims: [14, 1, 1] }]);
        assert_eq!(row(&[0.4, 0.2, 0.0]).objects(1), [Shown::Nothing], "faint is not seen");
    }

    #[test]
    fn of_two_objects_in_one_place_the_larger_is_there() {
        let maps = |a: [f32; 6], b: [f32; 6]| ObjectMaps { dims: [6, 1, 1], values: [a, b].concat() };
        let (large, small) = ([0.9, 0.9, 0.9, 0.9, 0.0, 0.0], [0.0, 0.0, 0.0, 0.8, 0.8, 0.0]);
        let voxels = |object: [f32; 6]| object.iter().map(|value| *value > 0.5).collect();
        let inside = |object| Shown::Object { voxels: voxels(object), dims: [6, 1, 1] };
        assert_eq!(maps(large, small).objects(2), [inside(large), Shown::InPlaceOf(0)]);
        assert_eq!(maps(small, large).objects(2), [Shown::InPlaceOf(1), inside(large)]);
        assert_eq!(
            maps(large, large).objects(2),
            [inside(large), Shown::InPlaceOf(0)],
            "as large: the first"
        );
        let beside = [0.0, 0.0, 0.0, 0.0, 0.8, 0.8];
        assert_eq!(maps(large, beside).objects(2), [inside(large), inside(beside)]);
    }

    #[test]
    fn what_comes_near_an_end_of_the_image_may_go_on_beyond() {
        let ball = |centre: f64| {
            let dims = [24; 3];
            let at = |index: usize| [index % 24, index / 24 % 24, index / 576].map(|n| n as f64);
            let inside = |index: usize| {
                let [x, y, z] = at(index);
                let far = (x - 12.0).powi(2) + (y - 12.0).powi(2) + (z - centre).powi(2);
                f32::from(u8::from(far <= 49.0))
            };
            ObjectMaps { dims, values: (0..24 * 24 * 24).map(inside).collect() }
        };
        let said = |centre: f64| ball(centre).cut_warnings(&["all".into()], 0, [48.0; 3]);
        assert_eq!(said(12.0), [""; 0]);
        assert_eq!(said(18.0).len(), 1, "{:?}", said(18.0));
        assert!(said(18.0)[0].contains("the all volume comes near the end of the image (superior)"));
        assert!(said(4.0)[0].contains("(inferior)"));
    }
}
