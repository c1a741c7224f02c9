//! The end of a residual block, in the place of its first source.
//!
//! ```text
//! y = leaky(line(a) + line'(b))
//! ```

use crate::engine::norm::Line;

/// WGSL.
pub const WGSL: &str = "
struct Params { size: u32, quads: u32, pitch: u32, a_first: u32, b_first: u32, leak: f32, spare0: u32, spare1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> a: array<Quad>;
@group(0) @binding(2) var<storage, read> b: array<Quad>;
@group(0) @binding(3) var<storage, read> a_lines: array<Line>;
@group(0) @binding(4) var<storage, read> b_lines: array<Line>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.size * p.quads) { return; }
    let quad = id.x / p.size;
    let at = (p.a_first + id.y) * p.pitch + id.x;
    let other = load(b[(p.b_first + id.y) * p.pitch + id.x]);
    let sum = bend(load(a[at]), a_lines[quad], 1.0) + bend(other, b_lines[quad], 1.0);
    a[at] = pack(max(sum, p.leak * sum));
}
";

/// Uniform: voxels of a plane, quads, pitch, first plane in the buffer of each.
pub fn words(size: usize, quads: usize, pitch: usize, [a, b]: [usize; 2]) -> Vec<u32> {
    let numbers = [size, quads, pitch, a, b].map(|n| n as u32);
    numbers.into_iter().chain([crate::model::LEAK.to_bits(), 0, 0]).collect()
}

/// Workgroups for so many planes.
pub fn groups(size: usize, quads: usize, planes: usize) -> [u32; 3] {
    [(size * quads).div_ceil(64) as u32, planes as u32, 1]
}

/// The formula as it stands, of two maps `[c, ...]` with lines by channel.
pub fn reference(a: &[f32], a_lines: &[Line], b: &[f32], b_lines: &[Line]) -> Vec<f32> {
    let volume = a.len() / a_lines.len();
    let sum = |i: usize| a_lines[i / volume].at(a[i]) + b_lines[i / volume].at(b[i]);
    (0..a.len()).map(sum).map(|sum| sum.max(crate::model::LEAK * sum)).collect()
}
