//! A model of several objects: its whole network has one output for each, and more for what is only measured. A card
//! without the fields is of one object.

use super::model_card::Card;
use super::stages::Stage;
use crate::error::{Error, Result};

/// Most objects of a model.
const MOST: usize = 16;

impl Card {
    /// How many objects there are: one where the card does not name them.
    pub fn object_count(&self) -> usize {
        self.objects.len().max(1)
    }

    /// The names of its objects; none where there is one that is not named.
    pub fn object_names(&self) -> Vec<&str> {
        self.objects.iter().map(|object| &object.name[..]).collect()
    }

    /// Output channels of a stage's network. Labels are object after object, the same ones for each.
    pub fn outputs(&self, stage: Stage) -> usize {
        match stage {
            Stage::Whole => self.object_count() + self.measured.len(),
            Stage::Patch => self.labels.len() / self.object_count(),
        }
    }

    /// Refuses a model of several objects, where only one is dealt with.
    ///
    /// # Errors
    /// `Unsupported` where the card names objects.
    pub fn check_one_object(&self) -> Result<()> {
        if self.objects.is_empty() {
            return Ok(());
        }
        let names = self.objects.iter().map(|object| &object.name).chain(&self.measured);
        let found = names.map(String::as_str).collect::<Vec<_>>().join(", ");
        Err(Error::unsupported("model.json: objects", found, "a model of one object"))
    }
}

/// Refuses objects that no mask can show.
pub(super) fn check(card: &Card) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_ ".contains(c);
    let names: Vec<&String> = card.objects.iter().map(|object| &object.name).chain(&card.measured).collect();
    for (position, name) in names.iter().enumerate() {
        if name.trim().is_empty()
            || name.len() > 40
            || !name.chars().all(plain)
            || names[..position].contains(name)
        {
            let expected = "names of letters, digits, '-', '_' and spaces, each once";
            return Err(Error::malformed("model.json: objects", format!("{name:?}"), expected));
        }
    }
    if card.objects.is_empty() && (!card.measured.is_empty() || card.normalize_box) {
        let expected = "the names of the objects, where the card measures others or normalises boxes";
        return Err(Error::malformed("model.json: objects", "none", expected));
    }
    let roi = card.stages.whole.as_ref().is_some_and(|stage| stage.architecture.roi);
    if roi && !card.objects.is_empty() {
        let expected = "one object: a region of interest does not tell several apart";
        return Err(Error::malformed(
            "model.json: objects",
            "a whole network with a region of interest",
            expected,
        ));
    }
    scan(card)?;
    if names.len() > MOST || !card.labels.len().is_multiple_of(card.object_count()) {
        let found = format!("{} names, {} labels", names.len(), card.labels.len());
        let expected = format!("at most {MOST}, and the same labels for each object");
        return Err(Error::malformed("model.json: objects", found, expected));
    }
    Ok(())
}

/// Refuses a part for scans that does not go with the rest of its card.
fn scan(card: &Card) -> Result<()> {
    let Some(form) = &card.scan else { return Ok(()) };
    let refused = |found: &str, expected: &str| Err(Error::malformed("model.json: scan", found, expected));
    if !card.objects.is_empty() {
        return refused("objects beside it", "a model of one object");
    }
    if form.objects.first().is_none_or(|first| first.mirror) {
        return refused(
            "no object, or a first one that is mirrored",
            "first the object as images of one show it",
        );
    }
    if form.labels.len() != form.objects.len() * card.labels.len() {
        let found = format!("{} labels of {} objects", form.labels.len(), form.objects.len());
        return refused(&found, &format!("{} for each", card.labels.len()));
    }
    let folds = card.stages.patch.iter().flat_map(|stage| &stage.folds).map(|one| one.fold).take(2);
    let folds: Vec<usize> = folds.collect();
    match form.patch_fold {
        // Of a tuned model the tuned fold is all there is.
        Some(fold) if folds.len() == 2 && !folds.contains(&fold) => refused(
            &format!("patch_fold {fold}"),
            &format!("one of the first two folds of the patch stage, {folds:?}"),
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CardObject, FieldOfView};
    use super::*;

    fn card(objects: &[&str], measured: &[&str], labels: usize) -> Card {
        let names: Vec<String> = (0..labels).map(|n| format!("label {n}")).collect();
        let mut card = Card::draft("a", "a", &names, vec!["MRI".into()], "", "");
        card.field_mm = FieldOfView { min: [1.0; 3], max: [2.0; 3] };
        card.objects = objects
            .iter()
            .map(|name| CardObject { name: (*name).into(), mirror: *name == "right" })
            .collect();
        card.measured = measured.iter().map(|name| (*name).into()).collect();
        card
    }

    #[test]
    fn each_object_has_an_output_and_the_same_labels() {
        let one = card(&[], &[], 2);
        assert_eq!([Stage::Whole, Stage::Patch].map(|stage| one.outputs(stage)), [1, 2]);
        assert_eq!(one.check_one_object(), Ok(()));
        assert!(!String::from_utf8(one.write().unwrap()).unwrap().contains("objects"));
        let head = card(&["left", "right"], &["intracranial"], 4);
        assert_eq!([Stage::Whole, Stage::Patch].map(|stage| head.outputs(stage)), [3, 2]);
        assert_eq!(Card::read(&head.write().unwrap()).unwrap(), head);
        let error = head.check_one_object().unwrap_err();
        assert_eq!(error.code(), "unsupported");
        assert!(error.to_string().contains("left, right, intracranial"), "{error}");
    }

    #[test]
    fn objects_that_no_mask_can_show_are_refused() {
        for wrong in [
            card(&["a", "a"], &[], 2),
            card(&["a", ""], &[], 2),
            card(&["a\nb"], &[], 1),
            card(&["a", "b"], &[], 3),
            card(&["a"], &["a"], 1),
        ] {
            assert_eq!(Card::read(&wrong.write().unwrap()).unwrap_err().code(), "malformed");
        }
    }
}
