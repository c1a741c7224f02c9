//! From the file's grid to the input of a network, the same in training and at inference.
//!
//! ```text
//! volume, RAS -> 1 mm, nearest          isotropic_step
//!             -> 0..1, z-score          Intensity, channel after channel
//!             -> whole: all of it       CropResize::whole
//!                patch: the box         CropResize::new, of the box around the object (grid's BoxRule and Region)
//!                                       ... both stretched to min_side, shrunk to max_voxels, nearest
//! ```

use crate::card::Preset;
use crate::error::{Error, Result};
use crate::file::{Limits, Volume, check_allocatable};
use crate::grid::{Grid, Region, Reorientation, Resample, capped_dims, isotropic_dims};
use std::borrow::Cow;

/// The input of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Size, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Normalised values, channel after channel, x fastest.
    pub values: Vec<f32>,
}

impl Image {
    /// Whether there is anything to see: the values differ.
    ///
    /// # Errors
    /// `Malformed` at `place` where all values of each channel are the same: a network would show what it expects, not
    /// what is there.
    pub fn check_contrast(&self, place: &str) -> Result<()> {
        let mut channels = self.values.chunks(self.dims.iter().product::<usize>().max(1));
        if channels.any(|channel| channel.iter().any(|value| *value != channel[0])) {
            return Ok(());
        }
        Err(Error::malformed(place, "one grey value in all voxels", "an image with contrast"))
    }
}

/// The resampling of a grid in RAS order to 1 mm.
///
/// # Errors
/// `Limit` where `channels` volumes at 1 mm, of which a few copies are held, would take more than a quarter of the
/// memory budget.
pub fn isotropic_step(
    reorientation: &Reorientation,
    grid: &Grid,
    channels: usize,
    limits: &Limits,
) -> Result<Resample> {
    let from = reorientation.ras_dims();
    let to = isotropic_dims(from, reorientation.permuted(grid.spacing()));
    let bytes = to.iter().fold((channels as u64).saturating_mul(4), |n, &d| n.saturating_mul(d as u64));
    let most = limits.bytes / 4;
    if bytes <= most {
        return Ok(Resample { from, to });
    }
    let [x, y, z] = to;
    let of = if channels > 1 { format!(" of {channels} channels") } else { String::new() };
    Err(Error::limit(
        "field of view",
        format!("{x} x {y} x {z} mm{of}, {} MiB at 1 mm", bytes >> 20),
        format!("at most {} MiB, a quarter of the memory budget; crop the volume", most >> 20),
    ))
}

/// The volume's values at 1 mm, not normalised, and the resampling that made them.
///
/// # Errors
/// As [`isotropic_step`]; `Limit` where the machine refuses the memory.
pub fn resample_isotropic(volume: &Volume) -> Result<(Resample, Cow<'_, [f32]>)> {
    let step = isotropic_step(&volume.reorientation, &volume.grid, volume.channels, &volume.limits)?;
    check_allocatable(2 * volume.channels * step.to.iter().product::<usize>())?;
    let values = if step.from == step.to {
        Cow::Borrowed(&volume.voxels[..])
    } else {
        Cow::Owned(step.apply(&volume.voxels))
    };
    Ok((step, values))
}

/// A box of a volume at 1 mm, resized to dimensions that the network takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropResize {
    /// The box.
    pub region: Region,
    /// From its size to the network's.
    pub resize: Resample,
}

impl CropResize {
    /// The whole volume, for the whole network.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn whole(dims: [usize; 3], preset: &Preset) -> Result<Self> {
        Self::new(Region::whole(dims), preset)
    }

    /// A box: sides below `min_side` are stretched, and all sides shrink by one factor to `max_voxels`.
    ///
    /// # Errors
    /// `Limit` where a box is so long and thin that no size fits the network.
    pub fn new(region: Region, preset: &Preset) -> Result<Self> {
        let from = region.dims();
        Ok(Self { region, resize: Resample { from, to: network_dims(from, preset)? } })
    }

    /// Crops and resizes a volume, channel after channel.
    pub fn crop<T: Copy>(&self, voxels: &[T]) -> Vec<T> {
        if self.region == Region::whole(self.region.full) {
            self.resize.apply(voxels)
        } else {
            self.resize.apply(&self.region.crop(voxels))
        }
    }

    /// The inverse: resizes a map and pastes it into a volume of zeros.
    pub fn paste<T: Copy + Default>(&self, map: &[T]) -> Vec<T> {
        self.region.paste(&self.resize.undo(map))
    }
}

/// About `max_voxels` at most, and no side below `min_side`. A long thin volume may not have both.
fn network_dims(dims: [usize; 3], preset: &Preset) -> Result<[usize; 3]> {
    let long = |dims: [usize; 3]| dims.map(|n| n.max(preset.min_side));
    let to = long(capped_dims(long(dims), preset.max_voxels));
    if to.iter().fold(1usize, |n, &d| n.saturating_mul(d)) > 2 * preset.max_voxels {
        let [x, y, z] = dims;
        return Err(Error::limit(
            "field of view",
            format!("{x} x {y} x {z} mm, long and thin"),
            format!(
                "a shape that fits {} voxels with sides of at least {}",
                preset.max_voxels, preset.min_side
            ),
        ));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_comes_back_to_its_place() {
        let full = [30, 20, 40];
        let region = Region { full, start: [3, 2, 11], end: [25, 19, 36] };
        let crop = CropResize::new(region, &Preset::default()).unwrap();
        assert_eq!(crop.resize.to, [24, 24, 25]);
        let labels: Vec<u8> = (0..30 * 20 * 40).map(|i| (i % 7) as u8).collect();
        let back = crop.paste(&crop.crop(&labels));
        assert_eq!(region.crop(&back), region.crop(&labels));
    }

    #[test]
    fn every_channel_is_seen_alike() {
        let full = [30, 28, 26];
        let crop = CropResize::new(Region { full, start: [2; 3], end: [20; 3] }, &Preset::default()).unwrap();
        let one: Vec<u32> = (0..30 * 28 * 26).collect();
        let two: Vec<u32> = one.iter().map(|v| v + 100_000).collect();
        assert_eq!(
            crop.crop(&[one.clone(), two.clone()].concat()),
            [crop.crop(&one), crop.crop(&two)].concat()
        );
    }

    #[test]
    fn a_large_volume_shrinks_and_a_long_thin_one_is_refused() {
        let preset = Preset { max_voxels: 64 * 64 * 64, ..Preset::default() };
        assert_eq!(CropResize::whole([128; 3], &preset).unwrap().resize.to, [64; 3]);
        assert_eq!(CropResize::whole([100_000, 10, 10], &preset).unwrap_err().code(), "limit");
    }
}
