//! `insitu bench`: how fast a network runs here.

use super::device::DeviceArguments;
use super::output::print_line;
use clap::Args;
use insitu_seg::engine::bench::{self, Benchmark};
use insitu_seg::{Error, Result};
use std::process::ExitCode;

/// Arguments of `insitu bench`.
#[derive(Args)]
pub struct Arguments {
    /// Channels at full resolution
    #[arg(long, default_value_t = 8)]
    base: usize,
    /// Size of the image
    #[arg(long, num_args = 3, value_names = ["X", "Y", "Z"], default_values_t = [48, 48, 48])]
    size: Vec<usize>,
    /// A training step too
    #[arg(long)]
    train: bool,
    /// Samples of the training step
    #[arg(long, default_value_t = 1, value_parser = samples)]
    batch: usize,
    #[command(flatten)]
    device: DeviceArguments,
    /// Threads of the CPU; all where nothing is said
    #[arg(long)]
    threads: Option<usize>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Measures: one run to warm up, the median of five.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let [x, y, z] = arguments.size[..] else {
        return Err(Error::argument("--size", format!("{:?}", arguments.size), "three sides"));
    };
    let size = [x, y, z];
    let architecture = bench::architecture(arguments.base, size)?;
    if let Some(threads) = arguments.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|error| Error::argument("--threads", error.to_string(), "a number of threads"))?;
    }
    let compute = arguments.device.open()?;
    let mut found = pollster::block_on(bench::forward(&architecture, size, 5, &compute))?;
    if arguments.train {
        let step = bench::step(&architecture, size, arguments.batch, 5, &compute);
        let (milliseconds, bytes) = pollster::block_on(step)?;
        (found.train_ms, found.train_peak_bytes) = (Some(milliseconds), Some(bytes));
    }
    if arguments.json {
        print_line(&serde_json::to_string_pretty(&found).unwrap_or_default())?;
    } else {
        print_line(&table(&found))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn samples(text: &str) -> std::result::Result<usize, String> {
    text.parse().ok().filter(|count| (1..=64).contains(count)).ok_or_else(|| "expected 1 to 64".to_owned())
}

fn table(found: &Benchmark) -> String {
    let Benchmark { forward_ms, train_ms, train_peak_bytes, gflops, peak_bytes, backend, adapter } = found;
    let train = train_ms.zip(*train_peak_bytes).map_or(String::new(), |(ms, bytes)| {
        format!("\ntraining step   {ms:.1} ms, {:.0} MB", bytes as f64 / 1e6)
    });
    let peak = *peak_bytes as f64 / 1e6;
    format!(
        "{backend} ({adapter})\nforward         {forward_ms:.1} ms, {gflops:.1} GFLOP/s, {peak:.0} MB{train}"
    )
}
