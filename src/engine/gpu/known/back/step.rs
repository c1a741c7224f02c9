//! The questions for the kernels of training that are no step of the network: loss, sums, parameters, optimiser.

use super::super::{DIMS, Found, SLAB, Trial, bytes, floats, planes};
use super::{all, blank, trial};
use crate::engine::adam::{Settings, Step};
use crate::engine::bench::noise;
use crate::engine::loss::Weighting;
use crate::kernels::back::{
    Back, Slab, adamw as optimiser, excite as factors, gather as order, loss, sum as parts,
};
use crate::kernels::{Layout, Precision, norm};

/// Labels: two quads of their gradient.
const OUTPUTS: usize = 5;

fn slab(dims: [usize; 3]) -> Slab {
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
        let logits =
            noise(OUTPUTS * volume, 1).iter().map(|v| if *v > 0.95 { 60.0 } else { 4.0 * v }).collect();
        let target = noise(OUTPUTS * volume, 2).iter().map(|v| f32::from(*v > 0.0)).collect();
        let counts = |seed| noise(volume, seed).iter().map(|v| v.max(0.0)).collect();
        Self { logits, target, overlap: counts(4), entropy: counts(5) }
    }

    /// As the kernels read them; what fills up a plane is not to be looked at.
    fn buffers(&self, dims: [usize; 3]) -> [Vec<u8>; 2] {
        let (size, weighting) =
            (dims[0] * dims[1], Weighting { overlap: &self.overlap, entropy: &self.entropy });
        let target = loss::pack(&self.target, Some(&weighting), OUTPUTS, dims);
        let rows = OUTPUTS + 2;
        // The same layout, without the two channels of weights.
        let packed = loss::pack(&self.logits, None, OUTPUTS, dims);
        let logits =
            packed.chunks_exact(size.next_multiple_of(4)).enumerate().filter(|(n, _)| n % rows < OUTPUTS);
        let logits: Vec<f32> = logits.flat_map(|(_, row)| row.to_vec()).collect();
        [logits, target].map(|mut packed| {
            packed.chunks_exact_mut(size.next_multiple_of(4)).for_each(|row| row[size..].fill(30.0));
            bytes(&packed)
        })
    }
}

pub(super) fn loss_sums(dims: [usize; 3]) -> Trial {
    let (voxels, slab) = (Voxels::new(dims), slab(dims));
    let (slot, total) = (1, loss::slots(&slab) + 2);
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
    let words = loss::sums_words(&slab, OUTPUTS, slot, total);
    let buffers = vec![logits, target, blank(4 * OUTPUTS * total)];
    trial(Back::LossSums, words, buffers, loss::sums_groups(&slab, OUTPUTS), (2, expected, found))
}

/// Sums as of some ten voxels, so that all coefficients count.
pub(super) fn loss_end(look: usize, entropy: bool) -> Trial {
    let (total, voxels, share, before) = (70, 10, 0.5, 3.0);
    let each_voxel = f32::from(entropy) / voxels as f32;
    let sums: Vec<f32> = noise(OUTPUTS * total * 4, 1).iter().map(|v| 0.1 * (v + 1.0)).collect();
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
    let end = loss::End { total, outputs: OUTPUTS, voxels, share, entropy, fresh: false };
    trial(Back::LossEnd, end.words(), buffers, [1, 1, 1], all(look, expected))
}

pub(super) fn loss_back() -> Trial {
    let (voxels, slab) = (Voxels::new(DIMS), slab(DIMS));
    let coefficients = noise(OUTPUTS * 4, 3);
    let volume: usize = DIMS.iter().product();
    let slope = |n: usize| {
        let (p, y) = (1.0 / (1.0 + (-voxels.logits[n]).exp()), voxels.target[n]);
        let (a, e) = (voxels.overlap[n % volume], voxels.entropy[n % volume]);
        let [u, w, k] = [0, 1, 2].map(|part| coefficients[n / volume * 4 + part]);
        a * p * (1.0 - p) * (w - u * y) + e * k * (p - y)
    };
    let whole: Vec<f32> = (0..OUTPUTS * volume).map(slope).collect();
    let [logits, target] = voxels.buffers(DIMS);
    let buffers = vec![logits, target, bytes(&coefficients), blank(4 * slab.map.pitch * DIMS[2])];
    let found: Found = Box::new(move |bytes| {
        slab.map.unpack(&bytes[slab.first * slab.map.pitch * 16..], OUTPUTS, slab.planes, Precision::F32)
    });
    let words = loss::back_words(&slab, OUTPUTS);
    trial(Back::LossBack, words, buffers, slab.groups(), (3, planes(&whole, DIMS, SLAB), found))
}

/// The parts that are left add up to the same as all.
pub(super) fn sum(left: usize) -> Trial {
    let (count, splits) = (13, 21);
    let values = noise(count * 4 * splits, 1);
    let buffers = vec![bytes(&values), blank(4 * count * left)];
    let found: Found = Box::new(move |bytes| parts::reference(&floats(bytes), left));
    let end = (1, parts::reference(&values, splits), found);
    trial(Back::Sum, parts::words(count, splits, left), buffers, parts::groups(count, left), end)
}

