//! Rows by vectors, whatever their length.

use pulp::Simd;

/// Where the next vector of a row begins: the last one reaches back, or, where there is only one, over the row's end.
#[inline(always)]
pub fn next<S: Simd>(at: usize, length: usize) -> Option<usize> {
    let end = at + S::F32_LANES;
    if end < length { Some(end.min(length - S::F32_LANES)) } else { None }
}

/// A vector of a row that has room for it.
#[inline(always)]
pub fn read<S: Simd>(row: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&row[at..at + S::F32_LANES]).0[0]
}

/// A vector to a row that has room for it.
#[inline(always)]
pub fn write<S: Simd>(row: &mut [f32], at: usize, value: S::f32s) {
    S::as_mut_simd_f32s(&mut row[at..at + S::F32_LANES]).0[0] = value;
}

/// A vector, or as much of it as the row has room for.
#[inline(always)]
pub fn store<S: Simd>(simd: S, row: &mut [f32], at: usize, value: S::f32s) {
    if row.len() < S::F32_LANES {
        simd.partial_store_f32s(row, value);
    } else {
        write::<S>(row, at, value);
    }
}

/// A vector of a row; where the row is shorter, zeros follow.
#[inline(always)]
pub fn load<S: Simd>(simd: S, row: &[f32], at: usize) -> S::f32s {
    if row.len() < S::F32_LANES { simd.partial_load_f32s(row) } else { read::<S>(row, at) }
}
