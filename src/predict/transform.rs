//! The spatial steps from the file's grid to the networks', recorded so that they can be inverted.
//!
//! The box may lie along the patient's axes in a scan whose own axes are oblique ([`SpatialTransform::set_upright`]).

use super::upright::{UprightBox, nearest, recentred, upright_box};
use crate::card::{Card, Preset};
use crate::error::Result;
use crate::file::{Limits, Volume};
use crate::grid::{Grid, Region, Reorientation, Resample, Upright};
use crate::prepare::{CropResize, Image, isotropic_step, resample_isotropic};

/// The spatial steps in order: reorient to RAS, resample to 1 mm, crop the box and resize it for the network.
/// [`SpatialTransform::inverse`] applies their inverses in reverse order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpatialTransform {
    pub(super) reorientation: Reorientation,
    pub(super) isotropic: Resample,
    /// Where the box lies along the patient's axes: `crop_resize` then works on this grid.
    pub(super) upright: Option<Upright>,
    pub(super) crop_resize: CropResize,
}

/// Fewest millimetres by which a face of a box moves outwards.
const MIN_GROWTH: usize = 4;

impl SpatialTransform {
    /// Resamples a volume (RAS already) to 1 mm and normalises it, channel by channel.
    ///
    /// # Errors
    /// `Unsupported` where it has not the channels that the model takes; `Limit` where the volume at 1 mm, of which
    /// there are a few copies on the road, would be more than a quarter of the memory budget.
    pub fn forward(volume: &Volume, card: &Card) -> Result<(Self, Image)> {
        card.check_channels(volume.channels)?;
        let (isotropic, values) = resample_isotropic(volume)?;
        Ok(Self::of_resampled(volume.reorientation, isotropic, &values, card))
    }

    /// The same, of values that are resampled already.
    pub(super) fn of_resampled(
        reorientation: Reorientation,
        isotropic: Resample,
        values: &[f32],
        card: &Card,
    ) -> (Self, Image) {
        let dims = isotropic.to;
        let values = card.intensity.normalize_channels(values, card.channels());
        let crop_resize =
            CropResize { region: Region::whole(dims), resize: Resample { from: dims, to: dims } };
        (Self { reorientation, isotropic, upright: None, crop_resize }, Image { dims, values })
    }

    /// Lets boxes lie along the patient's axes, where those of `grid`, the file's, are oblique to them.
    pub(super) fn set_upright(&mut self, grid: &Grid) {
        self.upright = Upright::of(grid, &self.reorientation, &self.isotropic);
    }

    /// Size of the field of view in mm, `[right, anterior, superior]`.
    pub fn field_mm(&self) -> [f64; 3] {
        self.isotropic.to.map(|n| n as f64)
    }

    /// The whole network's input: the full volume, shrunk to the voxel limit, short sides stretched.
    ///
    /// # Errors
    /// `Limit` where a volume is so long and thin that no size fits the network.
    pub fn crop_whole(&self, image: &Image, preset: &Preset) -> Result<Image> {
        Ok(apply_crop(&CropResize::whole(image.dims, preset)?, image))
    }

    /// Sets the box around an object that was found on a grid of `dims` over the same field of view.
    ///
    /// # Errors
    /// As [`Self::crop_whole`].
    pub fn set_box_around(&mut self, object: &[bool], dims: [usize; 3], preset: &Preset) -> Result<()> {
        let rule = preset.box_rule();
        let region = match &self.upright {
            Some(upright) => {
                upright_box(upright, object, Resample { from: dims, to: self.isotropic.to }, &rule)
            }
            None => Region::around_object(dims, self.isotropic.to, &rule, |i| object[i]),
        };
        self.crop_resize = CropResize::new(region, preset)?;
        Ok(())
    }

