//! Numbers brought into another order by a table: parameters into the order in which a kernel reads them, and a
//! kernel's gradients into the order of the parameters.
//!
//! ```text
//! y[n] = table[n] == 0 ? 0 : x[table[n] - 1]        or  y[n] += ...
//! ```
//! The `pack` functions of the forward kernels make the tables: run on 1, 2, 3... they say where each number comes
//! from ([`table`]), and the other way round where it went ([`inverse`]). Nothing has to be read back from the GPU.

/// WGSL.
pub const WGSL: &str = "
struct Params { count: u32, start: u32, source_start: u32, add: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = id.y * 2097152u + id.x;
    if (n >= p.count) { return; }
    var value = 0.0;
    if (table[n] > 0u) { value = values[p.source_start + table[n] - 1u]; }
    if (p.add == 1u) { value += output[p.start + n]; }
    output[p.start + n] = value;
}
";

/// Uniform: how many, from where in the output, from where in the values, and whether they are added.
pub fn words(count: usize, start: usize, source_start: usize, add: bool) -> Vec<u32> {
    vec![count as u32, start as u32, source_start as u32, u32::from(add)]
}

/// Workgroups.
pub fn groups(count: usize) -> [u32; 3] {
    let all = count.div_ceil(64);
    [all.min(32768) as u32, all.div_ceil(32768) as u32, 1]
}

/// The table of a `pack` of `count` numbers. It counts in f32, which is exact up to 2^24: `pack` sees the numbers in
/// two halves.
pub fn table(count: usize, pack: impl Fn(&[f32]) -> Vec<f32>) -> Vec<u32> {
    let part = |shift: usize| pack(&(1..=count).map(|n| (n >> shift & 0xFFF) as f32).collect::<Vec<_>>());
    part(12).iter().zip(&part(0)).map(|(high, low)| (*high as u32) << 12 | *low as u32).collect()
}

/// The way back from a table: of each of `count` numbers, where it went.
pub fn inverse(table: &[u32], count: usize) -> Vec<u32> {
    let mut back = vec![0; count];
    for (place, &number) in table.iter().enumerate() {
        if number > 0 {
            back[number as usize - 1] = place as u32 + 1;
        }
    }
    back
}

/// The formula as it stands.
pub fn reference(values: &[f32], table: &[u32], before: Option<&[f32]>) -> Vec<f32> {
    let value = |n: usize| if table[n] == 0 { 0.0 } else { values[table[n] as usize - 1] };
    (0..table.len()).map(|n| value(n) + before.map_or(0.0, |before| before[n])).collect()
}
