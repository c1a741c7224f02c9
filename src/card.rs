//! The model card, `model.json`.

mod checks;
mod json;
mod label;
mod model_card;
mod object;
mod objects;
mod preset;
mod scan;
mod scan_card;
mod stages;

pub use label::Label;
pub use model_card::{Card, MAX_CHANNELS, TestScore, Tuned};
pub use object::CardObject;
pub use preset::{FieldOfView, Preset};
pub use scan_card::ScanCard;
pub use stages::{FileRef, Fold, Reference, Stage, StageCard, Stages};
