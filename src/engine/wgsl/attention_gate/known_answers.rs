//! What the kernels must answer before their first use.

use super::{backward, forward};
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::kernel::KnownAnswer;
use crate::engine::wgsl::known_answer::{
    CHANNELS, DIMS, SLAB, blank, bytes, known_answer, map, packed, planes, scale_shifts, slab, slab_of,
    stored, volume,
};
use crate::engine::wgsl::layout::{Layout, Precision};

pub fn forward(precision: Precision) -> KnownAnswer {
    let (channels, units) = (6, 5);
    let layout = Layout::new(channels, DIMS);
    let count = channels * DIMS.iter().product::<usize>();
    let maps = [stored(count, 1, precision), stored(count, 2, precision)];
    let scale_shifts = [scale_shifts(channels, 0.3, 3), scale_shifts(channels, 1.0, 4)];
    let weights = pseudo_random(2 * units * channels + 2 * units + 1, 5);
    let all = forward::reference(&weights, units, (&maps[0], &scale_shifts[0]), (&maps[1], &scale_shifts[1]));
    let sources = [0, 1].map(|n| (layout, n, scale_shifts[n][0].negative_slope));
    let params = forward::Params { output: layout, start: 1, first: SLAB.0, planes: SLAB.1, units, sources };
    KnownAnswer {
        words: params.words(),
        buffers: vec![
            layout.pack(&maps[0], 0..6, precision),
            layout.pack(&maps[1], 1..6, precision),
            packed(&scale_shifts[0]),
            packed(&scale_shifts[1]),
            bytes(&forward::pack(&weights, channels, units)),
            vec![0; 5 * layout.pitch * precision.block_bytes()],
        ],
        groups: params.groups(),
        look: 5,
        expected: planes(&all, DIMS, SLAB),
        found: Box::new(move |bytes| {
            layout.unpack(
                &bytes[(SLAB.0 - 1) * layout.pitch * precision.block_bytes()..],
                channels,
                SLAB.1,
                precision,
            )
        }),
    }
}

const UNITS: usize = 5;

const SLOPES: [f32; 2] = [0.3, 1.0];

struct Case {
    gradient: Vec<f32>,
    weights: Vec<f32>,
    maps: [Vec<f32>; 2],
    scale_shifts: [Vec<ScaleShift>; 2],
    params: backward::Params,
    grad: backward::Slopes,
}

fn case() -> Case {
    let count = CHANNELS * volume(DIMS);
    let (gradient, maps) = (pseudo_random(count, 1), [pseudo_random(count, 2), pseudo_random(count, 3)]);
    let scale_shifts = [0, 1].map(|n| scale_shifts(CHANNELS, SLOPES[n], 4 + n as u64));
    let weights = pseudo_random(2 * UNITS * CHANNELS + 2 * UNITS + 1, 6);
    let sources = SLOPES.map(|negative_slope| (Layout::new(CHANNELS, DIMS), negative_slope));
    let params = backward::Params { sources, units: UNITS, first: SLAB.0, planes: SLAB.1 };
    let grad = backward::reference(
        &gradient,
        &weights,
        UNITS,
        (&maps[0], &scale_shifts[0]),
        (&maps[1], &scale_shifts[1]),
    );
    Case { gradient, weights, maps, scale_shifts, params, grad }
}

/// `dt` and `a` as one map.
fn tops(grad: &backward::Slopes) -> Vec<f32> {
    [grad.dt.clone(), grad.factor.clone()].concat()
}

pub fn backward_inner(look: usize) -> KnownAnswer {
    let Case { gradient, weights, maps, scale_shifts, params, grad } = case();
    let [units, top] = params.inner_maps();
    let buffers = vec![
        map(&gradient, DIMS),
        map(&maps[0], DIMS),
        map(&maps[1], DIMS),
        packed(&scale_shifts[0]),
        packed(&scale_shifts[1]),
        bytes(&forward::pack(&weights, CHANNELS, UNITS)),
        blank(4 * units.pitch * DIMS[2]),
        blank(4 * top.pitch * DIMS[2]),
    ];
    let (expected, channels) = if look == 6 { (grad.q, UNITS) } else { (tops(&grad), 2) };
    let end = (look, planes(&expected, DIMS, SLAB), slab_of(slab(channels), channels));
    known_answer(params.inner_words(), buffers, params.groups(), end)
}

pub fn backward(look: usize) -> KnownAnswer {
    let Case { gradient, weights, params, grad, .. } = case();
    let before = pseudo_random(gradient.len(), 7);
    let buffers = vec![
        map(&gradient, DIMS),
        map(&grad.q, DIMS),
        map(&tops(&grad), DIMS),
        bytes(&forward::pack(&weights, CHANNELS, UNITS)),
        map(&before, DIMS),
    ];
    let (expected, channels) = match look {
        0 => (grad.skip, CHANNELS),
        1 => (grad.dn, UNITS),
        _ => (grad.up.iter().zip(&before).map(|(g, before)| g + before).collect(), CHANNELS),
    };
    let end = (look, planes(&expected, DIMS, SLAB), slab_of(slab(channels), channels));
    known_answer(params.back_words(), buffers, params.groups(), end)
}
