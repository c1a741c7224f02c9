//! 3^3 convolution of one or two maps' channels, zero padding.
//!
//! ```text
//! y[o, z, y, x] = sum over i, dz, dy, dx of  w[o, i, dz, dy, dx] * norm_act_i(x[i, z + dz - 1, y + dy - 1, x + dx - 1])
//! ```
//!
//! The channels of the second map follow those of the first: that is the concat, which is never built. An
//! invocation has eight voxels in a row and eight output channels in registers (64 sums); of each row of input it
//! reads ten channel_blocks and 24 of weights, for 768 products. It leaves the moments of its values for [`super::norm`].
//!
//! Two variants, the same numbers. *Direct* reads all from memory: right where there is no fast shared memory
//! (software adapters). *Tiled* has a workgroup read its box of input and its weights once into shared memory: at
//! 32 channels one read from memory for 90 products ([`tiled_loads`]).

use crate::engine::nn::scale_shift::ScaleShift;
use crate::engine::wgsl::layout::Layout;

/// Voxels in a row of one invocation.
pub const ROW: usize = 8;
/// Output channels of one invocation.
pub const OUTPUTS: usize = 8;
/// The same of the direct variant, which has no one to share its weights with: the longer, the fewer reads.
const ROWS: [usize; 4] = [8, 12, 16, 24];
/// Invocations of a workgroup of the direct variant.
pub const WORKGROUP: usize = 64;

/// Numbers of the uniform, in order.
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
    /// Layout, beginning and leak of each source.
    pub sources: [(Layout, usize, f32); 2],
}

impl Params {
    /// As the shader reads them.
    pub fn words(&self) -> Vec<u32> {
        let [x, y, z] = self.output.dims;
        let size =
            [x, y, z, self.output.channel_blocks, self.output.pitch, self.start, self.first, self.planes];
        let mut words: Vec<u32> = size.iter().map(|&n| n as u32).collect();
        for (layout, start, negative_slope) in self.sources {
            words.extend([
                layout.channel_blocks as u32,
                layout.pitch as u32,
                start as u32,
                negative_slope.to_bits(),
            ]);
        }
        words
    }
}

