//! The command on FreeSurfer's volumes: the same masks as of the same image in NIfTI, under its name.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::command::{insitu, text};
use common::mgh::MadeMgh;
use common::nifti::{Made, gzip};
use common::sample;
use insitu_seg::{Limits, Volume, read_volume};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

/// The sample's voxels, turned by ten degrees, as MGH and as NIfTI.
fn turned() -> (MadeMgh, Made) {
    let image = sample::image();
    let values = image.reorientation.undo(&image.voxels);
    let mut mgh = MadeMgh::new(image.grid.dims, |i| values[i] as i16);
    let (s, c) = (10f32.to_radians().sin(), 10f32.to_radians().cos());
    mgh.spacing = [1.0; 3];
    mgh.cosines = [[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]];
    let affine = read_volume(&mgh.bytes(), &Limits::default()).unwrap().grid.affine;
    let mut nifti = Made::new(image.grid.dims, |i| values[i] as i16);
    nifti.pixdim[1..4].fill(1.0);
    nifti.srow = [affine[0], affine[1], affine[2]];
    (mgh, nifti)
}

fn succeeded(run: &Output) {
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn an_image_as_mgz_gives_the_mask_of_the_same_image_as_nifti() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (mgh, nifti) = turned();
    std::fs::write(at("head.mgz"), gzip(&mgh.bytes(), 6)).unwrap();
    std::fs::write(at("bare.mgh"), MadeMgh { tail: Vec::new(), ..mgh.clone() }.bytes()).unwrap();
    std::fs::write(at("same.nii.gz"), gzip(&nifti.bytes(), 6)).unwrap();
    let [head, bare, same, out] = ["head.mgz", "bare.mgh", "same.nii.gz", "out"].map(at);
    let inputs = ["segment", text(&head), text(&bare), text(&same)];
    succeeded(&insitu(&[&inputs[..], &["--out-dir", text(&out), "--backend", "cpu"]].concat()));
    let mut names: Vec<_> =
        std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["bare.nii.gz", "head.nii.gz", "same.nii.gz"]);
    let [head, bare, same] =
        ["head", "bare", "same"].map(|name| Volume::open(out.join(format!("{name}.nii.gz"))).unwrap());
    assert!(same.voxels.iter().filter(|label| **label > 0.0).count() > 1000);
    for mask in [&head, &bare] {
        assert_eq!(mask.grid, same.grid);
        assert_eq!(mask.voxels[..], same.voxels[..]);
    }
    truths_may_be_mgz(folder.path(), &mgh, &head);
}

/// Masks are judged by labels under the same name in FreeSurfer's form.
fn truths_may_be_mgz(folder: &Path, image: &MadeMgh, mask: &Volume) {
    let labels = mask.reorientation.undo(&mask.labels().unwrap());
    let truth = folder.join("truth");
    std::fs::create_dir(&truth).unwrap();
    let made = MadeMgh { version: 0x101, kind: 0, voxels: labels, ..image.clone() };
    std::fs::write(truth.join("head.mgz"), gzip(&made.bytes(), 6)).unwrap();
    let (out, json) = (folder.join("out"), folder.join("figures.json"));
    succeeded(&insitu(&["evaluate", "--truth", text(&truth), "--pred", text(&out), "--json", text(&json)]));
    let figures: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(figures["mean"]["1"]["dsc"], 1.0, "{figures}");
}

#[test]
fn info_and_refusals_are_as_of_nifti() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("head.mgz");
    let mut made = MadeMgh::new([6, 5, 4], |i| i as i16);
    made.good_ras = 0;
    std::fs::write(&image, gzip(&made.bytes(), 6)).unwrap();
    let run = insitu(&["info", text(&image), "--json"]);
    succeeded(&run);
    let info: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&info["format"], &info["datatype"]), (&Value::from("MGH"), &Value::from("int16")));
    assert_eq!((&info["orientation"], &info["sform_code"]), (&Value::from("LIA"), &Value::from(0)));
    assert!(info["warnings"][0].as_str().unwrap().contains("left and right are an assumption"), "{info}");

    made.dims[2] = -1;
    std::fs::write(&image, gzip(&made.bytes(), 6)).unwrap();
    let mask = folder.path().join("mask.nii.gz");
    let run = insitu(&["segment", text(&image), "-o", text(&mask)]);
    let message = String::from_utf8_lossy(&run.stderr);
    assert_eq!(
        (run.status.code(), message.trim().lines().count(), mask.exists()),
        (Some(2), 1, false),
        "{message}"
    );
    assert!(message.contains("depth: found -1, expected a size of at least 1"), "{message}");

    let run = insitu(&["segment", text(&image), "-o", text(&folder.path().join("mask.mgz"))]);
    let message = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.code() == Some(2) && message.contains("ends in .nii"), "{message}");
}
