//! Tunes the shipped model on corrected masks and keeps what was accepted:
//! `tune [OUT.safetensors] [STEPS] [IMAGE LABELS]...`; in labels 255 says "not annotated".

use insitu_seg::tuning::{AnnotatedCase, ModelWeights, TuneConfig, tune};
use insitu_seg::{Compute, Result, Volume};
use std::ops::ControlFlow;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let output = arguments.first().map_or(std::env::temp_dir().join("tuned.safetensors"), Into::into);
    let steps = arguments.get(1).and_then(|steps| steps.parse().ok()).unwrap_or(4);
    let sample = ["pkg/samples/hippocampus/image.nii.gz", "pkg/samples/hippocampus/label.nii.gz"];
    let sample = sample.map(str::to_owned);
    let pairs = if arguments.len() > 2 { &arguments[2..] } else { &sample[..] };

    let model = ModelWeights::open("hippocampus")?;
    let case = |pair: &[String]| {
        AnnotatedCase::of_files(&pair[0], &Volume::open(&pair[0])?, &Volume::open(&pair[1])?, &model.card)
    };
    let cases = pairs.chunks_exact(2).map(case).collect::<Result<Vec<_>>>()?;
    let mut config = TuneConfig::default();
    config.steps = Some(steps);
    let mut watch = |_| ControlFlow::Continue(());
    let outcome = pollster::block_on(tune(&model, &cases, None, &config, &Compute::Cpu, &mut watch))?;
    println!("{}", outcome.report.reason);
    if let Some((_, delta)) = outcome.tuned {
        delta.save(&output)?;
    }
    Ok(())
}
