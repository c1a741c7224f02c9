//! `insitu merge`: the mean of tuned weights, and what it refuses. On the shipped model.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::balls::insitu;
use common::sample::{at, image, strokes, truth};
use insitu_seg::domain::Domain;
use insitu_seg::engine::compute::Compute;
use insitu_seg::tune::delta::{DeltaMetadata, weight_hashes};
use insitu_seg::tune::{self, AnnotatedCase, Cause, ModelWeights, Standing, TuneConfig, WeightDelta};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Output;

const TENSORS: [&str; 2] = ["patch/down.1.b.conv.weight", "patch/down.0.a.conv.weight"];

fn base() -> ModelWeights {
    ModelWeights::open(at("pkg/models/hippocampus").to_str().unwrap()).unwrap()
}

/// A delta that adds `by` to every value of one tensor.
fn shifted(base: &ModelWeights, path: &str, by: f32) -> WeightDelta {
    let mut tuned = base.clone();
    let name = path.strip_prefix("patch/").unwrap();
    tuned.patch.get_mut(name).unwrap().values.iter_mut().for_each(|value| *value += by);
    let about = DeltaMetadata {
        base: base.card.name.clone(),
        files: weight_hashes(&base.card).unwrap(),
        variant: None,
        domain: Vec::new(),
        report: serde_json::json!({ "cases": ["a patient's name"] }),
        licence: "CC-BY-4.0".to_owned(),
        standing: Standing::Accepted,
    };
    WeightDelta::between(base, &tuned, about)
}

/// By how much a tensor of a delta lies above the model's own, on average; 0 where the delta does not have it.
fn shift(base: &ModelWeights, delta: &WeightDelta, path: &str) -> f64 {
    let own = &base.patch[path.strip_prefix("patch/").unwrap()].values;
    let Some(array) = delta.weights.get(path) else { return 0.0 };
    array.values.iter().zip(own).map(|(new, old)| f64::from(new - old)).sum::<f64>() / own.len() as f64
}

