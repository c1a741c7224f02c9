//! Gradient of a 3^3 convolution's weights, for one of its sources.
//!
//! ```text
//! dw[o, i, dz, dy, dx] = sum over z, y, x of  dy[o, z, y, x] * norm_act_i(x[i, z + dz - 1, y + dy - 1, x + dx - 1])
//! ```
//! The gradient of the source has no kernel of its own: it is the forward convolution of `dy`, by weights with `o` and
//! `i` exchanged and the taps in reverse.
//!
//! An invocation has one (dz, dy), a channel block of `i` and two of `o`, and all three dx in registers: 24 channel blocks of sums. It
//! slides along its rows of voxels, four at a time: of 12 channel blocks that it reads it makes 384 products. Neighbours have
//! the other (dz, dy), so that they read the same rows.

use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::slab::{self, Slab};

/// What a dispatch does.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    /// Planes of the output's gradient.
    pub slab: Slab,
    /// The source.
    pub source: Layout,
    /// Its slope below zero.
    pub negative_slope: f32,
    /// Parts that the sums are cut into.
    pub splits: usize,
    /// Whether the parts begin here; they are added to what another slab left otherwise.
    pub fresh: bool,
}

/// Numbers of one part: it lies as [`crate::engine::wgsl::conv::forward::pack`] has the weights of one source.
pub fn part(source: &Layout, output: &Layout) -> usize {
    output.channel_blocks.div_ceil(2) * source.channel_blocks * 27 * 32
}

/// Parts for a slab of so many planes.
pub fn splits(source: &Layout, output: &Layout, planes: usize) -> usize {
    slab::splits(output.channel_blocks.div_ceil(2) * source.channel_blocks * 9, planes * output.dims[1])
}

impl Params {
    /// As the shader reads them.
    pub fn words(&self) -> Vec<u32> {
        let [x, y, z] = self.slab.map.dims;
        let output =
            [x, y, z, self.slab.map.pitch, self.slab.map.channel_blocks, self.slab.first, self.slab.planes];
        let source = [self.source.channel_blocks, self.source.pitch, self.splits, usize::from(self.fresh)];
        output.iter().chain(&source).map(|&n| n as u32).chain([self.negative_slope.to_bits()]).collect()
    }

    /// Workgroups.
    pub fn groups(&self) -> [u32; 3] {
        let one = self.slab.map.channel_blocks.div_ceil(2) * self.source.channel_blocks * 9;
        [(one * self.splits).div_ceil(64) as u32, 1, 1]
    }
}

/// Place of each weight `[o, i, 3, 3, 3]` in a part, counted from 1, for [`crate::engine::wgsl::gather`]; 0 where it belongs to
/// another source than `which`.
pub fn index(sources: &[usize], which: usize, outputs: usize) -> Vec<u32> {
    let inputs: usize = sources.iter().sum();
    let before: usize = sources[..which].iter().sum();
    let channel_blocks = sources[which].div_ceil(4);
    let place = |n: usize| {
        let (output, input, tap) = (n / (inputs * 27), n / 27 % inputs, n % 27);
        if !(before..before + sources[which]).contains(&input) {
            return 0;
        }
        let channel = input - before;
        let block = (output / 8 * channel_blocks + channel / 4) * 27 + tap;
        (((block * 4 + channel % 4) * 2 + output / 4 % 2) * 4 + output % 4 + 1) as u32
    };
    (0..outputs * inputs * 27).map(place).collect()
}

/// Weights of the convolution that makes a source's gradient from those of its readers: `[i, o, 3, 3, 3]` with the taps
/// in reverse, of the channels of `range`, where each reader has weights `[o, inputs, 3, 3, 3]`. The readers' `o` follow
/// one another: that is a convolution of several sources.
pub fn transposed(readers: &[&[f32]], inputs: usize, range: std::ops::Range<usize>) -> Vec<f32> {
    let taps = |weight: &'_ [f32], output: usize, input: usize| -> Vec<f32> {
        weight[(output * inputs + input) * 27..][..27].iter().rev().copied().collect()
    };
    let reader = |weight: &&[f32], input: usize| -> Vec<f32> {
        (0..weight.len() / (27 * inputs)).flat_map(|output| taps(weight, output, input)).collect()
    };
    range.flat_map(|input| readers.iter().flat_map(move |weight| reader(weight, input))).collect()
}

