//! Adds up the parts that a cut sum left.
//!
//! ```text
//! y[n] = sum over s of  part[s, n]
//! ```
//! A workgroup has eight quads, and eight invocations for each, which share its parts.

/// WGSL.
pub const WGSL: &str = "
struct Params { count: u32, splits: u32, across: u32, spare: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> parts: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;
var<workgroup> sums: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let n = (group.y * p.across + group.x) * 8u + me % 8u;
    var sum = vec4(0.0);
    if (n < p.count) {
        for (var s = me / 8u; s < p.splits; s += 8u) { sum += parts[s * p.count + n]; }
    }
    sums[me] = sum;
    workgroupBarrier();
    if (me < 8u && n < p.count) {
        for (var s = 1u; s < 8u; s += 1u) { sum += sums[s * 8u + me]; }
        output[n] = sum;
    }
}
";

/// Uniform, for parts of so many quads.
pub fn words(quads: usize, splits: usize) -> Vec<u32> {
    vec![quads as u32, splits as u32, groups(quads)[0], 0]
}

/// Workgroups.
pub fn groups(quads: usize) -> [u32; 3] {
    let all = quads.div_ceil(8) as u32;
    let across = all.clamp(1, 32768);
    [across, all.div_ceil(across), 1]
}

/// The formula as it stands.
pub fn reference(parts: &[f32], splits: usize) -> Vec<f32> {
    let count = parts.len() / splits;
    let sum = |n: usize| (0..splits).map(|s| f64::from(parts[s * count + n])).sum::<f64>() as f32;
    (0..count).map(sum).collect()
}
