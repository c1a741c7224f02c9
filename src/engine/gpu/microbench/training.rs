//! The kernels of training that cost.

use super::attention_gate;
use super::work::{KernelWork, empty, map, random, same, work};
use crate::engine::gpu::device::Gpu;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::slab::Slab;
use crate::engine::wgsl::{conv, conv_transpose, norm_act, pool, sum};

const NEGATIVE_SLOPE: f32 = 0.3;

/// Of a network of `base` channels on an image of `dims`.
pub fn all(gpu: &Gpu, base: usize, dims: [usize; 3]) -> Vec<KernelWork> {
    let half = dims.map(|n| n / 2);
    let mut list = vec![
        conv_weight(gpu, base, base, dims),
        conv_weight(gpu, 2 * base, base, dims),
        conv_weight(gpu, 4 * base, 2 * base, half),
    ];
    list.push(summing(base, dims));
    list.extend(ups(gpu, 2 * base, base, half, dims));
    list.extend(norm_acts(gpu, base, dims));
    list.push(pooling(gpu, base, dims));
    list.extend(attention_gate::backward(gpu, base, dims));
    list
}

fn conv_weight(gpu: &Gpu, inputs: usize, outputs: usize, dims: [usize; 3]) -> KernelWork {
    let ((source, values), (output, gradient)) = (map(gpu, inputs, dims), map(gpu, outputs, dims));
    let splits = conv::backward::splits(&source, &output, dims[2]);
    let params = conv::backward::Params {
        slab: Slab::whole(output),
        source,
        negative_slope: NEGATIVE_SLOPE,
        splits,
        fresh: true,
    };
    let parts = vec![0; conv::backward::part(&source, &output) * splits * 4];
    let flops = 54.0 * (inputs * outputs * dims.iter().product::<usize>()) as f64;
    work(
        format!("conv, weight {inputs} -> {outputs} at {dims:?}"),
        conv::WEIGHT_GRAD,
        params.words(),
        vec![gradient, values, same(source.channel_blocks), parts],
        params.groups(),
        flops,
    )
}

/// Of the parts of a convolution's weights.
fn summing(channels: usize, dims: [usize; 3]) -> KernelWork {
    let layout = Layout::new(channels, dims);
    let (channel_blocks, splits) =
        (conv::backward::part(&layout, &layout) / 4, conv::backward::splits(&layout, &layout, dims[2]));
    let left = sum::shader::left(splits);
    work(
        format!("sum of {splits} times {channel_blocks} channel_blocks to {left}"),
        sum::SUM,
        sum::shader::words(channel_blocks, splits, left),
        vec![random(4 * channel_blocks * splits, 1), vec![0; 16 * channel_blocks * left]],
        sum::shader::groups(channel_blocks, left),
        4.0 * (channel_blocks * splits) as f64,
    )
}

fn ups(gpu: &Gpu, inputs: usize, outputs: usize, small: [usize; 3], dims: [usize; 3]) -> [KernelWork; 2] {
    let ((source, values), (output, gradient)) = (map(gpu, inputs, small), map(gpu, outputs, dims));
    let splits = conv_transpose::backward::splits(&source, &output, small[2]);
    let params = conv_transpose::backward::Params {
        slab: Slab::whole(source),
        output,
        negative_slope: NEGATIVE_SLOPE,
        splits,
        fresh: true,
    };
    let flops = 16.0 * (inputs * outputs * small.iter().product::<usize>()) as f64;
    let name = |name: &str| format!("{name} {inputs} -> {outputs} at {dims:?}");
    let parts = vec![0; conv_transpose::backward::part(&source, &output) * splits * 4];
    let weights = random(conv_transpose::backward::part(&source, &output), 1);
    [
        work(
            name("up, back"),
            conv_transpose::BACKWARD,
            params.words(),
            vec![gradient.clone(), weights, empty(gpu, &source)],
            params.groups(),
            flops,
        ),
        work(
            name("up, weight"),
            conv_transpose::WEIGHT_GRAD,
            params.words(),
            vec![gradient, values, same(source.channel_blocks), parts],
            params.weight_groups(),
            flops,
        ),
    ]
}

fn norm_acts(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> [KernelWork; 2] {
    let (layout, values) = map(gpu, channels, dims);
    let (slab, scale_shifts) = (Slab::whole(layout), same(layout.channel_blocks));
    let total = norm_act::backward::slots(&slab);
    let volume = (channels * dims.iter().product::<usize>()) as f64;
    [
        work(
            format!("norm_act, sums {channels} at {dims:?}"),
            norm_act::SUMS,
            norm_act::backward::sums_words(&slab, NEGATIVE_SLOPE, 0, total),
            vec![
                values.clone(),
                values.clone(),
                scale_shifts.clone(),
                scale_shifts.clone(),
                vec![0; layout.channel_blocks * total * 32],
            ],
            norm_act::backward::sums_groups(&slab),
            7.0 * volume,
        ),
        work(
            format!("norm_act, apply {channels} at {dims:?}"),
            norm_act::APPLY,
            norm_act::backward::apply_words(&slab, NEGATIVE_SLOPE),
            vec![values.clone(), values, scale_shifts.clone(), scale_shifts.repeat(2)],
            slab.groups(),
            8.0 * volume,
        ),
    ]
}

fn pooling(gpu: &Gpu, channels: usize, dims: [usize; 3]) -> KernelWork {
    let (layout, values) = map(gpu, channels, dims);
    let (half, pooled): (Layout, _) = map(gpu, channels, dims.map(|n| n / 2));
    let source = (layout, 0, NEGATIVE_SLOPE);
    let params = pool::forward::Params { output: half, start: 0, first: 0, planes: half.dims[2], source };
    work(
        format!("pool, back {channels} at {dims:?}"),
        pool::BACKWARD,
        params.words(),
        vec![pooled, values, same(layout.channel_blocks), empty(gpu, &layout)],
        params.groups(),
        4.0 * (channels * dims.iter().product::<usize>()) as f64,
    )
}
