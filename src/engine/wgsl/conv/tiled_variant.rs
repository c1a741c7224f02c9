//! The variant in which a workgroup shares what it reads.

use super::forward::{OUTPUTS, Params, ROW};
use super::rows::{HEAD, products, store, sums};
use crate::engine::wgsl::layout::Layout;

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

/// Numbers that a workgroup of the tiled variant reads from memory per channel block of input, and the products that it
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
    text += &read_region(threads, halo, high);
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

/// The box of input of one channel block, read into shared memory by all invocations of the workgroup.
fn read_region(threads: u32, halo: u32, high: u32) -> String {
    let mut text = format!(
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
    text
}
