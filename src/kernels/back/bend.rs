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

use super::Slab;
use crate::engine::norm::{Line, Moments};
use crate::model::EPSILON;

/// Slots `[quad, total]` -> mean and inverse deviation of each quad; the uniform is [`crate::kernels::norm::norm_words`].
pub const STATS: &str = "
struct Params { total: u32, quads: u32, zeros: f32, epsilon: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> slots: array<Moments>;
@group(0) @binding(2) var<storage, read_write> stats: array<Stats>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let quad = id.x;
    if (quad >= p.quads) { return; }
    var sum = Moments(vec4(p.zeros), vec4(0.0), vec4(0.0));
    for (var n = 0u; n < p.total; n += 1u) { sum = together(sum, slots[quad * p.total + n]); }
    stats[quad] = Stats(sum.mean, 1.0 / sqrt(sum.squares / sum.count + p.epsilon));
}
";

/// Workgroups of *stats*.
pub fn stats_groups(quads: usize) -> [u32; 3] {
    [quads.div_ceil(64) as u32, 1, 1]
}

/// Parts of S1 and S2, `[quad, total]`, of which this dispatch writes `slot..slot + slots(slab)`.
pub const SUMS: &str = "
struct Params { map: Slab, planes: u32, leak: f32, slot: u32, total: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<Quad>;
@group(0) @binding(2) var<storage, read> values: array<Quad>;
@group(0) @binding(3) var<storage, read> lines: array<Line>;
@group(0) @binding(4) var<storage, read> stats: array<Stats>;
@group(0) @binding(5) var<storage, read_write> sums: array<Sums>;
var<workgroup> parts: array<Sums, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let across = (p.map.size + 4095u) / 4096u;
    let line = lines[group.z];
    let here = stats[group.z];
    let deep = max(4096u / p.map.size, 1u);
    var h = vec4(0.0);
    var hx = vec4(0.0);
    for (var z = group.y * deep; z < min((group.y + 1u) * deep, p.planes); z += 1u) {
        let plane = (p.map.first + z) * p.map.pitch + group.z * p.map.size;
        for (var n = group.x * 64u + me; n < p.map.size; n += across * 64u) {
            let value = load(values[plane + n]);
            let one = unbend(load(gradient[plane + n]), value, line, p.leak);
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
pub fn sums_words(slab: &Slab, leak: f32, slot: usize, total: usize) -> Vec<u32> {
    let mut words = slab.words();
    words.extend([slab.planes as u32, leak.to_bits(), slot as u32, total as u32]);
    words
}

/// Workgroups of *sums*.
pub fn sums_groups(slab: &Slab) -> [u32; 3] {
    let [across, along] = slab.parts();
    [across, along, slab.map.quads].map(|n| n as u32)
}

/// Parts `[quad, total]` -> the coefficients of each quad, and `[d gamma, d beta]` as [`crate::kernels::norm::pack`].
pub const END: &str = "
struct Params { total: u32, quads: u32, count: f32, spare: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<Sums>;
@group(0) @binding(2) var<storage, read> lines: array<Line>;
@group(0) @binding(3) var<storage, read> stats: array<Stats>;
@group(0) @binding(4) var<storage, read_write> bends: array<Bend>;
@group(0) @binding(5) var<storage, read_write> gradients: array<vec4<f32>>;
var<workgroup> parts: array<Sums, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let quad = group.x;
    var h = vec4(0.0);
    var hx = vec4(0.0);
    for (var n = me; n < p.total; n += 64u) {
        h += sums[quad * p.total + n].h;
        hx += sums[quad * p.total + n].hx;
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
        let a = lines[quad].scale;
        let here = stats[quad];
        bends[quad] = Bend(a, -a * here.inverse * sum.hx / p.count, -a * sum.h / p.count, here.mean);
        gradients[2u * quad] = sum.hx;
        gradients[2u * quad + 1u] = sum.h;
    }
}
";

/// Uniform of *end*: slots, quads, and `N`.
pub fn end_words(total: usize, quads: usize, count: f64) -> Vec<u32> {
    vec![total as u32, quads as u32, (count as f32).to_bits(), 0]
}

/// Workgroups of *end*.
pub fn end_groups(quads: usize) -> [u32; 3] {
    [quads as u32, 1, 1]
}

/// The gradient of `x` in the place of the gradient of `v`.
pub const APPLY: &str = "
struct Params { map: Slab, leak: f32, spare0: u32, spare1: u32, spare2: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> gradient: array<Quad>;
@group(0) @binding(2) var<storage, read> values: array<Quad>;
@group(0) @binding(3) var<storage, read> lines: array<Line>;
@group(0) @binding(4) var<storage, read> bends: array<Bend>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.map.size * p.map.quads) { return; }
    let quad = id.x / p.map.size;
    let at = (p.map.first + id.y) * p.map.pitch + id.x;
    let value = load(values[at]);
    let here = bends[quad];
    let h = unbend(load(gradient[at]), value, lines[quad], p.leak);
    gradient[at] = pack(here.a * h + here.b * (value - here.mean) + here.c);
}
";

/// Uniform of *apply*; its workgroups are [`Slab::groups`].
pub fn apply_words(slab: &Slab, leak: f32) -> Vec<u32> {
    let mut words = slab.words();
    words.extend([leak.to_bits(), 0, 0, 0]);
    words
}

/// What the four kernels make together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bent {
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
    leak: f32,
    zeros: f64,
) -> (Bent, Vec<f32>) {
    let one = |value: &f32| Moments { mean: f64::from(*value), ..Moments::zeros(1.0) };
    let moments = values.iter().map(one).fold(Moments::zeros(zeros), Moments::with);
    let inverse = 1.0 / (moments.variance() + f64::from(EPSILON)).sqrt();
    let line = Line { leak, ..Line::new(&moments, gamma_beta, false) };
    let h = |gradient: f32, value: f32| {
        f64::from(gradient) * if line.scale * value + line.shift > 0.0 { 1.0 } else { f64::from(leak) }
    };
    let pairs = || gradient.iter().zip(values).map(|(g, x)| (h(*g, *x), f64::from(*x) - moments.mean));
    let beta: f64 = pairs().map(|(h, _)| h).sum();
    let gamma: f64 = pairs().map(|(h, x)| h * x * inverse).sum();
    let a = f64::from(gamma_beta[0]) * inverse;
    let coefficients = [a, -a * inverse * gamma / moments.count, -a * beta / moments.count];
    let [a, b, c] = coefficients;
    (Bent { coefficients, gamma, beta }, pairs().map(|(h, x)| (a * h + b * x + c) as f32).collect())
}
