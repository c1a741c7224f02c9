//! Back through an attention gate ([`super::forward`]), from the gradient `g` of its output `y = a s`.
//!
//! ```text
//! dt = a (1 - a) sum over i of g[i] s[i]                        dn[h] = dt wp[h] (q[h] > 0 ? 1 : leak)
//! ds[i] = a g[i] + sum over h of Ws[h, i] dn[h]                 du[i] = sum over h of Wu[h, i] dn[h]
//! dWs = sum of dn s    dbs = sum of dn    dWu = sum of dn u     dwp = sum of dt q    dbp = sum of dt
//! ```
//! *Inner* makes `q`, a map of a channel per unit, and one of `dt` and `a`. *Back* puts `dn` in the place of `q` and
//! `ds` in that of `g`, and adds `du` to what the raised map's other reader left. The sums are those of a last step
//! ([`crate::engine::wgsl::head_conv1x1`]): of gradient `dt` on `q`, which must be taken in between, and of gradient `dn` on `s` and on `u`.

use super::forward::{UNITS, column, map_words, parts, voxel};
use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::layout::Layout;
use crate::model::NEGATIVE_SLOPE;

const INNER: &str = "
struct Params {
    size: u32, units: u32, pitch: u32, first: u32,
    unit_pitch: u32, top_pitch: u32, negative_slope: f32, spare: u32,
    a: Map, b: Map,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> a: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> b: array<ChannelBlock>;
@group(0) @binding(4) var<storage, read> a_norm: array<ScaleShift>;
@group(0) @binding(5) var<storage, read> b_norm: array<ScaleShift>;
@group(0) @binding(6) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> units: array<ChannelBlock>;
@group(0) @binding(8) var<storage, read_write> top: array<ChannelBlock>;
";

const INNER_MAIN: &str = "
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.size) { return; }
    let z = p.first + id.y;
    let a_at = z * p.a.pitch + id.x;
    let psi = 2u * p.units * (p.a.channel_blocks + 1u);
    var sum = weights[psi].x;
    for (var h = 0u; h < p.units; h += 4u) {
        let n = units_of(h, a_at, z * p.b.pitch + id.x);
        let q = max(n, p.negative_slope * n);
        units[z * p.unit_pitch + h / 4u * p.size + id.x] = pack(q);
        sum += dot(q, weights[psi + 1u + h / 4u]);
    }
    let factor = factor_of(sum);
    var g = 0.0;
    for (var channel_block = 0u; channel_block < p.a.channel_blocks; channel_block += 1u) {
        let skip = norm_act(load(a[a_at + channel_block * p.size]), a_norm[channel_block], p.a.negative_slope);
        g += dot(load(gradient[z * p.pitch + channel_block * p.size + id.x]), skip);
    }
    top[z * p.top_pitch + id.x] = pack(vec4(factor * (1.0 - factor) * g, factor, 0.0, 0.0));
}
";

/// WGSL of *inner*.
pub fn inner() -> String {
    format!("{INNER}{UNITS}{INNER_MAIN}")
}

/// WGSL of *back*.
pub const BACK: &str = "
struct Params {
    size: u32, units: u32, pitch: u32, first: u32,
    unit_pitch: u32, top_pitch: u32, negative_slope: f32, channel_blocks: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> gradient: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read_write> units: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> top: array<ChannelBlock>;
@group(0) @binding(4) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> other: array<ChannelBlock>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= p.size) { return; }
    let z = p.first + id.y;
    let row = p.channel_blocks + 1u;
    let here = load(top[z * p.top_pitch + id.x]);
    let unit = z * p.unit_pitch + id.x;
    for (var h = 0u; h < p.units; h += 4u) {
        let at = unit + h / 4u * p.size;
        let g = select(vec4(p.negative_slope), vec4(1.0), load(units[at]) > vec4(0.0));
        units[at] = pack(here.x * weights[2u * p.units * row + 1u + h / 4u] * g);
    }
    for (var channel_block = 0u; channel_block < p.channel_blocks; channel_block += 1u) {
        let at = z * p.pitch + channel_block * p.size + id.x;
        var skip = here.y * load(gradient[at]);
        var up = load(other[at]);
        for (var h = 0u; h < p.units; h += 1u) {
            let g = load(units[unit + h / 4u * p.size])[h % 4u];
            skip += g * weights[h * row + 1u + channel_block];
            up += g * weights[(p.units + h) * row + 1u + channel_block];
        }
        gradient[at] = pack(skip);
        other[at] = pack(up);
    }
}
";

