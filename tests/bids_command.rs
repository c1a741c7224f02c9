//! `insitu bids`: a small data set with scans that fail, run once, again, and after changes. On the shipped model and sample.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::command::{insitu, sample, text};
use common::nifti::Made;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::SystemTime;

const GOOD: [&str; 4] = ["01/A", "01/B", "02/A", "02/B"];
const BROKEN: &str = "03/A";
const MOVING: &str = "03/B";

/// The image of a scan such as `01/A`, from the data set's folder.
fn source(scan: &str) -> String {
    let (sub, ses) = scan.split_once('/').unwrap();
    format!("sub-{sub}/ses-{ses}/anat/sub-{sub}_ses-{ses}_acq-crop_T1w.nii.gz")
}

/// A file made of a scan, from the folder of the derivatives.
fn made(scan: &str, ending: &str) -> String {
    source(scan).replace("_T1w.nii.gz", ending)
}

fn write(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Four good scans of two participants, a broken one and one of three volumes.
fn data_set(root: &Path) {
    let image = std::fs::read(sample()).unwrap();
    for scan in GOOD {
        write(root, &source(scan), &image);
    }
    write(root, &source(BROKEN), &image[..image.len() / 2]);
    let mut moving = Made::new([20, 20, 20], |i| i as i16);
    moving.dim = [4, 20, 20, 20, 3, 1, 1, 1];
    moving.voxels = moving.voxels.repeat(3);
    write(root, &source(MOVING), &common::nifti::gzip(&moving.bytes(), 1));
    write(root, "dataset_description.json", b"{\"Name\": \"Made <up>\", \"BIDSVersion\": \"1.10.0\"}");
    write(root, "sub-01/ses-A/anat/sub-01_ses-A_T2w.nii.gz", &image);
}

/// A data set and an empty folder for its derivatives.
struct Study {
    _folder: tempfile::TempDir,
    data: PathBuf,
    out: PathBuf,
}

impl Study {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, out) = (folder.path().join("data"), folder.path().join("out"));
        data_set(&data);
        Self { _folder: folder, data, out }
    }

    fn run(&self, level: &str, more: &[&str]) -> Output {
        insitu(&[&["bids", text(&self.data), text(&self.out), level], more].concat())
    }

    /// Runs the participant level; what it says of the number of scans.
    fn participants(&self, more: &[&str]) -> String {
        let run = self.run("participant", &[&["--backend", "cpu"], more].concat());
        assert_ne!(run.status.code(), Some(2), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap().trim().rsplit(": ").next().unwrap().to_owned()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.out.join(path)).unwrap()
    }

    fn record(&self, scan: &str) -> Value {
        serde_json::from_str(&self.read(&made(scan, "_desc-hippocampus_report.json"))).unwrap()
    }

    /// Every file of the derivatives with the time of its change.
    fn times(&self) -> BTreeMap<PathBuf, SystemTime> {
        let (mut found, mut open) = (BTreeMap::new(), vec![self.out.clone()]);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let facts = entry.metadata().unwrap();
                if facts.is_dir() {
                    open.push(entry.path());
                } else {
                    found.insert(entry.path(), facts.modified().unwrap());
                }
            }
        }
        found
    }
}

#[test]
fn derivatives_table_and_page_have_every_scan() {
    let study = Study::new();
    let run = study.run("participant", &["--backend", "cpu"]);
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("{}: ", source(BROKEN))), "{said}");

    let plain = study.out.join("plain.nii.gz");
    assert!(insitu(&["segment", text(&sample()), "-o", text(&plain), "--backend", "cpu"]).status.success());
    let mask = std::fs::read(&plain).unwrap();
    std::fs::remove_file(&plain).unwrap();
    for scan in GOOD {
        assert_eq!(std::fs::read(study.out.join(made(scan, "_desc-hippocampus_dseg.nii.gz"))).unwrap(), mask);
        assert_eq!(study.record(scan)["status"], "done");
        let labels = study.read(&made(scan, "_desc-hippocampus_dseg.tsv"));
        assert!(labels.starts_with("index\tname\tcolor\n1\t") && labels.contains("#e69f00"), "{labels}");
        let volumes = study.read(&made(scan, "_desc-volumes.tsv"));
        assert_eq!(volumes.lines().count(), 3, "{volumes}");
        let sidecar: Value =
            serde_json::from_str(&study.read(&made(scan, "_desc-hippocampus_dseg.json"))).unwrap();
        assert_eq!(sidecar["Sources"][0], format!("bids:raw:{}", source(scan)));
        let picture = std::fs::read(study.out.join(made(scan, "_desc-hippocampus_report.png"))).unwrap();
        assert!(picture.starts_with(b"\x89PNG") && picture.len() < 80_000, "{} bytes", picture.len());
    }
    for (scan, words) in [(BROKEN, "truncated"), (MOVING, "3 volumes")] {
        let record = study.record(scan);
        assert_eq!(record["status"], "failed");
        let reason = record["reason"].as_str().unwrap();
        assert!(reason.contains(words) && !reason.contains(text(&study.data)), "{reason}");
        assert!(!study.out.join(made(scan, "_desc-hippocampus_dseg.nii.gz")).exists());
    }
    let description: Value = serde_json::from_str(&study.read("dataset_description.json")).unwrap();
    assert_eq!(description["DatasetType"], "derivative");
    assert_eq!(description["GeneratedBy"][0]["Version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(description["DatasetLinks"]["raw"], "../data");
    group_is_right(&study);
}

/// The table and the page of the data set.
fn group_is_right(study: &Study) {
    let run = study.run("group", &[]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let table = study.read("group.tsv");
    let mut rows = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let at = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), 6, "{table}");
    for (row, scan) in rows.iter().zip([&GOOD[..], &[BROKEN, MOVING]].concat()) {
        assert_eq!(row.len(), header.len());
        assert_eq!(row[at("source")], source(scan));
        assert_eq!(row[at("session_id")], format!("ses-{}", &scan[3..]));
        let record = study.record(scan);
        assert_eq!(row[at("status")], record["status"]);
        assert_eq!(row[at("input_sha256")], record["made_of"]["input_sha256"]);
        assert_eq!(row[at("model_sha256")], record["made_of"]["model_sha256"]);
        let classes = record["run"]["classes"].as_array();
        let volume = classes.map_or("n/a".to_owned(), |classes| {
            format!("{:.4}", classes[0]["milliliters"].as_f64().unwrap())
        });
        let column = header.iter().position(|column| column.ends_with("anterior_hippocampus_ml")).unwrap();
        assert_eq!(row[column], volume, "{scan}");
    }
    let columns: Value = serde_json::from_str(&study.read("group.json")).unwrap();
    for name in &header {
        assert!(columns[*name]["Description"].is_string(), "{name}");
    }
    let page = study.read("group.html");
    assert_eq!(page.matches("data:image/png;base64,").count(), 4);
    assert_eq!(page.matches("<article").count(), 4);
    for word in ["truncated", "3 volumes", "Not a medical device"] {
        assert!(page.contains(word), "no {word}");
    }
    for word in ["<script", "http://", "https://"] {
        assert!(!page.contains(word), "found {word}");
    }
}

