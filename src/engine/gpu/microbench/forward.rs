//! The kernels of a forward pass.

use super::work::{KernelWork, empty, map, moments, random, same, work};
use crate::engine::gpu::device::Gpu;
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::{conv, conv_transpose, norm_act, pool, residual_add};

/// A convolution.
pub fn conv(gpu: &Gpu, tiled: bool, inputs: usize, outputs: usize, dims: [usize; 3]) -> KernelWork {
    let (source, values) = map(gpu, inputs, dims);
    let output = Layout::new(outputs, dims);
    let sources = [(source, 0, 0.3), (Layout { channel_blocks: 0, ..source }, 0, 1.0)];
    let params = conv::forward::Params { output, start: 0, first: 0, planes: dims[2], sources };
    let which = conv::kernel(&output, tiled);
    let groups = conv::groups(&params, which);
    let weight = pseudo_random(outputs * inputs * 27, 2);
    let weight =
        conv::forward::pack(&weight, &[inputs], outputs).into_iter().flat_map(f32::to_le_bytes).collect();
    let (scale_shifts, none) = (same(source.channel_blocks), same(1));
    let name = format!("{} {inputs} -> {outputs} at {dims:?}", which.name);
    let buffers =
        vec![values, none.clone(), scale_shifts, none, weight, empty(gpu, &output), moments(&output)];
    let flops = 54.0 * (inputs * outputs * dims.iter().product::<usize>()) as f64;
    work(name, which, params.words(), buffers, groups, flops)
}

/// Everything but convolutions, on `channels` of `dims`.
pub fn others(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> Vec<KernelWork> {
    let (layout, values) = map(gpu, channels, dims);
    let half = Layout::new(channels, dims.map(|n| n / 2));
    let volume = (channels * dims.iter().product::<usize>()) as f64;
    let scale_shifts = same(layout.channel_blocks);
    let name = |name: &str| format!("{name} {channels} at {dims:?}");
    let pooled = pool::forward::Params {
        output: half,
        start: 0,
        first: 0,
        planes: half.dims[2],
        source: (layout, 0, 0.3),
    };
    let size = dims[0] * dims[1];
    let rows = conv::forward::moments(&layout, dims[2], conv::forward::ROW);
    let slots = norm_act::forward::merge_groups(rows);
    vec![
        work(
            name("pool"),
            pool::FORWARD,
            pooled.words(),
            vec![values.clone(), scale_shifts.clone(), empty(gpu, &half)],
            pooled.groups(),
            2.0 * volume,
        ),
        raising(gpu, channels, dims),
        work(
            name("join"),
            residual_add::FORWARD,
            residual_add::forward::words(size, layout.channel_blocks, layout.pitch, [0, 0]),
            vec![values.clone(), values, scale_shifts.clone(), scale_shifts],
            residual_add::forward::groups(size, layout.channel_blocks, dims[2]),
            6.0 * volume,
        ),
        work(
            name("merge"),
            norm_act::MERGE,
            norm_act::forward::merge_words(rows, 0, slots),
            vec![moments(&layout), vec![0; slots * layout.channel_blocks * 48]],
            [slots as u32, layout.channel_blocks as u32, 1],
            volume,
        ),
    ]
}

/// An up-convolution to `channels` of `dims`.
fn raising(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> KernelWork {
    let layout = Layout::new(channels, dims);
    let (below, below_values) = map(gpu, 2 * channels, dims.map(|n| n / 2));
    let raised = conv_transpose::forward::Params {
        output: layout,
        start: 0,
        first: 0,
        planes: dims[2],
        source: (below, 0, 0.3),
    };
    work(
        format!("up {channels} at {dims:?}"),
        conv_transpose::FORWARD,
        raised.words(),
        vec![
            below_values,
            same(below.channel_blocks),
            random(2 * channels * channels * 8, 3),
            empty(gpu, &layout),
            moments(&layout),
        ],
        raised.groups(),
        4.0 * (channels * channels * dims.iter().product::<usize>()) as f64,
    )
}
