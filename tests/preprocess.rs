//! Resampling, intensities and boxes against SciPy. `data/preprocess/golden.py` made the numbers; more cases, on volumes
//! that may not be copied here, are beside the checkout.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use insitu_seg::grid::{BoxRule, Region, Resample, capped_dims, isotropic_dims};
use insitu_seg::{Intensity, Limits, read_volume};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder of numbers, and where the files that `facts.json` names begin.
struct Reference {
    folder: PathBuf,
    volumes: PathBuf,
}

impl Reference {
    fn own() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { folder: root.join("tests/data/preprocess"), volumes: root.to_owned() }
    }

    fn facts(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.folder.join("facts.json")).unwrap()).unwrap()
    }
}

/// `[z, y, x]` of the reference as our `[x, y, z]`.
fn xyz<T: Copy + Default>(value: &Value, number: impl Fn(&Value) -> T) -> [T; 3] {
    let list = value.as_array().unwrap();
    [2, 1, 0].map(|i| number(&list[i]))
}

fn size(value: &Value) -> [usize; 3] {
    xyz(value, |v| v.as_u64().unwrap() as usize)
}

#[test]
fn indices_of_nearest_zoom_equal_scipy() {
    for row in Reference::own().facts()["nearest_zoom"].as_array().unwrap() {
        let from = row["in"].as_u64().unwrap() as usize;
        let expected: Vec<usize> =
            row["indices"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
        let step = Resample { from: [from, 1, 1], to: [expected.len(), 1, 1] };
        assert_eq!(step.indices()[0], expected, "{from} -> {}", expected.len());
        let factor = row["factor"].as_f64().unwrap();
        assert_eq!(isotropic_dims([from, 1, 1], [factor, 1.0, 1.0])[0], expected.len());
    }
}

#[test]
fn cases_of_this_repository_equal_scipy() {
    cases_equal_scipy(&Reference::own(), 3);
}

#[test]
fn cases_beside_the_checkout_equal_scipy() {
    let Some(folder) = common::shared("reference/preprocess") else { return };
    let volumes = folder.join("../..");
    cases_equal_scipy(&Reference { folder, volumes }, 4);
}

fn cases_equal_scipy(reference: &Reference, count: usize) {
    let facts = reference.facts();
    let cases = facts["cases"].as_object().unwrap();
    assert_eq!(cases.len(), count);
    for (name, case) in cases {
        case_equals_scipy(reference, name, case);
    }
}

fn case_equals_scipy(reference: &Reference, name: &str, case: &Value) {
    let file = |key: &str| {
        let path = reference.volumes.join(case[key].as_str().unwrap());
        read_volume(&std::fs::read(path).unwrap(), &Limits::default()).unwrap()
    };
    let (image, label) = (file("image"), file("label"));
    let (dims, spacing) = (image.grid.dims, image.grid.spacing());
    assert_eq!(dims, size(&case["shape"]), "{name}");
    let iso = isotropic_dims(dims, spacing);
    assert_eq!(iso, size(&case["iso_shape"]), "{name}");
    assert_eq!(capped_dims(iso, 180 * 180 * 180), size(&case["capped_shape"]), "{name}");

    // Nothing is reoriented here: the reference works in the file's own axis order.
    let voxels = Resample { from: dims, to: iso }.apply(&image.reorientation.undo(&image.voxels));
    let labels = label.reorientation.undo(&label.labels().unwrap());
    let labels = Resample { from: label.grid.dims, to: iso }.apply(&labels);
    let planes = Planes { size: iso[0] * iso[1], step: case["plane_step"].as_u64().unwrap() as usize };
    let bytes = std::fs::read(reference.folder.join(format!("{name}.safetensors"))).unwrap();
    let arrays = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    intensities_are_close(name, &voxels, &planes, &arrays);
    assert_eq!(planes.of(&labels), arrays.tensor("label_iso").unwrap().data(), "{name} labels");

    let (first, last) = Region::extent(iso, |i| labels[i] > 0).unwrap();
    let rule = BoxRule { min_box: 24, margin: [0.2; 3] };
    let region = Region::around(first, last, iso, iso, &rule);
    let expected = xyz(&case["box_zyx"], |v| {
        let ends = v.as_array().unwrap();
        [ends[0].as_u64().unwrap() as usize, ends[1].as_u64().unwrap() as usize]
    });
    let found: [[usize; 2]; 3] = std::array::from_fn(|a| [region.start[a], region.end[a]]);
    assert_eq!(found, expected, "{name} box");
}

/// The planes of a volume that the reference keeps.
struct Planes {
    size: usize,
    step: usize,
}

impl Planes {
    fn of<T: Copy>(&self, values: &[T]) -> Vec<T> {
        values.chunks(self.size).step_by(self.step).flatten().copied().collect()
    }
}

/// Voxels at 1 mm: as they are, scaled, and normalised.
fn intensities_are_close(name: &str, voxels: &[f32], planes: &Planes, arrays: &safetensors::SafeTensors) {
    let intensity = if name.starts_with("ct_") {
        Intensity::Ct { center: 100.0, width: 180.0, mean: 0.09377181, sd: 0.22647949 }
    } else {
        Intensity::Mr
    };
    for (key, found) in [
        ("iso", voxels.to_vec()),
        ("unit", intensity.unit(voxels)),
        ("normalized", intensity.normalize(voxels)),
    ] {
        let expected: Vec<f32> = arrays
            .tensor(key)
            .unwrap()
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let found = planes.of(&found);
        assert_eq!(found.len(), expected.len(), "{name} {key}");
        let top = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
        let off = found.iter().zip(&expected).fold(0f32, |m, (a, b)| m.max((a - b).abs())) / top;
        println!("{name} {key}: off by {off:.1e}");
        assert!(off < 1e-4, "{name} {key}: off by {off}");
    }
}
