//! Kernels on images of a useful size, to be timed.

mod back;
mod gate;

use super::check;
use super::device::Gpu;
use super::known::Trial;
use crate::engine::bench::noise;
use crate::error::Result;
use crate::kernels::{Kernel, Layout, Precision, conv as kernel, join, norm, pool, up};

/// A kernel to be timed, and what a run of it does.
pub struct Work {
    /// In words.
    pub name: String,
    pub(super) trial: Trial,
    /// Operations.
    pub flops: f64,
    /// Bytes that must be moved at least: every buffer once.
    pub bytes: f64,
}

/// What was measured.
pub struct Speed {
    /// In words.
    pub name: String,
    /// Of one run.
    pub seconds: f64,
    /// Operations.
    pub flops: f64,
    /// Bytes.
    pub bytes: f64,
}

fn work(
    name: String,
    kernel: Kernel,
    words: Vec<u32>,
    buffers: Vec<Vec<u8>>,
    groups: [u32; 3],
    flops: f64,
) -> Work {
    let bytes = buffers.iter().map(|buffer| buffer.len() as f64).sum();
    let found = Box::new(|_: &[u8]| Vec::new());
    Work {
        name,
        trial: Trial { kernel, words, buffers, groups, look: 0, expected: Vec::new(), found },
        flops,
        bytes,
    }
}

fn random(count: usize, seed: u64) -> Vec<u8> {
    noise(count, seed).into_iter().flat_map(f32::to_le_bytes).collect()
}

fn same(quads: usize) -> Vec<u8> {
    [1f32; 4].into_iter().chain([0.0; 4]).flat_map(f32::to_le_bytes).collect::<Vec<_>>().repeat(quads)
}

fn map(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> (Layout, Vec<u8>) {
    let layout = Layout::new(channels, dims);
    let values = noise(channels * dims.iter().product::<usize>(), 1);
    let bytes = layout.pack(&values, 0..dims[2], gpu.precision);
    (layout, bytes)
}

fn empty(gpu: &Gpu, layout: &Layout) -> Vec<u8> {
    vec![0; layout.dims[2] * layout.pitch * gpu.precision.quad()]
}

fn moments(layout: &Layout) -> Vec<u8> {
    vec![0; kernel::moments(layout, layout.dims[2], kernel::ROW) * layout.quads * 48]
}

/// A convolution.
pub fn conv(gpu: &Gpu, tiled: bool, inputs: usize, outputs: usize, dims: [usize; 3]) -> Work {
    let (source, values) = map(gpu, inputs, dims);
    let output = Layout::new(outputs, dims);
    let sources = [(source, 0, 0.3), (Layout { quads: 0, ..source }, 0, 1.0)];
    let params = kernel::Params { output, start: 0, first: 0, planes: dims[2], sources };
    let which = kernel::kernel(&output, tiled);
    let groups = kernel::groups(&params, which);
    let weight = noise(outputs * inputs * 27, 2);
    let weight = kernel::pack(&weight, &[inputs], outputs).into_iter().flat_map(f32::to_le_bytes).collect();
    let (lines, none) = (same(source.quads), same(1));
    let name = format!("{} {inputs} -> {outputs} at {dims:?}", which.name());
    let buffers = vec![values, none.clone(), lines, none, weight, empty(gpu, &output), moments(&output)];
    let flops = 54.0 * (inputs * outputs * dims.iter().product::<usize>()) as f64;
    work(name, which, params.words(), buffers, groups, flops)
}

/// Everything but convolutions, on `channels` of `dims`.
fn others(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> Vec<Work> {
    let (layout, values) = map(gpu, channels, dims);
    let half = Layout::new(channels, dims.map(|n| n / 2));
    let volume = (channels * dims.iter().product::<usize>()) as f64;
    let lines = same(layout.quads);
    let name = |name: &str| format!("{name} {channels} at {dims:?}");
    let pooled =
        pool::Params { output: half, start: 0, first: 0, planes: half.dims[2], source: (layout, 0, 0.3) };
    let (below, below_values) = map(gpu, 2 * channels, half.dims);
    let raised = up::Params { output: layout, start: 0, first: 0, planes: dims[2], source: (below, 0, 0.3) };
    let size = dims[0] * dims[1];
    let rows = kernel::moments(&layout, dims[2], kernel::ROW);
    let slots = norm::merge_groups(rows);
    vec![
        work(
            name("pool"),
            Kernel::Pool,
            pooled.words(),
            vec![values.clone(), lines.clone(), empty(gpu, &half)],
            pooled.groups(),
            2.0 * volume,
        ),
        work(
            name("up"),
            Kernel::Up,
            raised.words(),
            vec![
                below_values,
                same(below.quads),
                random(2 * channels * channels * 8, 3),
                empty(gpu, &layout),
                moments(&layout),
            ],
            raised.groups(),
            4.0 * channels as f64 * volume,
        ),
        work(
            name("join"),
            Kernel::Join,
            join::words(size, layout.quads, layout.pitch, [0, 0]),
            vec![values.clone(), values, lines.clone(), lines],
            join::groups(size, layout.quads, dims[2]),
            6.0 * volume,
        ),
        work(
            name("merge"),
            Kernel::Merge,
            norm::merge_words(rows, 0, slots),
            vec![moments(&layout), vec![0; slots * layout.quads * 48]],
            [slots as u32, layout.quads as u32, 1],
            volume,
        ),
    ]
}

/// Times the kernels of a network of `base` channels on an image of `dims`.
///
/// # Errors
/// `Device` where the device fails.
pub async fn kernels(gpu: &Gpu, base: usize, dims: [usize; 3], times: usize) -> Result<Vec<Speed>> {
    let mut list = Vec::new();
    for tiled in [false, true] {
        list.extend([(4, base), (base, base), (2 * base, base)].map(|(i, o)| conv(gpu, tiled, i, o, dims)));
        list.push(conv(gpu, tiled, 4 * base, 2 * base, dims.map(|n| n / 2)));
    }
    list.extend(others(gpu, base, dims));
    list.push(gate::forward(gpu, base, dims));
    // Training is in 32 bits.
    if gpu.precision == Precision::F32 {
        list.extend(back::all(gpu, base, dims));
    }
    let mut speeds = Vec::new();
    for Work { name, trial, flops, bytes } in list {
        speeds.push(Speed { name, seconds: check::seconds(gpu, &trial, times).await?, flops, bytes });
    }
    Ok(speeds)
}
