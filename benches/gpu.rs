//! `cargo bench --features cli --bench gpu -- [BASE X Y Z]`: every kernel on the GPU of this machine, in GFLOP/s and
//! GB/s, and as a share of the fastest that was seen in the same run.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench fails by panicking")]

use insitu_seg::engine::gpu::device::{Gpu, Options};
use insitu_seg::engine::gpu::microbench::{KernelTiming, time_kernels};

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let [base, x, y, z] = numbers[..].try_into().unwrap_or([32, 64, 64, 64]);
    let gpu = match pollster::block_on(Gpu::open(Options { tiled: Some(true), ..Options::default() })) {
        Ok(gpu) => gpu,
        Err(error) => return println!("not run: {error}"),
    };
    let times = if gpu.emulated { 1 } else { 20 };
    let speeds = pollster::block_on(time_kernels(&gpu, base, [x, y, z], times)).expect("a sound device");
    let top = |rate: fn(&KernelTiming) -> f64| speeds.iter().map(rate).fold(0.0, f64::max);
    let (flops, bytes) =
        (|s: &KernelTiming| s.flops / s.seconds / 1e9, |s: &KernelTiming| s.bytes / s.seconds / 1e9);
    println!(
        "{}\n{:48} {:>10} {:>10} {:>6} {:>8} {:>6}",
        gpu.adapter, "kernel", "ms", "GFLOP/s", "share", "GB/s", "share"
    );
    for speed in &speeds {
        println!(
            "{:48} {:10.3} {:10.1} {:5.0}% {:8.2} {:5.0}%",
            speed.name,
            speed.seconds * 1e3,
            flops(speed),
            100.0 * flops(speed) / top(flops),
            bytes(speed),
            100.0 * bytes(speed) / top(bytes)
        );
    }
}
