//! Largest value of every 2^3 block, on the CPU.
//!
//! ```text
//! y[c, z, y, x] = max over a, b, d in 0..2 of  line_c(x[c, 2 z + a, 2 y + b, 2 x + d])
//! ```

use super::{Input, parallel};

/// `[z, c, y, x]` of size `dims` (`[x, y, z]`) -> `[z / 2, c, y / 2, x / 2]`.
pub fn pool(input: &Input, [x, y, z]: [usize; 3], output: &mut [f32]) {
    let channels = input.lines.len();
    let [half_x, half_y, half_z] = [x / 2, y / 2, z / 2];
    let plane = channels * half_y * half_x;
    let planes: Vec<_> = output.chunks_exact_mut(plane).take(half_z).enumerate().collect();
    parallel::map(
        planes,
        || (),
        |(), (at, plane)| {
            let rows = plane.chunks_exact_mut(half_x).enumerate();
            for (index, out) in rows {
                let (channel, row) = (index / half_y, index % half_y);
                let line = input.lines[channel];
                let source = |a: usize, b: usize| {
                    &input.data[(((2 * at + a) * channels + channel) * y + 2 * row + b) * x..][..2 * half_x]
                };
                let sources = [source(0, 0), source(0, 1), source(1, 0), source(1, 1)];
                for (i, out) in out.iter_mut().enumerate() {
                    let both = |row: &[f32]| line.at(row[2 * i]).max(line.at(row[2 * i + 1]));
                    *out = sources.iter().fold(f32::NEG_INFINITY, |top, row| top.max(both(row)));
                }
            }
        },
    );
}
