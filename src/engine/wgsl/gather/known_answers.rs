//! What the kernels must answer before their first use.

use super::shader;
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::kernel::KnownAnswer;
use crate::engine::wgsl::known_answer::{all, bytes, known_answer};

pub fn gather(add: bool) -> KnownAnswer {
    let (count, start, source_start) = (150, 7, 11);
    let (values, before) = (pseudo_random(source_start + 90, 1), pseudo_random(start + count + 5, 2));
    let table: Vec<u32> = pseudo_random(count, 3).iter().map(|v| (45.0 * (v + 1.0)) as u32).collect();
    let inside = start..start + count;
    let mut expected = before.clone();
    let old = add.then_some(&before[inside.clone()]);
    expected[inside].copy_from_slice(&shader::reference(&values[source_start..], &table, old));
    let index = table.iter().flat_map(|n| n.to_le_bytes()).collect();
    let words = shader::words(count, start, source_start, add);
    let buffers = vec![bytes(&values), index, bytes(&before)];
    known_answer(words, buffers, shader::groups(count), all(2, expected))
}
