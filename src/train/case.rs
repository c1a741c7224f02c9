//! One training case: an image with its labels.

use crate::components;
use crate::grid::Region;

/// First and last index of a box, per axis, both inside it.
pub type Extent = ([usize; 3], [usize; 3]);

/// Radius, in voxels, of the cube (5 x 5 x 5) of the morphological closing that joins fragments of a scattered object
/// into clusters. From the reference implementation.
const CLOSING_RADIUS: usize = 2;

/// One image with its labels, in RAS order at 1 mm, normalised.
#[derive(Debug, Clone)]
pub struct LabeledCase {
    /// File name without its extensions.
    pub id: String,
    /// Number of the person that the image is of. All cases of one person share it.
    pub subject: usize,
    /// Size in voxels of 1 mm, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Normalised intensities, `[channel, z, y, x]`, x fastest.
    pub image: Vec<f32>,
    /// Labels, `[z, y, x]`, x fastest; 0 is background.
    pub labels: Vec<u8>,
    /// Bounding box of all labels together; `None` for a case without labels.
    pub object: Option<Extent>,
    /// Bounding boxes that a patch may be drawn around: the object's clusters, or the whole object.
    pub parts: Vec<Extent>,
    /// How far the label file's grid lies off the image's, in mm; `None` up to half a voxel. See
    /// [`crate::file::Overlay`].
    pub misalignment_mm: Option<f64>,
}

impl LabeledCase {
    /// A case whose object counts as one part. `image` is `[channel, z, y, x]`, `labels` is `[z, y, x]`.
    pub fn new(id: String, subject: usize, dims: [usize; 3], image: Vec<f32>, labels: Vec<u8>) -> Self {
        let object = Region::extent(dims, |i| labels[i] > 0);
        Self {
            id,
            subject,
            dims,
            image,
            labels,
            object,
            parts: object.into_iter().collect(),
            misalignment_mm: None,
        }
    }

    /// The same case with its object divided into clusters, so that patches are drawn around one of them.
    #[must_use]
    pub fn in_clusters(mut self) -> Self {
        self.parts = components::clusters(self.dims, CLOSING_RADIUS, |i| self.labels[i] > 0);
        self
    }

    /// Number of channels of the image.
    pub fn channels(&self) -> usize {
        self.image.len() / self.labels.len().max(1)
    }

    /// Bytes that image and labels occupy.
    pub fn bytes(&self) -> u64 {
        (4 * self.image.len() + self.labels.len()) as u64
    }
}
