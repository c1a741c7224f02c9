//! Images made of label maps: the same from any thread, sides that change places, grey values as they were asked for, and
//! maps of every kind.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/bodies.rs"]
mod bodies;

use bodies::{bodies, body, recipe, write};
use insitu_seg::card::{Preset, Stage};
use insitu_seg::file::{DataType, write_values};
use insitu_seg::grid::Grid;
use insitu_seg::intensity::mean_and_sd;
use insitu_seg::phantom::PhantomKind;
use insitu_seg::train::augment::Augment;
use insitu_seg::train::prefetch::Prefetch;
use insitu_seg::train::random::seeded_rng;
use insitu_seg::train::sample::SampleConfig;
use insitu_seg::train::source::{SampleSource, ValidationSet};
use insitu_seg::train::synthesis::{
    MapSet, Recipe, SyntheticImage, SyntheticSource, SyntheticValidation, synthesize,
};
use std::path::Path;

fn source(set: MapSet) -> SyntheticSource {
    SyntheticSource {
        set,
        preset: Preset { max_voxels: 40 * 40 * 40, ..Preset::default() },
        batch: 2,
        steps: 5,
        seed: 9,
    }
}

fn middle(image: &SyntheticImage, set: &MapSet, target: u8) -> [f64; 3] {
    let inside: Vec<usize> =
        (0..image.classes.len()).filter(|&i| set.label_in_mask(image.classes[i]) == target).collect();
    let [nx, ny, _] = image.dims;
    let sum = inside.iter().fold([0.0; 3], |sum, i| {
        [sum[0] + (i % nx) as f64, sum[1] + (i / nx % ny) as f64, sum[2] + (i / (nx * ny)) as f64]
    });
    sum.map(|sum| sum / inside.len() as f64)
}

