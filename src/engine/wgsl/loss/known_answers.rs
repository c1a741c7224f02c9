//! What the kernels must answer before their first use.

use super::shader;
use crate::engine::nn::loss::Weighting;
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::wgsl::kernel::{Found, KnownAnswer};
use crate::engine::wgsl::known_answer::{DIMS, SLAB, all, blank, bytes, floats, known_answer, planes};
use crate::engine::wgsl::layout::{Layout, Precision};
use crate::engine::wgsl::slab::Slab;

/// Labels: two blocks of their gradient.
const OUTPUTS: usize = 5;

fn slab_of_labels(dims: [usize; 3]) -> Slab {
    Slab { map: Layout::new(OUTPUTS, dims), first: SLAB.0, planes: SLAB.1 }
}

/// Logits, some of them large, a target, and how much each voxel counts.
struct Voxels {
    logits: Vec<f32>,
    target: Vec<f32>,
    overlap: Vec<f32>,
    entropy: Vec<f32>,
}

impl Voxels {
    fn new(dims: [usize; 3]) -> Self {
        let volume = dims.iter().product::<usize>();
        let logits = pseudo_random(OUTPUTS * volume, 1)
            .iter()
            .map(|v| if *v > 0.95 { 60.0 } else { 4.0 * v })
            .collect();
        let target = pseudo_random(OUTPUTS * volume, 2).iter().map(|v| f32::from(*v > 0.0)).collect();
        let counts = |seed| pseudo_random(volume, seed).iter().map(|v| v.max(0.0)).collect();
        Self { logits, target, overlap: counts(4), entropy: counts(5) }
    }

    /// As the kernels read them; what fills up a plane is not to be looked at.
    fn buffers(&self, dims: [usize; 3]) -> [Vec<u8>; 2] {
        let (size, weighting) =
            (dims[0] * dims[1], Weighting { overlap: &self.overlap, entropy: &self.entropy });
        let target = shader::pack(&self.target, Some(&weighting), OUTPUTS, dims);
        let rows = OUTPUTS + 2;
        // The same layout, without the two channels of weights.
        let packed = shader::pack(&self.logits, None, OUTPUTS, dims);
        let logits =
            packed.chunks_exact(size.next_multiple_of(4)).enumerate().filter(|(n, _)| n % rows < OUTPUTS);
        let logits: Vec<f32> = logits.flat_map(|(_, row)| row.to_vec()).collect();
        [logits, target].map(|mut packed| {
            packed.chunks_exact_mut(size.next_multiple_of(4)).for_each(|row| row[size..].fill(30.0));
            bytes(&packed)
        })
    }
}

pub fn sums(dims: [usize; 3]) -> KnownAnswer {
    let (voxels, slab) = (Voxels::new(dims), slab_of_labels(dims));
    let (slot, total) = (1, shader::slots(&slab) + 2);
    let size = dims[0] * dims[1];
    let terms = |output: usize, voxel: usize| {
        let at = output * size * dims[2] + voxel;
        let [l, y] = [voxels.logits[at], voxels.target[at]].map(f64::from);
        let [a, e] = [voxels.overlap[voxel], voxels.entropy[voxel]].map(f64::from);
        let p = 1.0 / (1.0 + (-l).exp());
        [a * p * y, a * p, a * y, e * (l.max(0.0) - l * y + (-l.abs()).exp().ln_1p())]
    };
    let inside = size * SLAB.0..size * (SLAB.0 + SLAB.1);
    let sum = |output: usize, n: usize| inside.clone().map(|v| terms(output, v)[n]).sum::<f64>() as f32;
    let expected = (0..OUTPUTS).flat_map(|output| (0..4).map(move |n| (output, n)));
    let expected = expected.map(|(output, n)| sum(output, n)).collect();
    let found: Found = Box::new(move |bytes| {
        let all = floats(bytes);
        let one = |n: usize| (slot..total - 1).map(|slot| all[(n / 4 * total + slot) * 4 + n % 4]).sum();
        (0..4 * OUTPUTS).map(one).collect()
    });
    let [logits, target] = voxels.buffers(dims);
    let words = shader::sums_words(&slab, OUTPUTS, slot, total);
    let buffers = vec![logits, target, blank(4 * OUTPUTS * total)];
    known_answer(words, buffers, shader::sums_groups(&slab, OUTPUTS), (2, expected, found))
}

/// Sums as of some ten voxels, so that all coefficients count.
pub fn total(look: usize, entropy: bool) -> KnownAnswer {
    let (total, voxels, share, before) = (70, 10, 0.5, 3.0);
    let each_voxel = f32::from(entropy) / voxels as f32;
    let sums: Vec<f32> = pseudo_random(OUTPUTS * total * 4, 1).iter().map(|v| 0.1 * (v + 1.0)).collect();
    let (mut value, mut coefficients) = (before, Vec::new());
    for slots in sums.chunks_exact(4 * total) {
        let sum = |n: usize| slots.iter().skip(n).step_by(4).sum::<f32>();
        let (over, under) = (2.0 * sum(0) + 1.0, sum(1) + sum(2) + 1.0);
        let each = share / OUTPUTS as f32;
        value += each * (sum(3) * each_voxel - over / under);
        coefficients.extend([2.0 / under, over / under / under, each_voxel, 0.0].map(|n| each * n));
    }
    let expected = if look == 1 { coefficients } else { vec![value, 0.0, 0.0, 0.0] };
    let buffers = vec![bytes(&sums), blank(4 * OUTPUTS), bytes(&[before, 0.0, 0.0, 0.0])];
    let end = shader::End { total, outputs: OUTPUTS, voxels, share, entropy, fresh: false };
    known_answer(end.words(), buffers, [1, 1, 1], all(look, expected))
}

pub fn backward() -> KnownAnswer {
    let (voxels, slab) = (Voxels::new(DIMS), slab_of_labels(DIMS));
    let coefficients = pseudo_random(OUTPUTS * 4, 3);
    let volume: usize = DIMS.iter().product();
    let g = |n: usize| {
        let (p, y) = (1.0 / (1.0 + (-voxels.logits[n]).exp()), voxels.target[n]);
        let (a, e) = (voxels.overlap[n % volume], voxels.entropy[n % volume]);
        let [u, w, k] = [0, 1, 2].map(|part| coefficients[n / volume * 4 + part]);
        a * p * (1.0 - p) * (w - u * y) + e * k * (p - y)
    };
    let whole: Vec<f32> = (0..OUTPUTS * volume).map(g).collect();
    let [logits, target] = voxels.buffers(DIMS);
    gradient(vec![logits, target, bytes(&coefficients)], slab, &whole)
}

pub fn given() -> KnownAnswer {
    let voxels = Voxels::new(DIMS);
    let [given, _] = voxels.buffers(DIMS);
    gradient(vec![given], slab_of_labels(DIMS), &voxels.logits)
}

/// What leaves a gradient `whole` of the logits, in the buffer after those that it reads.
fn gradient(mut buffers: Vec<Vec<u8>>, slab: Slab, whole: &[f32]) -> KnownAnswer {
    let look = buffers.len();
    buffers.push(blank(4 * slab.map.pitch * DIMS[2]));
    let found: Found = Box::new(move |bytes| {
        slab.map.unpack(&bytes[slab.first * slab.map.pitch * 16..], OUTPUTS, slab.planes, Precision::F32)
    });
    let words = shader::back_words(&slab, OUTPUTS);
    known_answer(words, buffers, slab.groups(), (look, planes(whole, DIMS, SLAB), found))
}
