//! The kernels of training that cost.

use super::{Work, empty, gate, map, random, same, work};
use crate::engine::gpu::device::Gpu;
use crate::kernels::back::{Back, Slab, bend, conv, sum, up};
use crate::kernels::{Kernel, Layout, pool as forward_pool};

const LEAK: f32 = 0.3;

/// Of a network of `base` channels on an image of `dims`.
pub(super) fn all(gpu: &Gpu, base: usize, dims: [usize; 3]) -> Vec<Work> {
    let half = dims.map(|n| n / 2);
    let mut list = vec![
        conv_weight(gpu, base, base, dims),
        conv_weight(gpu, 2 * base, base, dims),
        conv_weight(gpu, 4 * base, 2 * base, half),
    ];
    list.push(summing(base, dims));
    list.extend(ups(gpu, 2 * base, base, half, dims));
    list.extend(bends(gpu, base, dims));
    list.push(pooling(gpu, base, dims));
    list.extend(gate::backward(gpu, base, dims));
    list
}

fn conv_weight(gpu: &Gpu, inputs: usize, outputs: usize, dims: [usize; 3]) -> Work {
    let ((source, values), (output, gradient)) = (map(gpu, inputs, dims), map(gpu, outputs, dims));
    let splits = conv::splits(&source, &output, dims[2]);
    let params = conv::Params { slab: Slab::whole(output), source, leak: LEAK, splits, fresh: true };
    let parts = vec![0; conv::part(&source, &output) * splits * 4];
    let flops = 54.0 * (inputs * outputs * dims.iter().product::<usize>()) as f64;
    work(
        format!("conv, weight {inputs} -> {outputs} at {dims:?}"),
        Kernel::Back(Back::ConvWeight),
        params.words(),
        vec![gradient, values, same(source.quads), parts],
        params.groups(),
        flops,
    )
}

/// Of the parts of a convolution's weights.
fn summing(channels: usize, dims: [usize; 3]) -> Work {
    let layout = Layout::new(channels, dims);
    let (quads, splits) = (conv::part(&layout, &layout) / 4, conv::splits(&layout, &layout, dims[2]));
    let left = sum::left(splits);
    work(
        format!("sum of {splits} times {quads} quads to {left}"),
        Kernel::Back(Back::Sum),
        sum::words(quads, splits, left),
        vec![random(4 * quads * splits, 1), vec![0; 16 * quads * left]],
        sum::groups(quads, left),
        4.0 * (quads * splits) as f64,
    )
}

fn ups(gpu: &Gpu, inputs: usize, outputs: usize, small: [usize; 3], dims: [usize; 3]) -> [Work; 2] {
    let ((source, values), (output, gradient)) = (map(gpu, inputs, small), map(gpu, outputs, dims));
    let splits = up::splits(&source, &output, small[2]);
    let params = up::Params { slab: Slab::whole(source), output, leak: LEAK, splits, fresh: true };
    let flops = 16.0 * (inputs * outputs * small.iter().product::<usize>()) as f64;
    let name = |name: &str| format!("{name} {inputs} -> {outputs} at {dims:?}");
    let parts = vec![0; up::part(&source, &output) * splits * 4];
    let weights = random(up::part(&source, &output), 1);
    [
        work(
            name("up, back"),
            Kernel::Back(Back::Up),
            params.words(),
            vec![gradient.clone(), weights, empty(gpu, &source)],
            params.groups(),
            flops,
        ),
        work(
            name("up, weight"),
            Kernel::Back(Back::UpWeight),
            params.words(),
            vec![gradient, values, same(source.quads), parts],
            params.weight_groups(),
            flops,
        ),
    ]
}

fn bends(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> [Work; 2] {
    let (layout, values) = map(gpu, channels, dims);
    let (slab, lines) = (Slab::whole(layout), same(layout.quads));
    let total = bend::slots(&slab);
    let volume = (channels * dims.iter().product::<usize>()) as f64;
    [
        work(
            format!("bend, sums {channels} at {dims:?}"),
            Kernel::Back(Back::BendSums),
            bend::sums_words(&slab, LEAK, 0, total),
            vec![
                values.clone(),
                values.clone(),
                lines.clone(),
                lines.clone(),
                vec![0; layout.quads * total * 32],
            ],
            bend::sums_groups(&slab),
            7.0 * volume,
        ),
        work(
            format!("bend, apply {channels} at {dims:?}"),
            Kernel::Back(Back::BendApply),
            bend::apply_words(&slab, LEAK),
            vec![values.clone(), values, lines.clone(), lines.repeat(2)],
            slab.groups(),
            8.0 * volume,
        ),
    ]
}

fn pooling(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> Work {
    let (layout, values) = map(gpu, channels, dims);
    let (half, pooled): (Layout, _) = map(gpu, channels, dims.map(|n| n / 2));
    let source = (layout, 0, LEAK);
    let params = forward_pool::Params { output: half, start: 0, first: 0, planes: half.dims[2], source };
    work(
        format!("pool, back {channels} at {dims:?}"),
        Kernel::Back(Back::Pool),
        params.words(),
        vec![pooled, values, same(layout.quads), empty(gpu, &layout)],
        params.groups(),
        4.0 * (channels * dims.iter().product::<usize>()) as f64,
    )
}