#[test]
fn a_second_run_does_nothing_and_a_change_makes_one_mask_again() {
    let study = Study::new();
    assert_eq!(study.participants(&[]), "4 segmented, 0 as they were, 2 failed");
    study.run("group", &[]);
    let before = study.times();
    assert_eq!(study.participants(&[]), "0 segmented, 4 as they were, 2 failed");
    study.run("group", &[]);
    assert_eq!(study.times(), before);

    // Other bytes, the same image: its hash has changed.
    let image = study.data.join(source("01/B"));
    let bytes = std::fs::read(&image).unwrap();
    std::fs::write(&image, [&bytes[..], &common::nifti::gzip(b"", 1)].concat()).unwrap();
    let old = study.record("01/B");
    assert_eq!(study.participants(&[]), "1 segmented, 3 as they were, 2 failed");
    assert_ne!(study.record("01/B")["made_of"]["input_sha256"], old["made_of"]["input_sha256"]);
    let changed = study.times().iter().filter(|(path, time)| before.get(*path) != Some(time)).count();
    assert_eq!(changed, 6, "the outputs of one scan");

    // A run that was killed before the record was written, and a lost file.
    let killed = study.out.join(made("02/A", "_desc-hippocampus_report.json"));
    std::fs::remove_file(&killed).unwrap();
    let half = killed.with_file_name(".insitu-a1B2c3");
    std::fs::write(&half, b"half of a mask").unwrap();
    std::fs::remove_file(study.out.join(made("02/B", "_desc-volumes.tsv"))).unwrap();
    assert_eq!(study.participants(&[]), "2 segmented, 2 as they were, 2 failed");
    assert!(!half.exists() && killed.exists());

    // An image that is broken now has no mask of what it was.
    std::fs::write(&image, &bytes[..1000]).unwrap();
    assert_eq!(study.participants(&["--participant-label", "01"]), "0 segmented, 1 as they were, 1 failed");
    assert!(!study.out.join(made("01/B", "_desc-hippocampus_dseg.nii.gz")).exists());

    // Other options make other masks.
    let part = ["--participant-label", "sub-02", "--session-label", "A"];
    assert_eq!(
        study.participants(&[&part[..], &["--nearest"]].concat()),
        "1 segmented, 0 as they were, 0 failed"
    );
}

#[test]
fn what_cannot_be_meant_is_refused_in_one_sentence() {
    let study = Study::new();
    let refused = |level: &str, more: &[&str], words: &str| {
        let run = study.run(level, more);
        let message = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{message}");
        assert_eq!(message.trim().lines().count(), 1, "{message}");
        assert!(
            message.contains(words) && message.contains("found") && message.contains("expected"),
            "{message}"
        );
    };
    refused("group", &[], "run it first");
    refused("participant", &["--participant-label", "99"], "one of 01, 02, 03");
    refused("participant", &["--session-label", "C"], "one of A, B");
    refused("participant", &["--suffix", "FLAIR"], "there are: T1w, T2w");
    refused("participant", &["--model", "none"], "model.json");
    assert!(!study.out.exists());
    let one = ["--participant-label", "01", "--session-label", "A"];
    assert_eq!(study.participants(&one), "1 segmented, 0 as they were, 0 failed");
    let again = String::from_utf8(study.run("participant", &one).stdout).unwrap();
    assert!(again.trim().ends_with(": 1 scan: 0 segmented, 1 as they were, 0 failed"), "{again}");
    refused("participant", &["--suffix", "T2w"], "a folder of their own");
    refused("group", &["--suffix", "T2w"], "--suffix");
    let [data, none] = [text(&study.data), "nowhere"];
    for (arguments, words) in [
        ([data, data], "the data set itself"),
        ([text(&study.out), none], "no image"),
        ([none, none], "no such folder"),
    ] {
        let run = insitu(&["bids", arguments[0], arguments[1], "participant"]);
        let message = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.code() == Some(2) && message.contains(words), "{message}");
    }
    let page = study.run("group", &[]);
    let said = String::from_utf8_lossy(&page.stdout);
    assert!(page.status.success() && said.contains("1 with a mask, 0 failed, 5 missing"), "{said}");
}
