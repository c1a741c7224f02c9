//! Back through the end of a residual block, `y = leaky(line(a) + line'(b))`.
//!
//! ```text
//! gradient of both sources = gradient * (y > 0 ? 1 : leak)
//! ```
//! LeakyReLU keeps the sign, so `y` itself says which it was. The one is put in the place of the gradient of `y`, the
//! other into a map of its own: [`crate::engine::wgsl::norm_act`] makes different gradients of them. Workgroups are
//! [`crate::engine::wgsl::slab::Slab::groups`].

use crate::engine::wgsl::slab::Slab;
use crate::model::NEGATIVE_SLOPE;

/// WGSL.
pub const WGSL: &str = "
struct Params { map: Slab, negative_slope: f32, spare0: u32, spare1: u32, spare2: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> gradient: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> joined: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read_write> other: array<ChannelBlock>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.map.size * p.map.channel_blocks) { return; }
    let at = (p.map.first + id.y) * p.map.pitch + id.x;
    let g = select(vec4(p.negative_slope), vec4(1.0), load(joined[at]) > vec4(0.0));
    let value = pack(load(gradient[at]) * g);
    gradient[at] = value;
    other[at] = value;
}
";

/// Uniform.
pub fn words(slab: &Slab) -> Vec<u32> {
    let mut words = slab.words();
    words.extend([NEGATIVE_SLOPE.to_bits(), 0, 0, 0]);
    words
}

/// The formula as it stands.
pub fn reference(gradient: &[f32], joined: &[f32]) -> Vec<f32> {
    let slope = |y: f32| if y > 0.0 { 1.0 } else { NEGATIVE_SLOPE };
    gradient.iter().zip(joined).map(|(g, y)| g * slope(*y)).collect()
}
