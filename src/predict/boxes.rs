//! Boxes by object, and volumes that are only measured.

use crate::error::{Error, Result};
use serde::Serialize;

/// A half-open box in voxels of the file: first, and one past the last.
pub type Bounds = ([usize; 3], [usize; 3]);

/// Agreement of folds below which a mask is not to be trusted unseen: the 182 training and 26 public test cases of the shipped model
/// have at least 0.96, and so have 40 crops of other scanners.
pub(super) const TRUSTED_AGREEMENT: f64 = 0.9;

/// Whether folds agree so well that a mask is as good as on images like those of the training, whatever the image looks like.
pub(super) fn is_trusted(agreement: Option<f64>) -> bool {
    agreement.is_some_and(|agreement| agreement >= TRUSTED_AGREEMENT)
}

/// The name of the object of a model that knows no other.
pub const ONLY_OBJECT: &str = "object";

/// The box of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedBox {
    /// Name of the object; the first one where there is none.
    pub object: Option<String>,
    /// The box.
    pub bounds: Bounds,
}

/// The boxes that somebody chose for objects of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChosenBoxes {
    /// One for an object, at most.
    pub boxes: Vec<NamedBox>,
    /// Whether objects without a box are left out, in place of looked for.
    pub only: bool,
}

impl ChosenBoxes {
    /// The box of each object of a model, where there is one.
    ///
    /// # Errors
    /// `Argument` for the name of no object, and for two boxes of one.
    pub fn by_object(&self, names: &[&str]) -> Result<Vec<Option<Bounds>>> {
        let mut found = vec![None; names.len()];
        for NamedBox { object, bounds } in &self.boxes {
            let wanted = object.as_deref().or(names.first().copied()).unwrap_or_default();
            let Some(position) = names.iter().position(|name| *name == wanted) else {
                return Err(Error::argument("box", format!("of \"{wanted}\""), names.join(" or ")));
            };
            if found[position].replace(*bounds).is_some() {
                return Err(Error::argument("box", format!("{wanted} twice"), "one box for each object"));
            }
        }
        Ok(found)
    }
}

/// The box in which an object was segmented, in voxels of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// How much the folds of the patch network agree on it, from 0 to 1: the mean over labels of the Dice between the mask of
    /// the first fold and that of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<f64>,
}

impl ObjectBox {
    /// The box of an object.
    pub fn new(object: &str, (start, end): Bounds) -> Self {
        let side = ["left", "right"].into_iter().find(|side| *side == object);
        Self { object: object.to_owned(), start, end, side, agreement: None }
    }

    /// What is said where the folds agree less than on any image that the shipped model segmented well.
    pub(super) fn warning(&self) -> Option<String> {
        let agreement = self.agreement.filter(|_| !is_trusted(self.agreement))?;
        let name = &self.object;
        Some(format!(
            "the networks agree by {agreement:.2} only on the {name} object, where 1 is all: look at its mask before you trust it"
        ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_of_no_object_are_refused_by_name() {
        let bounds = ([0; 3], [9; 3]);
        let chosen = |names: &[Option<&str>]| ChosenBoxes {
            boxes: names.iter().map(|name| NamedBox { object: name.map(Into::into), bounds }).collect(),
            only: false,
        };
        let by_object = |names: &[Option<&str>]| chosen(names).by_object(&["left", "right"]);
        assert_eq!(by_object(&[Some("right")]), Ok(vec![None, Some(bounds)]));
        assert_eq!(by_object(&[None]), Ok(vec![Some(bounds), None]));
        let error = by_object(&[Some("middle")]).unwrap_err();
        assert!(error.to_string().contains("left or right"), "{error}");
        assert!(by_object(&[Some("left"), None]).is_err());
    }
}
