//! A small task: balls of two labels, and the command that trains on it.

use insitu_seg::{Limits, Volume, read_volume, write_labels};
use std::path::Path;
use std::process::{Command, Output};

/// Balls of two labels at changing places, as images and labels of an MSD task.
pub fn task(folder: &Path) {
    let template = read_volume(
        &std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("pkg/samples/hippocampus/image.nii.gz"))
            .unwrap(),
        &Limits::default(),
    )
    .unwrap();
    let mut pairs = Vec::new();
    for kind in ["images", "labels"] {
        std::fs::create_dir_all(folder.join(kind)).unwrap();
    }
    for number in 1..=8usize {
        let name = format!("ball_{number:03}.nii.gz");
        let at = |i: usize, scale: u8| ball(&template, number, i) * scale;
        for (kind, scale, ground) in [("images", 60u8, 20u8), ("labels", 1, 0)] {
            let voxels: Vec<u8> = (0..template.grid.len())
                .map(|i| ground * u8::from(i % 7 < 3) / 2 + ground + at(i, scale))
                .collect();
            std::fs::write(folder.join(kind).join(&name), write_labels(&voxels, &template, true).unwrap())
                .unwrap();
        }
        pairs.push(
            serde_json::json!({"image": format!("./images/{name}"), "label": format!("./labels/{name}")}),
        );
    }
    let manifest = serde_json::json!({
        "name": "Balls", "licence": "none", "reference": "made by a test", "modality": {"0": "MRI"},
        "labels": {"0": "background", "1": "Front", "2": "Back"}, "training": pairs,
    });
    std::fs::write(folder.join("dataset.json"), manifest.to_string()).unwrap();
}

fn ball(template: &Volume, number: usize, index: usize) -> u8 {
    let [nx, ny, _] = template.grid.dims;
    let center = [14 + number % 4, 22 + number % 5, 15 + number % 3];
    let at = [index % nx, index / nx % ny, index / (nx * ny)];
    let square: usize = at.iter().zip(center).map(|(&a, c)| a.abs_diff(c).pow(2)).sum();
    if square > 50 { 0 } else { 1 + u8::from(at[1] < center[1]) }
}

/// Runs the command.
pub fn insitu(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_insitu")).args(arguments).output().unwrap()
}

/// Runs the command, which has to succeed.
pub fn done(arguments: &[&str]) {
    let run = insitu(arguments);
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}