fn merged(folder: &Path, files: &[PathBuf], more: &[&str]) -> Output {
    let out = folder.join("merged.safetensors");
    let mut arguments = vec!["merge"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    arguments.extend(["-o", out.to_str().unwrap()]);
    arguments.extend(more);
    insitu(&arguments)
}

#[test]
fn tensors_are_means_by_the_shares_and_segment_like_any_tuned_weights() {
    let (base, folder) = (base(), tempfile::tempdir().unwrap());
    let files = [folder.path().join("a.safetensors"), folder.path().join("b.safetensors")];
    for ((file, path), by) in files.iter().zip(TENSORS).zip([0.01, -0.02]) {
        shifted(&base, path, by).save(file).unwrap();
    }
    let run = merged(folder.path(), &files, &["--weights", "3", "1"]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let bytes = std::fs::read(folder.path().join("merged.safetensors")).unwrap();
    let delta = WeightDelta::read(&bytes).unwrap();
    for (path, expected) in TENSORS.into_iter().zip([0.0075, -0.005]) {
        let found = shift(&base, &delta, path);
        assert!((found - expected).abs() < 2e-4, "{path}: {found}, expected {expected}");
    }
    assert_eq!(delta.weights.len(), 2);
    assert_eq!(delta.about.report["merged"]["shares"], serde_json::json!([0.75, 0.25]));
    assert!(
        !String::from_utf8_lossy(&bytes).contains("patient"),
        "a report of those who tuned is in the file"
    );
    let model = insitu_seg::Model::open(folder.path().join("merged.safetensors").to_str().unwrap()).unwrap();
    let found = model.segment(&image()).unwrap();
    assert!(found.labels.iter().any(|&label| label > 0));
}

#[test]
fn one_delta_is_its_own_mean_and_the_order_does_not_count() {
    let base = base();
    let [a, b] = TENSORS.map(|path| shifted(&base, path, 0.01));
    let alone = WeightDelta::merge(&base, &[(a.clone(), 7.0)]).unwrap();
    assert_eq!(alone.weights, a.weights);
    let [ab, ba] = [[(a.clone(), 2.0), (b.clone(), 1.0)], [(b, 1.0), (a, 2.0)]]
        .map(|both| WeightDelta::merge(&base, &both).unwrap().weights);
    assert_eq!(ab, ba);
}

#[test]
fn the_mean_of_somebodys_own_variant_is_one_and_that_of_refused_weights_is_refused() {
    let base = base();
    let of = |standing: &Standing| {
        let mut delta = shifted(&base, TENSORS[0], 0.01);
        delta.about.standing = standing.clone();
        (delta, 1.0)
    };
    let own = Standing::Variant("ours".to_owned());
    let merged = |all: &[&Standing]| {
        let deltas: Vec<_> = all.iter().map(|standing| of(standing)).collect();
        WeightDelta::merge(&base, &deltas).unwrap().about.standing
    };
    assert_eq!(merged(&[&Standing::Accepted, &own]), own);
    assert_eq!(merged(&[&own, &Standing::Refused]), Standing::Refused);
    assert_eq!(merged(&[&Standing::Accepted, &Standing::Accepted]), Standing::Accepted);
}

#[test]
fn a_mean_is_judged_on_ones_own_annotations_without_a_step() {
    let base = base();
    let mine = AnnotatedCase::new("mine", &image(), strokes(5), &base.card).unwrap();
    let reference = AnnotatedCase::new("reference", &image(), truth(), &base.card).unwrap();
    let judged = |theirs: WeightDelta| {
        let own = shifted(&base, TENSORS[0], 0.001);
        let mean = WeightDelta::merge(&base, &[(own.clone(), 0.5), (theirs, 0.5)]).unwrap();
        let (now, merged) = (own.apply(&base).unwrap(), mean.apply(&base).unwrap());
        let (config, go_on) = (TuneConfig::default(), &mut |_| ControlFlow::Continue(()));
        let cases = (std::slice::from_ref(&mine), Some(&reference));
        pollster::block_on(tune::judge(&now, &merged, cases, &config, &Compute::Cpu, go_on)).unwrap()
    };
    let good = judged(shifted(&base, TENSORS[1], 0.001));
    assert!(good.accepted && good.cause == Cause::Better, "{}", good.reason);
    let reference = good.reference_dice.unwrap();
    assert!(good.steps == 0 && good.stages.is_empty() && (reference.before - reference.after).abs() < 0.02);
    // So that the mean has all signs turned.
    let mut turned = base.clone();
    turned.patch.values_mut().for_each(|array| array.values.iter_mut().for_each(|value| *value *= -3.0));
    let bad = judged(WeightDelta::between(&base, &turned, shifted(&base, TENSORS[1], 0.1).about));
    assert!(!bad.accepted && bad.cause == Cause::OwnFalls, "{}", bad.reason);
    let own = bad.validation_dice.unwrap();
    assert!(own.before > 0.5 && own.after < own.before - 0.02, "{}", bad.reason);
}

#[test]
fn variants_of_unlike_images_make_a_domain_that_holds_both() {
    let base = base();
    let of = |low: f64, sign: f64| Domain {
        percentiles: [[low, low + 1.0]; 5],
        roughness: [low, low + 0.5],
        layout: (0..64).map(|i| sign * f64::from(i % 8)).collect(),
        ..base.card.domain[0].clone()
    };
    let variant = |path: &str, name: &str, domain: Domain| {
        let mut delta = shifted(&base, path, 0.01);
        (delta.about.variant, delta.about.domain) = (Some(name.to_owned()), vec![domain]);
        (delta, 1.0)
    };
    let (bright, dark) = (of(0.0, 1.0), of(-2.0, -0.5));
    let both = [variant(TENSORS[0], "bright", bright), variant(TENSORS[1], "dark", dark)];
    let about = WeightDelta::merge(&base, &both).unwrap().about;
    assert_eq!(about.variant.as_deref(), Some("bright; dark"));
    let [domain] = &about.domain[..] else { panic!("{} channels", about.domain.len()) };
    assert_eq!((domain.percentiles[0], domain.roughness), ([-2.0, 1.0], [-2.0, 0.5]));
    assert!(
        domain.check().is_ok() && domain.likeness[0] <= -0.99 && domain.likeness[1] >= 0.99,
        "{domain:?}"
    );
}

#[test]
fn what_cannot_be_merged_is_refused_in_words_and_nothing_is_written() {
    let (base, folder) = (base(), tempfile::tempdir().unwrap());
    let file = folder.path().join("a.safetensors");
    let delta = shifted(&base, TENSORS[0], 0.01);
    delta.save(&file).unwrap();
    let mut foreign = delta.clone();
    foreign.about.files.values_mut().for_each(|hash| *hash = "0".repeat(64));
    let other = folder.path().join("other.safetensors");
    foreign.save(&other).unwrap();
    let twice = [file.clone(), file.clone()];
    for (files, more, word) in [
        (vec![file.clone(), other], &[][..], "tuned weights of the model"),
        (twice.to_vec(), &["--weights", "1"][..], "1 weights for 2 files"),
        (twice.to_vec(), &["--weights", "1", "0"][..], "above 0"),
        (twice.to_vec(), &["--weights", "1", "NaN"][..], "above 0"),
        (vec![folder.path().join("none")], &[][..], "no such file"),
        (vec![at("pkg/models/hippocampus/model.json")], &[][..], "safetensors"),
    ] {
        let run = merged(folder.path(), &files, more);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(!run.status.success() && said.contains(word) && said.contains("expected"), "{word}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
        assert!(!folder.path().join("merged.safetensors").exists());
    }
    let error = WeightDelta::merge(&base, &[(foreign, 1.0)]).unwrap_err();
    assert!(error.to_string().contains("delta 1"), "{error}");
}
