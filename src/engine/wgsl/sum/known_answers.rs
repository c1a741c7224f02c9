//! What the kernels must answer before their first use.

use super::shader;
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::kernel::{Found, KnownAnswer};
use crate::engine::wgsl::known_answer::{blank, bytes, floats, known_answer};

/// The parts that are left add up to the same as all.
pub fn sum(left: usize) -> KnownAnswer {
    let (count, splits) = (13, 21);
    let values = pseudo_random(count * 4 * splits, 1);
    let buffers = vec![bytes(&values), blank(4 * count * left)];
    let found: Found = Box::new(move |bytes| shader::reference(&floats(bytes), left));
    let end = (1, shader::reference(&values, splits), found);
    known_answer(shader::words(count, splits, left), buffers, shader::groups(count, left), end)
}