/// Numbers of both uniforms.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    /// Layouts and leaks of the skip and of the raised map.
    pub sources: [(Layout, f32); 2],
    /// Units of the attention.
    pub units: usize,
    /// First plane of the slab.
    pub first: usize,
    /// Planes of the slab.
    pub planes: usize,
}

impl Params {
    /// The map of a channel per unit, and that of `dt` and `a`.
    pub fn inner_maps(&self) -> [Layout; 2] {
        [self.units, 1].map(|channels| Layout::new(channels, self.sources[0].0.dims))
    }

    fn words(&self, last: usize) -> Vec<u32> {
        let map = self.sources[0].0;
        let [units, top] = self.inner_maps();
        let size = map.dims[0] * map.dims[1];
        let numbers = [size, self.units, map.pitch, self.first, units.pitch, top.pitch].map(|n| n as u32);
        numbers.into_iter().chain([NEGATIVE_SLOPE.to_bits(), last as u32]).collect()
    }

    /// Uniform of *inner*.
    pub fn inner_words(&self) -> Vec<u32> {
        let maps = map_words(self.sources.map(|(layout, negative_slope)| (layout, 0, negative_slope)));
        self.words(0).into_iter().chain(maps).collect()
    }

    /// Uniform of *back*.
    pub fn back_words(&self) -> Vec<u32> {
        self.words(self.sources[0].0.channel_blocks)
    }

    /// Workgroups of either.
    pub fn groups(&self) -> [u32; 3] {
        let [x, y, _] = self.sources[0].0.dims;
        [(x * y).div_ceil(64) as u32, self.planes as u32, 1]
    }
}

/// What the kernels make, `[channels or units, ...]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slopes {
    /// `q`
    pub q: Vec<f32>,
    /// `a`
    pub factor: Vec<f32>,
    /// `dt`
    pub dt: Vec<f32>,
    /// `dn`
    pub dn: Vec<f32>,
    /// `ds`
    pub skip: Vec<f32>,
    /// `du`
    pub up: Vec<f32>,
}

/// The formulas as they stand; maps are `[c, ...]` with lines by channel.
pub fn reference(
    gradient: &[f32],
    all: &[f32],
    units: usize,
    (skip, skip_norm): (&[f32], &[ScaleShift]),
    (up, up_norm): (&[f32], &[ScaleShift]),
) -> Slopes {
    let channels = skip_norm.len();
    let volume = skip.len() / channels;
    let [ws, _, wu, wp, _] = parts(all, channels, units);
    let zeros = |rows: usize| vec![0.0; rows * volume];
    let mut found = Slopes {
        q: zeros(units),
        factor: zeros(1),
        dt: zeros(1),
        dn: zeros(units),
        skip: zeros(channels),
        up: zeros(channels),
    };
    for at in 0..volume {
        let s = column(skip, skip_norm, at);
        let (n, a) = voxel(all, &s, &column(up, up_norm, at), units);
        let g = |c: usize| f64::from(gradient[c * volume + at]);
        let dt = a * (1.0 - a) * (0..channels).map(|c| g(c) * s[c]).sum::<f64>();
        let slope = |n: f64| if n > 0.0 { 1.0 } else { f64::from(NEGATIVE_SLOPE) };
        let dn: Vec<f64> = n.iter().zip(wp).map(|(n, wp)| dt * f64::from(*wp) * slope(*n)).collect();
        (found.factor[at], found.dt[at]) = (a as f32, dt as f32);
        for (h, (n, dn)) in n.iter().zip(&dn).enumerate() {
            found.q[h * volume + at] = (n * slope(*n)) as f32;
            found.dn[h * volume + at] = *dn as f32;
        }
        for c in 0..channels {
            let back = |w: &[f32]| {
                dn.iter().enumerate().map(|(h, dn)| dn * f64::from(w[h * channels + c])).sum::<f64>()
            };
            found.skip[c * volume + at] = (a * g(c) + back(ws)) as f32;
            found.up[c * volume + at] = back(wu) as f32;
        }
    }
    found
}
