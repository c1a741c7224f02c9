//! The last step on the CPU: a logit per label.
//!
//! ```text
//! y[o, z, y, x] = bias[o] + sum over i of  w[o, i] * norm_act_i(x[i, z, y, x])
//! ```

use super::input::Input;
use super::simd::dispatch;
use crate::engine::nn::parallel;

/// Values that partial sums of 32 bits are of at most.
const PIECE: usize = 4096;

/// `[z, in, y, x]` of planes of `plane` voxels -> `[z, outputs, y, x]`; `weight` is `[outputs, in]`.
pub fn forward(input: &Input, weight: &[f32], bias: &[f32], plane: usize, output: &mut [f32]) {
    let inputs = input.scale_shifts.len();
    let planes: Vec<_> = output.chunks_exact_mut(bias.len() * plane).enumerate().collect();
    parallel::map(
        planes,
        || (),
        |(), (z, planes)| {
            dispatch(|| {
                for (channel, out) in planes.chunks_exact_mut(plane).enumerate() {
                    out.fill(bias[channel]);
                    let sources = input.data[z * inputs * plane..].chunks_exact(plane);
                    for ((source, scale_shift), weight) in
                        sources.zip(&input.scale_shifts).zip(&weight[channel * inputs..])
                    {
                        out.iter_mut().zip(source).for_each(|(sum, &v)| *sum += weight * scale_shift.at(v));
                    }
                }
            });
        },
    );
}

/// Gradients by the weight `[outputs, in]` and the bias, from `grad` by the logits, `[z, outputs, y, x]`.
pub fn weights(input: &Input, grad: &[f32], outputs: usize, plane: usize) -> (Vec<f32>, Vec<f32>) {
    let inputs = input.scale_shifts.len();
    let planes = grad.chunks_exact(outputs * plane).zip(input.data.chunks_exact(inputs * plane));
    let parts = parallel::map(
        planes.collect(),
        || (),
        |(), (grad, values)| {
            let mut part = Vec::with_capacity(outputs * (inputs + 1));
            dispatch(|| {
                for grad in grad.chunks_exact(plane) {
                    for (values, scale_shift) in values.chunks_exact(plane).zip(&input.scale_shifts) {
                        part.push(sum(grad, values, |g, value| g * scale_shift.at(value)));
                    }
                    part.push(sum(grad, grad, |g, _| g));
                }
            });
            part
        },
    );
    let mut sums = vec![0.0; outputs * (inputs + 1)];
    parts.iter().for_each(|part| sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part));
    let rows = sums.chunks_exact(inputs + 1);
    let weight = rows.clone().flat_map(|row| &row[..inputs]).map(|&v| v as f32).collect();
    (weight, rows.map(|row| row[inputs] as f32).collect())
}

/// The sum of a term over two rows, by 16 partial sums, which is a vector's way.
#[inline(always)]
fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f64 {
    let pieces = a.chunks(PIECE).zip(b.chunks(PIECE)).map(|(a, b)| {
        let mut sums = [0f32; 16];
        let (a, b) = (a.chunks_exact(16), b.chunks_exact(16));
        let rest = a.remainder().iter().zip(b.remainder());
        let rest: f64 = rest.map(|(&a, &b)| f64::from(term(a, b))).sum();
        for (a, b) in a.zip(b) {
            (0..16).for_each(|lane| sums[lane] += term(a[lane], b[lane]));
        }
        sums.iter().copied().map(f64::from).sum::<f64>() + rest
    });
    pieces.sum()
}

/// The gradient by the input's read values, `[z, in, y, x]`, from that by the logits.
pub fn backward(grad: &[f32], weight: &[f32], outputs: usize, plane: usize, to: &mut [f32]) {
    let inputs = weight.len() / outputs;
    let planes = to.chunks_exact_mut(inputs * plane).zip(grad.chunks_exact(outputs * plane));
    parallel::map(
        planes.collect(),
        || (),
        |(), (to, grad)| {
            dispatch(|| {
                for (input, to) in to.chunks_exact_mut(plane).enumerate() {
                    to.fill(0.0);
                    for (output, grad) in grad.chunks_exact(plane).enumerate() {
                        let weight = weight[output * inputs + input];
                        to.iter_mut().zip(grad).for_each(|(to, g)| *to += weight * g);
                    }
                }
            });
        },
    );
}
