//! The last step on the CPU: a logit per label.
//!
//! ```text
//! y[o, z, y, x] = bias[o] + sum over i of  w[o, i] * line_i(x[i, z, y, x])
//! ```

use super::{Input, parallel};

/// `[z, in, y, x]` of planes of `plane` voxels -> `[z, outputs, y, x]`; `weight` is `[outputs, in]`.
pub fn out(input: &Input, weight: &[f32], bias: &[f32], plane: usize, output: &mut [f32]) {
    let inputs = input.lines.len();
    let planes: Vec<_> = output.chunks_exact_mut(bias.len() * plane).enumerate().collect();
    parallel::map(
        planes,
        || (),
        |(), (z, planes)| {
            for (channel, out) in planes.chunks_exact_mut(plane).enumerate() {
                out.fill(bias[channel]);
                let sources = input.data[z * inputs * plane..].chunks_exact(plane);
                for ((source, line), weight) in sources.zip(&input.lines).zip(&weight[channel * inputs..]) {
                    out.iter_mut().zip(source).for_each(|(sum, &v)| *sum += weight * line.at(v));
                }
            }
        },
    );
}