/// The beginning of the shader: what it is given, and where this invocation works.
const WEIGHT_HEADER: &str = "
struct Params {
    x: u32, y: u32, z: u32, pitch: u32,
    channel_blocks: u32, first: u32, planes: u32, source_quads: u32,
    source_pitch: u32, splits: u32, fresh: u32, negative_slope: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> values: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> scale_shifts: array<ScaleShift>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let all = (p.channel_blocks + 1u) / 2u * p.source_quads * 9u;
    if (id.x >= all * p.splits) { return; }
    let split = id.x / all;
    let mine = id.x % all;
    let d = mine % 9u;
    let channel_block = mine / 9u % p.source_quads;
    let block = mine / 9u / p.source_quads;
    let scale_shift = scale_shifts[channel_block];
    // A second channel block that the output lacks is the first one again: no one looks at its sums.
    let second = select(0u, p.x * p.y, 2u * block + 1u < p.channel_blocks);\n";

/// WGSL.
pub fn weight() -> String {
    let mut text = String::from(WEIGHT_HEADER);
    let sums = || (0..3).flat_map(|dx| (0..4).flat_map(move |c| (0..2).map(move |half| (dx, c, half))));
    for (dx, c, half) in sums() {
        text += &format!("var s{dx}{c}{half} = vec4(0.0);\n");
    }
    text += "for (var row = split; row < p.planes * p.y; row += p.splits) {
    let z = p.first + row / p.y;
    let y = row % p.y;
    let source_z = z + d / 3u - 1u;
    let source_y = y + d % 3u - 1u;
    if (source_z < p.z && source_y < p.y) {
    let here = z * p.pitch + (2u * block * p.y + y) * p.x;
    let there = source_z * p.source_pitch + (channel_block * p.y + source_y) * p.x;
    var before = vec4(0.0);
    var now = norm_act(load(values[there]), scale_shift, p.negative_slope);
    for (var x = 0u; x < p.x; x += 4u) {
    let i0 = before;
    let i1 = now;\n";
    for v in 0..4 {
        // The values of the row are one ahead of its gradient.
        text += &format!(
            "let x{v} = min(x + {v}u, p.x - 1u);
            let i{next} = select(vec4(0.0), norm_act(load(values[there + min(x + {ahead}u, p.x - 1u)]), scale_shift, p.negative_slope), x + {ahead}u < p.x);
            let g0{v} = select(vec4(0.0), load(gradient[here + x{v}]), x + {v}u < p.x);
            let g1{v} = select(vec4(0.0), load(gradient[here + second + x{v}]), x + {v}u < p.x);\n",
            next = v + 2,
            ahead = v + 1
        );
    }
    text += "before = i4;\nnow = i5;\n";
    for (dx, c, half) in sums() {
        let letter = ["x", "y", "z", "w"][c];
        let terms: Vec<String> = (0..4).map(|v| format!("g{half}{v} * i{}.{letter}", v + dx)).collect();
        text += &format!("s{dx}{c}{half} += {};\n", terms.join(" + "));
    }
    text += "}}}
    let at = split * all * 24u + ((block * p.source_quads + channel_block) * 9u + d) * 24u;
    if (p.fresh == 1u) {\n";
    for (dx, c, half) in sums() {
        text += &format!("parts[at + {}u] = s{dx}{c}{half};\n", (dx * 4 + c) * 2 + half);
    }
    text += "} else {\n";
    for (dx, c, half) in sums() {
        text += &format!("parts[at + {}u] += s{dx}{c}{half};\n", (dx * 4 + c) * 2 + half);
    }
    text + "}\n}\n"
}

/// The formula as it stands: `gradient` is `[o, z, y, x]`, the source `[i, z, y, x]` with a scale and shift per channel; the
/// result `[o, i, 3, 3, 3]`.
pub fn reference(
    gradient: &[f32],
    values: &[f32],
    scale_shifts: &[ScaleShift],
    [x, y, z]: [usize; 3],
) -> Vec<f32> {
    let volume = x * y * z;
    let sum = |n: usize| {
        let (output, input, tap) = (n / (scale_shifts.len() * 27), n / 27 % scale_shifts.len(), n % 27);
        let term = |at: usize| {
            let moved = [at % x + tap % 3, at / x % y + tap / 3 % 3, at / (x * y) + tap / 9];
            let [sx, sy, sz] = moved.map(|n| n.wrapping_sub(1));
            if sx >= x || sy >= y || sz >= z {
                return 0.0;
            }
            let value = scale_shifts[input].at(values[input * volume + (sz * y + sy) * x + sx]);
            f64::from(gradient[output * volume + at]) * f64::from(value)
        };
        (0..volume).map(term).sum::<f64>() as f32
    };
    (0..gradient.len() / volume * scale_shifts.len() * 27).map(sum).collect()
}
