//! What a training step is shown.

use super::loss::Weighting;

/// An image with what is wanted of it.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// `[inputs, z, y, x]`
    pub image: &'a [f32],
    /// `[outputs, z, y, x]`, from 0 to 1.
    pub target: &'a [f32],
    /// How much each voxel counts; all the same if absent.
    pub weighting: Option<Weighting<'a>>,
    /// Size, `[x, y, z]`.
    pub dims: [usize; 3],
}

impl<'a> Example<'a> {
    /// An example all of whose voxels count the same.
    pub fn new(image: &'a [f32], target: &'a [f32], dims: [usize; 3]) -> Self {
        Self { image, target, weighting: None, dims }
    }
}
