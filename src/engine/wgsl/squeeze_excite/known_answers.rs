//! What the kernels must answer before their first use.

use super::shader;
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::kernel::KnownAnswer;
use crate::engine::wgsl::known_answer::{all, blank, bytes, known_answer};
use crate::engine::wgsl::norm_act;

/// Channels that do not fill a channel block, more than a workgroup has invocations, in parameters that begin with others'.
fn example() -> (shader::Params, Vec<f32>) {
    let (channels, narrow) = (70, 4);
    let (squeeze, excite) = ([3, 3 + 280], [300, 600]);
    let params = shader::Params { channels, narrow, gamma: 700, beta: 800, squeeze, excite };
    (params, pseudo_random(900, 1))
}

pub fn forward() -> KnownAnswer {
    let (params, values) = example();
    let expected = norm_act::forward::pack(&shader::reference(&params, &values));
    let buffers = vec![bytes(&values), blank(expected.len())];
    known_answer(params.words(), buffers, [1, 1, 1], all(1, expected))
}

pub fn backward() -> KnownAnswer {
    let (params, values) = example();
    let (scaled, before) = (pseudo_random(2 * params.channels, 2), pseudo_random(values.len(), 3));
    let scaled: Vec<[f32; 2]> = scaled.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
    let added = shader::back_reference(&params, &values, &scaled);
    let expected = before.iter().zip(&added).map(|(a, b)| a + b).collect();
    let buffers = vec![bytes(&values), bytes(&norm_act::forward::pack(&scaled)), bytes(&before)];
    known_answer(params.words(), buffers, [1, 1, 1], all(2, expected))
}