#[test]
fn a_step_is_the_same_from_any_thread_and_when_it_is_made_again() {
    let source = source(bodies([1.0; 3], ""));
    let direct: Vec<_> = (0..6).map(|step| source.batch(step).unwrap()).collect();
    let again = source.clone();
    let ahead: Vec<_> = Prefetch::new(0..6, move |step| again.batch(step).unwrap()).collect();
    let threads: Vec<_> = std::thread::scope(|scope| {
        let halves = [0..3, 3..6]
            .map(|steps| scope.spawn(|| steps.map(|s| source.batch(s).unwrap()).collect::<Vec<_>>()));
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let mut seen = Vec::new();
    for ((one, two), three) in direct.iter().zip(&ahead).zip(&threads) {
        for ((one, two), three) in one.iter().zip(two).zip(three) {
            assert!(one.image == two.image && one.image == three.image);
            assert!(one.target == two.target && one.target == three.target && one.dims == two.dims);
            assert_eq!(one.target.len(), 3 * one.image.len());
            assert!(!seen.contains(&one.image));
            seen.push(one.image.clone());
        }
    }
    assert_eq!(seen.len(), 12);
}

#[test]
fn validation_images_are_others_and_do_not_depend_on_the_seed() {
    let source = source(bodies([1.0; 3], ""));
    let check = SyntheticValidation { set: source.set.clone(), count: 3 };
    let (stage, preset, augment) = (Stage::Whole, source.preset, Augment::default());
    let config = SampleConfig { stage, labels: 3, preset, augment };
    let sample = |index| check.sample(index, &config).unwrap();
    assert_eq!(sample(1).image, sample(1).image);
    assert_ne!(sample(0).image, sample(2).image);
    assert!((0..4).all(|step| source.batch(step).unwrap().iter().all(|s| s.image != sample(0).image)));
}

#[test]
fn the_left_object_is_on_the_left_in_a_mirrored_image_too() {
    let set = bodies([1.0; 3], r#", "geometry": {"degrees": 5, "far": [0, 0]}"#);
    let (mut larger_left, mut larger_right) = (0, 0);
    for number in 0..24 {
        let image = synthesize(&set, 0, &source(set.clone()).preset, &mut seeded_rng(4, number)).unwrap();
        let [left, right] = [1, 2].map(|target| middle(&image, &set, target));
        assert!(left[0] < right[0], "image {number}: left at {left:?}, right at {right:?}");
        let count =
            |target| image.classes.iter().filter(|class| set.label_in_mask(**class) == target).count();
        // In the map the left one is the larger.
        if count(1) > count(2) { larger_left += 1 } else { larger_right += 1 }
    }
    assert!(larger_left > 4 && larger_right > 4, "{larger_left} as in the map, {larger_right} mirrored");
}

/// No disturbance but these grey values.
fn plain(grey: &str) -> String {
    format!(
        r#", "geometry": {{"mirror": 0, "degrees": 0, "far": [0, 0], "scale": [1, 1], "size": [1, 1], "shear": 0,
            "shift_mm": 0, "warp_mm": 0, "air": [0, 0], "crop": 0}},
            "grey": {{"known": 1, "blur_mm": [0.7, 0.7], "thick": 0, "gamma": 0, {grey}}}"#
    )
}

const TEXTURE: &str = r#""texture": [0.05, 0.05], "bias": 0, "noise": 0"#;

/// Grey values of a class, away from its border.
fn inner(image: &SyntheticImage, class: u8) -> Vec<f32> {
    let [nx, ny, nz] = image.dims;
    let at = |x: usize, y: usize, z: usize| x + nx * (y + ny * z);
    let mut found = Vec::new();
    for z in 3..nz - 3 {
        for y in 3..ny - 3 {
            for x in 3..nx - 3 {
                let near = [
                    (x - 3, y, z),
                    (x + 3, y, z),
                    (x, y - 3, z),
                    (x, y + 3, z),
                    (x, y, z - 3),
                    (x, y, z + 3),
                ];
                if near.iter().chain([&(x, y, z)]).all(|&(x, y, z)| image.classes[at(x, y, z)] == class) {
                    found.push(image.values[at(x, y, z)]);
                }
            }
        }
    }
    found
}

#[test]
fn grey_values_and_noise_within_a_tissue_are_as_asked_for() {
    let set = bodies([1.0; 3], &plain(TEXTURE));
    let fine = Preset { max_voxels: 1 << 24, ..Preset::default() };
    let image = synthesize(&set, 0, &fine, &mut seeded_rng(1, 2)).unwrap();
    assert_eq!(image.dims, image.dims_mm);
    // The whole image is stretched to 0..1: in units of the contrast between both tissues nothing changes.
    let [(body, body_sd), (object, object_sd)] = [1, 2].map(|class| mean_and_sd(&inner(&image, class)));
    let contrast = (object - body) / 0.6;
    // Left of white noise by a blur of 0.7 voxels along three axes.
    let weights: Vec<f64> = (-3..=3).map(|k| (-0.5 * (f64::from(k) / 0.7f64).powi(2)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let left = (weights.iter().map(|w| (w / sum).powi(2)).sum::<f64>()).sqrt().powi(3);
    for sd in [body_sd, object_sd] {
        assert!((sd / contrast / (0.05 * left) - 1.0).abs() < 0.05, "{sd}, {}", 0.05 * left * contrast);
    }
    let background = mean_and_sd(&inner(&image, 0)).0;
    if background > 0.0 {
        assert!(background / contrast < 0.5, "{background}");
    }
}

#[test]
fn a_bias_field_stays_in_its_range_and_noise_has_its_strength() {
    let preset = Preset { max_voxels: 64 * 64 * 64, ..Preset::default() };
    let spread = |more: &str, number| {
        let image = synthesize(&bodies([1.0; 3], more), 0, &preset, &mut seeded_rng(2, number)).unwrap();
        let (mean, sd) = mean_and_sd(&inner(&image, 1));
        sd / mean
    };
    let [flat, noisy, biased] = [(0.0, 0.0), (0.0, 0.1), (0.3, 0.0)]
        .map(|(bias, noise)| plain(&format!(r#""texture": [0, 0], "bias": {bias}, "noise": {noise}"#)));
    assert!(spread(&flat, 0) < 1e-3);
    let many = |more: &str| (0..12).map(|n| spread(more, n)).collect::<Vec<_>>();
    let (noise, bias) = (many(&noisy), many(&biased));
    assert!(bias.iter().all(|s| *s < 0.45) && bias.iter().sum::<f64>() > 12.0 * 0.03, "{bias:?}");
    assert!(noise.iter().all(|s| *s < 0.6) && noise.iter().sum::<f64>() > 12.0 * 0.05, "{noise:?}");
}

#[test]
fn maps_of_any_grid_make_images_of_the_same_object() {
    let fine = Preset { max_voxels: 1 << 24, ..Preset::default() };
    let mut sizes = Vec::new();
    for spacing in [[1.0; 3], [2.0, 1.0, 0.8], [0.8, 1.6, 4.0]] {
        let set = bodies(spacing, &plain(TEXTURE));
        let image = synthesize(&set, 1, &fine, &mut seeded_rng(1, 2)).unwrap();
        sizes.push(
            [1, 2].map(|target| image.classes.iter().filter(|c| set.label_in_mask(**c) == target).count()),
        );
    }
    for size in &sizes[1..] {
        for (found, wanted) in size.iter().zip(sizes[0]) {
            assert!(found.abs_diff(wanted) * 10 < wanted, "{sizes:?}");
        }
    }
}

#[test]
fn no_field_of_view_cuts_the_object_and_some_strip_what_is_around() {
    let strip = r#", "strip": {"keep": ["2-3"], "share": 0.5, "rim_mm": 2}, "geometry": {"degrees": 15}"#;
    let set = bodies([1.0; 3], strip);
    let preset = source(set.clone()).preset;
    let images: Vec<_> =
        (0..40).map(|n| synthesize(&set, 0, &preset, &mut seeded_rng(3, n)).unwrap()).collect();
    let stripped = images.iter().filter(|image| image.stripped).count();
    assert!((10..30).contains(&stripped), "{stripped} of 40");
    let sizes: Vec<_> = images.iter().map(|image| image.dims_mm).collect();
    assert!(sizes.iter().any(|size| *size != sizes[0]));
    let ball = |radius: f64| 4.0 / 3.0 * std::f64::consts::PI * radius.powi(3);
    for image in images.iter().filter(|image| !image.stripped) {
        let voxel_mm3 = image.dims_mm.iter().product::<usize>() as f64 / image.classes.len() as f64;
        let of = |target: u8| {
            image.classes.iter().filter(|class| set.label_in_mask(**class) == target).count() as f64
                * voxel_mm3
        };
        // Left and right may have changed places; a scale is 0.79 to 1.23 along each axis.
        let whole = of(1) + of(2) + of(3);
        for (found, wanted) in [(of(1) + of(2), ball(10.0) + ball(7.0)), (whole, ball(32.0))] {
            assert!((0.45..2.0).contains(&(found / wanted)), "{found} mm^3 for {wanted}");
        }
    }
    for image in images.iter().filter(|image| image.stripped) {
        let body = image.classes.iter().filter(|class| **class == 1).count();
        assert!(body < image.classes.len() / 10);
    }
}

#[test]
fn the_phantoms_of_every_task_are_maps() {
    for name in ["Hippocampus", "Liver", "Prostate", "cascade"] {
        let kind = PhantomKind::find(name).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=2 {
            let phantom = kind.make(kind.size(), 1, number).unwrap();
            let bytes = write_values(&phantom.grid, DataType::U8, 1, &phantom.labels).unwrap();
            std::fs::write(folder.path().join(format!("{number}.nii.gz")), bytes).unwrap();
        }
        let text = r#"{"name": "phantoms", "targets": [{"name": "first", "labels": [1]}], "keep": ["1-255"],
            "tissues": [{"name": "all", "rest": true, "apart": true}]}"#;
        let set = MapSet::read(folder.path(), Recipe::read(text.as_bytes()).unwrap(), &mut |_| ()).unwrap();
        let source = source(set);
        for sample in source.batch(0).unwrap() {
            assert!(sample.target.contains(&1.0) && sample.image.iter().all(|v| v.is_finite()), "{name}");
        }
    }
}

#[test]
fn files_that_are_no_label_maps_are_refused_by_name() {
    let (dims, labels) = body([2.0; 3]);
    let said = |prepare: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "good.nii.gz", dims, [2.0; 3], &labels);
        prepare(folder.path());
        MapSet::read(folder.path(), recipe(r#", "exclude": ["left_out"]"#), &mut |_| ())
            .map(|set| set.excluded)
    };
    assert_eq!(
        said(&|f| std::fs::write(f.join("left_out.nii.gz"), b"no map").unwrap()).unwrap(),
        ["left_out"]
    );
    let unknown: Vec<u8> = labels.iter().map(|&label| if label == 1 { 9 } else { label }).collect();
    let error = said(&|f| write(f, "odd.nii.gz", dims, [2.0; 3], &unknown)).unwrap_err().to_string();
    assert!(error.contains("labels 9 in no tissue"), "{error}");
    let one_side: Vec<u8> = labels.iter().map(|&label| if label == 3 { 1 } else { label }).collect();
    let error = said(&|f| write(f, "side.nii.gz", dims, [2.0; 3], &one_side)).unwrap_err().to_string();
    assert!(error.contains("side") && error.contains("right"), "{error}");
    let error = said(&|f| {
        let halves: Vec<u8> =
            labels.iter().flat_map(|&label| (f32::from(label) / 2.0).to_le_bytes()).collect();
        let mut affine = [[0.0; 4]; 4];
        (0..4).for_each(|axis| affine[axis][axis] = 1.0);
        let bytes = write_values(&Grid::new(dims, affine, [1.0; 3]), DataType::F32, 1, &halves).unwrap();
        std::fs::write(f.join("grey.nii"), bytes).unwrap();
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("grey.nii") && error.contains("whole numbers"), "{error}");
}