const HEAD: &str = "
struct Params {
    x: u32, y: u32, z: u32, channel_blocks: u32,
    pitch: u32, start: u32, first: u32, planes: u32,
    a: Map, b: Map,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<ChannelBlock>;
@group(0) @binding(2) var<storage, read> b: array<ChannelBlock>;
@group(0) @binding(3) var<storage, read> a_norm: array<ScaleShift>;
@group(0) @binding(4) var<storage, read> b_norm: array<ScaleShift>;
@group(0) @binding(5) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> output: array<ChannelBlock>;
@group(0) @binding(7) var<storage, read_write> moments: array<Moments>;
";

/// Weights `[o / 8, i / 4, dz, dy, dx, i % 4, o / 4 % 2]` as channel_blocks of `o % 4` from `[o, i, 3, 3, 3]`; the channels of
/// each source are filled up to fours by zeros.
pub fn pack(weight: &[f32], sources: &[usize], outputs: usize) -> Vec<f32> {
    let inputs: usize = sources.iter().sum();
    let channel_blocks: usize = sources.iter().map(|channels| channels.div_ceil(4)).sum();
    let mut packed = vec![0.0; outputs.div_ceil(8) * channel_blocks * 27 * 32];
    for output in 0..outputs {
        let (mut input, mut channel_block) = (0, 0);
        for &channels in sources {
            for channel in 0..channels {
                for tap in 0..27 {
                    let block = (output / 8 * channel_blocks + channel_block + channel / 4) * 27 + tap;
                    let at = ((block * 4 + channel % 4) * 2 + output / 4 % 2) * 4 + output % 4;
                    packed[at] = weight[(output * inputs + input + channel) * 27 + tap];
                }
            }
            input += channels;
            channel_block += channels.div_ceil(4);
        }
    }
    packed
}

/// Moments left by a slab: one per row of an invocation, row by row, plane by plane, channel_block after channel_block.
pub fn moments(output: &Layout, planes: usize, row: usize) -> usize {
    let [x, y, _] = output.dims;
    x.div_ceil(row) * y * planes
}

/// The row length of the direct variant that costs least: what an invocation reads whatever its length was measured
/// as eight voxels' worth.
pub fn direct_row(output: &Layout) -> usize {
    let cost = |row: &usize| output.dims[0].div_ceil(*row) * (8 + row);
    ROWS.into_iter().min_by_key(cost).unwrap_or(ROW)
}

/// Workgroups of the direct variant.
pub fn direct_groups(params: &Params, row: usize) -> [u32; 3] {
    let [x, y, _] = params.output.dims;
    let rows = x.div_ceil(row) * y;
    [rows.div_ceil(WORKGROUP) as u32, params.planes as u32, params.output.channel_blocks.div_ceil(2) as u32]
}

/// The additions of one row of input to `row` voxels; `weight` names a channel_block by dx, input channel and half.
fn products(text: &mut String, row: usize, weight: impl Fn(usize, usize, usize) -> String) {
    for dx in 0..3 {
        for half in 0..2 {
            for (channel, letter) in ["x", "y", "z", "w"].iter().enumerate() {
                *text += &format!("let w{dx}{half}{letter} = {};\n", weight(dx, channel, half));
            }
            let w = format!("w{dx}{half}");
            for voxel in 0..row {
                let i = format!("i{}", voxel + dx);
                *text += &format!(
                    "s{half}_{voxel} += {i}.x * {w}x + {i}.y * {w}y + {i}.z * {w}z + {i}.w * {w}w;\n"
                );
            }
        }
    }
}

/// Sums set to zero.
fn sums(row: usize) -> String {
    (0..2).flat_map(|half| (0..row).map(move |v| format!("var s{half}_{v} = vec4(0.0);\n"))).collect()
}

/// Stores the sums and their moments; `x0`, `y`, `z`, `block` say where.
fn store(row: usize) -> String {
    let mut text = format!(
        "let left = p.x - x0;
        let count = f32(min({row}u, left));
        let rows = (p.x + {row}u - 1u) / {row}u;
        let mine = ((z - p.first) * p.y + y) * rows + x0 / {row}u;\n"
    );
    for half in 0..2 {
        let each = |term: &dyn Fn(usize) -> String| {
            let one = |v: usize| format!("select(vec4(0.0), {}, {v}u < left)", term(v));
            (0..row).map(one).collect::<Vec<_>>().join(" + ")
        };
        let sum = each(&|v| format!("s{half}_{v}"));
        let m2 = each(&|v| format!("(s{half}_{v} - mean) * (s{half}_{v} - mean)"));
        text += &format!(
            "if (2u * block + {half}u < p.channel_blocks) {{
                let channel_block = 2u * block + {half}u;
                let at = (z - p.start) * p.pitch + (channel_block * p.y + y) * p.x + x0;\n"
        );
        for v in 0..row {
            text += &format!("if ({v}u < left) {{ output[at + {v}u] = pack(s{half}_{v}); }}\n");
        }
        text += &format!(
            "   let mean = ({sum}) / count;
                moments[channel_block * p.planes * p.y * rows + mine] = Moments(vec4(count), mean, {m2});
            }}\n"
        );
    }
    text
}

