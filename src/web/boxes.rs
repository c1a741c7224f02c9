//! Boxes as JavaScript gives them: which objects are segmented where.

use crate::error::{Error, Result};
use crate::predict::{ChosenBoxes, NamedBox};
use serde::Deserialize;
use wasm_bindgen::JsValue;

/// A box in voxels of the file; without a name it is that of the first object.
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

/// `{ boxes: [{ object, start, end }], only }`, or nothing.
///
/// # Errors
/// `Argument` for another form.
pub fn chosen_boxes(given: JsValue) -> Result<ChosenBoxes> {
    let given: Option<Given> = serde_wasm_bindgen::from_value(given)
        .map_err(|error| Error::argument("boxes", error.to_string(), "boxes by name of their object"))?;
    let Given { boxes, only } = given.unwrap_or_default();
    let named = |GivenBox { object, start, end }| NamedBox {
        object: Some(object).filter(|name| !name.is_empty()),
        bounds: (start, end),
    };
    Ok(ChosenBoxes { boxes: boxes.into_iter().map(named).collect(), only })
}
