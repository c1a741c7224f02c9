//! The end of a residual block, in the place of its first source.
//!
//! ```text
//! y = leaky(line(a) + line'(b))
//! ```

use crate::engine::nn::scale_shift::ScaleShift;

/// WGSL.
pub const WGSL: &str = "
struct Params { size: u32, channel_blocks: u32, pitch: u32, a_first: u32, b_first: u32, negative_slope: f32, spare0: u32, spare1: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> a: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> b: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> a_norm: array<ScaleShift>;
@group(0) @binding(4) var<storage, read> b_norm: array<ScaleShift>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.size * p.channel_blocks) { return; }
    let channel_block = id.x / p.size;
    let at = (p.a_first + id.y) * p.pitch + id.x;
    let other = load(b[(p.b_first + id.y) * p.pitch + id.x]);
    let sum = norm_act(load(a[at]), a_norm[channel_block], 1.0) + norm_act(other, b_norm[channel_block], 1.0);
    a[at] = pack(max(sum, p.negative_slope * sum));
}
";

/// Uniform: voxels of a plane, channel blocks, pitch, first plane in the buffer of each.
pub fn words(size: usize, channel_blocks: usize, pitch: usize, [a, b]: [usize; 2]) -> Vec<u32> {
    let numbers = [size, channel_blocks, pitch, a, b].map(|n| n as u32);
    numbers.into_iter().chain([crate::model::NEGATIVE_SLOPE.to_bits(), 0, 0]).collect()
}

/// Workgroups for so many planes.
pub fn groups(size: usize, channel_blocks: usize, planes: usize) -> [u32; 3] {
    [(size * channel_blocks).div_ceil(64) as u32, planes as u32, 1]
}

/// The formula as it stands, of two maps `[c, ...]` with lines by channel.
pub fn reference(a: &[f32], a_norm: &[ScaleShift], b: &[f32], b_norm: &[ScaleShift]) -> Vec<f32> {
    let volume = a.len() / a_norm.len();
    let sum = |i: usize| a_norm[i / volume].at(a[i]) + b_norm[i / volume].at(b[i]);
    (0..a.len()).map(sum).map(|sum| sum.max(crate::model::NEGATIVE_SLOPE * sum)).collect()
}
