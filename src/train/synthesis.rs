//! Training images made from label maps, so that a network learns anatomy without a single scan: the idea of SynthSeg
//! (Billot et al. 2023, arXiv 2107.09559). Formulas and sources: docs/synthesis.md.
//!
//! ```text
//! recipe    what a map's labels are: tissues, left-right pairs, targets, how far images may vary
//! classes   what a recipe says of each label that occurs
//! maps      the label maps of a folder, as classes that all of them share
//! geometry  where a voxel of the image lies in its map: mirrored, affine, smooth displacement; the field of view
//! contrast  grey values by class, then blur, bias field, gamma, noise
//! image     one image with its classes, by all of the above
//! source    images for a training run: a function of seed and step alone
//! ```

mod classes;
mod contrast;
mod geometry;
mod image;
mod label_set;
mod maps;
mod presets;
mod recipe;
mod recipe_checks;
mod source;

pub use image::{SyntheticImage, synthesize};
pub use label_set::LabelSet;
pub use maps::MapSet;
pub use recipe::{GeometryPrior, GreyPrior, Recipe, Strip, Target, Tissue};
pub use source::{SyntheticSource, SyntheticValidation};
