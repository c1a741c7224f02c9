//! The box of the patch network along the patient's axes, in a scan whose own axes are oblique to them, and the way back. The whole
//! network sees the scan as it is; the patch network, which learned from upright images, sees an upright box.

use crate::grid::{BoxRule, Corners, Region, Resample, Upright, corners};
use crate::prepare::{CropResize, Image};

/// A box that lies along the patient's axes, on the upright grid of a scan.
pub(super) struct UprightBox<'a> {
    pub upright: &'a Upright,
    /// From the file's grid, turned to RAS, to that at 1 mm along the file's axes.
    pub isotropic: &'a Resample,
    pub crop_resize: &'a CropResize,
}

impl UprightBox<'_> {
    /// The box of an image at 1 mm along the file's axes, sampled linearly.
    pub(super) fn crop(&self, image: &Image) -> Image {
        let CropResize { region, resize } = self.crop_resize;
        let places = std::array::from_fn(|axis| {
            let place = |k| region.start[axis] as f64 + k as f64 * resize.step(axis);
            (0..resize.to[axis]).map(place).collect()
        });
        let channels = image.values.chunks_exact(image.dims.iter().product());
        Image {
            dims: resize.to,
            values: channels.flat_map(|one| self.upright.sample(one, &places)).collect(),
        }
    }

    /// Labels on the file's grid, turned to RAS: of every voxel whose centre is in the box, what `label` says of the eight voxels of
    /// the patch around it.
    pub(super) fn undo(&self, label: impl Fn(&Corners) -> u8) -> Vec<u8> {
        let dims = self.isotropic.from;
        let mut found = vec![0; dims.iter().product()];
        let (start, end) = self.hull();
        for z in start[2]..end[2] {
            for y in start[1]..end[1] {
                for x in start[0]..end[0] {
                    let near = self.patch_corners([x, y, z]);
                    found[x + dims[0] * (y + dims[1] * z)] = near.map_or(0, |near| label(&near));
                }
            }
        }
        found
    }

    /// The voxels of the patch around one of the file's, turned to RAS; `None` for one outside the box.
    fn patch_corners(&self, voxel: [usize; 3]) -> Option<Corners> {
        let CropResize { region, resize } = self.crop_resize;
        let at = self.upright.apply([0, 1, 2].map(|a| voxel[a] as f64 * self.isotropic.reversed().step(a)));
        let inside = (0..3).all(|a| (region.start[a] as f64..region.end[a] as f64).contains(&(at[a] + 0.5)));
        let fitted = |a: usize| {
            let last = (region.end[a] - region.start[a] - 1) as f64;
            (at[a] - region.start[a] as f64).clamp(0.0, last) * resize.reversed().step(a)
        };
        inside.then(|| corners([0, 1, 2].map(fitted), resize.to)).flatten()
    }

    /// The box of the file, turned to RAS, that holds that of the upright grid: first, and one past the last.
    fn hull(&self) -> ([usize; 3], [usize; 3]) {
        let region = &self.crop_resize.region;
        let (mut low, mut high) = (self.isotropic.from, [0; 3]);
        for corner in 0..8 {
            let side = |a: usize| if corner >> a & 1 == 0 { region.start[a] } else { region.end[a] };
            let at = self.upright.undo([0, 1, 2].map(|a| side(a) as f64 - 0.5));
            for a in 0..3 {
                let voxel = at[a] * self.isotropic.step(a);
                low[a] = low[a].min(voxel.floor().max(0.0) as usize);
                high[a] = high[a].max(((voxel + 2.0).max(0.0) as usize).min(self.isotropic.from[a]));
            }
        }
        (low, high)
    }
}

/// The box of another grid of 1 mm, of size `full`, that has the same size and the same centre; less what lies beyond that grid.
pub(super) fn recentred(region: Region, full: [usize; 3], map: impl Fn([f64; 3]) -> [f64; 3]) -> Region {
    let sides = region.dims();
    let centre = map([0, 1, 2].map(|a| (region.start[a] + region.end[a]) as f64 / 2.0 - 0.5));
    let low = [0, 1, 2].map(|a| (centre[a] + 0.5 - sides[a] as f64 / 2.0).round());
    let start = [0, 1, 2].map(|a| (low[a].max(0.0) as usize).min(full[a] - 1));
    let end = [0, 1, 2].map(|a| ((low[a] + sides[a] as f64).max(0.0) as usize).clamp(start[a] + 1, full[a]));
    Region { full, start, end }
}

/// The box of the upright grid around an object on the grid that `step` makes 1 mm; all of that grid where there is none.
pub(super) fn upright_box(upright: &Upright, object: &[bool], step: Resample, rule: &BoxRule) -> Region {
    let (full, [nx, ny, _]) = (upright.dims(), step.from);
    let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
    for (index, _) in object.iter().enumerate().filter(|(_, inside)| **inside) {
        let voxel = [index % nx, index / nx % ny, index / (nx * ny)];
        let at = upright.apply([0, 1, 2].map(|a| voxel[a] as f64 * step.reversed().step(a)));
        low = [0, 1, 2].map(|a| low[a].min(at[a]));
        high = [0, 1, 2].map(|a| high[a].max(at[a]));
    }
    if low[0] > high[0] {
        return Region::whole(full);
    }
    let index = |place: f64, a: usize| (place.max(0.0) as usize).min(full[a] - 1);
    let [first, last] =
        [[0, 1, 2].map(|a| index(low[a].floor(), a)), [0, 1, 2].map(|a| index(high[a].ceil(), a))];
    Region::around(first, last, full, full, rule)
}

