//! The questions for the kernels of training that go over maps.

use super::super::{DIMS, Found, SLAB, Trial, bytes, floats, lines, packed, planes};
use super::{all, blank, trial};
use crate::engine::bench::noise;
use crate::engine::norm::{Line, Moments};
use crate::kernels::back::{Back, Slab, bend, conv, join, out, pool, sum, up};
use crate::kernels::{Layout, Precision, norm, out as forward_out, pool as forward_pool};
use crate::model::EPSILON;

/// Channels of most maps: two quads, the second not full.
const CHANNELS: usize = 6;
const LEAK: f32 = 0.3;

pub(super) fn volume(dims: [usize; 3]) -> usize {
    dims.iter().product()
}

fn slab(channels: usize) -> Slab {
    Slab { map: Layout::new(channels, DIMS), first: SLAB.0, planes: SLAB.1 }
}

/// A map `[c, z, y, x]` as a buffer.
pub(super) fn map(values: &[f32], dims: [usize; 3]) -> Vec<u8> {
    Layout::new(values.len() / volume(dims), dims).pack(values, 0..dims[2], Precision::F32)
}

/// A map with zeros outside of a slab: what a sum over the slab sees.
fn within(values: &[f32], [x, y, z]: [usize; 3], (first, count): (usize, usize)) -> Vec<f32> {
    let inside = |n: usize| (first..first + count).contains(&(n / (x * y) % z));
    values.iter().enumerate().map(|(n, value)| if inside(n) { *value } else { 0.0 }).collect()
}

/// Planes of a slab of a map, from its buffer.
pub(super) fn slab_of(slab: Slab, channels: usize) -> Found {
    let from = slab.first * slab.map.pitch * Precision::F32.quad();
    Box::new(move |bytes| slab.map.unpack(&bytes[from..], channels, slab.planes, Precision::F32))
}

pub(super) fn stats() -> Trial {
    let (total, zeros) = (3, 7.0);
    let moments: Vec<Moments> = noise(8 * total, 1)
        .into_iter()
        .map(f64::from)
        .map(|v| Moments { count: 20.0 + (9.0 * v).round(), mean: 3.0 + v, squares: 9.0 + v })
        .collect();
    let slots = (0..2).flat_map(|quad| (0..total).map(move |slot| (quad, slot)));
    let part = |moments: Moments, n: usize| [moments.count, moments.mean, moments.squares][n] as f32;
    let numbers = slots.flat_map(|(quad, slot)| (0..12).map(move |n| (4 * quad + n % 4, slot, n / 4)));
    let packed: Vec<f32> =
        numbers.map(|(channel, slot, n)| part(moments[channel * total + slot], n)).collect();
    let pairs: Vec<[f32; 2]> = moments
        .chunks_exact(total)
        .map(|slots| slots.iter().fold(Moments::zeros(zeros), |sum, slot| sum.with(*slot)))
        .map(|all| [all.mean as f32, (1.0 / (all.variance() + f64::from(EPSILON)).sqrt()) as f32])
        .collect();
    let words = norm::norm_words(total, 2, zeros);
    let end = all(1, norm::pack(&pairs));
    trial(Back::Stats, words, vec![bytes(&packed), blank(16)], bend::stats_groups(2), end)
}

/// A map that is normalised, and its gradient.
struct Normed {
    values: Vec<f32>,
    gradient: Vec<f32>,
    lines: Vec<Line>,
    /// Mean and inverse deviation by channel.
    stats: Vec<[f32; 2]>,
    /// Coefficients and sums by channel, of the gradient within the slab or everywhere.
    bent: Vec<bend::Bent>,
    raw: Vec<f32>,
}

