//! The end of a residual block on the CPU.
//!
//! ```text
//! y = leaky(line(a) + line'(b))
//! ```
//! The gradient by either is `g (y > 0 ? 1 : leak)`.

use super::{Input, parallel};
use crate::engine::norm::Line;
use crate::model::LEAK;

/// `a`, `[z, c, y, x]` of planes of `plane` voxels, becomes the result.
pub fn join(a: &mut [f32], lines: &[Line], b: &Input, plane: usize) {
    let rows: Vec<_> = a.chunks_exact_mut(plane).zip(b.data.chunks_exact(plane)).enumerate().collect();
    parallel::map(
        rows,
        || (),
        |(), (index, (a, b_row))| {
            let (first, second) = (lines[index % lines.len()], b.lines[index % lines.len()]);
            for (a, &b) in a.iter_mut().zip(b_row) {
                let sum = *a * first.scale + first.shift + (b * second.scale + second.shift);
                *a = sum.max(LEAK * sum);
            }
        },
    );
}

/// `slopes`, the gradient by the result, becomes that by either side.
pub fn back(slopes: &mut [f32], result: &[f32], plane: usize) {
    let rows: Vec<_> = slopes.chunks_exact_mut(plane).zip(result.chunks_exact(plane)).collect();
    parallel::map(
        rows,
        || (),
        |(), (slopes, result)| {
            let each = slopes.iter_mut().zip(result);
            each.for_each(|(slope, &value)| *slope *= if value > 0.0 { 1.0 } else { LEAK });
        },
    );
}
