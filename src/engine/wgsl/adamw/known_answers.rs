//! What the kernels must answer before their first use.

use super::shader;
use crate::engine::nn::adamw::{AdamWConfig, AdamWStep};
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::kernel::{Found, KnownAnswer};
use crate::engine::wgsl::known_answer::{all, blank, bytes, floats, known_answer};

pub fn squares() -> KnownAnswer {
    let (start, count, slot) = (5, 9000, 1);
    let values = pseudo_random(start + count + 3, 1);
    let slots = shader::slots(count);
    let sum: f64 = values[start..start + count].iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    let found: Found = Box::new(move |bytes| vec![floats(bytes)[slot..slot + slots].iter().sum()]);
    let words = shader::squares_words(start, count, slot);
    let buffers = vec![bytes(&values), blank(slot + slots + 1)];
    known_answer(words, buffers, [slots as u32, 1, 1], (1, vec![sum as f32], found))
}

/// With a square that may be no number.
pub fn clip(odd: f32) -> KnownAnswer {
    let (total, most) = (70, 0.7);
    let mut m2: Vec<f32> = pseudo_random(total, 1).iter().map(|v| v * v).collect();
    m2[66] = odd;
    let roots: Vec<f32> = m2.iter().map(|v| v.sqrt()).collect();
    let [factor, norm] = shader::clip_reference(&roots, most);
    // The norm itself says nothing where it is no number.
    let norm = if norm.is_finite() { norm } else { 0.0 };
    let found: Found = Box::new(|bytes| {
        let all = floats(bytes);
        vec![all[0], if all[1].is_finite() { all[1] } else { 0.0 }]
    });
    let buffers = vec![bytes(&m2), vec![0; 8]];
    let words = shader::clip_words(total, most);
    known_answer(words, buffers, [1, 1, 1], (1, vec![factor, norm], found))
}

pub fn step(look: usize, factor: f32) -> KnownAnswer {
    let all_of = 200;
    let settings = AdamWConfig { decay: 0.1, ..AdamWConfig::default() };
    let params = shader::Params { start: 9, count: 150, step: AdamWStep::new(settings, 3, 0.05) };
    let mut state = [1, 2, 3, 4].map(|seed| pseudo_random(all_of, seed));
    state[2].iter_mut().for_each(|v| *v = 0.1 + v.abs());
    let gradient = pseudo_random(all_of, 5);
    let buffers: Vec<Vec<u8>> = [&[factor, 1.0][..], &gradient]
        .into_iter()
        .chain(state.iter().map(Vec::as_slice))
        .map(bytes)
        .collect();
    let after = |n: usize| {
        let before = [0, 1, 2, 3].map(|part| state[part][n]);
        let inside = (params.start..params.start + params.count).contains(&n);
        let after = if inside { shader::reference(&params, factor, gradient[n], before) } else { before };
        after[look - 2]
    };
    let expected = (0..all_of).map(after).collect();
    known_answer(params.words(), buffers, params.groups(), all(look, expected))
}
