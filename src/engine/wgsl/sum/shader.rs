//! Adds up the parts that a cut sum left.
//!
//! ```text
//! y[t, n] = sum over s = t, t + left, t + 2 left, ... of  part[s, n]
//! ```
//! `left` is 1 where it is to be done at once. Many parts of few vectors would keep few invocations busy for long: they
//! are better added up to a few first ([`left`]), and these to one.

/// WGSL.
pub const WGSL: &str = "
struct Params { count: u32, splits: u32, left: u32, spare: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> parts: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = id.y * 2097152u + id.x;
    if (n >= p.count * p.left) { return; }
    var sum = vec4(0.0);
    for (var at = n; at < p.splits * p.count; at += p.left * p.count) { sum += parts[at]; }
    output[n] = sum;
}
";

/// How many parts a first run should leave of so many; 1 where a second is not worth it.
pub fn left(splits: usize) -> usize {
    if splits < 64 { 1 } else { splits.isqrt() }
}

/// Uniform, for parts of so many vectors.
pub fn words(vectors: usize, splits: usize, left: usize) -> Vec<u32> {
    [vectors, splits, left, 0].map(|n| n as u32).to_vec()
}

/// Workgroups.
pub fn groups(vectors: usize, left: usize) -> [u32; 3] {
    crate::engine::wgsl::gather::shader::groups(vectors * left)
}

/// The formula as it stands, for one part left.
pub fn reference(parts: &[f32], splits: usize) -> Vec<f32> {
    let count = parts.len() / splits;
    let sum = |n: usize| (0..splits).map(|s| f64::from(parts[s * count + n])).sum::<f64>() as f32;
    (0..count).map(sum).collect()
}
