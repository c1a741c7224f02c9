//! The variant in which every invocation reads for itself.

use super::forward::{Params, ROW};
use super::rows::{HEAD, products, store, sums};
use crate::engine::wgsl::layout::Layout;

/// The same of the direct variant, which has no one to share its weights with: the longer, the fewer reads.
const ROWS: [usize; 4] = [8, 12, 16, 24];
/// Invocations of a workgroup of the direct variant.
const WORKGROUP: usize = 64;

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
