//! The loss of training and its gradient, from logits `l` and a target `y` ([`crate::engine::wgsl::head_conv1x1::forward::logits`]:
//! `[plane, label, size / 4]` channel blocks of voxels; what fills up the last is not looked at). Two more channels of the target, as
//! if they were labels, say how much a voxel counts: `a` in the Dice, `e` in the cross-entropy.
//!
//! ```text
//! p = 1 / (1 + exp(-l))        D = sum a p + sum a y + 1
//! loss = - mean over labels of (2 sum a p y + 1) / D  +  mean of e (max(l, 0) - l y + ln(1 + exp(-|l|)))
//! dl   = a p (1 - p) (w - u y) + e k (p - y)
//!        u = 2 / (D labels)    w = (2 sum a p y + 1) / (D^2 labels)    k = 1 / (voxels labels)
//! ```
//! All times `share`, one over the images of a batch; without the cross-entropy where Dice alone is asked for. *Sums* leaves
//! parts of sum a p y, sum a p, sum a y and of the sum of the cross-entropy; *end* has the loss and `[u, w, k, 0]` of each label; *back* has `dl` as a map of a channel per label.

use crate::engine::nn::loss::Weighting;
use crate::engine::wgsl::slab::Slab;

/// Parts `[label, total]`, of which this dispatch writes `slot..slot + slots(slab)`.
pub const SUMS: &str = "
struct Params { size: u32, first: u32, planes: u32, outputs: u32, slot: u32, total: u32, spare0: u32, spare1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> labels: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4<f32>>;
var<workgroup> parts: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let words = (p.size + 3u) / 4u;
    let across = (p.size + 4095u) / 4096u;
    let deep = max(4096u / p.size, 1u);
    var sum = vec4(0.0);
    for (var z = group.y * deep; z < min((group.y + 1u) * deep, p.planes); z += 1u) {
        let plane = (p.first + z) * (p.outputs + 2u);
        let row = ((p.first + z) * p.outputs + group.z) * words;
        for (var n = group.x * 64u + me; n < words; n += across * 64u) {
            let l = logits[row + n];
            let y = labels[(plane + group.z) * words + n];
            let a = labels[(plane + p.outputs) * words + n];
            let e = labels[(plane + p.outputs + 1u) * words + n];
            let inside = select(vec4(0.0), vec4(1.0), vec4(4u * n) + vec4(0u, 1u, 2u, 3u) < vec4(p.size));
            let chance = 1.0 / (1.0 + exp(-clamp(l, vec4(-80.0), vec4(80.0))));
            let entropy = max(l, vec4(0.0)) - l * y + log(1.0 + exp(-abs(l)));
            let counts = inside * a;
            sum += vec4(dot(counts, chance * y), dot(counts, chance), dot(counts, y), dot(inside * e, entropy));
        }
    }
    parts[me] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (me < half) { parts[me] += parts[me + half]; }
    }
    if (me == 0u) { sums[group.z * p.total + p.slot + group.y * across + group.x] = parts[0]; }
}
";

/// Parts that a slab leaves.
pub fn slots(slab: &Slab) -> usize {
    slab.parts().iter().product()
}

/// Uniform of *sums*: the slab, the labels, its first slot, the slots of all slabs.
pub fn sums_words(slab: &Slab, outputs: usize, slot: usize, total: usize) -> Vec<u32> {
    [slab.size(), slab.first, slab.planes, outputs, slot, total, 0, 0].map(|n| n as u32).to_vec()
}

/// Workgroups of *sums*.
pub fn sums_groups(slab: &Slab, outputs: usize) -> [u32; 3] {
    let [across, along] = slab.parts();
    [across, along, outputs].map(|n| n as u32)
}

/// Parts `[label, total]` -> the coefficients of each label, and the loss, the first number of its buffer.
pub const END: &str = "
struct Params { total: u32, outputs: u32, voxels: f32, share: f32, entropy: f32, fresh: u32, spare0: u32, spare1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> coefficients: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
var<workgroup> parts: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) me: u32) {
    var all = 0.0;
    for (var o = 0u; o < p.outputs; o += 1u) {
        var sum = vec4(0.0);
        for (var n = me; n < p.total; n += 64u) { sum += sums[o * p.total + n]; }
        workgroupBarrier();
        parts[me] = sum;
        for (var half = 32u; half > 0u; half /= 2u) {
            workgroupBarrier();
            if (me < half) { parts[me] += parts[me + half]; }
        }
        if (me == 0u) {
            let over = 2.0 * parts[0].x + 1.0;
            let under = parts[0].y + parts[0].z + 1.0;
            let each = p.share / f32(p.outputs);
            all += each * (p.entropy * parts[0].w / p.voxels - over / under);
            coefficients[o] = each * vec4(2.0 / under, over / under / under, p.entropy / p.voxels, 0.0);
        }
    }
    if (me == 0u) { loss[0] = all + select(loss[0], 0.0, p.fresh == 1u); }
}
";

/// What *end* does; it is one workgroup.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct End {
    /// Slots of all slabs.
    pub total: usize,
    /// Labels.
    pub outputs: usize,
    /// Voxels of a label.
    pub voxels: usize,
    /// Share of this image in the loss.
    pub share: f32,
    /// Whether the cross-entropy counts, or Dice alone.
    pub entropy: bool,
    /// Whether the loss begins here; it is added to that of the images before otherwise.
    pub fresh: bool,
}

