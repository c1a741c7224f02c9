//! An attention gate, there and back.

use super::{Work, empty, map, random, same, work};
use crate::engine::gpu::device::Gpu;
use crate::kernels::back::{Back, gate as back};
use crate::kernels::{Kernel, gate};
use crate::model::gate_units;

/// Numbers of its weights as the kernels read them.
fn weights(channels: usize, units: usize) -> Vec<u8> {
    random(gate::pack(&vec![0.0; 2 * units * (channels + 1) + 1], channels, units).len(), 1)
}

/// The way there, on `channels` of `dims`.
pub(super) fn forward(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> Work {
    let ((layout, values), units) = (map(gpu, channels, dims), gate_units(channels));
    let (source, lines) = ((layout, 0, 0.3), same(layout.quads));
    let params =
        gate::Params { output: layout, start: 0, first: 0, planes: dims[2], units, sources: [source; 2] };
    work(
        format!("gate {channels} at {dims:?}"),
        Kernel::Gate,
        params.words(),
        vec![values.clone(), values, lines.clone(), lines, weights(channels, units), empty(gpu, &layout)],
        params.groups(),
        (4 * channels * units * dims.iter().product::<usize>()) as f64,
    )
}

/// The way back.
pub(super) fn backward(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> [Work; 2] {
    let ((layout, values), units) = (map(gpu, channels, dims), gate_units(channels));
    let lines = same(layout.quads);
    let params = back::Params { sources: [(layout, 0.3); 2], units, first: 0, planes: dims[2] };
    let [inner, top] = params.inner_maps().map(|layout| empty(gpu, &layout));
    let flops = (4 * channels * units * dims.iter().product::<usize>()) as f64;
    let name = |name: &str| format!("{name} {channels} at {dims:?}");
    let weights = weights(channels, units);
    let read = vec![values.clone(), values.clone(), values.clone(), lines.clone(), lines, weights.clone()];
    [
        work(
            name("gate, inner"),
            Kernel::Back(Back::GateInner),
            params.inner_words(),
            [read, vec![inner.clone(), top.clone()]].concat(),
            params.groups(),
            flops,
        ),
        work(
            name("gate, back"),
            Kernel::Back(Back::GateBack),
            params.back_words(),
            vec![values.clone(), inner, top, weights, values],
            params.groups(),
            flops,
        ),
    ]
}
