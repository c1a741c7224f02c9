//! What the kernels must answer before their first use.

use super::{backward, forward};
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::kernel::{Found, KnownAnswer};
use crate::engine::wgsl::known_answer::{
    CHANNELS, DIMS, NEGATIVE_SLOPE, SLAB, blank, bytes, floats, known_answer, map, packed, parts, planes,
    scale_shifts, slab, slab_of, stored, volume, within,
};
use crate::engine::wgsl::layout::{Layout, Precision};
use crate::engine::wgsl::sum;

pub fn forward(labels: bool, precision: Precision) -> KnownAnswer {
    let (channels, outputs) = (6, 2);
    let layout = Layout::new(channels, DIMS);
    let values = stored(channels * DIMS.iter().product::<usize>(), 1, precision);
    let (scale_shifts, weight, bias) =
        (scale_shifts(channels, 0.3, 2), pseudo_random(outputs * channels, 3), pseudo_random(outputs, 4));
    let logits = planes(&forward::reference(&values, &scale_shifts, &weight, &bias), DIMS, SLAB);
    let size = DIMS[0] * DIMS[1];
    let (words, volume) = (size.div_ceil(4), size * SLAB.1);
    let choice = |voxel: usize| {
        if logits[volume + voxel] > 0.0 {
            2.0
        } else if logits[voxel] > 0.0 {
            1.0
        } else {
            0.0
        }
    };
    KnownAnswer {
        words: forward::words(size, layout.pitch, 1, SLAB.1, layout.channel_blocks, outputs, 0.3),
        buffers: vec![
            layout.pack(&values, 1..6, precision),
            packed(&scale_shifts),
            bytes(&forward::pack(&weight, &bias)),
            vec![0xFF; SLAB.1 * words * if labels { 4 } else { 16 * outputs }],
        ],
        groups: forward::groups(size, SLAB.1),
        look: 3,
        expected: if labels { (0..volume).map(choice).collect() } else { logits.clone() },
        found: Box::new(move |bytes| {
            if labels {
                return bytes
                    .chunks_exact(4 * words)
                    .flat_map(|row| &row[..size])
                    .map(|&v| f32::from(v))
                    .collect();
            }
            let all = floats(bytes);
            let row =
                |output: usize, plane: usize| all[(plane * outputs + output) * 4 * words..][..size].to_vec();
            (0..outputs)
                .flat_map(|o| (0..SLAB.1).flat_map(move |plane| [(o, plane)]))
                .flat_map(|(o, p)| row(o, p))
                .collect()
        }),
    }
}

/// Labels of the last step: two blocks.
const OUTPUTS: usize = 5;

pub fn backward(add: bool) -> KnownAnswer {
    let (slab, gradient) = (slab(CHANNELS), pseudo_random(OUTPUTS * volume(DIMS), 1));
    let (weight, bias) = (pseudo_random(OUTPUTS * CHANNELS, 2), pseudo_random(OUTPUTS, 3));
    let before = pseudo_random(CHANNELS * volume(DIMS), 4);
    let mut all = backward::reference(&gradient, &weight, OUTPUTS);
    if add {
        all.iter_mut().zip(&before).for_each(|(sum, before)| *sum += before);
    }
    let buffers = vec![
        map(&gradient, DIMS),
        bytes(&forward::pack(&weight, &bias)),
        if add { map(&before, DIMS) } else { blank(4 * slab.map.pitch * DIMS[2]) },
    ];
    let end = (2, planes(&all, DIMS, SLAB), slab_of(slab, CHANNELS));
    known_answer(backward::words(&slab, OUTPUTS, add), buffers, slab.groups(), end)
}

pub fn weight_grad(fresh: bool) -> KnownAnswer {
    let (slab, splits) = (slab(CHANNELS), 7);
    let (gradient, values) =
        (pseudo_random(OUTPUTS * volume(DIMS), 1), pseudo_random(CHANNELS * volume(DIMS), 2));
    let scale_shifts = scale_shifts(CHANNELS, NEGATIVE_SLOPE, 3);
    let (parts, before) = parts(backward::part(&slab.map, OUTPUTS), splits, fresh);
    let (weight, bias) = backward::weight_reference(&within(&gradient, DIMS, SLAB), &values, &scale_shifts);
    let expected = forward::pack(&weight, &bias).iter().zip(&before).map(|(a, b)| a + b).collect();
    let buffers = vec![map(&gradient, DIMS), map(&values, DIMS), packed(&scale_shifts), parts];
    let end =
        (3, expected, Box::new(move |bytes: &[u8]| sum::shader::reference(&floats(bytes), splits)) as Found);
    let words = backward::weight_words(&slab, OUTPUTS, NEGATIVE_SLOPE, splits, fresh);
    known_answer(words, buffers, backward::weight_groups(&slab, OUTPUTS, splits), end)
}
