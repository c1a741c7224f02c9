//! Squeeze-and-excite on the parameters of the normalisation before it ([`crate::engine::nn::scale_shift`] says why).
//!
//! ```text
//! s = relu(Ws beta + bs)     e = We s + be     f = 1 / (1 + exp(-e))     gamma' = f gamma     beta' = f beta
//! df = gamma dgamma' + beta dbeta'       de = f (1 - f) df       ds = (We^T de) where s > 0
//! dgamma = f dgamma'    dbeta = f dbeta' + Ws^T ds    dWe = de s^T    dbe = de    dWs = ds beta^T    dbs = ds
//! ```
//! One workgroup: these are a few thousand numbers. All six tensors lie in one buffer of parameters, and their
//! gradients in the same places of one of gradients, to which they are added.

/// Units of the narrow layer that the kernels take.
pub const MOST_NARROW: usize = 64;
/// Channels that the kernels take.
pub const MAX_CHANNELS: usize = 1024;

/// Where the tensors begin among the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    /// Channels.
    pub channels: usize,
    /// Units of the narrow layer.
    pub narrow: usize,
    /// `gamma`.
    pub gamma: usize,
    /// `beta`.
    pub beta: usize,
    /// Weight `[narrow, channels]` and bias of the squeeze layer.
    pub squeeze: [usize; 2],
    /// Weight `[channels, narrow]` and bias of the excite layer.
    pub excite: [usize; 2],
}

impl Params {
    /// As the shaders read them; the groups are `[1, 1, 1]`.
    pub fn words(&self) -> Vec<u32> {
        let ([squeeze, squeeze_bias], [excite, excite_bias]) = (self.squeeze, self.excite);
        let places = [self.gamma, self.beta, squeeze, squeeze_bias, excite, excite_bias];
        [self.channels, self.narrow].iter().chain(&places).map(|&n| n as u32).collect()
    }
}

const HEAD: &str = "
struct Params {
    channels: u32, narrow: u32, gamma: u32, beta: u32,
    squeeze: u32, squeeze_bias: u32, excite: u32, excite_bias: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
";

const FORWARD: &str = "
var<workgroup> narrow: array<f32, 64>;

fn squeeze(me: u32) {
    if (me < p.narrow) {
        var sum = w[p.squeeze_bias + me];
        for (var c = 0u; c < p.channels; c += 1u) { sum += w[p.squeeze + me * p.channels + c] * w[p.beta + c]; }
        narrow[me] = max(sum, 0.0);
    }
}

fn factor(c: u32) -> f32 {
    var sum = w[p.excite_bias + c];
    for (var n = 0u; n < p.narrow; n += 1u) { sum += w[p.excite + c * p.narrow + n] * narrow[n]; }
    return 1.0 / (1.0 + exp(-clamp(sum, -80.0, 80.0)));
}
";

/// WGSL of the way there: gamma' and beta' as [`crate::engine::wgsl::norm_act::forward::pack`].
pub fn forward() -> String {
    format!(
        "{HEAD}@group(0) @binding(2) var<storage, read_write> output: array<f32>;
{FORWARD}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) me: u32) {{
    squeeze(me);
    workgroupBarrier();
    for (var c = me; c < (p.channels + 3u) / 4u * 4u; c += 64u) {{
        var pair = vec2(0.0);
        if (c < p.channels) {{ pair = factor(c) * vec2(w[p.gamma + c], w[p.beta + c]); }}
        output[c / 4u * 8u + c % 4u] = pair.x;
        output[c / 4u * 8u + 4u + c % 4u] = pair.y;
    }}
}}
"
    )
}

