//! What the kernels must answer before their first use.

use super::{backward, forward};
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::conv;
use crate::engine::wgsl::kernel::KnownAnswer;
use crate::engine::wgsl::known_answer::{
    CHANNELS, NEGATIVE_SLOPE, at_places, blank, bytes, known_answer, map, packed, parts, planes,
    scale_shifts, slab_of, stored, volume, within,
};
use crate::engine::wgsl::layout::{Layout, Precision};
use crate::engine::wgsl::slab::Slab;

pub fn forward(precision: Precision) -> KnownAnswer {
    let (inputs, outputs, small) = (6, 5, [5, 2, 3]);
    let (from, to) = (Layout::new(inputs, small), Layout::new(outputs, [11, 5, 7]));
    let values = stored(inputs * 30, 1, precision);
    let (scale_shifts, weight) = (scale_shifts(inputs, 0.3, 2), pseudo_random(inputs * outputs * 8, 3));
    let all = forward::reference(&values, &scale_shifts, &weight, outputs, small, to.dims);
    let params = forward::Params { output: to, start: 1, first: 3, planes: 4, source: (from, 1, 0.3) };
    KnownAnswer {
        words: params.words(),
        buffers: vec![
            from.pack(&values, 1..3, precision),
            packed(&scale_shifts),
            bytes(&forward::pack(&weight, inputs, outputs)),
            vec![0; 6 * to.pitch * precision.block_bytes()],
            vec![0; conv::forward::moments(&to, 4, conv::forward::ROW) * to.channel_blocks * 48],
        ],
        groups: params.groups(),
        look: 3,
        expected: planes(&all, to.dims, (3, 4)),
        found: Box::new(move |bytes| {
            to.unpack(&bytes[2 * to.pitch * precision.block_bytes()..], outputs, 4, precision)
        }),
    }
}

const SMALL: [usize; 3] = [5, 2, 3];

const LARGE: [usize; 3] = [11, 5, 7];

fn example(splits: usize, fresh: bool) -> (backward::Params, Vec<f32>, usize) {
    let outputs = 5;
    let slab = Slab { map: Layout::new(CHANNELS, SMALL), first: 1, planes: 2 };
    let params = backward::Params {
        slab,
        output: Layout::new(outputs, LARGE),
        negative_slope: NEGATIVE_SLOPE,
        splits,
        fresh,
    };
    (params, pseudo_random(outputs * volume(LARGE), 1), outputs)
}

pub fn backward() -> KnownAnswer {
    let (params, gradient, outputs) = example(1, true);
    let weight = pseudo_random(CHANNELS * outputs * 8, 2);
    let all = backward::reference(&gradient, &weight, outputs, SMALL, LARGE);
    let buffers = vec![
        map(&gradient, LARGE),
        bytes(&forward::pack(&weight, CHANNELS, outputs)),
        blank(4 * params.slab.map.pitch * SMALL[2]),
    ];
    let end = (2, planes(&all, SMALL, (1, 2)), slab_of(params.slab, CHANNELS));
    known_answer(params.words(), buffers, params.groups(), end)
}

pub fn weight_grad(fresh: bool) -> KnownAnswer {
    let (params, gradient, outputs) = example(3, fresh);
    let (values, scale_shifts) =
        (pseudo_random(CHANNELS * volume(SMALL), 2), scale_shifts(CHANNELS, NEGATIVE_SLOPE, 3));
    let (parts, before) = parts(backward::part(&params.slab.map, &params.output), 3, fresh);
    // The slab is of the source.
    let seen = within(&gradient, LARGE, (2, 4));
    let sums = backward::weight_reference(&seen, &values, &scale_shifts, SMALL, LARGE);
    let table = backward::index(CHANNELS, outputs);
    let expected = sums.iter().zip(&table).map(|(sum, &place)| sum + before[place as usize - 1]).collect();
    let buffers = vec![map(&gradient, LARGE), map(&values, SMALL), packed(&scale_shifts), parts];
    let end = (3, expected, at_places(3, table));
    known_answer(params.words(), buffers, params.weight_groups(), end)
}
