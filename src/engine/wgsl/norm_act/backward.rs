//! Back through a normalisation and its LeakyReLU, `v = leaky(n)`, `n = gamma xhat + beta`,
//! `xhat = (x - mean) / sqrt(variance + epsilon)`: from the gradient of `v` to that of the raw `x`.
//!
//! ```text
//! h  = gradient * (n > 0 ? 1 : leak)        S1 = sum h = d beta        S2 = sum h xhat = d gamma
//! dx = scale (h - S1 / N - xhat S2 / N) = a h + b (x - mean) + c
//! ```
//! `N` counts the voxels and the zeros of an up-convolution's padding. These are in mean and variance but have no
//! gradient: they are cut off before anyone reads them. Four kernels: *stats* has the mean and `1 / sqrt(...)` from
//! the slots of the forward pass, *sums* leaves parts of S1 and S2, *end* adds them up, *apply* puts `dx` in the
//! gradient's place. A map without a normalisation needs none of them.

use crate::engine::nn::scale_shift::{Moments, ScaleShift};
use crate::engine::wgsl::slab::Slab;
use crate::model::EPSILON;

/// A kernel's WGSL, behind the structures that all four share.
pub fn source(kernel: &str) -> String {
    [STRUCTS, kernel].concat()
}

const STRUCTS: &str = "
struct Stats { mean: vec4<f32>, inverse: vec4<f32> }
struct Sums { h: vec4<f32>, hx: vec4<f32> }
struct NormGrad { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, mean: vec4<f32> }
";

/// Slots `[channel block, total]` -> mean and inverse deviation of each channel block; the uniform is [`crate::engine::wgsl::norm_act::forward::norm_words`].
pub const STATS: &str = "
struct Params { total: u32, channel_blocks: u32, zeros: f32, epsilon: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> slots: array<Moments>;
@group(0) @binding(2) var<storage, read_write> stats: array<Stats>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel_block = id.x;
    if (channel_block >= p.channel_blocks) { return; }
    var sum = Moments(vec4(p.zeros), vec4(0.0), vec4(0.0));
    for (var n = 0u; n < p.total; n += 1u) { sum = merge_moments(sum, slots[channel_block * p.total + n]); }
    stats[channel_block] = Stats(sum.mean, 1.0 / sqrt(sum.m2 / sum.count + p.epsilon));
}
";

/// Workgroups of *stats*.
pub fn stats_groups(channel_blocks: usize) -> [u32; 3] {
    [channel_blocks.div_ceil(64) as u32, 1, 1]
}

/// Parts of S1 and S2, `[channel block, total]`, of which this dispatch writes `slot..slot + slots(slab)`.
pub const SUMS: &str = "
struct Params { map: Slab, planes: u32, negative_slope: f32, slot: u32, total: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> values: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> scale_shifts: array<ScaleShift>;
@group(0) @binding(4) var<storage, read> stats: array<Stats>;
@group(0) @binding(5) var<storage, read_write> sums: array<Sums>;
var<workgroup> parts: array<Sums, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let across = (p.map.size + 4095u) / 4096u;
    let scale_shift = scale_shifts[group.z];
    let here = stats[group.z];
    let deep = max(4096u / p.map.size, 1u);
    var h = vec4(0.0);
    var hx = vec4(0.0);
    for (var z = group.y * deep; z < min((group.y + 1u) * deep, p.planes); z += 1u) {
        let plane = (p.map.first + z) * p.map.pitch + group.z * p.map.size;
        for (var n = group.x * 64u + me; n < p.map.size; n += across * 64u) {
            let value = load(values[plane + n]);
            let one = leaky_grad(load(gradient[plane + n]), value, scale_shift, p.negative_slope);
            h += one;
            hx += one * (value - here.mean);
        }
    }
    parts[me] = Sums(h, hx * here.inverse);
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (me < half) {
            parts[me] = Sums(parts[me].h + parts[me + half].h, parts[me].hx + parts[me + half].hx);
        }
    }
    if (me == 0u) { sums[group.z * p.total + p.slot + group.y * across + group.x] = parts[0]; }
}
";

/// Parts that a slab leaves.
pub fn slots(slab: &Slab) -> usize {
    slab.parts().iter().product()
}

/// Uniform of *sums*: the slab, the slope below zero, its first slot, the slots of all slabs.
pub fn sums_words(slab: &Slab, negative_slope: f32, slot: usize, total: usize) -> Vec<u32> {
    let mut words = slab.words();
    words.extend([slab.planes as u32, negative_slope.to_bits(), slot as u32, total as u32]);
    words
}

/// Workgroups of *sums*.
pub fn sums_groups(slab: &Slab) -> [u32; 3] {
    let [across, along] = slab.parts();
    [across, along, slab.map.channel_blocks].map(|n| n as u32)
}