/// The variant in which every invocation reads for itself.
pub fn direct(row: usize) -> String {
    let mut text = format!(
        "{HEAD}
@compute @workgroup_size({WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let across = (p.x + {row}u - 1u) / {row}u;
    if (id.x >= across * p.y) {{ return; }}
    let x0 = id.x % across * {row}u;
    let y = id.x / across;
    let z = p.first + id.y;
    let block = id.z;
    var w = block * (p.a.channel_blocks + p.b.channel_blocks) * 216u;
    {}",
        sums(row)
    );
    // Twice the same loop: sums that live across a choice between two maps went to memory, at half the speed.
    for map in ["a", "b"] {
        text += &format!(
            "for (var channel_block = 0u; channel_block < p.{map}.channel_blocks; channel_block += 1u) {{
            let scale_shift = {map}_norm[channel_block];
            for (var d = 0u; d < 9u; d += 1u) {{
                let source_z = z + d / 3u - 1u;
                let source_y = y + d % 3u - 1u;
                if (source_z < p.z && source_y < p.y) {{
                let at = (source_z - p.{map}.start) * p.{map}.pitch + (channel_block * p.y + source_y) * p.x;
                let v = w + d * 24u;\n"
        );
        for i in 0..row + 2 {
            let (x, inside) = match i {
                0 => ("max(x0, 1u) - 1u".to_owned(), "x0 > 0u".to_owned()),
                _ => (format!("min(x0 + {}u, p.x - 1u)", i - 1), format!("x0 + {}u < p.x", i - 1)),
            };
            text += &format!(
                "let i{i} = select(vec4(0.0), norm_act(load({map}[at + {x}]), scale_shift, p.{map}.negative_slope), {inside});\n"
            );
        }
        products(&mut text, row, |dx, channel, half| {
            format!("weights[v + {}u]", (dx * 4 + channel) * 2 + half)
        });
        text += "}}\nw += 216u;\n}\n";
    }
    text + &store(row) + "}\n"
}

/// Rows of the tile along y and z, for a workgroup of so many blocks of output channels.
fn tile(blocks: u32) -> (u32, u32) {
    match blocks {
        4 => (4, 4),
        2 => (8, 4),
        _ => (8, 4),
    }
}

/// How many blocks of eight output channels a workgroup of the tiled variant takes on.
pub fn tiled_blocks(output: &Layout) -> u32 {
    match output.channel_blocks.div_ceil(2) {
        1 => 1,
        2 | 3 => 2,
        _ => 4,
    }
}

/// Workgroups of the tiled variant.
pub fn tiled_groups(params: &Params, blocks: u32) -> [u32; 3] {
    let [x, y, _] = params.output.dims;
    let (rows, planes) = tile(blocks);
    let across = x.div_ceil(ROW) as u32;
    let all = params.output.channel_blocks.div_ceil(2) as u32;
    [across * (y as u32).div_ceil(rows), (params.planes as u32).div_ceil(planes), all.div_ceil(blocks)]
}

/// Numbers that a workgroup of the tiled variant reads from memory per channel_block of input, and the products that it
/// makes of them. A test counts the same from the loops of the shader.
pub fn tiled_loads(blocks: u32) -> (u32, u32) {
    let (rows, planes) = tile(blocks);
    let halo = (ROW as u32 + 2) * (rows + 2) * (planes + 2);
    (4 * (halo + 27 * 8 * blocks), ROW as u32 * rows * planes * OUTPUTS as u32 * blocks * 4 * 27)
}

/// The variant in which a workgroup shares what it reads.
pub fn tiled(blocks: u32) -> String {
    let (rows, planes) = tile(blocks);
    let (high, deep) = (rows + 2, planes + 2);
    let halo = 10 * high * deep;
    let threads = rows * planes * blocks;
    let taps = 72 * blocks;
    let mut text = format!(
        "{HEAD}
var<workgroup> region: array<vec4<f32>, {halo}>;
var<workgroup> taps: array<vec4<f32>, {taps}>;

@compute @workgroup_size({threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {{
    let across = (p.x + 7u) / 8u;
    let x0 = group.x % across * 8u;
    let top = group.x / across * {rows}u;
    let near = p.first + group.y * {planes}u;
    let row = me % {rows}u;
    let plane = me / {rows}u % {planes}u;
    let mine = me / {}u;
    let block = group.z * {blocks}u + mine;
    {}",
        rows * planes,
        sums(ROW)
    );
    text += &format!(
        "for (var channel_block = 0u; channel_block < p.a.channel_blocks + p.b.channel_blocks; channel_block += 1u) {{
            workgroupBarrier();
            for (var n = me; n < {halo}u; n += {threads}u) {{
                let x = x0 + n % 10u - 1u;
                let y = top + n / 10u % {high}u - 1u;
                let z = near + n / {}u - 1u;
                var value = vec4(0.0);
                // Planes past the slab's last neighbour are no one's, and may not be in the buffer.
                if (x < p.x && y < p.y && z < min(p.z, p.first + p.planes + 1u)) {{\n",
        10 * high
    );
    for (map, head, channel) in [
        ("a", "if (channel_block < p.a.channel_blocks) {", "channel_block"),
        ("b", "} else {", "(channel_block - p.a.channel_blocks)"),
    ] {
        text += &format!(
            "{head}
            let at = (z - p.{map}.start) * p.{map}.pitch + ({channel} * p.y + y) * p.x + x;
            value = norm_act(load({map}[at]), {map}_norm[{channel}], p.{map}.negative_slope);\n"
        );
    }
    text += &format!(
        "       }} }}
                region[n] = value;
            }}
            for (var dz = 0u; dz < 3u; dz += 1u) {{
                workgroupBarrier();
                for (var n = me; n < {taps}u; n += {threads}u) {{
                    let theirs = group.z * {blocks}u + n / 72u;
                    let at = ((theirs * (p.a.channel_blocks + p.b.channel_blocks) + channel_block) * 3u + dz) * 72u + n % 72u;
                    taps[n] = weights[min(at, arrayLength(&weights) - 1u)];
                }}
                workgroupBarrier();
                for (var dy = 0u; dy < 3u; dy += 1u) {{
                    let at = ((plane + dz) * {high}u + row + dy) * 10u;
                    let v = mine * 72u + dy * 24u;\n"
    );
    for i in 0..ROW + 2 {
        text += &format!("let i{i} = region[at + {i}u];\n");
    }
    products(&mut text, ROW, |dx, channel, half| format!("taps[v + {}u]", (dx * 4 + channel) * 2 + half));
    text += "}}\n}\n";
    text += "let y = top + row;
    let z = near + plane;
    if (y < p.y && z < p.first + p.planes) {\n";
    text + &store(ROW) + "}}\n"
}

/// The formula as it stands: `sources` are maps `[c, z, y, x]` with a line per channel, `weight` is `[o, i, 3, 3, 3]`.
pub fn reference(
    sources: &[(&[f32], &[ScaleShift])],
    weight: &[f32],
    outputs: usize,
    [x, y, z]: [usize; 3],
) -> Vec<f32> {
    let volume = x * y * z;
    let channels: Vec<(&[f32], ScaleShift)> = sources
        .iter()
        .flat_map(|(values, scale_shifts)| values.chunks_exact(volume).zip(scale_shifts.iter().copied()))
        .collect();
    let value = |output: usize, at: [usize; 3]| {
        let mut sum = 0.0;
        for (input, (values, scale_shift)) in channels.iter().enumerate() {
            for tap in 0..27 {
                let [sx, sy, sz] =
                    [at[0] + tap % 3, at[1] + tap / 3 % 3, at[2] + tap / 9].map(|n| n.wrapping_sub(1));
                if sx < x && sy < y && sz < z {
                    let w = weight[(output * channels.len() + input) * 27 + tap];
                    sum += f64::from(w) * f64::from(scale_shift.at(values[(sz * y + sy) * x + sx]));
                }
            }
        }
        sum as f32
    };
    (0..outputs * volume).map(|i| value(i / volume, [i % x, i / x % y, i / (x * y) % z])).collect()
}
