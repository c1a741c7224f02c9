//! What the known answers of all kernels are made of.

use super::kernel::{Found, KnownAnswer};
use super::layout::{Layout, Precision};
use super::norm_act::forward as norm_act;
use super::slab::Slab;
use super::sum::shader as sum;
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::engine::nn::scale_shift::ScaleShift;

/// Size of most maps.
pub const DIMS: [usize; 3] = [11, 5, 6];

/// First plane and planes of the slab.
pub const SLAB: (usize, usize) = (2, 3);

/// Channels of most maps: two blocks, the second not full.
pub const CHANNELS: usize = 6;

/// Slope below zero of most maps.
pub const NEGATIVE_SLOPE: f32 = 0.3;

/// Sizes at which a part of a sum is of all planes, of two, and of some of one.
pub const SHAPES: [[usize; 3]; 3] = [DIMS, [50, 40, 6], [70, 60, 6]];

/// Numbers as a buffer.
pub fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A buffer as numbers.
pub fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// Scales and shifts that are not all alike.
pub fn scale_shifts(channels: usize, negative_slope: f32, seed: u64) -> Vec<ScaleShift> {
    let values = pseudo_random(2 * channels, seed);
    values
        .chunks_exact(2)
        .map(|v| ScaleShift { scale: 1.0 + 0.5 * v[0], shift: 0.4 * v[1], negative_slope })
        .collect()
}

/// Scale and shift by channel block, zeros where there are fewer channels.
pub fn packed(scale_shifts: &[ScaleShift]) -> Vec<u8> {
    let pairs: Vec<[f32; 2]> =
        scale_shifts.iter().map(|scale_shift| [scale_shift.scale, scale_shift.shift]).collect();
    bytes(&norm_act::pack(&pairs))
}

/// Values as the storage rounds them, so that only the kernel's own error counts.
pub fn stored(count: usize, seed: u64, precision: Precision) -> Vec<f32> {
    let round = |value: f32| match precision {
        Precision::F32 => value,
        Precision::F16 => half::f16::from_f32(value).to_f32(),
    };
    pseudo_random(count, seed).into_iter().map(round).collect()
}

/// Planes of a map `[c, z, y, x]`.
pub fn planes(values: &[f32], [x, y, z]: [usize; 3], (first, count): (usize, usize)) -> Vec<f32> {
    let (volume, plane) = (x * y * z, x * y);
    values
        .chunks_exact(volume)
        .flat_map(|map| &map[first * plane..(first + count) * plane])
        .copied()
        .collect()
}

/// Voxels of a map.
pub fn volume(dims: [usize; 3]) -> usize {
    dims.iter().product()
}

/// The slab of a map of so many channels.
pub fn slab(channels: usize) -> Slab {
    Slab { map: Layout::new(channels, DIMS), first: SLAB.0, planes: SLAB.1 }
}

/// A map `[c, z, y, x]` as a buffer.
pub fn map(values: &[f32], dims: [usize; 3]) -> Vec<u8> {
    Layout::new(values.len() / volume(dims), dims).pack(values, 0..dims[2], Precision::F32)
}

/// A map with zeros outside of a slab: what a sum over the slab sees.
pub fn within(values: &[f32], [x, y, z]: [usize; 3], (first, count): (usize, usize)) -> Vec<f32> {
    let inside = |n: usize| (first..first + count).contains(&(n / (x * y) % z));
    values.iter().enumerate().map(|(n, value)| if inside(n) { *value } else { 0.0 }).collect()
}

/// Planes of a slab of a map, from its buffer.
pub fn slab_of(slab: Slab, channels: usize) -> Found {
    let from = slab.first * slab.map.pitch * Precision::F32.block_bytes();
    Box::new(move |bytes| slab.map.unpack(&bytes[from..], channels, slab.planes, Precision::F32))
}

/// Parts that the sums go on with, and what they add up to; blank where the sums are fresh.
pub fn parts(count: usize, splits: usize, fresh: bool) -> (Vec<u8>, Vec<f32>) {
    let before = if fresh { vec![0.0; count * splits] } else { pseudo_random(count * splits, 9) };
    let buffer = if fresh { blank(count * splits) } else { bytes(&before) };
    (buffer, sum::reference(&before, splits))
}

/// Sums of weights: what the parts add up to, at the places of a table.
pub fn at_places(splits: usize, table: Vec<u32>) -> Found {
    Box::new(move |bytes| {
        let all = sum::reference(&floats(bytes), splits);
        table.iter().map(|&place| all[place as usize - 1]).collect()
    })
}

/// A known answer of a kernel of training.
pub fn known_answer(
    words: Vec<u32>,
    buffers: Vec<Vec<u8>>,
    groups: [u32; 3],
    (look, expected, found): (usize, Vec<f32>, Found),
) -> KnownAnswer {
    KnownAnswer { words, buffers, groups, look, expected, found }
}

/// A buffer of which all numbers are looked at.
pub fn all(look: usize, expected: Vec<f32>) -> (usize, Vec<f32>, Found) {
    (look, expected, Box::new(floats))
}

/// A buffer that is to be overwritten, of so many numbers: none that adds anything to it is right.
pub fn blank(count: usize) -> Vec<u8> {
    vec![0xFF; 4 * count]
}
