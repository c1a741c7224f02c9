//! AdamW with a clipped gradient and a running average of the weights, on flat arrays of all parameters.
//!
//! ```text
//! g <- g * min(1, clip / |g|)                      |g| over all parameters that learn
//! m <- b1 m + (1 - b1) g          v <- b2 v + (1 - b2) g^2
//! w <- w (1 - lr decay) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//! a <- d a + (1 - d) w            d = min(average, (1 + t) / (10 + t))
//! ```
//! Loshchilov and Hutter, arXiv 1711.05101. A dispatch takes a range of the parameters, so that frozen ones are passed
//! over. *Squares* leaves parts of the sum of squares, *clip* has the factor of `g` and the norm. Where that is no
//! number the factor is -1, and the step leaves everything as it is: nothing has to be read back to be safe.

use crate::engine::nn::adamw::{AdamWConfig, AdamWStep};

/// Parts of the sum of squares, of which this dispatch writes `slot..slot + slots(count)`.
pub const SQUARES: &str = "
struct Params { start: u32, count: u32, slot: u32, groups: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> squares: array<f32>;
var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    var sum = 0.0;
    for (var n = group.x * 64u + me; n < p.count; n += p.groups * 64u) {
        let value = gradient[p.start + n];
        sum += value * value;
    }
    parts[me] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (me < half) { parts[me] += parts[me + half]; }
    }
    if (me == 0u) { squares[p.slot + group.x] = parts[0]; }
}
";

/// Workgroups, and slots, of *squares* for so many numbers.
pub fn slots(count: usize) -> usize {
    count.div_ceil(4096).clamp(1, 256)
}

/// Uniform of *squares*: a range of the gradient, its first slot.
pub fn squares_words(start: usize, count: usize, slot: usize) -> Vec<u32> {
    [start, count, slot, slots(count)].map(|n| n as u32).to_vec()
}

/// Parts -> factor and norm.
pub const CLIP: &str = "
struct Params { total: u32, most: f32, spare0: u32, spare1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> squares: array<f32>;
@group(0) @binding(2) var<storage, read_write> clip: array<f32>;
var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) me: u32) {
    var sum = 0.0;
    for (var n = me; n < p.total; n += 64u) { sum += squares[n]; }
    parts[me] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (me < half) { parts[me] += parts[me + half]; }
    }
    if (me == 0u) {
        let norm = sqrt(parts[0]);
        clip[0] = min(1.0, p.most / (norm + 1e-12));
        // By its bits: a compiler may assume that there is no NaN.
        if ((bitcast<u32>(parts[0]) & 0x7f800000u) == 0x7f800000u) { clip[0] = -1.0; }
        clip[1] = norm;
    }
}
";

/// Uniform of *clip*, one workgroup: slots, largest norm.
pub fn clip_words(total: usize, most: f32) -> Vec<u32> {
    vec![total as u32, most.to_bits(), 0, 0]
}

/// The step.
pub const STEP: &str = "
struct Params {
    start: u32, count: u32, rate: f32, beta1: f32,
    beta2: f32, epsilon: f32, decay: f32, bias1: f32,
    bias2: f32, keep: f32, spare0: u32, spare1: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> clip: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> values: array<f32>;
@group(0) @binding(4) var<storage, read_write> first: array<f32>;
@group(0) @binding(5) var<storage, read_write> second: array<f32>;
@group(0) @binding(6) var<storage, read_write> average: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = id.y * 2097152u + id.x;
    if (n >= p.count || clip[0] < 0.0) { return; }
    let at = p.start + n;
    let g = gradient[at] * clip[0];
    let m = p.beta1 * first[at] + (1.0 - p.beta1) * g;
    let v = p.beta2 * second[at] + (1.0 - p.beta2) * g * g;
    let w = values[at] * (1.0 - p.rate * p.decay) - p.rate * (m / p.bias1) / (sqrt(v / p.bias2) + p.epsilon);
    first[at] = m;
    second[at] = v;
    values[at] = w;
    average[at] = p.keep * average[at] + (1.0 - p.keep) * w;
}
";

/// A step of some parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// First parameter.
    pub start: usize,
    /// How many.
    pub count: usize,
    /// Numbers of the step.
    pub step: AdamWStep,
}

impl Params {
    /// As the shader reads them.
    pub fn words(&self) -> Vec<u32> {
        let AdamWStep { settings, rate, unbiased: [bias1, bias2], keep } = self.step;
        let AdamWConfig { beta1, beta2, epsilon, decay, .. } = settings;
        let numbers = [rate, beta1, beta2, epsilon, decay, bias1, bias2, keep];
        let range = [self.start as u32, self.count as u32];
        range.into_iter().chain(numbers.map(f32::to_bits)).chain([0, 0]).collect()
    }

    /// Workgroups.
    pub fn groups(&self) -> [u32; 3] {
        crate::engine::wgsl::gather::shader::groups(self.count)
    }
}

/// Factor and norm as they stand.
pub fn clip_reference(gradient: &[f32], most: f32) -> [f32; 2] {
    let norm = gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt();
    let factor = if norm.is_finite() { (f64::from(most) / (norm + 1e-12)).min(1.0) } else { -1.0 };
    [factor as f32, norm as f32]
}

/// The step as it stands, on `[value, first, second, average]` of one parameter.
pub fn reference(params: &Params, factor: f32, gradient: f32, before: [f32; 4]) -> [f32; 4] {
    if factor < 0.0 {
        return before;
    }
    let [value, first, second, average] = before.map(f64::from);
    let AdamWStep { settings: AdamWConfig { beta1, beta2, epsilon, decay, .. }, rate, unbiased, keep } =
        params.step;
    let [beta1, beta2, epsilon, decay, rate, keep] =
        [beta1, beta2, epsilon, decay, rate, keep].map(f64::from);
    let [bias1, bias2] = unbiased.map(f64::from);
    let g = f64::from(gradient) * f64::from(factor);
    let (m, v) = (beta1 * first + (1.0 - beta1) * g, beta2 * second + (1.0 - beta2) * g * g);
    let w = value * (1.0 - rate * decay) - rate * (m / bias1) / ((v / bias2).sqrt() + epsilon);
    [w, m, v, keep * average + (1.0 - keep) * w].map(|value| value as f32)
}
