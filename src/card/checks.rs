//! Refuses cards that could do harm: settings determine memory, names determine files.

use super::label::Label;
use super::model_card::{Card, MAX_CHANNELS};
use super::objects;
use super::preset::Preset;
use super::stages::Stage;
use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::file::rgb;
use crate::intensity::Intensity;
use crate::model::Architecture;

/// Checks every field of a card.
pub fn check(card: &Card) -> Result<()> {
    preset(&card.preset)?;
    intensity(card.intensity)?;
    labels(&card.labels)?;
    objects::check(card)?;
    if !(1..=MAX_CHANNELS).contains(&card.channels()) {
        return Err(Error::malformed(
            "model.json: modalities",
            format!("{} names", card.channels()),
            format!("the names of its input channels, 1 to {MAX_CHANNELS}"),
        ));
    }
    files(card)?;
    card.domain.iter().try_for_each(Domain::check)?;
    networks(card)?;
    card.for_scans().map_or(Ok(()), |scans| check(&scans))
}

/// Refuses settings outside of what training allows.
fn preset(&Preset { min_box, min_side, margin, max_voxels }: &Preset) -> Result<()> {
    let valid = (1..=1024).contains(&min_box)
        && (16..=256).contains(&min_side)
        && (0.0..=4.0).contains(&margin)
        && (min_side.pow(3)..=1 << 28).contains(&max_voxels);
    if valid {
        return Ok(());
    }
    Err(Error::malformed(
        "model.json: preset",
        format!("min_box {min_box}, min_side {min_side}, margin {margin}, max_voxels {max_voxels}"),
        "min_box 1 to 1024, min_side 16 to 256, margin 0 to 4, max_voxels from min_side^3 to 2^28",
    ))
}

fn intensity(intensity: Intensity) -> Result<()> {
    let Intensity::Ct { center, width, mean, sd } = intensity else { return Ok(()) };
    if [center, width, mean, sd].iter().all(|v| v.is_finite()) && width > 0.0 && sd > 0.0 {
        return Ok(());
    }
    let found = format!("center {center}, width {width}, mean {mean}, sd {sd}");
    Err(Error::malformed("model.json: intensity", found, "finite values, width and sd above 0"))
}

fn labels(labels: &[Label]) -> Result<()> {
    if !labels.iter().map(|label| usize::from(label.index)).eq(1..=labels.len()) {
        return Err(Error::malformed("model.json: labels", "other indices", "1, 2, 3 and so on"));
    }
    for Label { name, color, .. } in labels {
        let plain = !name.trim().is_empty() && name.len() <= 100 && !name.chars().any(char::is_control);
        if !plain || rgb(color).is_none() {
            let found = format!("{name:?} in {color:?}");
            return Err(Error::malformed("model.json: labels", found, "a name in one line, and #rrggbb"));
        }
    }
    Ok(())
}

/// Refuses file names that lead out of the model's folder.
fn files(card: &Card) -> Result<()> {
    let stages = [&card.stages.whole, &card.stages.patch].into_iter().flatten();
    let folds = stages.flat_map(|stage| &stage.folds);
    let reference = card.reference.iter().flat_map(|case| [&case.image.file, &case.labels.file]);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    for file in folds.map(|fold| &fold.file).chain(reference) {
        if file.is_empty() || file.starts_with('.') || !file.chars().all(plain) {
            let expected = "the name of a file in the model's folder";
            return Err(Error::malformed("model.json: file", format!("\"{file}\""), expected));
        }
    }
    Ok(())
}

fn networks(card: &Card) -> Result<()> {
    for stage in [Stage::Whole, Stage::Patch] {
        let Some(card_of) = card.stages.get(stage) else { continue };
        let Architecture { base, depth, inputs, outputs, .. } = card_of.architecture;
        let wanted = card.outputs(stage);
        let valid = (1..=256).contains(&base) && (3..=4).contains(&depth) && inputs == card.channels();
        if !valid || outputs != wanted || card.labels.len() > 254 {
            return Err(Error::malformed(
                format!("model.json: {} architecture", stage.name()),
                format!("base {base}, depth {depth}, {inputs} inputs, {outputs} outputs"),
                format!("depth 3 or 4, base 1 to 256, {} inputs and {wanted} outputs", card.channels()),
            ));
        }
    }
    Ok(())
}
