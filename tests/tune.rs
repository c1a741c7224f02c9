//! Tuning: what is refused and in which words, what is tuned and written, and that nothing else changes. On the shipped
//! model and the shipped sample, with few steps.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::sample::{at, image, strokes, truth, volume};
use insitu_seg::card::{Card, Stage};
use insitu_seg::engine::compute::Compute;
use insitu_seg::grid::Reorientation;
use insitu_seg::store::{self, WeightPrecision};
use insitu_seg::tune::{
    self, AnnotatedCase, Cause, ModelWeights, Scope, TuneConfig, TuneOutcome, TuneProgress, UNANNOTATED,
    Verdict, WeightDelta,
};
use insitu_seg::{Result, Volume};
use std::collections::HashMap;
use std::ops::ControlFlow;

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
    assert!(error.contains("a label 9, expected 0 to 4, or 255"), "{error}");

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
fn a_right_object_is_learned_as_the_mirrored_left_one() {
    let card = base().card;
    let left = AnnotatedCase::new("left", &image(), truth(), &card).unwrap();
    // The same voxels, of which the file says that they run the other way.
    let mut seen = image();
    seen.reorientation = seen.reorientation.mirrored();
    seen.voxels = image().mirrored().voxels;
    let labels = |shift: u8| truth().iter().map(|&label| if label > 0 { label + shift } else { 0 }).collect();
    let right = AnnotatedCase::new("right", &seen, labels(2), &card).unwrap();
    assert_eq!((&right.file_labels, &right.labels), (&left.file_labels, &left.labels));
    assert_eq!(right.image, left.image);
    let mut both: Vec<u8> = labels(2);
    both[truth().iter().position(|&label| label == 1).unwrap()] = 1;
    let error = AnnotatedCase::new("both", &seen, both, &card).unwrap_err();
    assert!(error.to_string().contains("both: labels: found those of both sides"), "{error}");
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
        let TuneOutcome { report, tuned, .. } = run(&base, &[case], &steps(1)).unwrap();
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
    let TuneOutcome { report, tuned, .. } = run(&base, &[case], &steps(6)).unwrap();
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
    let TuneOutcome { report, tuned, .. } = run(&base, std::slice::from_ref(&case), &config).unwrap();
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
    let TuneOutcome { report, tuned, .. } = run(&base, &[case], &config).unwrap();
    assert!(tuned.is_none() && report.reason.contains("before") && report.reason.contains("after"));
    assert_eq!(report.steps, 2);
}

/// The sample's labels in every fifth coronal slice, drawn as discs that are larger than the objects.
fn discs() -> Vec<u8> {
    let ([nx, ny, nz], truth) = (image().grid.dims, truth());
    let mut labels = vec![UNANNOTATED; truth.len()];
    for y in (6..ny - 4).step_by(5) {
        let at = |x: usize, z: usize| x + nx * (y + ny * z);
        let slice = || (0..nz).flat_map(|z| (0..nx).map(move |x| (x, z)));
        slice().for_each(|(x, z)| labels[at(x, z)] = 0);
        for label in [1, 2] {
            let inside: Vec<_> = slice().filter(|&(x, z)| truth[at(x, z)] == label).collect();
            if inside.len() < 20 {
                continue;
            }
            let count = inside.len() as f64;
            let middle = |k: fn(&(usize, usize)) -> usize| {
                (inside.iter().map(k).sum::<usize>() as f64 / count).round()
            };
            let (cx, cz) = (middle(|p| p.0), middle(|p| p.1));
            let radius = 1.25 * (count / std::f64::consts::PI).sqrt();
            let is_near = |x: usize, z: usize| (x as f64 - cx).hypot(z as f64 - cz) <= radius;
            slice().filter(|&(x, z)| is_near(x, z)).for_each(|(x, z)| labels[at(x, z)] = label);
        }
    }
    labels
}

#[test]
fn a_convention_of_ones_own_is_kept_as_a_variant_and_only_where_it_is_named() {
    let base = base();
    let case = |name: &str| AnnotatedCase::new(name, &image(), discs(), &base.card).unwrap();
    let mut config = steps(24);
    (config.rate, config.scope) = (Some(2e-3), Some(Scope::All));
    let cases = [case("one"), case("two")];
    let TuneOutcome { report, tuned, refused } = run(&base, &cases, &config).unwrap();
    println!("{}", report.reason);
    assert!(!report.accepted && tuned.is_none());
    assert_eq!((report.verdict, report.cause), (Verdict::Variant, Cause::OwnConvention));
    assert!(report.cases.len() == 2 && report.loss.unwrap().iter().all(|loss| *loss >= 0.0));

    let (looked_at, delta) = refused.unwrap();
    assert!(looked_at.card.tuned.as_ref().unwrap().refused && looked_at.card.title.ends_with("refused"));
    assert_eq!(delta.clone().kept_as_variant("  ").unwrap_err().code(), "argument");
    let kept = WeightDelta::read(&delta.kept_as_variant("Our discs").unwrap().write().unwrap()).unwrap();
    let variant = kept.apply(&base).unwrap();
    assert!(variant.card.title.ends_with("own variant: Our discs"), "{}", variant.card.title);
    assert_eq!(variant.card.tuned.as_ref().unwrap().own_variant.as_deref(), Some("Our discs"));
    assert_eq!(variant.patch, looked_at.patch);

    // One image is not enough, and what is refused for another reason is no variant.
    let TuneOutcome { report, refused, .. } = run(&base, &cases[..1], &config).unwrap();
    assert_eq!((report.verdict, report.cause), (Verdict::Refused, Cause::ReferenceFalls));
    let error = refused.unwrap().1.kept_as_variant("Our discs").unwrap_err().to_string();
    assert!(error.contains("a tuning whose verdict is refused"), "{error}");
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