/// The last label whose probability between eight voxels is above one half; 0 where none is.
pub(super) fn labelled(probabilities: &[f32], labels: &[u8], near: &Corners) -> u8 {
    let count = probabilities.len() / labels.len();
    let maps = probabilities.chunks_exact(count).zip(labels).rev();
    let mut sure =
        maps.filter(|(map, _)| near.iter().map(|(at, weight)| weight * map[*at]).sum::<f32>() > 0.5);
    sure.next().map_or(0, |(_, label)| *label)
}

/// The label of the nearest of eight voxels.
pub(super) fn nearest(labels: &[u8], near: &Corners) -> u8 {
    near.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(at, _)| labels[*at])
}

#[cfg(test)]
mod tests {
    use super::super::transform::SpatialTransform;
    use super::*;
    use crate::card::Card;
    use crate::file::{DataType, write_values};
    use crate::grid::Grid;
    use crate::{Limits, Volume, read_volume};

    /// A ball of 9 mm beside the centre, in a scan turned by 20 degrees about z, with voxels of 1 x 1 x 2 mm.
    fn oblique() -> (Volume, Vec<u8>) {
        let (sin, cos) = 20f64.to_radians().sin_cos();
        let affine =
            [[cos, -sin, 0.0, 5.0], [sin, cos, 0.0, -3.0], [0.0, 0.0, 2.0, 1.0], [0.0, 0.0, 0.0, 1.0]];
        let grid = Grid::new([60, 50, 26], affine, [1.0, 1.0, 2.0]);
        let ball = |i: usize| {
            let (x, y, z) = (i % 60, i / 60 % 50, i / 3000);
            let square = |at: usize, centre: f64, mm: f64| ((at as f64 - centre) * mm).powi(2);
            square(x, 35.0, 1.0) + square(y, 22.0, 1.0) + square(z, 12.0, 2.0) < 81.0
        };
        let labels: Vec<u8> = (0..grid.len()).map(|i| u8::from(ball(i))).collect();
        let voxels: Vec<u8> = labels.iter().flat_map(|&v| (i16::from(v) * 100).to_le_bytes()).collect();
        let bytes = write_values(&grid, DataType::I16, 1, &voxels).unwrap();
        (read_volume(&bytes, &Limits::default()).unwrap(), labels)
    }

    #[test]
    fn a_mask_comes_back_from_an_upright_box_to_the_voxels_of_an_oblique_scan() {
        let (volume, mask) = oblique();
        let card = Card::draft("a", "a", &["one".into()], vec!["MRI".into()], "", "");
        let (mut transform, image) = SpatialTransform::forward(&volume, &card).unwrap();
        transform.set_upright(&volume.grid);
        let at_1mm = transform.isotropic.apply(&transform.reorientation.apply(&mask));
        let object: Vec<bool> = at_1mm.iter().map(|&label| label > 0).collect();
        transform.set_box_around(&object, image.dims, &card.preset).unwrap();
        let values: Vec<f32> = at_1mm.iter().map(|&label| f32::from(label)).collect();
        let seen = transform.crop_patch(&Image { dims: image.dims, values });
        let found = transform.inverse_probabilities(&seen.values, &[1]);
        let wrong = found.iter().zip(&mask).filter(|(a, b)| a != b).count();
        let size = mask.iter().filter(|label| **label > 0).count();
        assert!(wrong * 12 < size, "{wrong} of {size}");
        let cut: Vec<u8> = seen.values.iter().map(|value| u8::from(*value > 0.5)).collect();
        let differ = transform.inverse(&cut).iter().zip(&found).filter(|(a, b)| a != b).count();
        assert!(differ * 12 < size, "{differ} of {size}");
        // The ball fills the box in the same measure along each of the patient's axes.
        let CropResize { region, .. } = transform.crop_resize;
        let [x, y, z] = region.dims();
        assert!(x.abs_diff(y) <= 2 && y.abs_diff(z) <= 4, "{region:?}");
    }

    #[test]
    fn a_box_of_the_file_comes_back_as_it_was_given() {
        let (volume, _) = oblique();
        let card = Card::draft("a", "a", &["one".into()], vec!["MRI".into()], "", "");
        let (mut transform, _) = SpatialTransform::forward(&volume, &card).unwrap();
        transform.set_upright(&volume.grid);
        let (start, end) = ([20, 12, 5], [48, 34, 19]);
        transform.set_box(start, end, &card.preset).unwrap();
        let found = transform.region();
        let near = |a: usize| found.0[a].abs_diff(start[a]) <= 1 && found.1[a].abs_diff(end[a]) <= 1;
        assert!((0..3).all(near), "{found:?}");
        transform.set_box(found.0, found.1, &card.preset).unwrap();
        assert_eq!(transform.region(), found);
    }
}
