//! Tuning: what is refused and in which words, what is tuned and written, and that nothing else changes. On the shipped
//! model and the shipped sample, with few steps.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use insitu_seg::card::{Card, Stage};
use insitu_seg::engine::compute::Compute;
use insitu_seg::grid::Reorientation;
use insitu_seg::store::{self, WeightPrecision};
use insitu_seg::tune::{
    self, AnnotatedCase, ModelWeights, Scope, TuneConfig, TuneOutcome, TuneProgress, UNANNOTATED, WeightDelta,
};
use insitu_seg::{Limits, Result, Volume, read_volume, write_labels};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn volume(path: &str) -> Volume {
    read_volume(&std::fs::read(at(path)).unwrap(), &Limits::default()).unwrap()
}

fn image() -> Volume {
    volume("pkg/samples/hippocampus/image.nii.gz")
}

/// The sample's labels, in the file's own order.
fn truth() -> Vec<u8> {
    let labels = volume("pkg/samples/hippocampus/label.nii.gz");
    labels.reorientation.undo(&labels.labels().unwrap())
}

/// Every `every`-th coronal slice; 255 elsewhere.
fn strokes(every: usize) -> Vec<u8> {
    let [nx, ny, _] = image().grid.dims;
    let keep = |i: usize| (i / nx % ny).is_multiple_of(every);
    truth().iter().enumerate().map(|(i, &label)| if keep(i) { label } else { UNANNOTATED }).collect()
}

/// The contrast turned round.
fn inverted() -> Volume {
    let mut image = image();
    let top = image.voxels.iter().copied().fold(0.0, f32::max);
    image.voxels.iter_mut().for_each(|v| *v = top - *v);
    image
}

fn base() -> ModelWeights {
    let folder = at("pkg/models/hippocampus");
    let card = Card::read(&std::fs::read(folder.join("model.json")).unwrap()).unwrap();
    ModelWeights::load(card, |name| Ok(std::fs::read(folder.join(name)).unwrap())).unwrap()
}

fn hash(base: &ModelWeights) -> String {
    let bytes = |weights| store::write_weights(weights, WeightPrecision::F32, HashMap::new()).unwrap();
    store::sha256(&[bytes(&base.whole), bytes(&base.patch)].concat())
}

fn steps(steps: usize) -> TuneConfig {
    let mut config = TuneConfig::default();
    config.steps = Some(steps);
    config
}

fn run(base: &ModelWeights, cases: &[AnnotatedCase], settings: &TuneConfig) -> Result<TuneOutcome> {
    let reference = AnnotatedCase::new("reference", &image(), truth(), &base.card).unwrap();
    let go_on = &mut |_: TuneProgress| ControlFlow::Continue(());
    pollster::block_on(tune::tune(base, cases, Some(&reference), settings, &Compute::Cpu, go_on))
}

