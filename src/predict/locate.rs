//! Where the object of an image of one object lies.

use super::cascade::Cascade;
use super::progress::ProgressFn;
use super::transform::SpatialTransform;
use crate::components;
use crate::error::Result;
use crate::prepare::Image;

/// Finds the object in an image at 1 mm and sets the box of `transform` around it; `false` where the whole network saw
/// none, so that the box lies around its largest value.
///
/// # Errors
/// As [`super::segment`].
pub(crate) async fn locate(
    cascade: Cascade<'_>,
    transform: &mut SpatialTransform,
    image: &Image,
    on_progress: &mut ProgressFn<'_>,
) -> Result<bool> {
    cascade.card.check_one_object()?;
    let preset = &cascade.card.preset;
    let whole = transform.crop_whole(image, preset)?;
    let probabilities = cascade.object_probabilities(&whole, on_progress).await?;
    let (object, found) = largest_object(&probabilities, whole.dims);
    transform.set_box_around(&object, whole.dims, preset)?;
    Ok(found)
}

/// The largest connected component above one half, and whether there was any. Where nothing is above it, the
/// voxels of the largest value.
fn largest_object(found: &[f32], dims: [usize; 3]) -> (Vec<bool>, bool) {
    let mask: Vec<bool> = found.iter().map(|&value| value > 0.5).collect();
    if mask.contains(&true) {
        return (components::largest(&mask, dims), true);
    }
    let top = found.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mask: Vec<bool> = found.iter().map(|&value| value >= top).collect();
    (components::largest(&mask, dims), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_seen_the_largest_value_is_the_object() {
        let (mask, found) = largest_object(&[0.1, 0.4, 0.2, 0.4], [4, 1, 1]);
        assert!(!found);
        assert_eq!(mask, [false, true, false, false]);
    }
}
