//! What the kernels must answer before their first use.

use super::{backward, direct_variant, forward, tiled_variant};
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::kernel::KnownAnswer;
use crate::engine::wgsl::known_answer::{
    CHANNELS, DIMS, NEGATIVE_SLOPE, SLAB, at_places, bytes, known_answer, map, packed, parts, planes,
    scale_shifts, slab, stored, volume, within,
};
use crate::engine::wgsl::layout::{Layout, Precision};

/// Of the kernel in which each invocation reads for itself.
pub fn direct(row: usize, precision: Precision) -> KnownAnswer {
    convolution(12, row, precision, &|params| direct_variant::direct_groups(params, row))
}

/// Of the kernel in which a workgroup shares what it reads.
pub fn tiled(blocks: u32, precision: Precision) -> KnownAnswer {
    let outputs = if blocks == 1 { 12 } else { 30 };
    convolution(outputs, forward::ROW, precision, &|params| tiled_variant::tiled_groups(params, blocks))
}

fn convolution(
    outputs: usize,
    row: usize,
    precision: Precision,
    groups: &dyn Fn(&forward::Params) -> [u32; 3],
) -> KnownAnswer {
    let (volume, channels) = (DIMS.iter().product::<usize>(), [6, 4]);
    let values = [stored(channels[0] * volume, 1, precision), stored(channels[1] * volume, 2, precision)];
    let scale_shifts = [scale_shifts(channels[0], 0.3, 3), scale_shifts(channels[1], 1.0, 4)];
    let weight: Vec<f32> = pseudo_random(outputs * 10 * 27, 5);
    let output = Layout::new(outputs, DIMS);
    let source =
        |which: usize| (Layout::new(channels[which], DIMS), which, scale_shifts[which][0].negative_slope);
    let params =
        forward::Params { output, start: 1, first: SLAB.0, planes: SLAB.1, sources: [source(0), source(1)] };
    let all = forward::reference(
        &[(&values[0], &scale_shifts[0]), (&values[1], &scale_shifts[1])],
        &weight,
        outputs,
        DIMS,
    );
    let map = |which: usize| Layout::new(channels[which], DIMS).pack(&values[which], which..6, precision);
    KnownAnswer {
        words: params.words(),
        buffers: vec![
            map(0),
            map(1),
            packed(&scale_shifts[0]),
            packed(&scale_shifts[1]),
            bytes(&forward::pack(&weight, &channels, outputs)),
            vec![0; 5 * output.pitch * precision.block_bytes()],
            vec![0; forward::moments(&output, SLAB.1, row) * output.channel_blocks * 48],
        ],
        groups: groups(&params),
        look: 5,
        expected: planes(&all, DIMS, SLAB),
        found: Box::new(move |bytes| {
            let from = (SLAB.0 - 1) * output.pitch * precision.block_bytes();
            output.unpack(&bytes[from..], outputs, SLAB.1, precision)
        }),
    }
}

pub fn weight_grad(fresh: bool) -> KnownAnswer {
    let (outputs, splits, slab) = (12, 4, slab(12));
    let (gradient, values) =
        (pseudo_random(outputs * volume(DIMS), 1), pseudo_random(CHANNELS * volume(DIMS), 2));
    let (scale_shifts, source) = (scale_shifts(CHANNELS, NEGATIVE_SLOPE, 3), Layout::new(CHANNELS, DIMS));
    let (parts, before) = parts(backward::part(&source, &slab.map), splits, fresh);
    let table = backward::index(&[CHANNELS], 0, outputs);
    let sums = backward::reference(&within(&gradient, DIMS, SLAB), &values, &scale_shifts, DIMS);
    let expected = sums.iter().zip(&table).map(|(sum, &place)| sum + before[place as usize - 1]).collect();
    let params = backward::Params { slab, source, negative_slope: NEGATIVE_SLOPE, splits, fresh };
    let buffers = vec![map(&gradient, DIMS), map(&values, DIMS), packed(&scale_shifts), parts];
    let end = (3, expected, at_places(splits, table));
    known_answer(params.words(), buffers, params.groups(), end)
}