fn normed(dims: [usize; 3], everywhere: bool) -> Normed {
    let (count, zeros) = (volume(dims), 20.0);
    let (values, mut gradient) = (noise(CHANNELS * count, 1), noise(CHANNELS * count, 2));
    if !everywhere {
        gradient = within(&gradient, dims, SLAB);
    }
    let parameters: Vec<[f32; 2]> =
        noise(2 * CHANNELS, 3).chunks_exact(2).map(|v| [1.0 + 0.5 * v[0], 0.4 * v[1]]).collect();
    let (mut lines, mut stats, mut bent, mut raw) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (channel, parameters) in parameters.iter().enumerate() {
        let part = channel * count..(channel + 1) * count;
        let one = |value: &f32| Moments { mean: f64::from(*value), ..Moments::zeros(1.0) };
        let moments = values[part.clone()].iter().map(one).fold(Moments::zeros(zeros), Moments::with);
        lines.push(Line { leak: LEAK, ..Line::new(&moments, *parameters, false) });
        stats.push([moments.mean as f32, (1.0 / (moments.variance() + f64::from(EPSILON)).sqrt()) as f32]);
        let (sums, map) = bend::reference(&gradient[part.clone()], &values[part], *parameters, LEAK, zeros);
        bent.push(sums);
        raw.extend(map);
    }
    Normed { values, gradient, lines, stats, bent, raw }
}

pub(super) fn bend_sums(dims: [usize; 3]) -> Trial {
    let Normed { values, gradient, lines, stats, bent, .. } = normed(dims, false);
    let slab = Slab { map: Layout::new(CHANNELS, dims), first: SLAB.0, planes: SLAB.1 };
    let (slot, total) = (1, bend::slots(&slab) + 2);
    let pairs: Vec<[f32; 2]> = bent.iter().map(|bent| [bent.beta as f32, bent.gamma as f32]).collect();
    let buffers = vec![
        map(&gradient, dims),
        map(&values, dims),
        packed(&lines),
        bytes(&norm::pack(&stats)),
        blank(2 * total * 8),
    ];
    // Slots that are no one's are left out.
    let found: Found = Box::new(move |bytes| {
        let (all, mine) = (floats(bytes), slot..total - 1);
        let quad = |quad: usize, n: usize| mine.clone().map(|slot| all[(quad * total + slot) * 8 + n]).sum();
        (0..16).map(|n| quad(n / 8, n % 8)).collect()
    });
    let words = bend::sums_words(&slab, LEAK, slot, total);
    trial(Back::BendSums, words, buffers, bend::sums_groups(&slab), (4, norm::pack(&pairs), found))
}

pub(super) fn bend_end(look: usize) -> Trial {
    let (total, count) = (70, 9.0);
    let (parts, lines, stats) = (noise(2 * total * 8, 1), lines(8, 1.0, 2), noise(16, 3));
    let stats: Vec<[f32; 2]> = stats.chunks_exact(2).map(|v| [v[0], 1.5 + v[1]]).collect();
    let sum = |channel: usize, n: usize| {
        let part = |slot: usize| parts[((channel / 4) * total + slot) * 8 + 4 * n + channel % 4];
        (0..total).map(|slot| f64::from(part(slot))).sum::<f64>() as f32
    };
    let coefficient = |channel: usize, n: usize| {
        let (a, [mean, inverse]) = (lines[channel].scale, stats[channel]);
        [a, -a * inverse * sum(channel, 1) / count, -a * sum(channel, 0) / count, mean][n]
    };
    let expected = if look == 3 {
        (0..32).map(|n| coefficient(n / 16 * 4 + n % 4, n / 4 % 4)).collect()
    } else {
        (0..16).map(|n| sum(n / 8 * 4 + n % 4, 1 - n / 4 % 2)).collect()
    };
    let buffers =
        vec![bytes(&parts), packed(&lines), bytes(&norm::pack(&stats)), blank(2 * 16), blank(2 * 8)];
    let words = bend::end_words(total, 2, f64::from(count));
    trial(Back::BendEnd, words, buffers, bend::end_groups(2), all(look, expected))
}

pub(super) fn bend_apply() -> Trial {
    let Normed { values, gradient, lines, stats, bent, raw } = normed(DIMS, true);
    let slab = slab(CHANNELS);
    let mut bends = vec![0.0; 2 * 16];
    for (channel, (bent, [mean, _])) in bent.iter().zip(&stats).enumerate() {
        let [a, b, c] = bent.coefficients.map(|value| value as f32);
        for (n, value) in [a, b, c, *mean].into_iter().enumerate() {
            bends[channel / 4 * 16 + 4 * n + channel % 4] = value;
        }
    }
    let buffers = vec![map(&gradient, DIMS), map(&values, DIMS), packed(&lines), bytes(&bends)];
    let end = (0, planes(&raw, DIMS, SLAB), slab_of(slab, CHANNELS));
    trial(Back::BendApply, bend::apply_words(&slab, LEAK), buffers, slab.groups(), end)
}

