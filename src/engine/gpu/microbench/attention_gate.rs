//! An attention gate, there and back.

use super::work::{KernelWork, empty, map, random, same, work};
use crate::engine::gpu::device::Gpu;
use crate::engine::wgsl::attention_gate;
use crate::model::attention_gate_units;

/// Numbers of its weights as the kernels read them.
fn weights(channels: usize, units: usize) -> Vec<u8> {
    random(
        attention_gate::forward::pack(&vec![0.0; 2 * units * (channels + 1) + 1], channels, units).len(),
        1,
    )
}

/// The way there, on `channels` of `dims`.
pub fn forward(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> KernelWork {
    let ((layout, values), units) = (map(gpu, channels, dims), attention_gate_units(channels));
    let (source, scale_shifts) = ((layout, 0, 0.3), same(layout.channel_blocks));
    let params = attention_gate::forward::Params {
        output: layout,
        start: 0,
        first: 0,
        planes: dims[2],
        units,
        sources: [source; 2],
    };
    work(
        format!("gate {channels} at {dims:?}"),
        attention_gate::FORWARD,
        params.words(),
        vec![
            values.clone(),
            values,
            scale_shifts.clone(),
            scale_shifts,
            weights(channels, units),
            empty(gpu, &layout),
        ],
        params.groups(),
        (4 * channels * units * dims.iter().product::<usize>()) as f64,
    )
}

/// The way back.
pub fn backward(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> [KernelWork; 2] {
    let ((layout, values), units) = (map(gpu, channels, dims), attention_gate_units(channels));
    let scale_shifts = same(layout.channel_blocks);
    let params =
        attention_gate::backward::Params { sources: [(layout, 0.3); 2], units, first: 0, planes: dims[2] };
    let [inner, top] = params.inner_maps().map(|layout| empty(gpu, &layout));
    let flops = (4 * channels * units * dims.iter().product::<usize>()) as f64;
    let name = |name: &str| format!("{name} {channels} at {dims:?}");
    let weights = weights(channels, units);
    let read = vec![
        values.clone(),
        values.clone(),
        values.clone(),
        scale_shifts.clone(),
        scale_shifts,
        weights.clone(),
    ];
    [
        work(
            name("gate, inner"),
            attention_gate::BACKWARD_INNER,
            params.inner_words(),
            [read, vec![inner.clone(), top.clone()]].concat(),
            params.groups(),
            flops,
        ),
        work(
            name("gate, back"),
            attention_gate::BACKWARD,
            params.back_words(),
            vec![values.clone(), inner, top, weights, values],
            params.groups(),
            flops,
        ),
    ]
}
