//! Resampling, intensities and boxes against SciPy.
//! `../shared/data/reference/preprocess/golden.py` is the snippet that made the numbers.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use insitu_seg::grid::{BoxRule, Region, Resample, capped_dims, isotropic_dims};
use insitu_seg::{Intensity, Limits, read_volume};
use serde_json::Value;

fn facts() -> Option<Value> {
    let path = common::shared("reference/preprocess/facts.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
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
    let Some(facts) = facts() else { return };
    for row in facts["nearest_zoom"].as_array().unwrap() {
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
fn four_cases_equal_scipy() {
    let Some(facts) = facts() else { return };
    for (name, case) in facts["cases"].as_object().unwrap() {
        let file = |key: &str| {
            let path = common::shared(case[key].as_str().unwrap()).unwrap();
            read_volume(&std::fs::read(path).unwrap(), &Limits::default()).unwrap()
        };
        let (image, label) = (file("image"), file("label"));
        let (dims, spacing) = (image.grid.dims, image.grid.spacing());
        assert_eq!(dims, size(&case["shape"]), "{name}");
        let iso = isotropic_dims(dims, spacing);
        assert_eq!(iso, size(&case["iso_shape"]), "{name}");
        assert_eq!(capped_dims(iso, 180 * 180 * 180), size(&case["capped_shape"]), "{name}");

        // No turn here: the reference works in the file's own axis order.
        let voxels = Resample { from: dims, to: iso }.apply(&image.turn.undo(&image.voxels));
        let labels =
            Resample { from: label.grid.dims, to: iso }.apply(&label.turn.undo(&label.labels().unwrap()));
        let intensity = if name.starts_with("ct_") {
            Intensity::Ct { center: 100.0, width: 180.0, mean: 0.09377181, sd: 0.22647949 }
        } else {
            Intensity::Mr
        };
        let bytes =
            std::fs::read(common::shared(&format!("reference/preprocess/{name}.safetensors")).unwrap())
                .unwrap();
        let floats = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let read = |key: &str| -> Vec<f32> {
            let data = floats.tensor(key).unwrap().data().to_vec();
            data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        };
        let step = case["plane_step"].as_u64().unwrap() as usize;
        let plane = iso[0] * iso[1];
        let planes =
            |values: &[f32]| -> Vec<f32> { values.chunks(plane).step_by(step).flatten().copied().collect() };
        for (key, found) in [
            ("iso", voxels.clone()),
            ("unit", intensity.unit(&voxels)),
            ("normalized", intensity.normalize(&voxels)),
        ] {
            let (found, expected) = (planes(&found), read(key));
            assert_eq!(found.len(), expected.len(), "{name} {key}");
            let top = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
            let off = found.iter().zip(&expected).fold(0f32, |m, (a, b)| m.max((a - b).abs())) / top;
            println!("{name} {key}: off by {off:.1e}");
            assert!(off < 1e-4, "{name} {key}: off by {off}");
        }
        let expected = floats.tensor("label_iso").unwrap();
        let found: Vec<u8> = labels.chunks(plane).step_by(step).flatten().copied().collect();
        assert_eq!(found, expected.data(), "{name} labels");

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
}
