//! Boxes as JavaScript gives them: which objects are segmented where.

use crate::card::Card;
use crate::error::{Error, Result};
use crate::predict::NamedBox;
use serde::Deserialize;
use wasm_bindgen::JsValue;

/// How the object of a model is called that has one only.
const ONLY_OBJECT: &str = "object";

/// A box in voxels of the file; without a name it is that of the only object.
#[derive(Deserialize)]
struct GivenBox {
    object: String,
    start: [usize; 3],
    end: [usize; 3],
}

#[derive(Deserialize, Default)]
struct Given {
    boxes: Vec<GivenBox>,
    only: bool,
}

/// The boxes that were given, and whether nothing but their objects is asked for.
pub struct ChosenBoxes {
    /// By name, as the core takes them.
    pub boxes: Vec<NamedBox>,
    only: bool,
}

impl ChosenBoxes {
    /// `{ boxes: [{ object, start, end }], only }`, or nothing.
    ///
    /// # Errors
    /// `Argument` for another form, and for the name of no object.
    pub fn read(given: JsValue, card: &Card) -> Result<Self> {
        let given: Option<Given> = serde_wasm_bindgen::from_value(given)
            .map_err(|error| Error::argument("boxes", error.to_string(), "boxes by name of their object"))?;
        let Given { boxes, only } = given.unwrap_or_default();
        let named = |given: GivenBox| Ok((known(given.object, card)?, (given.start, given.end)));
        Ok(Self { boxes: boxes.into_iter().map(named).collect::<Result<_>>()?, only })
    }

    /// The card of a model that knows the objects of these boxes and no others, where only they are asked for. As each of
    /// them has a box, the whole network, whose outputs are in the order of all objects, does not run.
    pub fn restricted(&self, card: &Card) -> Option<Card> {
        if !self.only || card.objects.is_empty() {
            return None;
        }
        let share = card.labels.len() / card.object_count();
        let wanted = |name: &str| self.boxes.iter().any(|(object, _)| object == name);
        let chosen: Vec<_> =
            card.objects.iter().zip(card.labels.chunks(share)).filter(|(one, _)| wanted(&one.name)).collect();
        let mut card = card.clone();
        card.labels = chosen.iter().flat_map(|(_, labels)| labels.to_vec()).collect();
        card.objects = chosen.into_iter().map(|(object, _)| object.clone()).collect();
        Some(card)
    }
}

/// The name as the core takes it: none for the object of a model that has one only.
fn known(name: String, card: &Card) -> Result<String> {
    let names: Vec<&str> = match card.objects.is_empty() {
        true => vec![ONLY_OBJECT],
        false => card.objects.iter().map(|object| &object.name[..]).collect(),
    };
    if !name.is_empty() && !names.contains(&&name[..]) {
        return Err(Error::argument("boxes", format!("\"{name}\""), names.join(" or ")));
    }
    Ok(if card.objects.is_empty() { String::new() } else { name })
}