/// Parts `[channel block, total]` -> the coefficients of each channel block, and `[d gamma, d beta]` as [`crate::engine::wgsl::norm_act::forward::pack`].
pub const END: &str = "
struct Params { total: u32, channel_blocks: u32, count: f32, spare: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<Sums>;
@group(0) @binding(2) var<storage, read> scale_shifts: array<ScaleShift>;
@group(0) @binding(3) var<storage, read> stats: array<Stats>;
@group(0) @binding(4) var<storage, read_write> coefficients: array<NormGrad>;
@group(0) @binding(5) var<storage, read_write> gradients: array<vec4<f32>>;
var<workgroup> parts: array<Sums, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let channel_block = group.x;
    var h = vec4(0.0);
    var hx = vec4(0.0);
    for (var n = me; n < p.total; n += 64u) {
        h += sums[channel_block * p.total + n].h;
        hx += sums[channel_block * p.total + n].hx;
    }
    parts[me] = Sums(h, hx);
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (me < half) {
            parts[me] = Sums(parts[me].h + parts[me + half].h, parts[me].hx + parts[me + half].hx);
        }
    }
    if (me == 0u) {
        let sum = parts[0];
        let a = scale_shifts[channel_block].scale;
        let here = stats[channel_block];
        coefficients[channel_block] = NormGrad(a, -a * here.inverse * sum.hx / p.count, -a * sum.h / p.count, here.mean);
        gradients[2u * channel_block] = sum.hx;
        gradients[2u * channel_block + 1u] = sum.h;
    }
}
";

/// Uniform of *end*: slots, channel blocks, and `N`.
pub fn end_words(total: usize, channel_blocks: usize, count: f64) -> Vec<u32> {
    vec![total as u32, channel_blocks as u32, (count as f32).to_bits(), 0]
}

/// Workgroups of *end*.
pub fn end_groups(channel_blocks: usize) -> [u32; 3] {
    [channel_blocks as u32, 1, 1]
}

/// The gradient of `x` in the place of the gradient of `v`.
pub const APPLY: &str = "
struct Params { map: Slab, negative_slope: f32, spare0: u32, spare1: u32, spare2: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> gradient: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> values: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> scale_shifts: array<ScaleShift>;
@group(0) @binding(4) var<storage, read> coefficients: array<NormGrad>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.map.size * p.map.channel_blocks) { return; }
    let channel_block = id.x / p.map.size;
    let at = (p.map.first + id.y) * p.map.pitch + id.x;
    let value = load(values[at]);
    let here = coefficients[channel_block];
    let h = leaky_grad(load(gradient[at]), value, scale_shifts[channel_block], p.negative_slope);
    gradient[at] = pack(here.a * h + here.b * (value - here.mean) + here.c);
}
";

/// Uniform of *apply*; its workgroups are [`Slab::groups`].
pub fn apply_words(slab: &Slab, negative_slope: f32) -> Vec<u32> {
    let mut words = slab.words();
    words.extend([negative_slope.to_bits(), 0, 0, 0]);
    words
}

/// What the four kernels make together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NormGradients {
    /// Of `dx = a h + b (x - mean) + c`.
    pub coefficients: [f64; 3],
    /// Gradient of gamma.
    pub gamma: f64,
    /// Gradient of beta.
    pub beta: f64,
}

/// The formula as it stands, of one channel: the sums and coefficients, and `dx`. `zeros` counts the padding.
pub fn reference(
    gradient: &[f32],
    values: &[f32],
    gamma_beta: [f32; 2],
    negative_slope: f32,
    zeros: f64,
) -> (NormGradients, Vec<f32>) {
    let one = |value: &f32| Moments { mean: f64::from(*value), ..Moments::zeros(1.0) };
    let moments = values.iter().map(one).fold(Moments::zeros(zeros), Moments::with);
    let inverse = 1.0 / (moments.variance() + f64::from(EPSILON)).sqrt();
    let scale_shift = ScaleShift { negative_slope, ..ScaleShift::new(&moments, gamma_beta, false) };
    let h = |gradient: f32, value: f32| {
        f64::from(gradient)
            * if scale_shift.scale * value + scale_shift.shift > 0.0 {
                1.0
            } else {
                f64::from(negative_slope)
            }
    };
    let pairs = || gradient.iter().zip(values).map(|(g, x)| (h(*g, *x), f64::from(*x) - moments.mean));
    let beta: f64 = pairs().map(|(h, _)| h).sum();
    let gamma: f64 = pairs().map(|(h, x)| h * x * inverse).sum();
    let a = f64::from(gamma_beta[0]) * inverse;
    let coefficients = [a, -a * inverse * gamma / moments.count, -a * beta / moments.count];
    let [a, b, c] = coefficients;
    (NormGradients { coefficients, gamma, beta }, pairs().map(|(h, x)| (a * h + b * x + c) as f32).collect())
}
