//! A model of several objects, trained here on made bodies: each object found on its side, in a box of its own, with its own
//! labels; an object that is not there is said; boxes that are given are used.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/bodies.rs"]
mod bodies;

use bodies::bodies;
use insitu_seg::card::{Card, CardObject, Fold, Stage, StageCard};
use insitu_seg::engine::compute::Compute;
use insitu_seg::file::{DataType, write_values};
use insitu_seg::grid::{BoxRule, Grid, Region};
use insitu_seg::model::Architecture;
use insitu_seg::predict::{Bounds, ChosenBoxes, Model, NamedBox, Segmentation, segment_boxes};
use insitu_seg::store::Weights;
use insitu_seg::train::case::LabeledCase;
use insitu_seg::train::random::seeded_rng;
use insitu_seg::train::run::{EpochEnd, TrainEvent, TrainingRun};
use insitu_seg::train::source::ValidationSet;
use insitu_seg::train::synthesis::{
    MapSet, SyntheticImage, SyntheticSource, SyntheticValidation, synthesize,
};
use insitu_seg::train::{Dataset, TrainConfig, TrainingBudget, initial_weights};
use insitu_seg::{Intensity, Limits, Volume, read_volume};
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

/// Bodies in one contrast, so that little networks learn them at once.
const EASY: &str = r#", "geometry": {"degrees": 8, "far": [0, 0], "air": [0, 0], "mirror": 0.5, "crop": 0},
    "grey": {"known": 1, "texture": [0.01, 0.03], "thick": 0, "bias": 0.05, "gamma": 0.05, "background": 0}"#;

fn set() -> MapSet {
    bodies([2.0; 3], EASY)
}

fn card() -> Card {
    let names = ["Left object", "Right object"].map(String::from);
    let mut card = Card::draft("bodies", "bodies", &names, vec!["MRI".into()], "", "");
    card.objects = vec![
        CardObject { name: "left".into(), mirror: false },
        CardObject { name: "right".into(), mirror: true },
    ];
    card.measured = vec!["all".into()];
    card.normalize_box = true;
    card.preset.max_voxels = 28 * 28 * 28;
    (card.field_mm.min, card.field_mm.max) = ([60.0; 3], [120.0; 3]);
    card
}

fn config(stage: Stage, card: &Card, steps: usize) -> TrainConfig {
    let mut config = TrainConfig::new(stage, card);
    config.architecture = Architecture { base: 4, ..config.architecture };
    (config.budget, config.peak_rate) = (TrainingBudget::Steps(steps), 1e-2);
    config
}

fn finish(mut run: TrainingRun, check: &dyn ValidationSet) -> Weights {
    let mut best = None;
    let mut keep = |event: TrainEvent| {
        if let TrainEvent::Epoch(_, weights) = event {
            best = Some(weights.clone());
        }
        ControlFlow::Continue(())
    };
    while pollster::block_on(run.epoch(check, &mut keep)).unwrap() != EpochEnd::BudgetSpent {}
    best.unwrap()
}

/// Steps of the whole network.
const WHOLE_STEPS: usize = 500;

/// The whole network on made bodies, the patch network on boxes of the left object, mirrored right ones among them.
fn weights() -> &'static [Weights; 2] {
    static TRAINED: OnceLock<[Weights; 2]> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let (set, card) = (set(), card());
        let whole = config(Stage::Whole, &card, WHOLE_STEPS);
        let check = SyntheticValidation { set: set.clone(), count: 1 };
        let source =
            SyntheticSource { set: set.clone(), preset: card.preset, batch: 1, steps: WHOLE_STEPS, seed: 3 };
        let start = initial_weights(&whole.architecture, 1);
        let run = pollster::block_on(TrainingRun::from_source(whole, start, Compute::Cpu, Arc::new(source)));
        let whole = finish(run.unwrap(), &check);

        let cases = (0..40).map(|n| left_case(&set, n)).collect::<Vec<_>>();
        let mut patch = config(Stage::Patch, &card, 240);
        patch.samples.labels = 1;
        let start = initial_weights(&patch.architecture, 1);
        let cases = Dataset::in_memory(cases);
        let run = TrainingRun::new(patch, start, Compute::Cpu, cases.clone());
        [whole, finish(pollster::block_on(run).unwrap(), &cases)]
    })
}

/// A box around the left object.
fn left_case(set: &MapSet, number: usize) -> LabeledCase {
    let image = made(set, number as u64);
    let volume = volume(&image);
    let labels: Vec<u8> = truth(set, &image).iter().map(|&label| u8::from(label == 1)).collect();
    let (first, last) = Region::extent(image.dims, |i| labels[i] > 0).unwrap();
    let around = BoxRule { min_box: 1, margin: [0.5; 3] };
    let region = Region::around(first, last, image.dims, image.dims, &around);
    let values = Intensity::Mr.normalize(&region.crop(&volume.voxels));
    LabeledCase::new(number.to_string(), number, region.dims(), values, region.crop(&labels))
}

fn made(set: &MapSet, number: u64) -> SyntheticImage {
    let fine = insitu_seg::card::Preset { max_voxels: 1 << 24, ..card().preset };
    synthesize(set, 0, &fine, &mut seeded_rng(11, number)).unwrap()
}

fn truth(set: &MapSet, image: &SyntheticImage) -> Vec<u8> {
    image.classes.iter().map(|&class| set.label_in_mask(class)).collect()
}

