//! The end of a residual block, in place, on the CPU.
//!
//! ```text
//! y = leaky(line(a) + line'(b))
//! ```

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
