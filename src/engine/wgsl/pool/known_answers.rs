//! What the kernels must answer before their first use.

use super::{backward, forward};
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::kernel::KnownAnswer;
use crate::engine::wgsl::known_answer::{
    CHANNELS, DIMS, NEGATIVE_SLOPE, known_answer, map, packed, planes, scale_shifts, slab_of, stored, volume,
    within,
};
use crate::engine::wgsl::layout::{Layout, Precision};
use crate::engine::wgsl::slab::Slab;

pub fn forward(precision: Precision) -> KnownAnswer {
    let channels = 6;
    let (from, to) = (Layout::new(channels, DIMS), Layout::new(channels, DIMS.map(|n| n / 2)));
    let values = stored(channels * DIMS.iter().product::<usize>(), 1, precision);
    let mut scale_shifts = scale_shifts(channels, 0.3, 2);
    scale_shifts[1].scale = -1.0;
    let params = forward::Params { output: to, start: 0, first: 1, planes: 2, source: (from, 1, 0.3) };
    KnownAnswer {
        words: params.words(),
        buffers: vec![
            from.pack(&values, 1..6, precision),
            packed(&scale_shifts),
            vec![0; 3 * to.pitch * precision.block_bytes()],
        ],
        groups: params.groups(),
        look: 2,
        expected: planes(&forward::reference(&values, &scale_shifts, DIMS), to.dims, (1, 2)),
        found: Box::new(move |bytes| {
            to.unpack(&bytes[to.pitch * precision.block_bytes()..], channels, 2, precision)
        }),
    }
}

pub fn backward() -> KnownAnswer {
    let (small, part) = (DIMS.map(|n| n / 2), (1, 2));
    let (from, to) = (Layout::new(CHANNELS, DIMS), Layout::new(CHANNELS, small));
    // Few different values, so that some are equal.
    let values: Vec<f32> =
        pseudo_random(CHANNELS * volume(DIMS), 1).iter().map(|v| (4.0 * v).round()).collect();
    let (pooled, before) =
        (pseudo_random(CHANNELS * volume(small), 2), pseudo_random(CHANNELS * volume(DIMS), 3));
    let mut scale_shifts = scale_shifts(CHANNELS, NEGATIVE_SLOPE, 4);
    scale_shifts[1].scale = -1.0;
    let added = backward::reference(&within(&pooled, small, part), &values, &scale_shifts, DIMS);
    let expected = before.iter().zip(&added).map(|(a, b)| a + b).collect();
    let params = forward::Params {
        output: to,
        start: 0,
        first: part.0,
        planes: part.1,
        source: (from, 0, NEGATIVE_SLOPE),
    };
    let buffers = vec![map(&pooled, small), map(&values, DIMS), packed(&scale_shifts), map(&before, DIMS)];
    let end = (3, expected, slab_of(Slab::whole(from), CHANNELS));
    known_answer(params.words(), buffers, params.groups(), end)
}