/// WGSL of the way back, from the gradients that *end* of [`crate::engine::wgsl::norm_act`] left.
pub fn back() -> String {
    format!(
        "{HEAD}@group(0) @binding(2) var<storage, read> scaled: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
{FORWARD}
var<workgroup> wide_slope: array<f32, 1024>;
var<workgroup> narrow_slope: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) me: u32) {{
    squeeze(me);
    workgroupBarrier();
    for (var c = me; c < p.channels; c += 64u) {{
        let f = factor(c);
        let at = c / 4u * 8u + c % 4u;
        let g = f * (1.0 - f) * (w[p.gamma + c] * scaled[at] + w[p.beta + c] * scaled[at + 4u]);
        wide_slope[c] = g;
        gradient[p.gamma + c] += f * scaled[at];
        gradient[p.beta + c] += f * scaled[at + 4u];
        gradient[p.excite_bias + c] += g;
        for (var n = 0u; n < p.narrow; n += 1u) {{ gradient[p.excite + c * p.narrow + n] += g * narrow[n]; }}
    }}
    workgroupBarrier();
    if (me < p.narrow) {{
        var sum = 0.0;
        for (var c = 0u; c < p.channels; c += 1u) {{ sum += w[p.excite + c * p.narrow + me] * wide_slope[c]; }}
        sum = select(0.0, sum, narrow[me] > 0.0);
        narrow_slope[me] = sum;
        gradient[p.squeeze_bias + me] += sum;
    }}
    workgroupBarrier();
    for (var c = me; c < p.channels; c += 64u) {{
        var sum = 0.0;
        for (var n = 0u; n < p.narrow; n += 1u) {{
            sum += w[p.squeeze + n * p.channels + c] * narrow_slope[n];
            gradient[p.squeeze + n * p.channels + c] += narrow_slope[n] * w[p.beta + c];
        }}
        gradient[p.beta + c] += sum;
    }}
}}
"
    )
}

/// `s` and `f` as they stand.
fn layers(params: &Params, w: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let Params { channels, narrow, beta, squeeze, excite, .. } = *params;
    let at = |n: usize| f64::from(w[n]);
    let unit = |n: usize| {
        let sum: f64 = (0..channels).map(|c| at(squeeze[0] + n * channels + c) * at(beta + c)).sum();
        (at(squeeze[1] + n) + sum).max(0.0)
    };
    let s: Vec<f64> = (0..narrow).map(unit).collect();
    let factor = |c: usize| {
        let sum: f64 = (0..narrow).map(|n| at(excite[0] + c * narrow + n) * s[n]).sum();
        1.0 / (1.0 + (-at(excite[1] + c) - sum).exp())
    };
    let f = (0..channels).map(factor).collect();
    (s, f)
}

/// The way there as it stands: `[gamma', beta']` of each channel from all parameters.
pub fn reference(params: &Params, w: &[f32]) -> Vec<[f32; 2]> {
    let (_, f) = layers(params, w);
    let scaled = |place: usize, c: usize| (f[c] * f64::from(w[place + c])) as f32;
    (0..params.channels).map(|c| [scaled(params.gamma, c), scaled(params.beta, c)]).collect()
}

/// The way back as it stands: what is added to the gradient of all parameters, from that of `[gamma', beta']`.
pub fn back_reference(params: &Params, w: &[f32], scaled: &[[f32; 2]]) -> Vec<f32> {
    let Params { channels, narrow, gamma, beta, squeeze, excite } = *params;
    let (s, f) = layers(params, w);
    let at = |n: usize| f64::from(w[n]);
    let mut gradient = vec![0f64; w.len()];
    let wide = |c: usize| {
        let [gamma_slope, beta_slope] = scaled[c].map(f64::from);
        f[c] * (1.0 - f[c]) * (at(gamma + c) * gamma_slope + at(beta + c) * beta_slope)
    };
    for c in 0..channels {
        gradient[gamma + c] += f[c] * f64::from(scaled[c][0]);
        gradient[beta + c] += f[c] * f64::from(scaled[c][1]);
        gradient[excite[1] + c] += wide(c);
        (0..narrow).for_each(|n| gradient[excite[0] + c * narrow + n] += wide(c) * s[n]);
    }
    for n in (0..narrow).filter(|&n| s[n] > 0.0) {
        let g: f64 = (0..channels).map(|c| at(excite[0] + c * narrow + n) * wide(c)).sum();
        gradient[squeeze[1] + n] += g;
        for c in 0..channels {
            gradient[squeeze[0] + n * channels + c] += g * at(beta + c);
            gradient[beta + c] += g * at(squeeze[0] + n * channels + c);
        }
    }
    gradient.into_iter().map(|value| value as f32).collect()
}