#[test]
fn what_teaches_nothing_is_refused_in_words_and_the_model_stays() {
    let base = base();
    let before = hash(&base);
    let mut nan = image();
    nan.nonfinite = 12; // as the reader counts them
    let error = AnnotatedCase::new("sick", &nan, truth(), &base.card).unwrap_err().to_string();
    assert!(error.contains("sick: image: found 12 voxels that are not finite"), "{error}");
    let error = AnnotatedCase::new("short", &image(), vec![0; 7], &base.card).unwrap_err().to_string();
    assert!(error.contains("found 7 voxels, expected 34 x 49 x 34"), "{error}");
    let error =
        AnnotatedCase::new("odd", &image(), vec![9; 34 * 49 * 34], &base.card).unwrap_err().to_string();
    assert!(error.contains("a label 9, expected 0 to 2, or 255"), "{error}");

    let only = |wanted: &dyn Fn(usize, u8) -> u8| -> Vec<u8> {
        truth().iter().enumerate().map(|(i, &label)| wanted(i, label)).collect()
    };
    let first = truth().iter().position(|&label| label == 1).unwrap();
    for (labels, words) in [
        (only(&|_, _| UNANNOTATED), "no annotated voxel"),
        (only(&|i, _| if i % 5 == 0 { 0 } else { UNANNOTATED }), "all of them background"),
        (only(&|i, label| if i == first { label } else { UNANNOTATED }), "1 voxels of label 1 (Anterior"),
        (only(&|_, label| if label == 2 { 0 } else { label }), "no voxel of label 2 (Posterior"),
        (only(&|_, label| if label == 1 { UNANNOTATED } else { label }), "no voxel of label 1 (Anterior"),
    ] {
        let case = AnnotatedCase::new("case", &image(), labels, &base.card).unwrap();
        let error = run(&base, &[case], &steps(1)).unwrap_err();
        assert_eq!(error.code(), "argument");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(hash(&base), before);
}

#[test]
fn labels_lie_where_their_own_file_says() {
    let card = base().card;
    let of = |labels: &Volume| AnnotatedCase::of_files("case", &image(), labels, &card);
    let mut labels = volume("pkg/samples/hippocampus/label.nii.gz");
    assert_eq!(of(&labels).unwrap().file_labels, truth());
    // The same labels in a file whose first axis runs the other way.
    let mut grid = labels.grid.clone();
    let last = (grid.dims[0] - 1) as f64;
    for row in &mut grid.affine {
        (row[0], row[3]) = (-row[0], row[3] + last * row[0]);
    }
    (labels.reorientation, labels.grid) = (Reorientation::to_ras(&grid), grid);
    assert_eq!(of(&labels).unwrap().file_labels, truth());
    labels.grid.affine[1][3] += 3.0;
    let error = of(&labels).unwrap_err().to_string();
    assert!(
        error.contains("case: labels: found a grid of which a corner lies 3.0 mm off the image's"),
        "{error}"
    );
}

#[test]
fn masks_of_other_images_are_refused_before_any_step() {
    let base = base();
    let before = hash(&base);
    let [nx, ny, nz] = image().grid.dims;
    let own = truth();
    let mirrored: Vec<u8> =
        (0..own.len()).map(|i| own[i % nx + nx * (ny - 1 - i / nx % ny + ny * (i / (nx * ny)))]).collect();
    // As of a case that lies elsewhere.
    let moved: Vec<u8> = (0..own.len())
        .map(|i| {
            let [x, y, z] = [i % nx + 7, i / nx % ny + 5, i / (nx * ny) + 3];
            if x < nx && y < ny && z < nz { own[x + nx * (y + ny * z)] } else { 0 }
        })
        .collect();
    for labels in [mirrored, moved] {
        let case = AnnotatedCase::new("case", &image(), labels, &base.card).unwrap();
        let TuneOutcome { report, tuned } = run(&base, &[case], &steps(1)).unwrap();
        assert!(!report.accepted && tuned.is_none());
        assert_eq!(report.steps, 0);
        assert!(report.reason.contains("exchanged between cases, or mirrored"), "{}", report.reason);
        println!("agreement {:.3}", report.agreement);
    }
    assert_eq!(hash(&base), before);
}

#[test]
fn an_image_of_turned_contrast_is_outside_and_is_learned() {
    let base = base();
    assert_eq!(
        AnnotatedCase::new("sample", &image(), truth(), &base.card).unwrap().out_of_distribution,
        None
    );
    let case = AnnotatedCase::new("inverted", &inverted(), strokes(6), &base.card).unwrap();
    assert!(
        case.out_of_distribution.as_ref().unwrap().contains("turned round"),
        "{:?}",
        case.out_of_distribution
    );
    let TuneOutcome { report, tuned } = run(&base, &[case], &steps(6)).unwrap();
    println!("{}", report.reason);
    assert!(report.accepted && !report.in_distribution && report.contrast_inverted);
    assert_eq!((report.scope, report.stages.as_slice()), (Scope::All, &[Stage::Whole, Stage::Patch][..]));
    let (tuned, delta) = tuned.unwrap();
    // It is a variant, knows its own images, and says nothing of tests that it did not pass.
    assert!(tuned.card.tuned.as_ref().unwrap().variant.is_some() && tuned.card.test.is_none());
    assert_eq!(
        AnnotatedCase::new("again", &inverted(), truth(), &tuned.card).unwrap().out_of_distribution,
        None
    );
    assert!(
        AnnotatedCase::new("sample", &image(), truth(), &tuned.card).unwrap().out_of_distribution.is_some()
    );

    // The file gives the same model, on its own base only.
    let bytes = delta.write().unwrap();
    let read = WeightDelta::read(&bytes).unwrap();
    assert_eq!(read, delta);
    assert_eq!(hash(&read.apply(&base).unwrap()), hash(&tuned));
    let error = read.apply(&tuned_elsewhere(&base)).unwrap_err().to_string();
    assert!(error.contains("expected the one that it was tuned from, hippocampus"), "{error}");
    let error = WeightDelta::read(&std::fs::read(at("pkg/models/hippocampus/patch-0.safetensors")).unwrap());
    assert!(error.unwrap_err().to_string().contains("expected the tuned weights that"));
    assert!(WeightDelta::read(&bytes[..bytes.len() / 2]).is_err());
}

/// A model of the same form with other weights.
fn tuned_elsewhere(base: &ModelWeights) -> ModelWeights {
    let mut other = base.clone();
    other.patch.values_mut().for_each(|array| array.values.iter_mut().for_each(|v| *v *= 1.1));
    other.card = other.files().unwrap().0;
    other
}

#[test]
fn within_the_domain_the_guard_decides_and_only_the_scope_learns() {
    let base = base();
    let case = AnnotatedCase::new("sample", &image(), strokes(5), &base.card).unwrap();
    // A gain of nothing is enough here, so that what was tuned can be looked at.
    let mut config = steps(8);
    (config.rate, config.scope) = (Some(1e-3), Some(Scope::Head));
    let TuneOutcome { report, tuned } = run(&base, std::slice::from_ref(&case), &config).unwrap();
    println!("{}", report.reason);
    assert!(report.in_distribution && report.reference_dice.is_some() && report.stages == [Stage::Patch]);
    if let Some((tuned, delta)) = tuned {
        assert_eq!(tuned.whole, base.whole);
        let learned: Vec<&String> = delta.weights.keys().collect();
        assert!(learned.iter().all(|name| name.starts_with("patch/head.") || name.starts_with("patch/out.")));
    }
    // What must gain more than there is to gain is refused with both numbers.
    let mut config = steps(2);
    config.bounds.gain = 1.0;
    let TuneOutcome { report, tuned } = run(&base, &[case], &config).unwrap();
    assert!(tuned.is_none() && report.reason.contains("before") && report.reason.contains("after"));
    assert_eq!(report.steps, 2);
}

#[test]
fn a_stop_leaves_the_model_as_it_was() {
    let base = base();
    let before = hash(&base);
    let case = AnnotatedCase::new("sample", &image(), strokes(5), &base.card).unwrap();
    let mut heard = 0;
    let watch = &mut |progress: TuneProgress| {
        heard += 1;
        if progress.step >= 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = pollster::block_on(tune::tune(&base, &[case], None, &steps(50), &Compute::Cpu, watch));
    assert_eq!(stopped.unwrap_err().code(), "cancelled");
    assert!(heard > 2);
    assert_eq!(hash(&base), before);
}

#[test]
fn suggestions_lie_where_the_object_is() {
    let base = base();
    let case =
        AnnotatedCase::new("sample", &image(), vec![UNANNOTATED; image().grid.len()], &base.card).unwrap();
    let go_on = &mut |_: insitu_seg::predict::SegmentProgress| ControlFlow::Continue(());
    let found =
        pollster::block_on(tune::suggest::suggest(&base, &case, 3, Some(1), &Compute::Cpu, go_on)).unwrap();
    let [nx, ny, _] = image().grid.dims;
    assert_eq!((found.slices.len(), found.map.len()), (3, truth().len()));
    for slice in &found.slices {
        let shown = truth().iter().enumerate().filter(|(i, l)| i / nx % ny == slice.index && **l > 0).count();
        assert!(slice.axis == 1 && shown > 0, "{slice:?} shows {shown} voxels");
        assert!(slice.start[1] == slice.index && slice.end[1] == slice.index + 1);
    }
}

fn insitu(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_insitu")).args(arguments).output().unwrap()
}

#[test]
fn the_command_tunes_refuses_and_takes_its_files_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["images", "labels", "wrong"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let image = image();
    let top = image.voxels.iter().copied().fold(0.0, f32::max);
    let grey = |v: &f32| (255.0 * (top - v) / top).round() as u8;
    let turned: Vec<u8> = image.reorientation.undo(&image.voxels.iter().map(grey).collect::<Vec<u8>>());
    std::fs::write(path("images/one.nii.gz"), write_labels(&turned, &image, true).unwrap()).unwrap();
    std::fs::write(path("labels/one.nii.gz"), write_labels(&strokes(6), &image, true).unwrap()).unwrap();
    let model = at("pkg/models/hippocampus");
    let model = model.to_str().unwrap();
    let (images, labels, out, report) = (path("images"), path("labels"), path("out"), path("report.json"));
    let tune = |labels: &str, more: &[&str]| {
        let mut arguments =
            vec!["tune", "--model", model, "--images", &images, "--labels", labels, "--out", &out];
        arguments.extend(["--backend", "cpu", "--report", &report, "--steps", "4"]);
        arguments.extend(more);
        insitu(&arguments)
    };
    // Refused: exit status 3, a report with the reason, and no folder.
    let run = tune(&labels, &["--min-gain", "0.99999"]);
    assert_eq!(run.status.code(), Some(3), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(!folder.path().join("out").exists());
    let read =
        || serde_json::from_slice::<serde_json::Value>(&std::fs::read(path("report.json")).unwrap()).unwrap();
    assert_eq!(read()["accepted"], false);

    let run = tune(&labels, &[]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(String::from_utf8_lossy(&run.stderr).contains("warning: the image is unlike those"));
    assert_eq!(read()["accepted"], true);
    // The folder and the file in it give the same mask.
    let mask = |model: &str, name: &str| {
        let run = insitu(&[
            "segment",
            &path("images/one.nii.gz"),
            "-o",
            &path(name),
            "--model",
            model,
            "--backend",
            "cpu",
        ]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        std::fs::read(path(name)).unwrap()
    };
    let by_file = Command::new(env!("CARGO_BIN_EXE_insitu"))
        .args(["segment", &path("images/one.nii.gz"), "-o", &path("b.nii"), "--backend", "cpu"])
        .args(["--model", &path("out/tuned.safetensors")])
        .env("INSITU_MODELS", at("pkg/models"))
        .output()
        .unwrap();
    assert!(by_file.status.success(), "{}", String::from_utf8_lossy(&by_file.stderr));
    assert_eq!(mask(&out, "a.nii"), std::fs::read(path("b.nii")).unwrap());
    assert_ne!(mask(model, "c.nii"), std::fs::read(path("b.nii")).unwrap());

    for (arguments, words) in
        [(vec!["--rate", "-1"], "rate: found -1"), (vec!["--keep", "-2"], "keep: found -2")]
    {
        let joined: Vec<String> =
            arguments.chunks(2).map(|pair| format!("{}={}", pair[0], pair[1])).collect();
        let run = tune(&labels, &joined.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&run.stderr).contains(words),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
    }
    let run = tune(&path("wrong"), &[]);
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("labels under the file names of their images"));
}
