//! Values of the core as JavaScript has them.

use crate::engine::compute::Backend;
use crate::error::{Error, Result};
use js_sys::{Array, Object, Reflect, Uint8Array};
use serde::Serialize;
use std::collections::HashMap;
use wasm_bindgen::prelude::*;

/// The backend of this name.
pub fn named(backend: &str) -> Result<Backend> {
    match backend {
        "webgpu" => Ok(Backend::Gpu),
        "cpu" => Ok(Backend::Cpu),
        other => Err(Error::argument("backend", format!("\"{other}\""), "\"webgpu\" or \"cpu\"")),
    }
}

/// `[[name, bytes], ...]` as a map.
pub fn files(list: &Array) -> HashMap<String, Vec<u8>> {
    let pair = |item: JsValue| {
        let pair = Array::from(&item);
        Some((pair.get(0).as_string()?, Uint8Array::new(&pair.get(1)).to_vec()))
    };
    list.iter().filter_map(pair).collect()
}

/// A value as plain objects and arrays, numbers as numbers.
pub fn plain(value: &impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).unwrap_or_else(|error| error.into())
}

/// Sets a property of an object that was just made.
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    // Setting a property of a plain object that we just made cannot fail.
    let _ = Reflect::set(object.unchecked_ref::<Object>(), &name.into(), value);
}

/// An `Error` with our sentence as its message and our code as its `code`.
pub fn thrown(error: &Error) -> JsValue {
    let value: JsValue = js_sys::Error::new(&error.to_string()).into();
    set(&value, "code", &error.code().into());
    value
}