impl End {
    /// As the shader reads it.
    pub fn words(&self) -> Vec<u32> {
        let numbers = [self.voxels as f32, self.share, f32::from(self.entropy)].map(f32::to_bits);
        let sizes = [self.total as u32, self.outputs as u32];
        sizes.into_iter().chain(numbers).chain([u32::from(self.fresh), 0, 0]).collect()
    }
}

/// The gradient of the logits.
pub const BACK: &str = "
struct Params { map: Slab, outputs: u32, spare0: u32, spare1: u32, spare2: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read> coefficients: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> output: array<ChannelBlock>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.map.size * p.map.channel_blocks) { return; }
    let words = (p.map.size + 3u) / 4u;
    let z = p.map.first + id.y;
    let row = words * 4u;
    let voxel = z * (p.outputs + 2u) * row + id.x % p.map.size;
    let a = labels[voxel + p.outputs * row];
    let e = labels[voxel + (p.outputs + 1u) * row];
    var gradient = vec4(0.0);
    for (var k = 0u; k < 4u; k += 1u) {
        let o = id.x / p.map.size * 4u + k;
        if (o < p.outputs) {
            let l = logits[(z * p.outputs + o) * row + id.x % p.map.size];
            let y = labels[voxel + o * row];
            let chance = 1.0 / (1.0 + exp(-clamp(l, -80.0, 80.0)));
            let c = coefficients[o];
            gradient[k] = a * chance * (1.0 - chance) * (c.y - c.x * y) + e * c.z * (chance - y);
        }
    }
    output[z * p.map.pitch + id.x] = pack(gradient);
}
";

/// Uniform of *back*, for planes of the map that it writes; its workgroups are [`Slab::groups`].
pub fn back_words(slab: &Slab, outputs: usize) -> Vec<u32> {
    let mut words = slab.words();
    words.extend([outputs as u32, 0, 0, 0]);
    words
}

/// A gradient by the logits that came from elsewhere, `[plane, label, size / 4]` as they lie, as a map of a channel per label.
/// Its uniform and workgroups are those of *back*.
pub const GIVEN: &str = "
struct Params { map: Slab, outputs: u32, spare0: u32, spare1: u32, spare2: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> given: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<ChannelBlock>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.map.size * p.map.channel_blocks) { return; }
    let row = (p.map.size + 3u) / 4u * 4u;
    let z = p.map.first + id.y;
    var gradient = vec4(0.0);
    for (var k = 0u; k < 4u; k += 1u) {
        let o = id.x / p.map.size * 4u + k;
        if (o < p.outputs) { gradient[k] = given[(z * p.outputs + o) * row + id.x % p.map.size]; }
    }
    output[z * p.map.pitch + id.x] = pack(gradient);
}
";

/// A target `[label, z, y, x]` and how much its voxels count, as the kernels read them.
pub fn pack(
    target: &[f32],
    weighting: Option<&Weighting>,
    outputs: usize,
    [x, y, z]: [usize; 3],
) -> Vec<f32> {
    let (size, row) = (x * y, (x * y).next_multiple_of(4));
    let mut packed = vec![1.0; (outputs + 2) * z * row];
    for (n, to) in packed.chunks_exact_mut(row).enumerate() {
        let (plane, channel) = (n / (outputs + 2), n % (outputs + 2));
        let volume = match (channel.checked_sub(outputs), weighting) {
            (None, _) => &target[channel * z * size..],
            (Some(_), None) => continue,
            (Some(0), Some(weighting)) => weighting.overlap,
            (Some(_), Some(weighting)) => weighting.entropy,
        };
        to[..size].copy_from_slice(&volume[plane * size..][..size]);
    }
    packed
}

/// The formula as it stands, of logits and target `[label, ...]`: the loss, the coefficients of each label, `dl`.
pub fn reference(
    logits: &[f32],
    labels: &[f32],
    weighting: &Weighting,
    outputs: usize,
    share: f32,
) -> (f64, Vec<[f64; 3]>, Vec<f32>) {
    let (volume, each) = (logits.len() / outputs, f64::from(share) / outputs as f64);
    let chance = |l: f32| 1.0 / (1.0 + (-f64::from(l)).exp());
    let counts =
        || weighting.overlap.iter().zip(weighting.entropy).map(|(a, e)| (f64::from(*a), f64::from(*e)));
    let (mut loss, mut coefficients, mut gradient) = (0.0, Vec::new(), Vec::new());
    for (logits, labels) in logits.chunks_exact(volume).zip(labels.chunks_exact(volume)) {
        let voxels =
            || logits.iter().zip(labels).zip(counts()).map(|((l, y), (a, e))| (*l, f64::from(*y), a, e));
        let over = 2.0 * voxels().map(|(l, y, a, _)| a * chance(l) * y).sum::<f64>() + 1.0;
        let under = voxels().map(|(l, y, a, _)| a * (chance(l) + y)).sum::<f64>() + 1.0;
        let entropy = |(l, y, _, e): (f32, f64, f64, f64)| {
            e * (f64::from(l.max(0.0)) - f64::from(l) * y + (-f64::from(l).abs()).exp().ln_1p())
        };
        loss += each * (voxels().map(entropy).sum::<f64>() / volume as f64 - over / under);
        let [u, w, k] = [2.0 / under, over / under / under, 1.0 / volume as f64].map(|n| n * each);
        coefficients.push([u, w, k]);
        let g = |(l, y, a, e)| a * chance(l) * (1.0 - chance(l)) * (w - u * y) + e * k * (chance(l) - y);
        gradient.extend(voxels().map(|voxel| g(voxel) as f32));
    }
    (loss, coefficients, gradient)
}
