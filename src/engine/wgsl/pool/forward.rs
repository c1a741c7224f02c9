//! Largest value of every 2^3 block; a last odd plane is left out.
//!
//! ```text
//! y[c, z, y, x] = max over a, b, d in 0..2 of  norm_act_c(x[c, 2 z + a, 2 y + b, 2 x + d])
//! ```

use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::layout::Layout;

/// WGSL.
pub const WGSL: &str = "
struct Params {
    x: u32, y: u32, from_x: u32, from_y: u32,
    pitch: u32, start: u32, first: u32, planes: u32,
    a: Map,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> scale_shifts: array<ScaleShift>;
@group(0) @binding(3) var<storage, read_write> output: array<ChannelBlock>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.x * p.y) { return; }
    let x = id.x % p.x;
    let y = id.x / p.x;
    let z = p.first + id.y;
    let channel_block = id.z;
    let scale_shift = scale_shifts[channel_block];
    var top = vec4(-3.4e38);
    for (var n = 0u; n < 8u; n += 1u) {
        let plane = (2u * z + n / 4u - p.a.start) * p.a.pitch;
        let at = plane + (channel_block * p.from_y + 2u * y + n / 2u % 2u) * p.from_x + 2u * x + n % 2u;
        top = max(top, norm_act(load(a[at]), scale_shift, p.a.negative_slope));
    }
    output[(z - p.start) * p.pitch + (channel_block * p.y + y) * p.x + x] = pack(top);
}
";

/// Numbers of the uniform.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    /// The output.
    pub output: Layout,
    /// Plane with which the output's buffer begins.
    pub start: usize,
    /// First plane of the slab.
    pub first: usize,
    /// Planes of the slab.
    pub planes: usize,
    /// Layout, first plane and slope below zero of the source.
    pub source: (Layout, usize, f32),
}

impl Params {
    /// As the shader reads them.
    pub fn words(&self) -> Vec<u32> {
        let ([x, y, _], (source, start, negative_slope)) = (self.output.dims, self.source);
        let [from_x, from_y, _] = source.dims;
        let numbers = [x, y, from_x, from_y, self.output.pitch, self.start, self.first, self.planes];
        let map = [source.channel_blocks, source.pitch, start].map(|n| n as u32);
        numbers.iter().map(|&n| n as u32).chain(map).chain([negative_slope.to_bits()]).collect()
    }

    /// Workgroups.
    pub fn groups(&self) -> [u32; 3] {
        let [x, y, _] = self.output.dims;
        [(x * y).div_ceil(64) as u32, self.planes as u32, self.output.channel_blocks as u32]
    }
}

/// The formula as it stands, of a map `[c, z, y, x]` with a scale and shift per channel.
pub fn reference(values: &[f32], scale_shifts: &[ScaleShift], [x, y, z]: [usize; 3]) -> Vec<f32> {
    let [to_x, to_y, to_z] = [x / 2, y / 2, z / 2];
    let block = |i: usize| {
        let (channel, at) = (i / (to_x * to_y * to_z), i % (to_x * to_y * to_z));
        let from = [at % to_x, at / to_x % to_y, at / (to_x * to_y)].map(|n| 2 * n);
        let value = |n: usize| {
            let [sx, sy, sz] = [from[0] + n % 2, from[1] + n / 2 % 2, from[2] + n / 4];
            scale_shifts[channel].at(values[((channel * z + sz) * y + sy) * x + sx])
        };
        (0..8).map(value).fold(f32::NEG_INFINITY, f32::max)
    };
    (0..scale_shifts.len() * to_x * to_y * to_z).map(block).collect()
}
