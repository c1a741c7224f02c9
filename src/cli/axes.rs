//! Axes along which images are mirrored, in training and in use.

use clap::ValueEnum;
use insitu_seg::card::Card;
use insitu_seg::task::names_a_side;
use insitu_seg::{Error, Result};

/// An axis of the patient.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum AxisName {
    /// Left and right
    X,
    /// Back and front
    Y,
    /// Bottom and top
    Z,
}

/// The axes of `--flip`, `[right, anterior, superior]`.
pub fn flips(given: &[AxisName]) -> [bool; 3] {
    [AxisName::X, AxisName::Y, AxisName::Z].map(|axis| given.contains(&axis))
}

/// Refuses mirrored images where a label's name says left or right: they would make it wrong.
pub fn check_flips(flips: [bool; 3], card: &Card) -> Result<()> {
    let sided = card.labels.iter().find(|label| names_a_side(&label.name));
    if let (Some(label), true) = (sided, flips.contains(&true)) {
        let found = format!("a label named \"{}\", which a mirrored image would make wrong", label.name);
        return Err(Error::argument("--flip", found, "labels that name no side, or no --flip"));
    }
    Ok(())
}
