//! Instance normalisation: from the moments that slabs leave to the line of each channel.
//!
//! ```text
//! scale = gamma / sqrt(variance + epsilon)        shift = beta - mean scale
//! ```
//! *Merge* adds up the moments of a slab (Chan, Golub and LeVeque 1979: exact whatever the mean) into a few slots;
//! *norm* adds up the slots of all slabs, and the zeros of an up-convolution's padding. Squeeze-and-excite is in
//! `gamma` and `beta` already ([`crate::engine::nn::scale_shift`] says why).

/// Invocations of a workgroup that merges.
pub const WORKGROUP: usize = 64;

/// Moments `[channel block, count]` -> slots `[channel block, of]`, of which this dispatch writes `slot..slot + groups`.
pub const MERGE: &str = "
struct Params { count: u32, slot: u32, total: u32, groups: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> moments: array<Moments>;
@group(0) @binding(2) var<storage, read_write> slots: array<Moments>;
var<workgroup> parts: array<Moments, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    var sum = Moments(vec4(0.0), vec4(0.0), vec4(0.0));
    for (var n = group.x * 64u + me; n < p.count; n += p.groups * 64u) {
        sum = merge_moments(sum, moments[group.y * p.count + n]);
    }
    parts[me] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (me < half) { parts[me] = merge_moments(parts[me], parts[me + half]); }
    }
    if (me == 0u) { slots[group.y * p.total + p.slot + group.x] = parts[0]; }
}
";

/// Slots `[channel block, of]` and `[gamma, beta]` by channel block -> the line of each channel block.
pub const NORM: &str = "
struct Params { total: u32, channel_blocks: u32, zeros: f32, epsilon: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> slots: array<Moments>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> scale_shifts: array<ScaleShift>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel_block = id.x;
    if (channel_block >= p.channel_blocks) { return; }
    var sum = Moments(vec4(p.zeros), vec4(0.0), vec4(0.0));
    for (var n = 0u; n < p.total; n += 1u) { sum = merge_moments(sum, slots[channel_block * p.total + n]); }
    let scale = weights[2u * channel_block] / sqrt(sum.m2 / sum.count + p.epsilon);
    scale_shifts[channel_block] = ScaleShift(scale, weights[2u * channel_block + 1u] - sum.mean * scale);
}
";

/// Workgroups, and slots, for so many moments: each group adds up some thousands.
pub fn merge_groups(count: usize) -> usize {
    count.div_ceil(4096).min(64)
}

/// Uniform of *merge*.
pub fn merge_words(count: usize, slot: usize, of: usize) -> Vec<u32> {
    [count, slot, of, merge_groups(count)].map(|n| n as u32).to_vec()
}

/// Uniform of *norm*.
pub fn norm_words(of: usize, channel_blocks: usize, zeros: f64) -> Vec<u32> {
    vec![of as u32, channel_blocks as u32, (zeros as f32).to_bits(), crate::model::EPSILON.to_bits()]
}

/// `[gamma, beta]` by channel block, zeros where there are fewer channels.
pub fn pack(parameters: &[[f32; 2]]) -> Vec<f32> {
    let mut packed = vec![0.0; parameters.len().div_ceil(4) * 8];
    for (channel, pair) in parameters.iter().enumerate() {
        for (part, value) in pair.iter().enumerate() {
            packed[(channel / 4 * 2 + part) * 4 + channel % 4] = *value;
        }
    }
    packed
}