/// Parts that the sums go on with, and what they add up to; blank where the sums are fresh.
fn parts(count: usize, splits: usize, fresh: bool) -> (Vec<u8>, Vec<f32>) {
    let before = if fresh { vec![0.0; count * splits] } else { noise(count * splits, 9) };
    let buffer = if fresh { blank(count * splits) } else { bytes(&before) };
    (buffer, sum::reference(&before, splits))
}

/// Sums of weights: what the parts add up to, at the places of a table.
fn at_places(splits: usize, table: Vec<u32>) -> Found {
    Box::new(move |bytes| {
        let all = sum::reference(&floats(bytes), splits);
        table.iter().map(|&place| all[place as usize - 1]).collect()
    })
}

pub(super) fn conv_weight(fresh: bool) -> Trial {
    let (outputs, splits, slab) = (12, 4, slab(12));
    let (gradient, values) = (noise(outputs * volume(DIMS), 1), noise(CHANNELS * volume(DIMS), 2));
    let (lines, source) = (lines(CHANNELS, LEAK, 3), Layout::new(CHANNELS, DIMS));
    let (parts, before) = parts(conv::part(&source, &slab.map), splits, fresh);
    let table = conv::index(&[CHANNELS], 0, outputs);
    let sums = conv::reference(&within(&gradient, DIMS, SLAB), &values, &lines, DIMS);
    let expected = sums.iter().zip(&table).map(|(sum, &place)| sum + before[place as usize - 1]).collect();
    let params = conv::Params { slab, source, leak: LEAK, splits, fresh };
    let buffers = vec![map(&gradient, DIMS), map(&values, DIMS), packed(&lines), parts];
    let end = (3, expected, at_places(splits, table));
    trial(Back::ConvWeight, params.words(), buffers, params.groups(), end)
}

pub(super) fn pool() -> Trial {
    let (small, part) = (DIMS.map(|n| n / 2), (1, 2));
    let (from, to) = (Layout::new(CHANNELS, DIMS), Layout::new(CHANNELS, small));
    // Few different values, so that some are equal.
    let values: Vec<f32> = noise(CHANNELS * volume(DIMS), 1).iter().map(|v| (4.0 * v).round()).collect();
    let (pooled, before) = (noise(CHANNELS * volume(small), 2), noise(CHANNELS * volume(DIMS), 3));
    let mut lines = lines(CHANNELS, LEAK, 4);
    lines[1].scale = -1.0;
    let added = pool::reference(&within(&pooled, small, part), &values, &lines, DIMS);
    let expected = before.iter().zip(&added).map(|(a, b)| a + b).collect();
    let params =
        forward_pool::Params { output: to, start: 0, first: part.0, planes: part.1, source: (from, 0, LEAK) };
    let buffers = vec![map(&pooled, small), map(&values, DIMS), packed(&lines), map(&before, DIMS)];
    let end = (3, expected, slab_of(Slab::whole(from), CHANNELS));
    trial(Back::Pool, params.words(), buffers, params.groups(), end)
}

pub(super) fn join(look: usize) -> Trial {
    let (slab, count) = (slab(CHANNELS), CHANNELS * volume(DIMS));
    let (gradient, joined) = (noise(count, 1), noise(count, 2));
    let expected = planes(&join::reference(&gradient, &joined), DIMS, SLAB);
    let buffers = vec![map(&gradient, DIMS), map(&joined, DIMS), blank(4 * slab.map.pitch * DIMS[2])];
    let end = (look, expected, slab_of(slab, CHANNELS));
    trial(Back::Join, join::words(&slab), buffers, slab.groups(), end)
}

const SMALL: [usize; 3] = [5, 2, 3];
const LARGE: [usize; 3] = [11, 5, 7];

