//! The card as a file.

use super::checks;
use super::model_card::{Card, FORMAT};
use crate::error::{Error, Result};

impl Card {
    /// Reads and checks `model.json`.
    ///
    /// # Errors
    /// `Malformed` where it is not one; `Unsupported` for a later format.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let unread =
            |error: &dyn std::fmt::Display| Error::malformed("model.json", error.to_string(), "a model card");
        // As text, as the heads of weights are read: one parser in the module of a browser, not two.
        let text = std::str::from_utf8(bytes).map_err(|error| unread(&error))?;
        let card: Self = serde_json::from_str(text).map_err(|error| unread(&error))?;
        if card.format != FORMAT {
            return Err(Error::unsupported(
                "model.json: format",
                card.format.to_string(),
                FORMAT.to_string(),
            ));
        }
        checks::check(&card)?;
        Ok(card)
    }

    /// The bytes of `model.json`, indented.
    ///
    /// # Errors
    /// `Argument` for values that JSON cannot hold.
    pub fn write(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::argument("model card", error.to_string(), "values that JSON can hold"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FieldOfView, Fold, Label, Preset, StageCard, Stages};
    use super::*;
    use crate::model::Architecture;

    #[test]
    fn a_card_comes_back_as_it_was_written() {
        let card =
            Card::draft("a", "b", &["one".into(), "two".into()], vec!["MRI".into()], "data", "licence");
        let card = Card { field_mm: FieldOfView { min: [1.0; 3], max: [2.0; 3] }, ..card };
        assert_eq!(Card::read(&card.write().unwrap()).unwrap(), card);
    }

    #[test]
    fn settings_that_would_do_harm_are_refused() {
        let card = Card::draft("a", "b", &["one".into()], vec!["MRI".into()], "", "");
        for preset in [
            Preset { min_side: 1_000_000_000, ..card.preset },
            Preset { min_side: 0, ..card.preset },
            Preset { margin: -1.0, ..card.preset },
            Preset { max_voxels: usize::MAX, ..card.preset },
        ] {
            let bytes = Card { preset, ..card.clone() }.write().unwrap();
            assert_eq!(Card::read(&bytes).unwrap_err().code(), "malformed");
        }
        let fold = |file: &str| Fold {
            fold: 0,
            file: file.into(),
            sha256: String::new(),
            next: None,
            steps: 1,
            validation_dice: vec![],
            command: String::new(),
            recipe: None,
        };
        for file in ["../a.safetensors", "/a", "", ".hidden"] {
            let architecture =
                Architecture { base: 2, depth: 3, inputs: 1, outputs: 1, ..Architecture::default() };
            let whole = Some(StageCard { architecture, folds: vec![fold(file)] });
            let bytes = Card { stages: Stages { whole, patch: None }, ..card.clone() }.write().unwrap();
            assert_eq!(Card::read(&bytes).unwrap_err().code(), "malformed", "{file}");
        }
        let labels = vec![Label { index: 7, name: "x".into(), color: "#000000".into() }];
        assert_eq!(Card::read(&Card { labels, ..card }.write().unwrap()).unwrap_err().code(), "malformed");
    }
}
