//! Weights on disk.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use insitu_seg::card::{Card, Fold, Stage, StageCard};
use insitu_seg::engine::bench::architecture;
use insitu_seg::engine::compute::Compute;
use insitu_seg::engine::nn::pseudo_random::random_weights;
use insitu_seg::model::Architecture;
use insitu_seg::predict::Model;
use insitu_seg::store::{self, Array, WeightPrecision, Weights};
use insitu_seg::{Error, Result};
use std::collections::HashMap;

#[test]
fn weights_survive_the_way_to_disk_and_back() {
    let array = Array { shape: vec![2, 3], values: vec![0.0, 1.0, -2.5, 1e-3, 65504.0, -0.125] };
    let weights = Weights::from([("a.b".to_owned(), array.clone())]);
    let exact = store::write_weights(&weights, WeightPrecision::F32, Default::default()).unwrap();
    assert_eq!(store::read_weights(&exact).unwrap()["a.b"], array);
    let half = store::write_weights(&weights, WeightPrecision::F16, Default::default()).unwrap();
    let back = store::read_weights(&half).unwrap();
    for (a, b) in back["a.b"].values.iter().zip(&array.values) {
        assert!((a - b).abs() <= 1e-3 * b.abs());
    }
    assert_eq!(store::read_weights(&half[..40]).unwrap_err().code(), "malformed");
}

/// A model of two tiny networks, as the bytes of its card and of its files.
fn model() -> (Card, HashMap<String, Vec<u8>>) {
    let mut card = Card::draft("tiny", "tiny", &["one".into(), "two".into()], vec!["MRI".into()], "", "");
    (card.field_mm.min, card.field_mm.max) = ([1.0; 3], [100.0; 3]);
    let mut files = HashMap::new();
    for stage in [Stage::Whole, Stage::Patch] {
        let form = Architecture { outputs: stage.outputs(2), ..architecture(1, [8; 3]).unwrap() };
        let file = format!("{}-0.safetensors", stage.name());
        let bytes = pack(&random_weights(&form));
        let fold = Fold {
            fold: 0,
            file: file.clone(),
            sha256: store::sha256(&bytes),
            next: None,
            steps: 1,
            validation_dice: vec![],
            command: "insitu train".into(),
            recipe: None,
        };
        *card.stages.get_mut(stage) = Some(StageCard { architecture: form, folds: vec![fold] });
        files.insert(file, bytes);
    }
    (card, files)
}

fn pack(weights: &Weights) -> Vec<u8> {
    store::write_weights(weights, WeightPrecision::F32, HashMap::new()).unwrap()
}

fn load(card: &Card, files: &HashMap<String, Vec<u8>>) -> Result<Model> {
    let card = Card::read(&card.write()?)?;
    let file = |name: &str| {
        files.get(name).cloned().ok_or_else(|| Error::argument(name, "no such file", "a file of the model"))
    };
    Model::load(card, file, false, &Compute::Cpu)
}

const PATCH: &str = "patch-0.safetensors";

/// Puts bytes in the place of the patch network, with a hash that fits.
fn with_patch(bytes: Vec<u8>) -> (Card, HashMap<String, Vec<u8>>) {
    let (mut card, mut files) = model();
    card.stages.patch.as_mut().unwrap().folds[0].sha256 = store::sha256(&bytes);
    files.insert(PATCH.into(), bytes);
    (card, files)
}

#[test]
fn a_damaged_model_is_refused_in_words() {
    let (card, files) = model();
    load(&card, &files).unwrap();
    let good = store::read_weights(&files[PATCH]).unwrap();
    let changed = |change: &dyn Fn(&mut Weights)| {
        let mut weights = good.clone();
        change(&mut weights);
        with_patch(pack(&weights))
    };
    let name = "head.conv.weight";
    let mut damaged = files.clone();
    *damaged.get_mut(PATCH).unwrap().last_mut().unwrap() ^= 1;
    let mut absent = files.clone();
    absent.remove(PATCH);
    // A header that claims, and one that has, 200 MB.
    let mut claims = 200_000_000u64.to_le_bytes().to_vec();
    let mut has = claims.clone();
    claims.extend(b"{}");
    has.resize(200_000_008, b' ');
    for ((card, files), place, words) in [
        (changed(&|weights| weights.get_mut(name).unwrap().shape = vec![1, 1, 54]), name, "shape [1, 1, 54]"),
        (changed(&|weights| weights.get_mut(name).unwrap().values[3] = f32::NAN), name, "not finite"),
        (changed(&|weights| drop(weights.remove(name))), name, "no such tensor"),
        (
            changed(&|weights| {
                weights.insert("more".into(), Array { shape: vec![1], values: vec![1.0] });
            }),
            "more",
            "that the network lacks",
        ),
        ((card.clone(), damaged), PATCH, "SHA-256"),
        ((card.clone(), absent), PATCH, "no such file"),
        (with_patch(claims), PATCH, "header"),
        (with_patch(has), PATCH, "header"),
        (with_patch(Vec::new()), PATCH, "header"),
        (with_patch(b"hello, this is a letter".to_vec()), PATCH, "header"),
    ] {
        let error = load(&card, &files).err().unwrap();
        let text = error.to_string();
        assert!(matches!(error.code(), "malformed" | "argument"), "{text}");
        for part in [place, words, "found", "expected"] {
            assert!(text.to_lowercase().contains(&part.to_lowercase()), "no \"{part}\" in {text}");
        }
        assert!(text.len() < 400, "{text}");
    }
}

#[test]
fn a_file_that_is_about_to_change_is_known_by_both_its_hashes() {
    let (mut card, mut files) = model();
    let weights = store::read_weights(&files[PATCH]).unwrap();
    let half = store::write_weights(&weights, WeightPrecision::F16, HashMap::new()).unwrap();
    card.stages.patch.as_mut().unwrap().folds[0].next = Some(store::sha256(&half));
    load(&card, &files).unwrap();
    files.insert(PATCH.into(), half);
    load(&card, &files).unwrap();
}
