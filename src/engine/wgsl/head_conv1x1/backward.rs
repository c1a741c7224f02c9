//! Back through the last step, `l[o] = bias[o] + sum over i of w[o, i] v[i]`, from the gradient of the logits: a map of
//! as many channels as there are labels.
//!
//! ```text
//! gradient[i, voxel] = sum over o of      w[o, i] * dl[o, voxel]
//! dw[o, i]           = sum over voxels of dl[o, voxel] * norm_act_i(x[i, voxel])          db[o] = sum of dl[o, voxel]
//! ```
//! Weights and their gradient lie as [`crate::engine::wgsl::head_conv1x1::forward::pack`] says: by output the bias, then channel blocks of `i`. An
//! invocation of the second kernel has a channel block of `o` and one of `i`; neighbours have neighbouring voxels.

use super::forward::pack;
use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::gather;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::slab::{self, Slab};

/// WGSL of the source's gradient.
pub const WGSL: &str = "
struct Params { map: Slab, outputs: u32, to_pitch: u32, add: u32, spare: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<ChannelBlock>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.map.size * p.map.channel_blocks) { return; }
    let channel_block = id.x / p.map.size;
    let z = p.map.first + id.y;
    let voxel = z * p.to_pitch + id.x % p.map.size;
    var sum = vec4(0.0);
    if (p.add == 1u) { sum = load(output[z * p.map.pitch + id.x]); }
    for (var o = 0u; o < p.outputs; o += 1u) {
        sum += weights[o * (p.map.channel_blocks + 1u) + 1u + channel_block] * gradient[4u * (voxel + o / 4u * p.map.size) + o % 4u];
    }
    output[z * p.map.pitch + id.x] = pack(sum);
}
";

/// Uniform of the source's gradient, for planes of the source, and whether it is added to what another reader left;
/// its workgroups are [`Slab::groups`].
pub fn words(slab: &Slab, outputs: usize, add: bool) -> Vec<u32> {
    let pitch = Layout::new(outputs, slab.map.dims).pitch;
    let mut words = slab.words();
    words.extend([outputs as u32, pitch as u32, u32::from(add), 0]);
    words
}

/// WGSL of the weights' gradient.
pub fn weight() -> String {
    let each = |term: &dyn Fn(&str, usize) -> String| {
        ["x", "y", "z", "w"].iter().enumerate().map(|(k, letter)| term(letter, k)).collect::<String>()
    };
    let zeros = each(&|_, k| format!("    var s{k} = vec4(0.0);\n"));
    let adds = each(&|letter, k| format!("        s{k} += value * dl.{letter};\n"));
    let stores = each(&|letter, k| {
        format!(
            "    if (4u * o + {k}u < p.outputs) {{
        let at = (split * p.outputs + 4u * o + {k}u) * (p.map.channel_blocks + 1u);
        parts[at + 1u + channel_block] = s{k} + select(parts[at + 1u + channel_block], vec4(0.0), p.fresh == 1u);
        if (channel_block == 0u) {{ parts[at] = vec4(bias.{letter}, 0.0, 0.0, 0.0) + select(parts[at], vec4(0.0), p.fresh == 1u); }}
    }}\n"
        )
    });
    format!(
        "
struct Params {{
    map: Slab,
    planes: u32, outputs: u32, to_pitch: u32, splits: u32,
    fresh: u32, negative_slope: f32, spare0: u32, spare1: u32,
}}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> values: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> scale_shifts: array<ScaleShift>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let split = id.x;
    if (split >= p.splits) {{ return; }}
    let channel_block = id.y;
    let o = id.z;
    let scale_shift = scale_shifts[channel_block];
    var bias = vec4(0.0);
{zeros}    for (var z = p.map.first; z < p.map.first + p.planes; z += 1u) {{
    for (var n = split; n < p.map.size; n += p.splits) {{
        let dl = load(gradient[z * p.to_pitch + o * p.map.size + n]);
        let value = norm_act(load(values[z * p.map.pitch + channel_block * p.map.size + n]), scale_shift, p.negative_slope);
        bias += dl;
{adds}    }}}}
{stores}}}
"
    )
}

/// Numbers of one part of the weights' gradient.
pub fn part(source: &Layout, outputs: usize) -> usize {
    outputs * (source.channel_blocks + 1) * 4
}

/// Place of each weight `[o, i]`, then of each bias, in a part, counted from 1, for [`crate::engine::wgsl::gather`].
pub fn index(inputs: usize, outputs: usize) -> Vec<u32> {
    let count = outputs * (inputs + 1);
    let packed = |all: &[f32]| {
        let (weight, bias) = all.split_at(outputs * inputs);
        pack(weight, bias)
    };
    gather::shader::inverse(&gather::shader::table(count, packed), count)
}

/// Parts of the sums.
pub fn splits(source: &Layout, outputs: usize) -> usize {
    slab::splits(source.channel_blocks * outputs.div_ceil(4), source.dims[0] * source.dims[1])
}

/// Uniform of the weights' gradient, for planes of the source: its slope below zero, and whether the parts begin here
/// or are added to what another slab left.
pub fn weight_words(
    slab: &Slab,
    outputs: usize,
    negative_slope: f32,
    splits: usize,
    fresh: bool,
) -> Vec<u32> {
    let pitch = Layout::new(outputs, slab.map.dims).pitch;
    let mut words = slab.words();
    words.extend([slab.planes, outputs, pitch, splits, usize::from(fresh)].map(|n| n as u32));
    words.extend([negative_slope.to_bits(), 0, 0]);
    words
}

/// Workgroups of the weights' gradient.
pub fn weight_groups(slab: &Slab, outputs: usize, splits: usize) -> [u32; 3] {
    [splits.div_ceil(64), slab.map.channel_blocks, outputs.div_ceil(4)].map(|n| n as u32)
}

/// The source's gradient as it stands, `[i, ...]`, of the logits', `[o, ...]`; `weight` is `[o, i]`.
pub fn reference(gradient: &[f32], weight: &[f32], outputs: usize) -> Vec<f32> {
    let (inputs, volume) = (weight.len() / outputs, gradient.len() / outputs);
    let sum = |n: usize| {
        let term = |o: usize| {
            f64::from(weight[o * inputs + n / volume]) * f64::from(gradient[o * volume + n % volume])
        };
        (0..outputs).map(term).sum::<f64>() as f32
    };
    (0..inputs * volume).map(sum).collect()
}

/// The weights' gradient as it stands, `[o, i]`, and the bias's; `values` is `[i, ...]` with a scale and shift per channel.
pub fn weight_reference(
    gradient: &[f32],
    values: &[f32],
    scale_shifts: &[ScaleShift],
) -> (Vec<f32>, Vec<f32>) {
    let volume = values.len() / scale_shifts.len();
    let dot = |dl: &[f32], input: usize| {
        let values = &values[input * volume..][..volume];
        let terms =
            dl.iter().zip(values).map(|(dl, x)| f64::from(*dl) * f64::from(scale_shifts[input].at(*x)));
        terms.sum::<f64>() as f32
    };
    let rows = || gradient.chunks_exact(volume);
    let weight = rows().flat_map(|dl| (0..scale_shifts.len()).map(move |input| dot(dl, input))).collect();
    (weight, rows().map(|dl| dl.iter().copied().map(f64::from).sum::<f64>() as f32).collect())
}
