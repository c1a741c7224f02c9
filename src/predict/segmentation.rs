//! The mask with its volumes and warnings.

use super::boxes::{Bounds, MeasuredVolume, ObjectBox};
use super::progress::Timing;
use crate::card::Label;
use crate::file::Segment;
use serde::Serialize;

/// A label with its volume in a mask.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelVolume {
    /// Value in the mask, name and colour.
    #[serde(flatten)]
    pub label: Label,
    /// Number of voxels.
    pub voxels: usize,
    /// Volume in mL.
    pub milliliters: f64,
}

/// A mask on the file's own grid, with its volumes and warnings.
#[derive(Debug, Clone)]
pub struct Segmentation {
    /// One label per voxel, in the file's own order.
    pub labels: Vec<u8>,
    /// Size of each label.
    pub classes: Vec<LabelVolume>,
    /// The anatomical directions of the file's axes, for example `LPS`.
    pub orientation: String,
    /// The box of the patch network, in voxels of the file: first, and one past the last.
    pub region: Bounds,
    /// The box of every object that was found; `region` is the first.
    pub boxes: Vec<ObjectBox>,
    /// What the whole network measures beside them.
    pub measured: Vec<MeasuredVolume>,
    /// What the reader of the mask should know.
    pub warnings: Vec<String>,
    /// Time per stage.
    pub timings: Vec<Timing>,
}

impl Segmentation {
    /// The labels as a file for a viewer holds them, in the card's order.
    pub fn segments(&self) -> Vec<Segment<'_>> {
        let labels = self.classes.iter().map(|class| &class.label);
        labels.map(|Label { index, name, color }| Segment { label: *index, name, color }).collect()
    }

    /// The volumes as CSV: `index,name,voxels,milliliters`.
    pub fn to_csv(&self) -> String {
        let rows: String = self.classes.iter().map(|class| class.csv_row() + "\n").collect();
        format!("{CSV_HEADER}\n{rows}")
    }
}

/// The volume of every label of every case as CSV: `case,index,name,voxels,milliliters`.
pub fn volumes_csv(table: &[(String, LabelVolume)]) -> String {
    let row = |(case, class): &(String, LabelVolume)| format!("{},{}\n", quoted(case), class.csv_row());
    format!("case,{CSV_HEADER}\n{}", table.iter().map(row).collect::<String>())
}

const CSV_HEADER: &str = "index,name,voxels,milliliters";

impl LabelVolume {
    fn csv_row(&self) -> String {
        let Self { label: Label { index, name, .. }, voxels, milliliters } = self;
        format!("{index},{},{voxels},{milliliters:.4}", quoted(name))
    }
}

/// A field of CSV, in quotation marks where it needs them.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The size of each of some labels in a mask.
pub(super) fn classes(known: &[Label], labels: &[u8], voxel_mm3: f64) -> Vec<LabelVolume> {
    let mut counts = [0usize; 256];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let class = |label: &Label| {
        let voxels = counts[usize::from(label.index)];
        LabelVolume { label: label.clone(), voxels, milliliters: voxels as f64 * voxel_mm3 / 1000.0 }
    };
    known.iter().map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::Card;

    #[test]
    fn volumes_are_in_millilitres() {
        let card = Card::draft("a", "a", &["one".into(), "two".into()], vec!["MRI".into()], "", "");
        let found = classes(&card.labels, &[1, 1, 2, 0], 500.0);
        assert_eq!((found[0].voxels, found[0].milliliters), (2, 1.0));
        assert_eq!((found[1].voxels, found[1].milliliters), (1, 0.5));
    }

    #[test]
    fn names_are_quoted_in_tables() {
        let label = Label { index: 3, name: "a, \"b\"".into(), color: "#000000".into() };
        let table = [("x,y".to_owned(), LabelVolume { label, voxels: 7, milliliters: 0.0071 })];
        let expected = "case,index,name,voxels,milliliters\n\"x,y\",3,\"a, \"\"b\"\"\",7,0.0071\n";
        assert_eq!(volumes_csv(&table), expected);
    }
}