/// As a file has it, at 1 mm.
fn volume(image: &SyntheticImage) -> Volume {
    let mut affine = [[0.0; 4]; 4];
    (0..4).for_each(|axis| affine[axis][axis] = 1.0);
    let values: Vec<u8> =
        image.values.iter().flat_map(|value| ((value * 1000.0) as i16).to_le_bytes()).collect();
    let bytes = write_values(&Grid::new(image.dims, affine, [1.0; 3]), DataType::I16, 1, &values).unwrap();
    read_volume(&bytes, &Limits::default()).unwrap()
}

fn model() -> Model {
    let mut card = card();
    let fold = Fold {
        fold: 0,
        file: "a".into(),
        sha256: String::new(),
        next: None,
        steps: 1,
        validation_dice: vec![],
        command: String::new(),
        recipe: None,
    };
    for stage in [Stage::Whole, Stage::Patch] {
        let architecture = config(stage, &card, 1).architecture;
        let form = Some(StageCard { architecture, folds: vec![fold.clone()] });
        match stage {
            Stage::Whole => card.stages.whole = form,
            Stage::Patch => card.stages.patch = form,
        }
    }
    let [whole, patch] = weights();
    Model::from_weights(card, [whole, patch], &Compute::Cpu).unwrap()
}

fn run(model: &Model, volume: &Volume, boxes: &[(&str, Bounds)]) -> Segmentation {
    let named = |(name, bounds): &(&str, Bounds)| NamedBox { object: Some((*name).into()), bounds: *bounds };
    let chosen = ChosenBoxes { boxes: boxes.iter().map(named).collect(), only: false };
    pollster::block_on(segment_boxes(model, volume, &chosen, &mut |_| ControlFlow::Continue(()))).unwrap()
}

fn dice(truth: &[u8], found: &[u8], label: u8) -> f64 {
    let both = truth.iter().zip(found).filter(|(a, b)| **a == label && **b == label).count();
    let sizes = [truth, found].map(|mask| mask.iter().filter(|value| **value == label).count());
    2.0 * both as f64 / (sizes[0] + sizes[1]).max(1) as f64
}

#[test]
fn each_object_is_found_on_its_side_and_measured() {
    let (model, set) = (model(), set());
    for number in 100..104 {
        let image = made(&set, number);
        let (volume, truth) = (volume(&image), truth(&set, &image));
        let result = run(&model, &volume, &[]);
        let scores = [1, 2].map(|label| dice(&truth, &result.labels, label));
        assert!(scores.iter().all(|score| *score > 0.6), "{number}: {scores:?}, {:?}", result.warnings);
        let names: Vec<_> = result.boxes.iter().map(|b| (&b.object[..], b.side)).collect();
        assert_eq!(names, [("left", Some("left")), ("right", Some("right"))]);
        assert!(result.boxes[0].end[0] <= result.boxes[1].end[0]);
        assert_eq!(result.region, result.boxes[0].bounds());
        let body = truth.iter().filter(|label| **label > 0).count() as f64 / 1000.0;
        let ratio = result.measured[0].milliliters / body;
        assert!(result.measured[0].name == "all" && (0.9..1.1).contains(&ratio), "{ratio}");
    }
}

#[test]
fn an_object_that_is_not_there_is_said_and_not_invented() {
    let (model, set) = (model(), set());
    let mut image = made(&set, 100);
    let truth = truth(&set, &image);
    // The right object, with the rim that the blur makes of it, becomes body.
    let inside: Vec<f32> =
        image.values.iter().zip(&truth).filter(|(_, label)| **label == 3).map(|(value, _)| *value).collect();
    let [nx, ny, _] = image.dims;
    let near = |index: usize| {
        let offsets = [1, nx, nx * ny].into_iter().flat_map(|stride| (1..4).map(move |n| n * stride));
        let mut sides = offsets.flat_map(|offset| [index.wrapping_sub(offset), index + offset]);
        truth[index] == 2 || sides.any(|side| truth.get(side) == Some(&2))
    };
    for index in (0..truth.len()).filter(|index| near(*index)) {
        image.values[index] = inside[index % inside.len()];
    }
    let result = run(&model, &volume(&image), &[]);
    assert_eq!(result.boxes.len(), 1, "{:?}", result.boxes);
    assert!(
        result.warnings.iter().any(|warning| warning.contains("no right object")),
        "{:?}",
        result.warnings
    );
    assert!(result.labels.iter().all(|&label| label != 2) && result.labels.contains(&1));
}

#[test]
fn a_box_that_is_given_is_used_and_one_that_is_found_holds_the_object() {
    let (model, set) = (model(), set());
    let image = made(&set, 101);
    let (volume, truth) = (volume(&image), truth(&set, &image));
    let found = run(&model, &volume, &[]);
    let given = run(&model, &volume, &[("right", found.boxes[1].bounds())]);
    assert_eq!((&given.boxes, &given.labels), (&found.boxes, &found.labels));
    // Half of the box: it is not enlarged, and what is missing is said.
    let (start, mut end) = found.boxes[1].bounds();
    end[2] = (start[2] + end[2]) / 2;
    let half = run(&model, &volume, &[("right", (start, end))]);
    assert_eq!(half.boxes[1].bounds(), (start, end));
    assert!(half.warnings.iter().any(|warning| warning.contains("may be cut")), "{:?}", half.warnings);
    // Boxes that are found hold the object.
    for (label, found) in [1, 2].into_iter().zip(&found.boxes) {
        let (first, last) = Region::extent(image.dims, |i| truth[i] == label).unwrap();
        let holds = (0..3).all(|axis| found.start[axis] <= first[axis] && last[axis] < found.end[axis]);
        assert!(holds, "{found:?} around {first:?} to {last:?}");
    }
}