    /// Sets the box to a given one, in voxels of the file as [`Self::region`] returns it.
    ///
    /// # Errors
    /// `Argument` where it is empty or not within the file, and as [`Self::crop_whole`].
    pub fn set_box(&mut self, start: [usize; 3], end: [usize; 3], preset: &Preset) -> Result<()> {
        let (start, end) = self.reorientation.apply_box(start, end)?;
        let scale = |axis: usize| self.isotropic.to[axis] as f64 / self.isotropic.from[axis] as f64;
        let first = std::array::from_fn(|a| {
            ((start[a] as f64 * scale(a)).round() as usize).min(self.isotropic.to[a] - 1)
        });
        let last = std::array::from_fn(|a| {
            ((end[a] as f64 * scale(a)).round() as usize).clamp(first[a] + 1, self.isotropic.to[a])
        });
        let region = Region { full: self.isotropic.to, start: first, end: last };
        let region =
            self.upright.map_or(region, |upright| recentred(region, upright.dims(), |at| upright.apply(at)));
        self.crop_resize = CropResize::new(region, preset)?;
        Ok(())
    }

    /// Of the faces of the box, by axis the first and the last, those that do not lie on the border of the volume.
    pub(super) fn open_faces(&self, faces: &[[bool; 2]; 3]) -> [[bool; 2]; 3] {
        let Region { full, start, end } = self.crop_resize.region;
        std::array::from_fn(|a| [faces[a][0] && start[a] > 0, faces[a][1] && end[a] < full[a]])
    }

    /// Moves faces of the box outwards by the margin of the preset, within the volume.
    ///
    /// # Errors
    /// As [`Self::crop_whole`].
    pub(super) fn grow(&mut self, faces: &[[bool; 2]; 3], preset: &Preset) -> Result<()> {
        let mut region = self.crop_resize.region;
        for (axis, side) in region.dims().into_iter().enumerate() {
            let by = ((side as f64 * preset.margin).ceil() as usize).max(MIN_GROWTH);
            if faces[axis][0] {
                region.start[axis] = region.start[axis].saturating_sub(by);
            }
            if faces[axis][1] {
                region.end[axis] = (region.end[axis] + by).min(region.full[axis]);
            }
        }
        self.crop_resize = CropResize::new(region, preset)?;
        Ok(())
    }

    /// The patch network's input: the box.
    pub fn crop_patch(&self, image: &Image) -> Image {
        match self.upright_box() {
            Some(upright) => upright.crop(image),
            None => apply_crop(&self.crop_resize, image),
        }
    }

    /// The box, where it lies along the patient's axes.
    pub(super) fn upright_box(&self) -> Option<UprightBox<'_>> {
        let Self { isotropic, crop_resize, .. } = self;
        self.upright.as_ref().map(|upright| UprightBox { upright, isotropic, crop_resize })
    }

    /// Pastes a map of the patch at 1 mm into a volume of zeros.
    pub fn paste(&self, map: &[f32]) -> Vec<f32> {
        self.crop_resize.paste(map)
    }

    /// At 1 mm, whether a voxel is in the box.
    pub fn box_mask(&self) -> Vec<bool> {
        let region = &self.crop_resize.region;
        region.paste(&vec![true; region.dims().iter().product()])
    }

    /// Brings labels of the patch to the file's own grid.
    pub fn inverse(&self, labels: &[u8]) -> Vec<u8> {
        if let Some(upright) = self.upright_box() {
            return self.reorientation.undo(&upright.undo(|near| nearest(labels, near)));
        }
        self.reorientation.undo(&self.isotropic.undo(&self.crop_resize.paste(labels)))
    }

    /// The box in voxels of the file: first, and one past the last. One along the patient's axes is given as a box of the file of
    /// the same size around the same centre.
    pub fn region(&self) -> ([usize; 3], [usize; 3]) {
        let scale = |axis: usize| self.isotropic.from[axis] as f64 / self.isotropic.to[axis] as f64;
        let region = self.upright.map_or(self.crop_resize.region, |upright| {
            recentred(self.crop_resize.region, self.isotropic.to, |at| upright.undo(at))
        });
        let start = std::array::from_fn(|a| (region.start[a] as f64 * scale(a)).floor() as usize);
        let end = std::array::from_fn(|a| {
            ((region.end[a] as f64 * scale(a)).ceil() as usize).min(self.isotropic.from[a])
        });
        self.reorientation.undo_box(start, end)
    }
}

fn apply_crop(crop: &CropResize, image: &Image) -> Image {
    Image { dims: crop.resize.to, values: crop.crop(&image.values) }
}

