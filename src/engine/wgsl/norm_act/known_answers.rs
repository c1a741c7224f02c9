//! What the kernels must answer before their first use.

use super::{backward, forward};
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::nn::scale_shift::{Moments, ScaleShift};
use crate::engine::wgsl::kernel::{Found, KnownAnswer};
use crate::engine::wgsl::known_answer::{
    CHANNELS, DIMS, NEGATIVE_SLOPE, SLAB, all, blank, bytes, floats, known_answer, map, packed, planes,
    scale_shifts, slab, slab_of, volume, within,
};
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::slab::Slab;
use crate::model::EPSILON;

/// Rows of 8 values far from zero, whose moments are added up.
pub fn merge() -> KnownAnswer {
    let (count, of, slot) = (200, 3, 1);
    let mut moments = Vec::new();
    let mut whole = [Moments::default(); 8];
    for (channel, whole) in whole.iter_mut().enumerate() {
        for row in pseudo_random(8 * count, channel as u64).chunks_exact(8) {
            let values = row.iter().map(|v| 100.0 * channel as f64 + f64::from(*v));
            let part = values
                .map(|v| Moments { mean: v, ..Moments::zeros(1.0) })
                .fold(Moments::default(), Moments::with);
            moments.push(part);
            *whole = whole.with(part);
        }
    }
    let part = |moments: &Moments, n: usize| [moments.count, moments.mean, moments.m2][n] as f32;
    let rows = (0..2).flat_map(|channel_block| (0..count).map(move |row| (channel_block, row)));
    let numbers = rows.flat_map(|(channel_block, row)| (0..12).map(move |n| (channel_block, row, n)));
    let packed: Vec<f32> = numbers
        .map(|(channel_block, row, n)| part(&moments[(4 * channel_block + n % 4) * count + row], n / 4))
        .collect();
    let expected = (0..2).flat_map(|channel_block| (0..12).map(move |n| (4 * channel_block + n % 4, n / 4)));
    KnownAnswer {
        words: forward::merge_words(count, slot, of),
        buffers: vec![bytes(&packed), vec![0; 2 * of * 48]],
        groups: [1, 2, 1],
        look: 1,
        expected: expected.map(|(channel, n)| part(&whole[channel], n)).collect(),
        found: Box::new(move |bytes| {
            let all = floats(bytes);
            (0..2).flat_map(|channel_block| all[(channel_block * of + slot) * 12..][..12].to_vec()).collect()
        }),
    }
}

pub fn scale_shift() -> KnownAnswer {
    let (of, zeros, channel_blocks) = (2, 7.0, 2);
    let values = pseudo_random(of * channel_blocks * 12, 1);
    let slot = |channel_block: usize, slot: usize, n: usize, channel: usize| {
        let value = f64::from(values[(channel_block * of + slot) * 12 + 4 * n + channel]);
        match n {
            0 => 20.0 + value.abs().round(),
            1 => 3.0 + value,
            _ => 9.0 + value,
        }
    };
    let parameters: Vec<[f32; 2]> =
        pseudo_random(16, 2).chunks_exact(2).map(|v| [1.0 + 0.3 * v[0], v[1]]).collect();
    let scale_shifts: Vec<ScaleShift> = (0..8)
        .map(|channel| {
            let part = |n: usize| {
                let value = |k: usize| slot(channel / 4, n, k, channel % 4);
                Moments { count: value(0), mean: value(1), m2: value(2) }
            };
            ScaleShift::new(&part(0).with(part(1)).with(Moments::zeros(zeros)), parameters[channel], false)
        })
        .collect();
    let all = (0..channel_blocks)
        .flat_map(|q| (0..of).flat_map(move |s| (0..12).map(move |n| (q, s, n / 4, n % 4))));
    let slots: Vec<f32> = all.map(|(q, s, n, channel)| slot(q, s, n, channel) as f32).collect();
    KnownAnswer {
        words: forward::norm_words(of, channel_blocks, zeros),
        buffers: vec![bytes(&slots), bytes(&forward::pack(&parameters)), vec![0; channel_blocks * 32]],
        groups: [1, 1, 1],
        look: 2,
        expected: floats(&packed(&scale_shifts)),
        found: Box::new(floats),
    }
}

pub fn stats() -> KnownAnswer {
    let (total, zeros) = (3, 7.0);
    let moments: Vec<Moments> = pseudo_random(8 * total, 1)
        .into_iter()
        .map(f64::from)
        .map(|v| Moments { count: 20.0 + (9.0 * v).round(), mean: 3.0 + v, m2: 9.0 + v })
        .collect();
    let slots = (0..2).flat_map(|channel_block| (0..total).map(move |slot| (channel_block, slot)));
    let part = |moments: Moments, n: usize| [moments.count, moments.mean, moments.m2][n] as f32;
    let numbers = slots
        .flat_map(|(channel_block, slot)| (0..12).map(move |n| (4 * channel_block + n % 4, slot, n / 4)));
    let packed: Vec<f32> =
        numbers.map(|(channel, slot, n)| part(moments[channel * total + slot], n)).collect();
    let pairs: Vec<[f32; 2]> = moments
        .chunks_exact(total)
        .map(|slots| slots.iter().fold(Moments::zeros(zeros), |sum, slot| sum.with(*slot)))
        .map(|all| [all.mean as f32, (1.0 / (all.variance() + f64::from(EPSILON)).sqrt()) as f32])
        .collect();
    let words = forward::norm_words(total, 2, zeros);
    let end = all(1, forward::pack(&pairs));
    known_answer(words, vec![bytes(&packed), blank(16)], backward::stats_groups(2), end)
}

