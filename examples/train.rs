//! Trains a small patch network on phantoms, bodies with known labels that are made on the spot, and keeps its weights:
//! `train [WEIGHTS.safetensors] [STEPS]`.

use insitu_seg::training::*;
use insitu_seg::{Card, Compute, Intensity, Result};
use std::ops::ControlFlow;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let output = arguments.next().map_or(std::env::temp_dir().join("patch.safetensors"), Into::into);
    let steps = arguments.next().and_then(|steps| steps.parse().ok()).unwrap_or(20);

    let kind = PhantomKind::find("Hippocampus")?;
    let labels: Vec<String> = kind.labels().iter().map(|&label| label.to_owned()).collect();
    let card = Card::draft("phantoms", kind.name(), &labels, vec!["MRI".to_owned()], "phantoms", "CC0-1.0");
    let case = |number: u64| {
        let phantom = kind.make(kind.size(), 1, number)?;
        let values: Vec<f32> = phantom.image.iter().map(|&value| f32::from(value)).collect();
        let (dims, image) = (phantom.grid.dims, Intensity::Mr.normalize(&values));
        Ok(LabeledCase::new(format!("phantom {number}"), number as usize, dims, image, phantom.labels))
    };
    let cases = Dataset::in_memory((0..8).map(case).collect::<Result<Vec<_>>>()?);
    let (training, validation) = split_fold(cases, 0, 4);

    let mut config = TrainConfig::new(Stage::Patch, &card);
    config.architecture.base = 4;
    config.budget = TrainingBudget::Steps(steps);
    let weights = initial_weights(&config.architecture, config.seed);
    let mut on_event = |event: &TrainEvent| {
        if let TrainEvent::Epoch(epoch, _) = event {
            println!("loss {:.3}, validation Dice {:.3?}", epoch.loss, epoch.validation_dice);
        }
        ControlFlow::Continue(())
    };
    let fit = fit(config, weights, &Compute::Cpu, training, &validation, &mut on_event);
    let report = pollster::block_on(fit)?;
    save_weights(&output, &report.weights)
}
