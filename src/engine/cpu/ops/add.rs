//! The sum of two gradients on the CPU.

use super::simd::dispatch;
use crate::engine::nn::parallel;

/// Values that a thread adds at once.
const PIECE: usize = 1 << 16;

/// Adds `more` to `all`, value by value.
pub fn add(all: &mut [f32], more: &[f32]) {
    parallel::map(
        all.chunks_mut(PIECE).zip(more.chunks(PIECE)).collect(),
        || (),
        |(), (all, more): (&mut [f32], &[f32])| {
            dispatch(|| all.iter_mut().zip(more).for_each(|(sum, value)| *sum += value));
        },
    );
}
