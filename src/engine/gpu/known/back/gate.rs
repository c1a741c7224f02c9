//! The questions for the way back through an attention gate.

use super::super::{DIMS, SLAB, Trial, bytes, lines, packed, planes};
use super::maps::{map, slab_of, volume};
use super::{blank, trial};
use crate::engine::bench::noise;
use crate::engine::norm::Line;
use crate::kernels::Layout;
use crate::kernels::back::{Back, Slab, gate};
use crate::kernels::gate::pack;

/// Of both sources, and units: two quads, the second not full.
const CHANNELS: usize = 6;
const UNITS: usize = 5;
const LEAKS: [f32; 2] = [0.3, 1.0];

struct Case {
    gradient: Vec<f32>,
    weights: Vec<f32>,
    maps: [Vec<f32>; 2],
    lines: [Vec<Line>; 2],
    params: gate::Params,
    slopes: gate::Slopes,
}

fn case() -> Case {
    let count = CHANNELS * volume(DIMS);
    let (gradient, maps) = (noise(count, 1), [noise(count, 2), noise(count, 3)]);
    let lines = [0, 1].map(|n| lines(CHANNELS, LEAKS[n], 4 + n as u64));
    let weights = noise(2 * UNITS * CHANNELS + 2 * UNITS + 1, 6);
    let sources = LEAKS.map(|leak| (Layout::new(CHANNELS, DIMS), leak));
    let params = gate::Params { sources, units: UNITS, first: SLAB.0, planes: SLAB.1 };
    let slopes = gate::reference(&gradient, &weights, UNITS, (&maps[0], &lines[0]), (&maps[1], &lines[1]));
    Case { gradient, weights, maps, lines, params, slopes }
}

fn slab(channels: usize) -> Slab {
    Slab { map: Layout::new(channels, DIMS), first: SLAB.0, planes: SLAB.1 }
}

/// `dt` and `a` as one map.
fn tops(slopes: &gate::Slopes) -> Vec<f32> {
    [slopes.dt.clone(), slopes.factor.clone()].concat()
}

pub(super) fn inner(look: usize) -> Trial {
    let Case { gradient, weights, maps, lines, params, slopes } = case();
    let [units, top] = params.inner_maps();
    let buffers = vec![
        map(&gradient, DIMS),
        map(&maps[0], DIMS),
        map(&maps[1], DIMS),
        packed(&lines[0]),
        packed(&lines[1]),
        bytes(&pack(&weights, CHANNELS, UNITS)),
        blank(4 * units.pitch * DIMS[2]),
        blank(4 * top.pitch * DIMS[2]),
    ];
    let (expected, channels) = if look == 6 { (slopes.q, UNITS) } else { (tops(&slopes), 2) };
    let end = (look, planes(&expected, DIMS, SLAB), slab_of(slab(channels), channels));
    trial(Back::GateInner, params.inner_words(), buffers, params.groups(), end)
}

pub(super) fn back(look: usize) -> Trial {
    let Case { gradient, weights, params, slopes, .. } = case();
    let before = noise(gradient.len(), 7);
    let buffers = vec![
        map(&gradient, DIMS),
        map(&slopes.q, DIMS),
        map(&tops(&slopes), DIMS),
        bytes(&pack(&weights, CHANNELS, UNITS)),
        map(&before, DIMS),
    ];
    let (expected, channels) = match look {
        0 => (slopes.skip, CHANNELS),
        1 => (slopes.dn, UNITS),
        _ => (slopes.up.iter().zip(&before).map(|(slope, before)| slope + before).collect(), CHANNELS),
    };
    let end = (look, planes(&expected, DIMS, SLAB), slab_of(slab(channels), channels));
    trial(Back::GateBack, params.back_words(), buffers, params.groups(), end)
}
