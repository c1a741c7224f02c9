//! WGSL that both variants share: the bindings, the sums of a row of voxels, and how they are stored.

/// Uniform and bindings.
pub const HEAD: &str = "
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

/// The additions of one row of input to `row` voxels; `weight` names a channel block by dx, input channel and half.
pub fn products(text: &mut String, row: usize, weight: impl Fn(usize, usize, usize) -> String) {
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
pub fn sums(row: usize) -> String {
    (0..2).flat_map(|half| (0..row).map(move |v| format!("var s{half}_{v} = vec4(0.0);\n"))).collect()
}

/// Stores the sums and their moments; `x0`, `y`, `z`, `block` say where.
pub fn store(row: usize) -> String {
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
