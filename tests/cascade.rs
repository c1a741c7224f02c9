//! The cascade as tuning uses it, and as the command does on a GPU.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::not_run::{Need, not_run};
use insitu_seg::card::Card;
use insitu_seg::engine::compute::Compute;
use insitu_seg::grid::Grid;
use insitu_seg::predict::{InferenceOptions, segment};
use insitu_seg::tune::{AnnotatedCase, ModelWeights, UNANNOTATED, evaluation};
use insitu_seg::{Limits, Volume, read_volume};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn model() -> ModelWeights {
    let folder = at("pkg/models/hippocampus");
    let card = Card::read(&std::fs::read(folder.join("model.json")).unwrap()).unwrap();
    ModelWeights::load(card, |name| Ok(std::fs::read(folder.join(name)).unwrap())).unwrap()
}

/// The sample with voxels of another size, so that labels are resampled on their way back.
fn stretched() -> Volume {
    let bytes = std::fs::read(at("pkg/samples/hippocampus/image.nii.gz")).unwrap();
    let mut volume = read_volume(&bytes, &Limits::default()).unwrap();
    let affine = volume.grid.affine.map(|[x, y, z, offset]| [0.8 * x, 0.9 * y, 1.2 * z, offset]);
    volume.grid = Grid::new(volume.grid.dims, affine, [0.0; 3]);
    volume
}

#[test]
fn tuning_judges_by_the_masks_that_segmenting_gives() {
    let (volume, weights) = (stretched(), model());
    let annotations = vec![UNANNOTATED; volume.grid.len()];
    let case = AnnotatedCase::new("sample", &volume, annotations, &weights.card).unwrap();
    let mut masks = Vec::new();
    for nearest in [false, true] {
        let options = InferenceOptions { nearest, ..InferenceOptions::default() };
        let model = weights.model(&Compute::Cpu).unwrap().with_options(options);
        let go_on = &mut |_| ControlFlow::Continue(());
        let expected = pollster::block_on(segment(&model, &volume, go_on)).unwrap().labels;
        let found = pollster::block_on(evaluation::predict_mask(&model, &case, go_on)).unwrap();
        assert!(found.iter().any(|label| *label > 0), "nearest: {nearest}");
        assert!(found == expected, "nearest: {nearest}");
        masks.push(found);
    }
    assert!(masks[0] != masks[1], "both ways back give the same mask");
}

#[test]
fn a_gpu_without_a_desktop_is_opened_without_a_word() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_insitu"));
    command.args(["bench", "--backend", "gpu", "--base", "2", "--size", "16", "16", "16"]);
    let run = command.env_remove("XDG_RUNTIME_DIR").env_remove("NODEVICE_SELECT").output().unwrap();
    let words = String::from_utf8_lossy(&run.stderr);
    if words.contains("expected an adapter") {
        not_run(Need::Gpu, &"this machine has no GPU adapter, not even one in software");
        assert_eq!(words.lines().count(), 1, "{words}");
    } else {
        assert!(run.status.success(), "{words}");
        assert_eq!(words, "");
    }
}
