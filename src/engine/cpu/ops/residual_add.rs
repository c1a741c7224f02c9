//! The end of a residual block on the CPU.
//!
//! ```text
//! y = leaky(norm(a) + norm'(b))
//! ```
//! The gradient by either is `g (y > 0 ? 1 : slope)`.

use super::input::Input;
use super::simd::dispatch;
use crate::engine::nn::parallel;
use crate::engine::nn::scale_shift::{ScaleShift, larger};
use crate::model::NEGATIVE_SLOPE;

/// `a`, `[z, c, y, x]` of planes of `plane` voxels, becomes the result.
pub fn forward(a: &mut [f32], scale_shifts: &[ScaleShift], b: &Input, plane: usize) {
    let rows: Vec<_> = a.chunks_exact_mut(plane).zip(b.data.chunks_exact(plane)).enumerate().collect();
    parallel::map(
        rows,
        || (),
        |(), (index, (a, b_row))| {
            let (first, second) =
                (scale_shifts[index % scale_shifts.len()], b.scale_shifts[index % scale_shifts.len()]);
            dispatch(|| {
                for (a, &b) in a.iter_mut().zip(b_row) {
                    let sum = *a * first.scale + first.shift + (b * second.scale + second.shift);
                    *a = larger(sum, NEGATIVE_SLOPE * sum);
                }
            });
        },
    );
}

/// `grad`, the gradient by the result, becomes that by either side.
pub fn backward(grad: &mut [f32], result: &[f32], plane: usize) {
    let rows: Vec<_> = grad.chunks_exact_mut(plane).zip(result.chunks_exact(plane)).collect();
    parallel::map(
        rows,
        || (),
        |(), (grad, result)| {
            dispatch(|| {
                let each = grad.iter_mut().zip(result);
                each.for_each(|(g, &value)| *g *= if value > 0.0 { 1.0 } else { NEGATIVE_SLOPE });
            });
        },
    );
}
