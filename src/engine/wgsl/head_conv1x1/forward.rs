//! The last step: a logit per label, or the label itself.
//!
//! ```text
//! l[o, voxel] = bias[o] + sum over i of  w[o, i] * norm_act_i(x[i, voxel])
//! label = 1 + the last o with l[o] > 0 (a probability above one half); 0 where there is none
//! ```
//! *Labels* is a running choice: no label's map is ever stored, four voxels are one word. A value that is no number
//! gives 255, which no model card uses. An invocation has four voxels of a plane.

use crate::engine::nn::scale_shift::ScaleShift;

const HEAD: &str = "
struct Params { size: u32, pitch: u32, first: u32, planes: u32, channel_blocks: u32, outputs: u32, negative_slope: f32, spare: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> scale_shifts: array<ScaleShift>;
// By output: its bias, then a channel block of weights per channel block of input.
@group(0) @binding(3) var<storage, read> weights: array<vec4<f32>>;
";

const SUM: &str = "
fn logit(output: u32, at: u32, voxel: u32) -> f32 {
    let w = output * (p.channel_blocks + 1u);
    var sum = weights[w].x;
    for (var channel_block = 0u; channel_block < p.channel_blocks; channel_block += 1u) {
        let value = norm_act(load(a[at + channel_block * p.size + min(voxel, p.size - 1u)]), scale_shifts[channel_block], p.negative_slope);
        sum += dot(value, weights[w + 1u + channel_block]);
    }
    return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let voxel = 4u * id.x;
    if (voxel >= p.size) { return; }
    let at = (p.first + id.y) * p.pitch;
    let words = (p.size + 3u) / 4u;
";

/// WGSL of *logits*: channel blocks of voxels, `[plane, output, size / 4]`.
pub fn logits() -> String {
    format!(
        "{HEAD}@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>;
{SUM}
    for (var o = 0u; o < p.outputs; o += 1u) {{
        let values = vec4(logit(o, at, voxel), logit(o, at, voxel + 1u), logit(o, at, voxel + 2u), logit(o, at, voxel + 3u));
        output[(id.y * p.outputs + o) * words + id.x] = values;
    }}
}}
"
    )
}

/// WGSL of *labels*: four voxels in a word, `[plane, size / 4]`.
pub fn labels() -> String {
    format!(
        "{HEAD}@group(0) @binding(4) var<storage, read_write> output: array<u32>;
{SUM}
    var four = 0u;
    for (var n = 0u; n < 4u; n += 1u) {{
        var label = 0u;
        for (var o = 0u; o < p.outputs; o += 1u) {{
            let value = logit(o, at, voxel + n);
            if (value > 0.0) {{ label = o + 1u; }}
            // By its bits: a compiler may assume that there is no NaN.
            if ((bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u) {{ label = 255u; o = p.outputs; }}
        }}
        four |= label << (8u * n);
    }}
    output[id.y * words + id.x] = four;
}}
"
    )
}

/// Uniform: voxels of a plane, pitch of the source, first plane in its buffer, planes, channel blocks, outputs, slope below zero.
pub fn words(
    size: usize,
    pitch: usize,
    first: usize,
    planes: usize,
    channel_blocks: usize,
    outputs: usize,
    negative_slope: f32,
) -> Vec<u32> {
    let numbers = [size, pitch, first, planes, channel_blocks, outputs].map(|n| n as u32);
    numbers.into_iter().chain([negative_slope.to_bits(), 0]).collect()
}

/// Workgroups.
pub fn groups(size: usize, planes: usize) -> [u32; 3] {
    [size.div_ceil(4).div_ceil(64) as u32, planes as u32, 1]
}

/// Weights by output: `[bias, 0, 0, 0]`, then `[in / 4]` channel blocks, from `[o, i]`.
pub fn pack(weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let inputs = weight.len() / bias.len();
    let mut packed = Vec::new();
    for (output, bias) in bias.iter().enumerate() {
        packed.extend([*bias, 0.0, 0.0, 0.0]);
        let row = &weight[output * inputs..(output + 1) * inputs];
        packed.extend(row);
        packed.resize(packed.len().next_multiple_of(4), 0.0);
    }
    packed
}

/// The formula as it stands: logits `[o, ...]` of a map `[c, ...]` with a scale and shift per channel; `weight` is `[o, i]`.
pub fn reference(values: &[f32], scale_shifts: &[ScaleShift], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let volume = values.len() / scale_shifts.len();
    let logit = |output: usize, voxel: usize| {
        let part = |(input, scale_shift): (usize, &ScaleShift)| {
            f64::from(weight[output * scale_shifts.len() + input])
                * f64::from(scale_shift.at(values[input * volume + voxel]))
        };
        (f64::from(bias[output]) + scale_shifts.iter().enumerate().map(part).sum::<f64>()) as f32
    };
    (0..bias.len() * volume).map(|i| logit(i / volume, i % volume)).collect()
}