pub(super) fn gather(add: bool) -> Trial {
    let (count, start, source_start) = (150, 7, 11);
    let (values, before) = (noise(source_start + 90, 1), noise(start + count + 5, 2));
    let table: Vec<u32> = noise(count, 3).iter().map(|v| (45.0 * (v + 1.0)) as u32).collect();
    let inside = start..start + count;
    let mut expected = before.clone();
    let old = add.then_some(&before[inside.clone()]);
    expected[inside].copy_from_slice(&order::reference(&values[source_start..], &table, old));
    let index = table.iter().flat_map(|n| n.to_le_bytes()).collect();
    let words = order::words(count, start, source_start, add);
    let buffers = vec![bytes(&values), index, bytes(&before)];
    trial(Back::Gather, words, buffers, order::groups(count), all(2, expected))
}

/// Channels that do not fill a quad, more than a workgroup has invocations, in parameters that begin with others'.
fn exciting() -> (factors::Params, Vec<f32>) {
    let (channels, narrow) = (70, 4);
    let (squeeze, excite) = ([3, 3 + 280], [300, 600]);
    let params = factors::Params { channels, narrow, gamma: 700, beta: 800, squeeze, excite };
    (params, noise(900, 1))
}

pub(super) fn excite() -> Trial {
    let (params, values) = exciting();
    let expected = norm::pack(&factors::reference(&params, &values));
    let buffers = vec![bytes(&values), blank(expected.len())];
    trial(Back::Excite, params.words(), buffers, [1, 1, 1], all(1, expected))
}

pub(super) fn excite_back() -> Trial {
    let (params, values) = exciting();
    let (scaled, before) = (noise(2 * params.channels, 2), noise(values.len(), 3));
    let scaled: Vec<[f32; 2]> = scaled.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
    let added = factors::back_reference(&params, &values, &scaled);
    let expected = before.iter().zip(&added).map(|(a, b)| a + b).collect();
    let buffers = vec![bytes(&values), bytes(&norm::pack(&scaled)), bytes(&before)];
    trial(Back::ExciteBack, params.words(), buffers, [1, 1, 1], all(2, expected))
}

pub(super) fn square_sum() -> Trial {
    let (start, count, slot) = (5, 9000, 1);
    let values = noise(start + count + 3, 1);
    let slots = optimiser::slots(count);
    let sum: f64 = values[start..start + count].iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    let found: Found = Box::new(move |bytes| vec![floats(bytes)[slot..slot + slots].iter().sum()]);
    let words = optimiser::squares_words(start, count, slot);
    let buffers = vec![bytes(&values), blank(slot + slots + 1)];
    trial(Back::SquareSum, words, buffers, [slots as u32, 1, 1], (1, vec![sum as f32], found))
}

/// With a square that may be no number.
pub(super) fn clip(odd: f32) -> Trial {
    let (total, most) = (70, 0.7);
    let mut squares: Vec<f32> = noise(total, 1).iter().map(|v| v * v).collect();
    squares[66] = odd;
    let roots: Vec<f32> = squares.iter().map(|v| v.sqrt()).collect();
    let [factor, norm] = optimiser::clip_reference(&roots, most);
    // The norm itself says nothing where it is no number.
    let norm = if norm.is_finite() { norm } else { 0.0 };
    let found: Found = Box::new(|bytes| {
        let all = floats(bytes);
        vec![all[0], if all[1].is_finite() { all[1] } else { 0.0 }]
    });
    let buffers = vec![bytes(&squares), vec![0; 8]];
    let words = optimiser::clip_words(total, most);
    trial(Back::Clip, words, buffers, [1, 1, 1], (1, vec![factor, norm], found))
}

pub(super) fn adamw(look: usize, factor: f32) -> Trial {
    let all_of = 200;
    let settings = Settings { decay: 0.1, ..Settings::default() };
    let params = optimiser::Params { start: 9, count: 150, step: Step::new(settings, 3, 0.05) };
    let mut state = [1, 2, 3, 4].map(|seed| noise(all_of, seed));
    state[2].iter_mut().for_each(|v| *v = 0.1 + v.abs());
    let gradient = noise(all_of, 5);
    let buffers: Vec<Vec<u8>> = [&[factor, 1.0][..], &gradient]
        .into_iter()
        .chain(state.iter().map(Vec::as_slice))
        .map(bytes)
        .collect();
    let after = |n: usize| {
        let before = [0, 1, 2, 3].map(|part| state[part][n]);
        let inside = (params.start..params.start + params.count).contains(&n);
        let after = if inside { optimiser::reference(&params, factor, gradient[n], before) } else { before };
        after[look - 2]
    };
    let expected = (0..all_of).map(after).collect();
    trial(Back::AdamW, params.words(), buffers, params.groups(), all(look, expected))
}
