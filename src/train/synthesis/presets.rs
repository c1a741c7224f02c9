//! Recipes from files, and those that come with the program.

use super::recipe::{GreyPrior, Recipe};
use super::recipe_checks::check;
use crate::error::{Error, Result};

/// Whole heads with the labels of FreeSurfer, three in four T1-weighted.
const T1: &str = include_str!("t1.json");

impl Recipe {
    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// `Malformed`, with the field.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let recipe: Self = serde_json::from_slice(bytes).map_err(|error| {
            Error::malformed("synthesis", error.to_string(), "a recipe (docs/synthesis.md)")
        })?;
        check(&recipe)?;
        Ok(recipe)
    }

    /// A recipe that comes with the program: `t1`, or `any`, the same heads in any contrast.
    pub fn preset(name: &str) -> Option<Result<Self>> {
        let heads = Self::read(T1.as_bytes());
        match name {
            "t1" => Some(heads),
            "any" => Some(heads.map(|heads| Self { grey: GreyPrior { known: 0.0, ..heads.grey }, ..heads })),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_right_and_differ_in_contrast_only() {
        let [t1, any] = ["t1", "any"].map(|name| Recipe::preset(name).unwrap().unwrap());
        assert_eq!((t1.grey.known, any.grey.known), (0.75, 0.0));
        assert_eq!(t1.tissues, any.tissues);
        let names: Vec<&str> = t1.targets.iter().map(|target| &target.name[..]).collect();
        assert_eq!(names, ["left", "right", "intracranial"]);
        assert_eq!(t1.objects().count(), 2);
        assert!(Recipe::preset("t2").is_none());
    }
}
