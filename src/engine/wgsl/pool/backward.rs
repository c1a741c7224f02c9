//! Back through a pooling: the gradient of a block's largest value goes to the voxel that had it, the first of them
//! where there are several.
//!
//! ```text
//! gradient[c, 2 z + a, 2 y + b, 2 x + d] += pooled gradient[c, z, y, x]   for the first (a, b, d) with the largest v
//! ```
//! It is added to what other readers of the source left, so the caller clears what no one wrote. Which value is the
//! largest is looked up again. A block is one invocation's alone. Uniform and workgroups are [`super::forward`]'s.

use crate::engine::nn::scale_shift::ScaleShift;

/// WGSL.
pub const WGSL: &str = "
struct Params {
    x: u32, y: u32, source_x: u32, source_y: u32,
    pitch: u32, start: u32, first: u32, planes: u32,
    a: Map,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> pooled: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> a: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> scale_shifts: array<ScaleShift>;
@group(0) @binding(4) var<storage, read_write> gradient: array<ChannelBlock>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.x * p.y) { return; }
    let x = id.x % p.x;
    let y = id.x / p.x;
    let z = p.first + id.y;
    let channel_block = id.z;
    let scale_shift = scale_shifts[channel_block];
    let corner = (2u * z - p.a.start) * p.a.pitch + (channel_block * p.source_y + 2u * y) * p.source_x + 2u * x;
    var top = norm_act(load(a[corner]), scale_shift, p.a.negative_slope);
    var which = vec4(0u);
    for (var n = 1u; n < 8u; n += 1u) {
        let at = corner + n / 4u * p.a.pitch + n / 2u % 2u * p.source_x + n % 2u;
        let value = norm_act(load(a[at]), scale_shift, p.a.negative_slope);
        which = select(which, vec4(n), value > top);
        top = max(top, value);
    }
    let share = load(pooled[(z - p.start) * p.pitch + (channel_block * p.y + y) * p.x + x]);
    for (var n = 0u; n < 8u; n += 1u) {
        let at = corner + n / 4u * p.a.pitch + n / 2u % 2u * p.source_x + n % 2u;
        gradient[at] = pack(load(gradient[at]) + select(vec4(0.0), share, which == vec4(n)));
    }
}
";

/// The formula as it stands: what is added to the gradient of a map `[c, z, y, x]` with a scale and shift per channel.
pub fn reference(
    pooled: &[f32],
    values: &[f32],
    scale_shifts: &[ScaleShift],
    [x, y, z]: [usize; 3],
) -> Vec<f32> {
    let [to_x, to_y, to_z] = [x / 2, y / 2, z / 2];
    let mut gradient = vec![0.0; values.len()];
    for (i, share) in pooled.iter().enumerate() {
        let (channel, at) = (i / (to_x * to_y * to_z), i % (to_x * to_y * to_z));
        let corner = [at % to_x, at / to_x % to_y, at / (to_x * to_y)].map(|n| 2 * n);
        let place = |n: usize| {
            let [sx, sy, sz] = [corner[0] + n % 2, corner[1] + n / 2 % 2, corner[2] + n / 4];
            ((channel * z + sz) * y + sy) * x + sx
        };
        let value = |n: usize| scale_shifts[channel].at(values[place(n)]);
        let first = (1..8).fold(0, |best, n| if value(n) > value(best) { n } else { best });
        gradient[place(first)] += share;
    }
    gradient
}
