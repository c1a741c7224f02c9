//! `insitu import`: files that PyTorch wrote (`data/import/write.py`) give the logits that PyTorch computed.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "every test takes what it needs")]
#[path = "common/command.rs"]
mod command;
#[path = "common/golden.rs"]
mod golden;

use command::{insitu, text};
use golden::deviation;
use insitu_seg::card::{Card, Fold, Stage, StageCard};
use insitu_seg::engine::cpu::network::Network;
use insitu_seg::model::Architecture;
use insitu_seg::native::{read_card, read_file};
use insitu_seg::store;
use std::path::{Path, PathBuf};
use std::process::Output;

const DIMS: [usize; 3] = [10, 8, 17];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import").join(name)
}

/// A folder with the card of a model like the one that PyTorch wrote, but of `base` channels.
fn like(base: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut card =
        Card::draft("like", "A task", &["thing".to_owned()], vec!["MRI".to_owned()], "phantoms", "CC0-1.0");
    let fold = Fold {
        fold: 0,
        file: "patch-0.safetensors".to_owned(),
        sha256: "0".repeat(64),
        next: None,
        steps: 1,
        validation_dice: Vec::new(),
        command: String::new(),
        recipe: None,
    };
    let architecture = Architecture { base, ..Architecture::default() };
    card.stages.patch = Some(StageCard { architecture, folds: vec![fold] });
    let path = folder.path().join("model.json");
    std::fs::write(&path, card.write().unwrap()).unwrap();
    (folder, path)
}

fn import(file: &Path, like: &Path, out: &Path, more: &[&str]) -> Output {
    let all = ["import", text(file), "--like", text(like), "--stage", "patch", "--output", text(out)];
    insitu(&[&all[..], more].concat())
}

#[test]
fn pytorchs_files_give_pytorchs_logits() {
    let (folder, like) = like(1);
    let count: usize = DIMS.iter().product();
    let image: Vec<f32> = (0..count).map(|i| ((i * 7919 % 1000) as f64 / 500.0 - 1.0) as f32).collect();
    let expected = store::read_weights(&read_file(&data("net.safetensors")).unwrap()).unwrap();
    for name in ["net.pth", "net.safetensors"] {
        let out = folder.path().join(name.replace('.', "-"));
        let run = import(&data(name), &like, &out, &[]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let card = read_card(&out).unwrap();
        let stage = card.stage(Stage::Patch).unwrap();
        let bytes = read_file(&out.join(&stage.folds[0].file)).unwrap();
        stage.folds[0].check(&bytes).unwrap();
        let network = Network::new(&stage.architecture, &store::read_weights(&bytes).unwrap()).unwrap();
        let logits = network.logits(&image, DIMS, &mut |_| Ok(())).unwrap();
        let off = deviation(&logits, &expected["logits"].values);
        println!("{name}: logits off by {off:.1e}");
        assert!(off < 1e-4, "{name}: logits off by {off}");
        assert_eq!(card.licence, "not stated");

        let again = import(&data(name), &like, &out, &[]);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(said.contains("--output: found the patch stage, fold 0"), "{said}");
        let other = import(&data(name), &like, &out, &["--fold", "1"]);
        assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stderr));
        assert_eq!(read_card(&out).unwrap().stage(Stage::Patch).unwrap().folds.len(), 2);
    }
}

#[test]
fn what_is_no_such_network_is_refused_in_a_sentence_and_nothing_is_written() {
    let (folder, like) = like(2);
    let out = folder.path().join("out");
    let [noise, missing] = ["noise.pth", "missing.pth"].map(|name| folder.path().join(name));
    std::fs::write(&noise, vec![7; 1000]).unwrap();
    let net = data("net.pth");
    let cases: [(&Path, &[&str], &str); 4] = [
        (
            &net,
            &[],
            "net.pth: state_dict.stem.conv.weight: found shape [1, 1, 3, 3, 3], expected shape [2, 1, 3, 3, 3]",
        ),
        (&net, &["--rename", "stem=root"], "net.pth: names: found"),
        (&noise, &[], "noise.pth: weights: found"),
        (&missing, &[], "missing.pth: found"),
    ];
    for (file, more, expected) in cases {
        let run = import(file, &like, &out, more);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.contains(expected) && said.trim().lines().count() == 1, "{said}");
        assert!(!out.exists());
    }
    let (_folder, like) = self::like(1);
    let run = import(&net, &like, &out, &["--rename", "norm=n", "--rename", "out.bias=bias"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(said.contains("found no such tensor"), "{said}");
}
