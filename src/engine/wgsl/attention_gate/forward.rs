//! An attention gate: the skip `s`, weighed voxel by voxel by what an additive attention makes of it and of the raised
//! map `u` ([`crate::model::Ops::attention_gate`]).
//!
//! ```text
//! n[h] = bs[h] + sum over i of (Ws[h, i] s[i] + Wu[h, i] u[i])        q = leaky(n)
//! a = 1 / (1 + exp(-(bp + sum over h of wp[h] q[h])))                 y[i] = a s[i]
//! ```
//! Weights lie as those of three last steps ([`crate::engine::wgsl::head_conv1x1`]): of `Ws`, of `Wu`, whose bias is none, and of `wp`.
//! An invocation has a voxel, and four units at once.

use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::head_conv1x1;
use crate::engine::wgsl::layout::Layout;
use crate::model::NEGATIVE_SLOPE;

/// `n` of four units, of which those beyond the last are the last again: `wp` is zero there.
pub(super) const UNITS: &str = "
fn units_of(h: u32, a_at: u32, b_at: u32) -> vec4<f32> {
    let row = p.a.channel_blocks + 1u;
    let at = min(vec4(h) + vec4(0u, 1u, 2u, 3u), vec4(p.units - 1u)) * row;
    var sum = vec4(weights[at.x].x, weights[at.y].x, weights[at.z].x, weights[at.w].x);
    for (var channel_block = 0u; channel_block < p.a.channel_blocks; channel_block += 1u) {
        let skip = norm_act(load(a[a_at + channel_block * p.size]), a_norm[channel_block], p.a.negative_slope);
        let up = norm_act(load(b[b_at + channel_block * p.size]), b_norm[channel_block], p.b.negative_slope);
        let s = at + vec4(1u + channel_block);
        let u = s + vec4(p.units * row);
        sum += vec4(dot(skip, weights[s.x]), dot(skip, weights[s.y]), dot(skip, weights[s.z]), dot(skip, weights[s.w]));
        sum += vec4(dot(up, weights[u.x]), dot(up, weights[u.y]), dot(up, weights[u.z]), dot(up, weights[u.w]));
    }
    return sum;
}

fn factor_of(sum: f32) -> f32 { return 1.0 / (1.0 + exp(-clamp(sum, -80.0, 80.0))); }
";

const HEAD: &str = "
struct Params {
    size: u32, units: u32, pitch: u32, start: u32,
    first: u32, negative_slope: f32, spare0: u32, spare1: u32,
    a: Map, b: Map,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> b: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> a_norm: array<ScaleShift>;
@group(0) @binding(4) var<storage, read> b_norm: array<ScaleShift>;
@group(0) @binding(5) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> output: array<ChannelBlock>;
";

const MAIN: &str = "
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.size) { return; }
    let z = p.first + id.y;
    let a_at = (z - p.a.start) * p.a.pitch + id.x;
    let b_at = (z - p.b.start) * p.b.pitch + id.x;
    let psi = 2u * p.units * (p.a.channel_blocks + 1u);
    var sum = weights[psi].x;
    for (var h = 0u; h < p.units; h += 4u) {
        let n = units_of(h, a_at, b_at);
        sum += dot(max(n, p.negative_slope * n), weights[psi + 1u + h / 4u]);
    }
    let factor = factor_of(sum);
    for (var channel_block = 0u; channel_block < p.a.channel_blocks; channel_block += 1u) {
        let skip = norm_act(load(a[a_at + channel_block * p.size]), a_norm[channel_block], p.a.negative_slope);
        output[(z - p.start) * p.pitch + channel_block * p.size + id.x] = pack(factor * skip);
    }
}
";

/// WGSL.
pub fn source() -> String {
    format!("{HEAD}{UNITS}{MAIN}")
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
    /// Units of the attention.
    pub units: usize,
    /// Layout, first plane and slope below zero of the skip and of the raised map.
    pub sources: [(Layout, usize, f32); 2],
}

