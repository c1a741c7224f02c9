//! What lies beside a mask: its description, the table of its labels, their volumes.

use super::dataset::Scan;
use insitu_seg::card::Card;
use insitu_seg::predict::{LabelVolume, Segmentation};
use serde_json::json;

/// `_dseg.json`: of what and by what the mask was made. No text of the image's header is in it.
pub fn description(scan: &Scan, card: &Card, model_sha256: &str) -> String {
    let source = format!("bids:raw:{}", scan.source);
    let facts = json!({
        "Description": format!("{}: labels of the network {}", card.title, card.name),
        "Sources": [source],
        "SpatialReference": source,
        "Manual": false,
        "SkullStripped": false,
        "Model": {
            "Name": card.name,
            "Title": card.title,
            "SHA256": model_sha256,
            "TrainingData": card.training_data,
            "License": card.licence,
            "IntendedUse": card.intended_use,
            "Limits": card.limits,
        },
        "Software": {"Name": "insitu", "Version": env!("CARGO_PKG_VERSION")},
        "Notice": "Not a medical device; not for diagnosis.",
    });
    format!("{facts:#}\n")
}

/// `_dseg.tsv`: index, name and colour of each label.
pub fn labels(result: &Segmentation) -> String {
    let row = |class: &LabelVolume| {
        let label = &class.label;
        vec![label.index.to_string(), label.name.clone(), label.color.clone()]
    };
    tsv(&["index", "name", "color"], result.classes.iter().map(row))
}

/// `_desc-volumes.tsv`: voxels and millilitres of each label, and what the model measures beside them.
pub fn volumes(result: &Segmentation) -> String {
    let class = |class: &LabelVolume| {
        let LabelVolume { label, voxels, milliliters } = class;
        vec![label.index.to_string(), label.name.clone(), voxels.to_string(), milliliter_text(*milliliters)]
    };
    let measured = result.measured.iter().map(|volume| {
        vec![NONE.to_owned(), volume.name.clone(), NONE.to_owned(), milliliter_text(volume.milliliters)]
    });
    tsv(&["index", "name", "voxels", "volume_ml"], result.classes.iter().map(class).chain(measured))
}

/// What BIDS writes where there is no value.
pub const NONE: &str = "n/a";

/// A volume as tables have it.
pub fn milliliter_text(milliliters: f64) -> String {
    format!("{milliliters:.4}")
}

/// A table as BIDS wants it: fields apart by tabs, which they cannot hold.
pub fn tsv(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let field = |text: &str| match text.trim() {
        "" => NONE.to_owned(),
        kept => kept.replace(char::is_control, " "),
    };
    let line = |row: Vec<String>| {
        let fields: Vec<String> = row.iter().map(|text| field(text)).collect();
        fields.join("\t") + "\n"
    };
    let header = header.iter().map(|name| (*name).to_owned()).collect();
    std::iter::once(header).chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_one_line_for_a_row_whatever_is_in_it() {
        let rows = [vec!["a\tb\nc".to_owned(), String::new()]];
        assert_eq!(tsv(&["x", "y"], rows.into_iter()), "x\ty\na b c\tn/a\n");
    }
}
