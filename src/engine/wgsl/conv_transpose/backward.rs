//! Back through an up-convolution 2^3 of stride 2: the gradients of its source and of its weights.
//!
//! ```text
//! gradient[i, z, y, x] = sum over o, a, b, d of  w[i, o, a, b, d] * dy[o, 2 z + a, 2 y + b, 2 x + d]
//! dw[i, o, a, b, d]    = sum over z, y, x of     norm_act_i(x[i, z, y, x]) * dy[o, 2 z + a, 2 y + b, 2 x + d]
//! ```
//! A last plane of zeros, where the output is longer than twice the source, came from no one: it is not read. Weights
//! are the forward kernel's, and their gradient lies as they do ([`crate::engine::wgsl::conv_transpose::forward::pack`]).

use super::forward::pack;
use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::gather;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::slab::{self, Slab};

/// What a dispatch of either kernel does; the slab is of the source.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    /// Planes of the source.
    pub slab: Slab,
    /// The output.
    pub output: Layout,
    /// The source's slope below zero (weights only).
    pub negative_slope: f32,
    /// Parts that the sums are cut into (weights only).
    pub splits: usize,
    /// Whether the parts begin here; they are added to what another slab left otherwise (weights only).
    pub fresh: bool,
}

impl Params {
    /// As the shaders read them.
    pub fn words(&self) -> Vec<u32> {
        let ([x, y, _], [to_x, to_y, _]) = (self.slab.map.dims, self.output.dims);
        let source =
            [x, y, self.slab.map.channel_blocks, self.slab.map.pitch, self.slab.first, self.slab.planes];
        let output =
            [to_x, to_y, self.output.channel_blocks, self.output.pitch, self.splits, usize::from(self.fresh)];
        source
            .iter()
            .chain(&output)
            .map(|&n| n as u32)
            .chain([self.negative_slope.to_bits(), 0, 0, 0])
            .collect()
    }

    /// Workgroups of the source's gradient.
    pub fn groups(&self) -> [u32; 3] {
        let [x, y, _] = self.slab.map.dims;
        let pairs = self.slab.map.channel_blocks.div_ceil(2);
        [(x.div_ceil(4) * y).div_ceil(64) as u32, self.slab.planes as u32, pairs as u32]
    }

    /// Workgroups of the weights' gradient.
    pub fn weight_groups(&self) -> [u32; 3] {
        let one = self.output.channel_blocks * 4 * self.slab.map.channel_blocks.div_ceil(2);
        [(one * self.splits).div_ceil(64) as u32, 1, 1]
    }
}

/// Numbers of one part of the weights' gradient.
pub fn part(source: &Layout, output: &Layout) -> usize {
    output.channel_blocks * 8 * source.channel_blocks * 16
}

/// Parts for a slab of so many planes of the source.
pub fn splits(source: &Layout, output: &Layout, planes: usize) -> usize {
    slab::splits(output.channel_blocks * 4 * source.channel_blocks.div_ceil(2), planes * source.dims[1])
}

/// Place of each weight `[i, o, 2, 2, 2]` in a part, counted from 1, for [`crate::engine::wgsl::gather`].
pub fn index(inputs: usize, outputs: usize) -> Vec<u32> {
    let count = inputs * outputs * 8;
    gather::shader::inverse(&gather::shader::table(count, |weight| pack(weight, inputs, outputs)), count)
}