fn going_up(splits: usize, fresh: bool) -> (up::Params, Vec<f32>, usize) {
    let outputs = 5;
    let slab = Slab { map: Layout::new(CHANNELS, SMALL), first: 1, planes: 2 };
    let params = up::Params { slab, output: Layout::new(outputs, LARGE), leak: LEAK, splits, fresh };
    (params, noise(outputs * volume(LARGE), 1), outputs)
}

pub(super) fn up() -> Trial {
    let (params, gradient, outputs) = going_up(1, true);
    let weight = noise(CHANNELS * outputs * 8, 2);
    let all = up::reference(&gradient, &weight, outputs, SMALL, LARGE);
    let buffers = vec![
        map(&gradient, LARGE),
        bytes(&crate::kernels::up::pack(&weight, CHANNELS, outputs)),
        blank(4 * params.slab.map.pitch * SMALL[2]),
    ];
    let end = (2, planes(&all, SMALL, (1, 2)), slab_of(params.slab, CHANNELS));
    trial(Back::Up, params.words(), buffers, params.groups(), end)
}

pub(super) fn up_weight(fresh: bool) -> Trial {
    let (params, gradient, outputs) = going_up(3, fresh);
    let (values, lines) = (noise(CHANNELS * volume(SMALL), 2), lines(CHANNELS, LEAK, 3));
    let (parts, before) = parts(up::part(&params.slab.map, &params.output), 3, fresh);
    // The slab is of the source.
    let seen = within(&gradient, LARGE, (2, 4));
    let sums = up::weight_reference(&seen, &values, &lines, SMALL, LARGE);
    let table = up::index(CHANNELS, outputs);
    let expected = sums.iter().zip(&table).map(|(sum, &place)| sum + before[place as usize - 1]).collect();
    let buffers = vec![map(&gradient, LARGE), map(&values, SMALL), packed(&lines), parts];
    let end = (3, expected, at_places(3, table));
    trial(Back::UpWeight, params.words(), buffers, params.weight_groups(), end)
}

/// Labels of the last step: two quads.
const OUTPUTS: usize = 5;

pub(super) fn out(add: bool) -> Trial {
    let (slab, gradient) = (slab(CHANNELS), noise(OUTPUTS * volume(DIMS), 1));
    let (weight, bias) = (noise(OUTPUTS * CHANNELS, 2), noise(OUTPUTS, 3));
    let before = noise(CHANNELS * volume(DIMS), 4);
    let mut all = out::reference(&gradient, &weight, OUTPUTS);
    if add {
        all.iter_mut().zip(&before).for_each(|(sum, before)| *sum += before);
    }
    let buffers = vec![
        map(&gradient, DIMS),
        bytes(&forward_out::pack(&weight, &bias)),
        if add { map(&before, DIMS) } else { blank(4 * slab.map.pitch * DIMS[2]) },
    ];
    let end = (2, planes(&all, DIMS, SLAB), slab_of(slab, CHANNELS));
    trial(Back::Out, out::words(&slab, OUTPUTS, add), buffers, slab.groups(), end)
}

pub(super) fn out_weight(fresh: bool) -> Trial {
    let (slab, splits) = (slab(CHANNELS), 7);
    let (gradient, values) = (noise(OUTPUTS * volume(DIMS), 1), noise(CHANNELS * volume(DIMS), 2));
    let lines = lines(CHANNELS, LEAK, 3);
    let (parts, before) = parts(out::part(&slab.map, OUTPUTS), splits, fresh);
    let (weight, bias) = out::weight_reference(&within(&gradient, DIMS, SLAB), &values, &lines);
    let expected = forward_out::pack(&weight, &bias).iter().zip(&before).map(|(a, b)| a + b).collect();
    let buffers = vec![map(&gradient, DIMS), map(&values, DIMS), packed(&lines), parts];
    let end = (3, expected, Box::new(move |bytes: &[u8]| sum::reference(&floats(bytes), splits)) as Found);
    let words = out::weight_words(&slab, OUTPUTS, LEAK, splits, fresh);
    trial(Back::OutWeight, words, buffers, out::weight_groups(&slab, OUTPUTS, splits), end)
}