impl Params {
    /// As the shader reads them.
    pub fn words(&self) -> Vec<u32> {
        let [x, y, _] = self.output.dims;
        let numbers = [x * y, self.units, self.output.pitch, self.start, self.first].map(|n| n as u32);
        numbers.into_iter().chain([NEGATIVE_SLOPE.to_bits(), 0, 0]).chain(map_words(self.sources)).collect()
    }

    /// Workgroups.
    pub fn groups(&self) -> [u32; 3] {
        let [x, y, _] = self.output.dims;
        [(x * y).div_ceil(64) as u32, self.planes as u32, 1]
    }
}

/// Both maps as the shaders read them.
pub(super) fn map_words(sources: [(Layout, usize, f32); 2]) -> impl Iterator<Item = u32> {
    sources.into_iter().flat_map(|(layout, start, negative_slope)| {
        [layout.channel_blocks as u32, layout.pitch as u32, start as u32, negative_slope.to_bits()]
    })
}

/// The tensors of a gate, one after the other, as the shaders read them.
pub fn pack(all: &[f32], channels: usize, units: usize) -> Vec<f32> {
    let [skip, bias, up, psi, psi_bias] = parts(all, channels, units);
    [
        head_conv1x1::forward::pack(skip, bias),
        head_conv1x1::forward::pack(up, &vec![0.0; units]),
        head_conv1x1::forward::pack(psi, psi_bias),
    ]
    .concat()
}

/// The five tensors: `[units, channels]`, `[units]`, `[units, channels]`, `[units]`, `[1]`.
pub fn parts(all: &[f32], channels: usize, units: usize) -> [&[f32]; 5] {
    let mut rest = all;
    [units * channels, units, units * channels, units, 1].map(|count| {
        let (part, others) = rest.split_at(count);
        rest = others;
        part
    })
}

/// What a gate computes of a voxel: `n`, and `a`.
pub fn voxel(all: &[f32], skip: &[f64], up: &[f64], units: usize) -> (Vec<f64>, f64) {
    let [ws, bs, wu, wp, bp] = parts(all, skip.len(), units);
    let dot = |row: &[f32], values: &[f64]| {
        row.iter().zip(values).map(|(w, value)| f64::from(*w) * value).sum::<f64>()
    };
    let rows = ws.chunks_exact(skip.len()).zip(wu.chunks_exact(up.len())).zip(bs);
    let n: Vec<f64> = rows.map(|((ws, wu), bias)| f64::from(*bias) + dot(ws, skip) + dot(wu, up)).collect();
    let q: Vec<f64> = n.iter().map(|n| n.max(f64::from(NEGATIVE_SLOPE) * n)).collect();
    (n, 1.0 / (1.0 + (-f64::from(bp[0]) - dot(wp, &q)).exp()))
}

/// The read values of a voxel of a map `[c, ...]`.
pub fn column(values: &[f32], scale_shifts: &[ScaleShift], voxel: usize) -> Vec<f64> {
    let volume = values.len() / scale_shifts.len();
    scale_shifts
        .iter()
        .enumerate()
        .map(|(c, scale_shift)| f64::from(scale_shift.at(values[c * volume + voxel])))
        .collect()
}

/// The formula as it stands, of maps `[c, ...]` with lines by channel.
pub fn reference(
    all: &[f32],
    units: usize,
    (skip, skip_norm): (&[f32], &[ScaleShift]),
    (up, up_norm): (&[f32], &[ScaleShift]),
) -> Vec<f32> {
    let volume = skip.len() / skip_norm.len();
    let mut y = vec![0.0; skip.len()];
    for at in 0..volume {
        let s = column(skip, skip_norm, at);
        let (_, factor) = voxel(all, &s, &column(up, up_norm, at), units);
        s.iter().enumerate().for_each(|(c, s)| y[c * volume + at] = (factor * s) as f32);
    }
    y
}
