//! `group.tsv`, a row for each scan, and `group.json`, what its columns mean.

use super::outliers::{Distribution, FAR, Outlier};
use super::rows::{Row, Volume};
use super::sidecars::{NONE, milliliter_text, tsv};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The table as text.
pub fn table(rows: &[Row], volumes: &[Distribution], outliers: &BTreeMap<usize, Vec<Outlier>>) -> String {
    let names = columns(volumes);
    let mut header = vec!["participant_id", "session_id", "source", "status", "reason"];
    header.extend(names.iter().map(String::as_str));
    header.extend(["outlier", "agreement", "warnings", "version", "input_sha256", "model_sha256"]);
    let cells = |(index, row): (usize, &Row)| {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| NONE.to_owned());
        let volume = |of: &Distribution| {
            let found = row.volumes.iter().find(|volume| volume.name == of.name);
            found.map_or_else(|| NONE.to_owned(), |Volume { milliliters, .. }| milliliter_text(*milliliters))
        };
        let words: Vec<&str> = outliers.get(&index).into_iter().flatten().map(|one| &one.words[..]).collect();
        let mut cells = vec![
            row.participant_id.clone(),
            or_none(&row.session_id),
            row.source.clone(),
            row.status.name().to_owned(),
            or_none(&row.reason),
        ];
        cells.extend(volumes.iter().map(volume));
        cells.extend([
            words.join("; "),
            row.agreement.map_or_else(|| NONE.to_owned(), |agreement| format!("{agreement:.3}")),
            row.warnings.join("; "),
            or_none(&row.version),
            or_none(&row.input_sha256),
            or_none(&row.model_sha256),
        ]);
        cells
    };
    tsv(&header, rows.iter().enumerate().map(cells))
}

/// The columns of the volumes: `anterior_hippocampus_ml`; of two names that are one column's, the second is numbered.
fn columns(volumes: &[Distribution]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for of in volumes {
        let plain = |letter: char| if letter.is_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
        let name: String = of.name.chars().map(plain).collect();
        let own = format!("{name}_ml");
        names.push(if names.contains(&own) { format!("{name}_{}_ml", names.len() + 1) } else { own });
    }
    names
}

/// The meaning of each column.
pub fn dictionary(volumes: &[Distribution]) -> String {
    let mut facts = Map::new();
    let mut describe = |name: &str, words: &str| {
        facts.insert(name.to_owned(), json!({"Description": words}));
    };
    describe("participant_id", "Participant, with sub-");
    describe("session_id", "Session, with ses-; n/a where the data set has none");
    describe("source", "The image, from the folder of the data set");
    describe("status", "How the scan stands");
    describe("reason", "Why there is no mask, in one sentence");
    let names = columns(volumes);
    for (of, name) in volumes.iter().zip(&names) {
        describe(name, &format!("Volume: {}", of.name));
    }
    let far =
        format!("Volumes more than {FAR} robust standard deviations (of median and MAD) from the median");
    describe("outlier", &far);
    describe(
        "agreement",
        "How much the folds of the model agree, the least of all objects: 0 to 1; n/a where one ran",
    );
    describe("warnings", "What the reader of the mask should know");
    describe("version", "Version of the program that made the mask");
    describe("input_sha256", "SHA-256 of the image's file");
    describe("model_sha256", "SHA-256 of all of the model that has a say in a mask");
    for name in &names {
        facts[name]["Units"] = "mL".into();
    }
    facts["status"]["Levels"] = json!({
        "done": "there is a mask",
        "failed": "there is none, for the reason given",
        "missing": "the participant level did not run on it, or did not end",
    });
    format!("{:#}\n", Value::Object(facts))
}
