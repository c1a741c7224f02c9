//! One image of a label map, straight on the grid that a network sees.

use super::contrast::Contrast;
use super::geometry::{Warp, WarpRow, class_at};
use super::maps::{LabelMap, MapSet};
use super::recipe::Strip;
use crate::card::Preset;
use crate::error::Result;
use crate::prepare::CropResize;
use crate::train::blur::Blur;
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

/// An image with what it shows.
#[derive(Debug, Clone)]
pub struct SyntheticImage {
    /// Name of the map that it was made of.
    pub map: String,
    /// Size of the field of view in mm.
    pub dims_mm: [usize; 3],
    /// Voxels, `[right, anterior, superior]`.
    pub dims: [usize; 3],
    /// Grey values from 0 to about 1, x fastest.
    pub values: Vec<f32>,
    /// Class of each voxel, left and right as they are in the image.
    pub classes: Vec<u8>,
    /// Whether all but the organ was removed.
    pub stripped: bool,
}

/// Four places around the middle of a voxel, along the signs of a tetrahedron's corners: their mean has the variance of a
/// Gaussian along every axis, and no covariance.
const CORNERS: [[f64; 3]; 4] = [[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]];
const SIDES: [[f64; 3]; 6] =
    [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]];

/// What is removed around the organ: a voxel stays where it is of a class that does, or within a rim of one.
struct Stripping {
    /// Steps to the ends of the rim, in mm of the map; none where there is no rim.
    rim: Vec<[f64; 3]>,
}

impl Stripping {
    fn draw(strip: Option<&Strip>, warp: &Warp, rng: &mut Xoshiro256PlusPlus) -> Option<Self> {
        let strip = strip?;
        let (stripped, rim) = (rng.random_bool(strip.share), rng.random_range(0.0..=strip.rim_mm));
        // One in three is cut at the organ itself.
        let ends = if rng.random_bool(2.0 / 3.0) { &SIDES[..] } else { &[] };
        stripped.then(|| Self { rim: ends.iter().map(|side| warp.step(side.map(|s| s * rim))).collect() })
    }
}

/// The look-up of an image in its map.
struct Lookup<'a> {
    map: &'a LabelMap,
    per_mm: [f64; 3],
    stays: &'a [bool],
    stripping: Option<Stripping>,
    spread: [[f64; 3]; 4],
}

fn plus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

impl Lookup<'_> {
    #[inline]
    fn class(&self, at: [f64; 3]) -> u8 {
        class_at(self.map, self.per_mm, at)
    }

    /// The class at a place, and the mean of `means` around it.
    #[inline]
    fn look(&self, at: [f64; 3], means: &[f32]) -> (u8, f32) {
        let class = self.class(at);
        let mean = |class: u8| means[usize::from(class)];
        let around = self.spread.iter().map(|step| self.class(plus(at, *step)));
        let Some(stripping) = &self.stripping else {
            return (class, 0.25 * around.map(mean).sum::<f32>());
        };
        let stays = |class: u8| self.stays[usize::from(class)];
        if !stays(class) && !stripping.rim.iter().any(|step| stays(self.class(plus(at, *step)))) {
            return (0, mean(0));
        }
        let cut = stripping.rim.is_empty();
        (class, 0.25 * around.map(|near| if cut && !stays(near) { mean(0) } else { mean(near) }).sum::<f32>())
    }
}

/// An image of the map at `index`, as large as the whole network sees it.
///
/// # Errors
/// `Limit` where the field of view is so long and thin that no size fits the network.
pub fn synthesize(
    set: &MapSet,
    index: usize,
    preset: &Preset,
    rng: &mut Xoshiro256PlusPlus,
) -> Result<SyntheticImage> {
    let (map, classes, recipe) = (&*set.maps[index], &*set.classes, &*set.recipe);
    let warp = Warp::draw(map, &recipe.geometry, rng);
    let (corner, dims_mm) = warp.field_of_view(map, classes, &recipe.geometry, rng);
    let stripping = Stripping::draw(recipe.strip.as_ref(), &warp, rng);
    let contrast = Contrast::draw(classes, &recipe.grey, rng);
    let dims = CropResize::whole(dims_mm, preset)?.resize.to;
    let step: [f64; 3] =
        std::array::from_fn(|a| (dims_mm[a].max(2) - 1) as f64 / (dims[a].max(2) - 1) as f64);
    let blur = Blur::new(contrast.blur_mm, step);
    let spread = CORNERS.map(|signs| warp.step(std::array::from_fn(|a| signs[a] * blur.spread_mm[a])));
    let stripped = stripping.is_some();
    let per_mm = map.spacing_mm.map(|mm| 1.0 / mm);
    let lookup = Lookup { map, per_mm, stays: &classes.stays, stripping, spread };
    let place = |axis: usize, at: usize| corner[axis] + 0.5 + at as f64 * step[axis];
    let count = dims.iter().product();
    let (mut values, mut found) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut row = WarpRow::default();
    for z in 0..dims[2] {
        for y in 0..dims[1] {
            warp.row(place(1, y), place(2, z), &mut row);
            for x in 0..dims[0] {
                let (class, mean) = lookup.look(warp.source(&row, place(0, x)), &contrast.mean);
                values.push(contrast.textured(mean, class, blur.texture, rng));
                found.push(if warp.mirrored { classes.mirrored[usize::from(class)] } else { class });
            }
        }
    }
    blur.convolve(&mut values, dims);
    contrast.finish(&mut values, dims, rng);
    if stripped && contrast.empty_background() {
        values.iter_mut().zip(&found).filter(|(_, class)| **class == 0).for_each(|(value, _)| *value = 0.0);
    }
    Ok(SyntheticImage { map: map.id.clone(), dims_mm, dims, values, classes: found, stripped })
}
