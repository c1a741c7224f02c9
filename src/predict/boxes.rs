//! Boxes by object, and volumes that are only measured.

use serde::Serialize;

/// A half-open box in voxels of the file: first, and one past the last.
pub type Bounds = ([usize; 3], [usize; 3]);

/// The box of an object, by its name.
pub type NamedBox = (String, Bounds);

/// The box in which an object was segmented, in voxels of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectBox {
    /// Name of the object; `object` where the model has one only.
    pub object: String,
    /// First voxel.
    pub start: [usize; 3],
    /// One past the last.
    pub end: [usize; 3],
    /// Side of the body, where the object's name is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<&'static str>,
}

impl ObjectBox {
    /// The box of an object.
    pub fn new(object: &str, (start, end): Bounds) -> Self {
        let side = ["left", "right"].into_iter().find(|side| *side == object);
        Self { object: object.to_owned(), start, end, side }
    }

    /// First voxel, and one past the last.
    pub fn bounds(&self) -> Bounds {
        (self.start, self.end)
    }
}

/// A volume that the whole network measures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasuredVolume {
    /// Of what.
    pub name: String,
    /// In mL.
    pub milliliters: f64,
}