/// The sides of a grid's field of view in mm, `[right, anterior, superior]`.
pub fn field_mm(grid: &Grid) -> [f64; 3] {
    let axes = Reorientation::to_ras(grid);
    let (dims, spacing) = (axes.ras_dims(), axes.permuted(grid.spacing()));
    std::array::from_fn(|axis| dims[axis] as f64 * spacing[axis])
}

/// Size of the whole network's input for a volume on `grid`; the patch network's is this large at most.
///
/// # Errors
/// As [`SpatialTransform::forward`] and [`SpatialTransform::crop_whole`].
pub fn whole_dims(grid: &Grid, limits: &Limits, card: &Card) -> Result<[usize; 3]> {
    let isotropic = isotropic_step(&Reorientation::to_ras(grid), grid, card.channels(), limits)?;
    Ok(CropResize::whole(isotropic.to, &card.preset)?.resize.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A volume whose every voxel lies at a known place, in an odd orientation and with thick slices.
    fn volume() -> Volume {
        let mut bytes = vec![0u8; 352 + 20 * 24 * 8];
        bytes[0..4].copy_from_slice(&348i32.to_le_bytes());
        for (i, n) in [3i16, 20, 24, 8, 1, 1, 1, 1].iter().enumerate() {
            bytes[40 + 2 * i..42 + 2 * i].copy_from_slice(&n.to_le_bytes());
        }
        bytes[70..72].copy_from_slice(&2i16.to_le_bytes());
        bytes[72..74].copy_from_slice(&8i16.to_le_bytes());
        for (i, v) in [1f32, 2.0, 1.5, 4.0].iter().enumerate() {
            bytes[76 + 4 * i..80 + 4 * i].copy_from_slice(&v.to_le_bytes());
        }
        bytes[108..112].copy_from_slice(&352f32.to_le_bytes());
        bytes[254..256].copy_from_slice(&1i16.to_le_bytes());
        // i -> left, j -> superior, k -> anterior
        let rows = [[-2f32, 0.0, 0.0, 9.0], [0.0, 0.0, 4.0, -3.0], [0.0, 1.5, 0.0, 5.0]];
        for (i, v) in rows.iter().flatten().enumerate() {
            bytes[280 + 4 * i..284 + 4 * i].copy_from_slice(&v.to_le_bytes());
        }
        bytes[344..348].copy_from_slice(b"n+1\0");
        for (i, byte) in bytes[352..].iter_mut().enumerate() {
            *byte = (i % 251) as u8;
        }
        crate::read_volume(&bytes, &Limits::default()).unwrap()
    }

    #[test]
    fn a_mask_comes_back_to_the_voxels_it_was_made_of() {
        let volume = volume();
        let card = Card::draft("a", "a", &["one".into()], vec!["MRI".into()], "", "");
        let (mut transform, image) = SpatialTransform::forward(&volume, &card).unwrap();
        assert_eq!(image.dims, [40, 32, 36]);
        // A mask on the file's grid, transformed to the patch and back, must be the same voxel by voxel inside the box.
        let mask: Vec<u8> = (0..volume.grid.len()).map(|i| u8::from(i % 20 > 7 && i / 20 % 24 > 9)).collect();
        let isotropic = transform.isotropic.apply(&transform.reorientation.apply(&mask));
        let object: Vec<bool> = isotropic.iter().map(|&v| v > 0).collect();
        transform.set_box_around(&object, image.dims, &card.preset).unwrap();
        let inside = transform.crop_resize.crop(&isotropic);
        assert_eq!(transform.inverse(&inside), mask);
        let (start, end) = transform.region();
        assert!((0..3).all(|a| start[a] < end[a] && end[a] <= volume.grid.dims[a]));
    }

    #[test]
    fn a_box_grows_where_it_is_asked_to_and_not_beyond_the_volume() {
        let volume = volume();
        let card = Card::draft("a", "a", &["one".into()], vec!["MRI".into()], "", "");
        let (mut transform, _) = SpatialTransform::forward(&volume, &card).unwrap();
        transform.crop_resize.region = Region { full: [40, 32, 36], start: [0, 10, 12], end: [20, 30, 24] };
        let all = [[true; 2]; 3];
        assert_eq!(transform.open_faces(&all), [[false, true], [true, true], [true, true]]);
        transform.grow(&[[false, true], [false, true], [true, false]], &card.preset).unwrap();
        let Region { start, end, .. } = transform.crop_resize.region;
        assert_eq!((start, end), ([0, 10, 8], [24, 32, 24]));
        assert_eq!(transform.crop_resize.resize.from, [24, 22, 16]);
    }

    #[test]
    fn certain_probabilities_leave_as_their_labels_do() {
        let volume = volume();
        let card = Card::draft("a", "a", &["one".into(), "two".into()], vec!["MRI".into()], "", "");
        let (mut transform, image) = SpatialTransform::forward(&volume, &card).unwrap();
        transform.set_box([1, 2, 1], [18, 21, 7], &card.preset).unwrap();
        assert!(!transform.is_exact());
        let dims = transform.crop_patch(&image).dims;
        let count: usize = dims.iter().product();
        // Halves of the box: the border between them may differ by the voxel that lies across it.
        let labels: Vec<u8> = (0..count).map(|i| 1 + u8::from(i % dims[0] >= dims[0] / 2)).collect();
        let map = |label: u8| labels.iter().map(move |&l| f32::from(l == label));
        let probabilities: Vec<f32> = map(1).chain(map(2)).collect();
        let (nearest, between) =
            (transform.inverse(&labels), transform.inverse_probabilities(&probabilities, &[1, 2]));
        assert!(nearest.iter().zip(&between).all(|(a, b)| (*a == 0) == (*b == 0)));
        let differ = nearest.iter().zip(&between).filter(|(a, b)| a != b).count();
        assert!(differ * 20 < count, "{differ} of {count}");
    }

    #[test]
    fn a_slope_of_probabilities_is_cut_where_it_is_one_half() {
        let volume = volume();
        let card = Card::draft("a", "a", &["one".into()], vec!["MRI".into()], "", "");
        let (mut transform, image) = SpatialTransform::forward(&volume, &card).unwrap();
        transform.set_box([0; 3], volume.grid.dims, &card.preset).unwrap();
        let dims = transform.crop_patch(&image).dims;
        let count: usize = dims.iter().product();
        // Rises along y of RAS, which is the file's third axis, of 8 slices.
        let y = |i: usize| i / dims[0] % dims[1];
        let slope: Vec<f32> = (0..count).map(|i| y(i) as f32 / (dims[1] - 1) as f32).collect();
        let found = transform.inverse_probabilities(&slope, &[1]);
        let slice = volume.grid.dims[0] * volume.grid.dims[1];
        let expected: Vec<u8> = (0..8).map(|k| u8::from(k as f32 / 7.0 > 0.5)).collect();
        let slices: Vec<u8> = found.chunks(slice).map(|slice| slice[0]).collect();
        assert_eq!(slices, expected);
        assert!(found.chunks(slice).zip(&expected).all(|(slice, label)| slice.iter().all(|v| v == label)));
    }

    #[test]
    fn a_box_that_somebody_chose_is_taken_in_voxels_of_the_file() {
        let volume = volume();
        let card = Card::draft("a", "a", &["one".into()], vec!["MRI".into()], "", "");
        let (mut transform, image) = SpatialTransform::forward(&volume, &card).unwrap();
        transform.set_box([0; 3], volume.grid.dims, &card.preset).unwrap();
        assert_eq!(transform.crop_patch(&image), transform.crop_whole(&image, &card.preset).unwrap());
        // Voxels of 2 x 4 x 1.5 mm: what comes back is the chosen box, up to the millimetre that it was rounded to.
        let chosen = ([3, 5, 2], [15, 20, 7]);
        transform.set_box(chosen.0, chosen.1, &card.preset).unwrap();
        let (start, end) = transform.region();
        for axis in 0..3 {
            assert!(start[axis].abs_diff(chosen.0[axis]) <= 1, "{start:?}");
            assert!(end[axis].abs_diff(chosen.1[axis]) <= 1, "{end:?}");
        }
        for (start, end) in [([3, 5, 2], [3, 20, 7]), ([0; 3], [21, 24, 8]), ([5, 0, 0], [4, 24, 8])] {
            assert_eq!(transform.set_box(start, end, &card.preset).unwrap_err().code(), "argument");
        }
    }
}
