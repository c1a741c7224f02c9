//! What the kernels must answer before their first use.

use super::{backward, forward};
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::kernel::KnownAnswer;
use crate::engine::wgsl::known_answer::{
    CHANNELS, DIMS, SLAB, blank, known_answer, map, packed, planes, scale_shifts, slab, slab_of, stored,
    volume,
};
use crate::engine::wgsl::layout::{Layout, Precision};

pub fn forward(precision: Precision) -> KnownAnswer {
    let channels = 6;
    let layout = Layout::new(channels, DIMS);
    let count = channels * DIMS.iter().product::<usize>();
    let (a, b) = (stored(count, 1, precision), stored(count, 2, precision));
    let (a_norm, b_norm) = (scale_shifts(channels, 1.0, 3), scale_shifts(channels, 1.0, 4));
    let all = forward::reference(&a, &a_norm, &b, &b_norm);
    let size = DIMS[0] * DIMS[1];
    KnownAnswer {
        words: forward::words(size, layout.channel_blocks, layout.pitch, [2, 1]),
        buffers: vec![
            layout.pack(&a, 0..6, precision),
            layout.pack(&b, 1..6, precision),
            packed(&a_norm),
            packed(&b_norm),
        ],
        groups: forward::groups(size, layout.channel_blocks, 4),
        look: 0,
        expected: planes(&all, DIMS, (2, 4)),
        found: Box::new(move |bytes| {
            layout.unpack(&bytes[2 * layout.pitch * precision.block_bytes()..], channels, 4, precision)
        }),
    }
}

pub fn backward(look: usize) -> KnownAnswer {
    let (slab, count) = (slab(CHANNELS), CHANNELS * volume(DIMS));
    let (gradient, joined) = (pseudo_random(count, 1), pseudo_random(count, 2));
    let expected = planes(&backward::reference(&gradient, &joined), DIMS, SLAB);
    let buffers = vec![map(&gradient, DIMS), map(&joined, DIMS), blank(4 * slab.map.pitch * DIMS[2])];
    let end = (look, expected, slab_of(slab, CHANNELS));
    known_answer(backward::words(&slab), buffers, slab.groups(), end)
}