const HEAD: &str = "
struct Params {
    x: u32, y: u32, channel_blocks: u32, pitch: u32,
    first: u32, planes: u32, to_x: u32, to_y: u32,
    to_channel_blocks: u32, to_pitch: u32, splits: u32, fresh: u32,
    negative_slope: f32, spare0: u32, spare1: u32, spare2: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<ChannelBlock>;
";

/// WGSL of the source's gradient: four voxels of a row and two blocks to an invocation.
pub fn source() -> String {
    let mut text = format!(
        "{HEAD}
@group(0) @binding(2) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<ChannelBlock>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let across = (p.x + 3u) / 4u;
    if (id.x >= across * p.y) {{ return; }}
    let x0 = id.x % across * 4u;
    let y = id.x / across;
    let z = p.first + id.y;
    let channel_block = 2u * id.z;
    let second = min(channel_block + 1u, p.channel_blocks - 1u);\n"
    );
    for half in 0..2 {
        for v in 0..4 {
            text += &format!("var s{half}{v} = vec4(0.0);\n");
        }
    }
    text += "for (var o = 0u; o < p.to_channel_blocks; o += 1u) {
    for (var ab = 0u; ab < 4u; ab += 1u) {
        let row = (2u * z + ab / 2u) * p.to_pitch + (o * p.to_y + 2u * y + ab % 2u) * p.to_x;\n";
    for k in 0..8 {
        text += &format!("let g{k} = load(gradient[row + min(2u * x0 + {k}u, p.to_x - 1u)]);\n");
    }
    for d in 0..2 {
        text += &format!("let w{d} = ((o * 4u + ab) * 2u + {d}u) * p.channel_blocks;\n");
        for (half, channel_block) in ["channel_block", "second"].iter().enumerate() {
            for k in 0..4 {
                text += &format!("let w{d}{half}{k} = weights[(w{d} + {channel_block}) * 4u + {k}u];\n");
            }
            for v in 0..4 {
                let dots: Vec<String> =
                    (0..4).map(|k| format!("dot(w{d}{half}{k}, g{})", 2 * v + d)).collect();
                text += &format!("s{half}{v} += vec4({});\n", dots.join(", "));
            }
        }
    }
    text += "}}
    let at = z * p.pitch + (channel_block * p.y + y) * p.x + x0;\n";
    for v in 0..4 {
        text += &format!("if (x0 + {v}u < p.x) {{ output[at + {v}u] = pack(s0{v}); }}\n");
        text += &format!(
            "if (x0 + {v}u < p.x && channel_block + 1u < p.channel_blocks) {{ output[at + p.x * p.y + {v}u] = pack(s1{v}); }}\n"
        );
    }
    text + "}\n"
}

/// WGSL of the weights' gradient: one (a, b), both d, a channel block of `o` and two of `i` to an invocation, sixteen
/// vectors of sums; it slides along its rows of the source, two voxels at a time.
pub fn weight() -> String {
    let mut text = format!(
        "{HEAD}
@group(0) @binding(2) var<storage, read> values: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> scale_shifts: array<ScaleShift>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let pairs = (p.channel_blocks + 1u) / 2u;
    let all = p.to_channel_blocks * 4u * pairs;
    if (id.x >= all * p.splits) {{ return; }}
    let split = id.x / all;
    let mine = id.x % all;
    let ab = mine % 4u;
    let channel_block = mine / 4u % pairs * 2u;
    let second = min(channel_block + 1u, p.channel_blocks - 1u);
    let o = mine / 4u / pairs;
    let line0 = scale_shifts[channel_block];
    let line1 = scale_shifts[second];\n"
    );
    let sums = || (0..2).flat_map(|half| (0..2).flat_map(move |d| (0..4).map(move |c| (half, d, c))));
    for (half, d, c) in sums() {
        text += &format!("var s{half}{d}{c} = vec4(0.0);\n");
    }
    text += "for (var row = split; row < p.planes * p.y; row += p.splits) {
    let z = p.first + row / p.y;
    let y = row % p.y;
    let here = (2u * z + ab / 2u) * p.to_pitch + (o * p.to_y + 2u * y + ab % 2u) * p.to_x;
    let first = z * p.pitch + (channel_block * p.y + y) * p.x;
    let other = z * p.pitch + (second * p.y + y) * p.x;
    for (var x = 0u; x < p.x; x += 2u) {
        let inside = x + 1u < p.x;
        let next = min(x + 1u, p.x - 1u);
        let i00 = norm_act(load(values[first + x]), line0, p.negative_slope);
        let i10 = norm_act(load(values[other + x]), line1, p.negative_slope);
        let i01 = select(vec4(0.0), norm_act(load(values[first + next]), line0, p.negative_slope), inside);
        let i11 = select(vec4(0.0), norm_act(load(values[other + next]), line1, p.negative_slope), inside);
        let g00 = load(gradient[here + 2u * x]);
        let g10 = load(gradient[here + 2u * x + 1u]);
        let g01 = load(gradient[here + 2u * next]);
        let g11 = load(gradient[here + 2u * next + 1u]);\n";
    for (half, d, c) in sums() {
        let letter = ["x", "y", "z", "w"][c];
        text += &format!("s{half}{d}{c} += g{d}0 * i{half}0.{letter} + g{d}1 * i{half}1.{letter};\n");
    }
    text += "}}\n";
    text + &store_parts() + "}\n"
}

/// Stores the sums of [`weight`], added to what another slab left.
fn store_parts() -> String {
    let mut text = String::new();
    for d in 0..2 {
        text += &format!(
            "let at{d} = ((split * p.to_channel_blocks + o) * 8u + ab * 2u + {d}u) * p.channel_blocks * 4u + channel_block * 4u;\n"
        );
    }
    for half in 0..2 {
        text += &format!("if (channel_block + {half}u < p.channel_blocks) {{\n");
        for (d, c) in (0..2).flat_map(|d| (0..4).map(move |c| (d, c))) {
            let at = format!("at{d} + {}u", 4 * half + c);
            text +=
                &format!("parts[{at}] = s{half}{d}{c} + select(parts[{at}], vec4(0.0), p.fresh == 1u);\n");
        }
        text += "}\n";
    }
    text
}

/// The source's gradient as it stands, `[i, z, y, x]`, of the output's, `[o, ...]`; `weight` is `[i, o, 2, 2, 2]`.
pub fn reference(
    gradient: &[f32],
    weight: &[f32],
    outputs: usize,
    [x, y, z]: [usize; 3],
    to: [usize; 3],
) -> Vec<f32> {
    let volume = x * y * z;
    let sum = |n: usize| {
        let (input, at) = (n / volume, n % volume);
        let term = |k: usize| {
            let (output, tap) = (k / 8, k % 8);
            let w = weight[(input * outputs + output) * 8 + tap];
            f64::from(w) * f64::from(gradient[place(output, at, tap, [x, y], to)])
        };
        (0..outputs * 8).map(term).sum::<f64>() as f32
    };
    (0..weight.len() / (8 * outputs) * volume).map(sum).collect()
}

/// The weights' gradient as it stands, `[i, o, 2, 2, 2]`; `values` is `[i, z, y, x]` with a scale and shift per channel.
pub fn weight_reference(
    gradient: &[f32],
    values: &[f32],
    scale_shifts: &[ScaleShift],
    [x, y, z]: [usize; 3],
    to: [usize; 3],
) -> Vec<f32> {
    let (volume, outputs) = (x * y * z, gradient.len() / to.iter().product::<usize>());
    let sum = |n: usize| {
        let (input, output, tap) = (n / 8 / outputs, n / 8 % outputs, n % 8);
        let term = |at: usize| {
            let value = scale_shifts[input].at(values[input * volume + at]);
            f64::from(value) * f64::from(gradient[place(output, at, tap, [x, y], to)])
        };
        (0..volume).map(term).sum::<f64>() as f32
    };
    (0..scale_shifts.len() * outputs * 8).map(sum).collect()
}

/// Where a tap of voxel `at` of the source lies in a map `[o, ...]` of the output.
fn place(output: usize, at: usize, tap: usize, [x, y]: [usize; 2], [to_x, to_y, to_z]: [usize; 3]) -> usize {
    let [sx, sy, sz] = [at % x, at / x % y, at / (x * y)].map(|n| 2 * n);
    ((output * to_z + sz + tap / 4) * to_y + sy + tap / 2 % 2) * to_x + sx + tap % 2
}