/// A map that is normalised, and its gradient.
struct Normed {
    values: Vec<f32>,
    gradient: Vec<f32>,
    scale_shifts: Vec<ScaleShift>,
    /// Mean and inverse deviation by channel.
    stats: Vec<[f32; 2]>,
    /// Coefficients and sums by channel, of the gradient within the slab or everywhere.
    bent: Vec<backward::NormGradients>,
    raw: Vec<f32>,
}

fn normed(dims: [usize; 3], everywhere: bool) -> Normed {
    let (count, zeros) = (volume(dims), 20.0);
    let (values, mut gradient) = (pseudo_random(CHANNELS * count, 1), pseudo_random(CHANNELS * count, 2));
    if !everywhere {
        gradient = within(&gradient, dims, SLAB);
    }
    let parameters: Vec<[f32; 2]> =
        pseudo_random(2 * CHANNELS, 3).chunks_exact(2).map(|v| [1.0 + 0.5 * v[0], 0.4 * v[1]]).collect();
    let (mut scale_shifts, mut stats, mut bent, mut raw) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (channel, parameters) in parameters.iter().enumerate() {
        let part = channel * count..(channel + 1) * count;
        let one = |value: &f32| Moments { mean: f64::from(*value), ..Moments::zeros(1.0) };
        let moments = values[part.clone()].iter().map(one).fold(Moments::zeros(zeros), Moments::with);
        scale_shifts.push(ScaleShift {
            negative_slope: NEGATIVE_SLOPE,
            ..ScaleShift::new(&moments, *parameters, false)
        });
        stats.push([moments.mean as f32, (1.0 / (moments.variance() + f64::from(EPSILON)).sqrt()) as f32]);
        let (sums, map) =
            backward::reference(&gradient[part.clone()], &values[part], *parameters, NEGATIVE_SLOPE, zeros);
        bent.push(sums);
        raw.extend(map);
    }
    Normed { values, gradient, scale_shifts, stats, bent, raw }
}

pub fn sums(dims: [usize; 3]) -> KnownAnswer {
    let Normed { values, gradient, scale_shifts, stats, bent, .. } = normed(dims, false);
    let slab = Slab { map: Layout::new(CHANNELS, dims), first: SLAB.0, planes: SLAB.1 };
    let (slot, total) = (1, backward::slots(&slab) + 2);
    let pairs: Vec<[f32; 2]> = bent.iter().map(|bent| [bent.beta as f32, bent.gamma as f32]).collect();
    let buffers = vec![
        map(&gradient, dims),
        map(&values, dims),
        packed(&scale_shifts),
        bytes(&forward::pack(&stats)),
        blank(2 * total * 8),
    ];
    // Slots that are no one's are left out.
    let found: Found = Box::new(move |bytes| {
        let (all, mine) = (floats(bytes), slot..total - 1);
        let channel_block = |channel_block: usize, n: usize| {
            mine.clone().map(|slot| all[(channel_block * total + slot) * 8 + n]).sum()
        };
        (0..16).map(|n| channel_block(n / 8, n % 8)).collect()
    });
    let words = backward::sums_words(&slab, NEGATIVE_SLOPE, slot, total);
    known_answer(words, buffers, backward::sums_groups(&slab), (4, forward::pack(&pairs), found))
}

pub fn coefficients(look: usize) -> KnownAnswer {
    let (total, count) = (70, 9.0);
    let (parts, scale_shifts, stats) =
        (pseudo_random(2 * total * 8, 1), scale_shifts(8, 1.0, 2), pseudo_random(16, 3));
    let stats: Vec<[f32; 2]> = stats.chunks_exact(2).map(|v| [v[0], 1.5 + v[1]]).collect();
    let sum = |channel: usize, n: usize| {
        let part = |slot: usize| parts[((channel / 4) * total + slot) * 8 + 4 * n + channel % 4];
        (0..total).map(|slot| f64::from(part(slot))).sum::<f64>() as f32
    };
    let coefficient = |channel: usize, n: usize| {
        let (a, [mean, inverse]) = (scale_shifts[channel].scale, stats[channel]);
        [a, -a * inverse * sum(channel, 1) / count, -a * sum(channel, 0) / count, mean][n]
    };
    let expected = if look == 3 {
        (0..32).map(|n| coefficient(n / 16 * 4 + n % 4, n / 4 % 4)).collect()
    } else {
        (0..16).map(|n| sum(n / 8 * 4 + n % 4, 1 - n / 4 % 2)).collect()
    };
    let buffers = vec![
        bytes(&parts),
        packed(&scale_shifts),
        bytes(&forward::pack(&stats)),
        blank(2 * 16),
        blank(2 * 8),
    ];
    let words = backward::end_words(total, 2, f64::from(count));
    known_answer(words, buffers, backward::end_groups(2), all(look, expected))
}

pub fn apply() -> KnownAnswer {
    let Normed { values, gradient, scale_shifts, stats, bent, raw } = normed(DIMS, true);
    let slab = slab(CHANNELS);
    let mut bends = vec![0.0; 2 * 16];
    for (channel, (bent, [mean, _])) in bent.iter().zip(&stats).enumerate() {
        let [a, b, c] = bent.coefficients.map(|value| value as f32);
        for (n, value) in [a, b, c, *mean].into_iter().enumerate() {
            bends[channel / 4 * 16 + 4 * n + channel % 4] = value;
        }
    }
    let buffers = vec![map(&gradient, DIMS), map(&values, DIMS), packed(&scale_shifts), bytes(&bends)];
    let end = (0, planes(&raw, DIMS, SLAB), slab_of(slab, CHANNELS));
    known_answer(backward::apply_words(&slab, NEGATIVE_SLOPE), buffers, slab.groups(), end)
}
