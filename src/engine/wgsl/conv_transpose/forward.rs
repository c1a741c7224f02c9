//! Up-convolution 2^3 of stride 2: every input voxel gives a block of eight.
//!
//! ```text
//! y[o, 2 z + a, 2 y + b, 2 x + d] = sum over i of  w[i, o, a, b, d] * norm_act_i(x[i, z, y, x])
//! ```
//! Where the output is longer than twice the input its last plane is zero: that is the reference's padding. An
//! invocation makes eight voxels of a row and four channels of four voxels of input, and leaves their moments.

use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::layout::Layout;

/// Weights `[o / 4, a, b, d, i / 4, i % 4]` as channel blocks of `o % 4` from `[i, o, 2, 2, 2]`.
pub fn pack(weight: &[f32], inputs: usize, outputs: usize) -> Vec<f32> {
    let channel_blocks = inputs.div_ceil(4);
    let mut packed = vec![0.0; outputs.div_ceil(4) * 8 * channel_blocks * 16];
    for input in 0..inputs {
        for output in 0..outputs {
            for tap in 0..8 {
                let at =
                    (((output / 4 * 8 + tap) * channel_blocks + input / 4) * 4 + input % 4) * 4 + output % 4;
                packed[at] = weight[(input * outputs + output) * 8 + tap];
            }
        }
    }
    packed
}

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
        let [from_x, from_y, from_z] = source.dims;
        let numbers =
            [x, y, self.planes, self.output.channel_blocks, self.output.pitch, self.start, self.first];
        let from = [from_x, from_y, from_z, 0, 0];
        let map = [source.channel_blocks, source.pitch, start].map(|n| n as u32);
        numbers.iter().chain(&from).map(|&n| n as u32).chain(map).chain([negative_slope.to_bits()]).collect()
    }

    /// Workgroups.
    pub fn groups(&self) -> [u32; 3] {
        let [x, y, _] = self.output.dims;
        [(x.div_ceil(8) * y).div_ceil(64) as u32, self.planes as u32, self.output.channel_blocks as u32]
    }
}

/// The beginning of the shader: what it is given, and where this invocation works.
const HEADER: &str = "
struct Params {
    x: u32, y: u32, planes: u32, channel_blocks: u32,
    pitch: u32, start: u32, first: u32, from_x: u32,
    from_y: u32, from_z: u32, spare0: u32, spare1: u32,
    a: Map,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> scale_shifts: array<ScaleShift>;
@group(0) @binding(3) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> output: array<ChannelBlock>;
@group(0) @binding(5) var<storage, read_write> moments: array<Moments>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let across = (p.x + 7u) / 8u;
    if (id.x >= across * p.y) { return; }
    let x0 = id.x % across * 8u;
    let y = id.x / across;
    let z = p.first + id.y;
    let channel_block = id.z;
";

/// WGSL.
pub fn source() -> String {
    let mut text = String::from(HEADER);
    for v in 0..8 {
        text += &format!("var s{v} = vec4(0.0);\n");
    }
    text += "if (z / 2u < p.from_z && y / 2u < p.from_y) {
    for (var i = 0u; i < p.a.channel_blocks; i += 1u) {
        let scale_shift = scale_shifts[i];
        let at = (z / 2u - p.a.start) * p.a.pitch + (i * p.from_y + y / 2u) * p.from_x;
        let even = ((((channel_block * 2u + z % 2u) * 2u + y % 2u) * 2u) * p.a.channel_blocks + i) * 4u;
        let odd = even + p.a.channel_blocks * 4u;\n";
    for n in 0..4 {
        let x = format!("x0 / 2u + {n}u");
        text += &format!(
            "let i{n} = select(vec4(0.0), norm_act(load(a[at + min({x}, p.from_x - 1u)]), scale_shift, p.a.negative_slope), {x} < p.from_x);\n"
        );
    }
    for (d, side) in ["even", "odd"].iter().enumerate() {
        for k in 0..4 {
            text += &format!("let {side}{k} = weights[{side} + {k}u];\n");
        }
        for n in 0..4 {
            let v = 2 * n + d;
            text += &format!(
                "s{v} += i{n}.x * {side}0 + i{n}.y * {side}1 + i{n}.z * {side}2 + i{n}.w * {side}3;\n"
            );
        }
    }
    text += "}}
    let count = f32(min(8u, p.x - x0));
    let at = (z - p.start) * p.pitch + (channel_block * p.y + y) * p.x + x0;
    let row = ((z - p.first) * p.y + y) * across + x0 / 8u;
    var sum = vec4(0.0);\n";
    for v in 0..8 {
        text += &format!("if ({v}u < p.x - x0) {{ output[at + {v}u] = pack(s{v}); sum += s{v}; }}\n");
    }
    text += "let mean = sum / count;\nvar m2 = vec4(0.0);\n";
    for v in 0..8 {
        text += &format!("if ({v}u < p.x - x0) {{ m2 += (s{v} - mean) * (s{v} - mean); }}\n");
    }
    text + "moments[channel_block * p.planes * p.y * across + row] = Moments(vec4(count), mean, m2);\n}\n"
}

/// The formula as it stands, of a map `[c, z, y, x]` with a scale and shift per channel and `weight`, `[i, o, 2, 2, 2]`.
pub fn reference(
    values: &[f32],
    scale_shifts: &[ScaleShift],
    weight: &[f32],
    outputs: usize,
    [x, y, z]: [usize; 3],
    [to_x, to_y, to_z]: [usize; 3],
) -> Vec<f32> {
    let value = |output: usize, at: [usize; 3]| {
        let [sx, sy, sz] = at.map(|n| n / 2);
        if sx >= x || sy >= y || sz >= z {
            return 0.0;
        }
        let tap = at[2] % 2 * 4 + at[1] % 2 * 2 + at[0] % 2;
        let part = |(input, scale_shift): (usize, &ScaleShift)| {
            let w = weight[(input * outputs + output) * 8 + tap];
            f64::from(w) * f64::from(scale_shift.at(values[((input * z + sz) * y + sy) * x + sx]))
        };
        scale_shifts.iter().enumerate().map(part).sum::<f64>() as f32
    };
    let volume = to_x * to_y * to_z;
    (0..outputs * volume)
        .map(|i| value(i / volume, [i % to_x, i / to_x % to_y, i / (to_x * to_y) % to_z]))
        .collect()
}
