//! The inner product that all convolutions end in, a few channels by a few vectors in registers.
//!
//! ```text
//! products[o][n] = sum over i, tap of  weights[i][tap][o] * rows[i][n + tap]
//! ```

use pulp::Simd;

/// Output channels at once. 4 by 3 vectors of sums, 3 of input and one weight are the 16 registers of the
/// smallest machine.
pub const ROWS: usize = 4;
/// Vectors at once.
const VECTORS: usize = 3;

/// [`ROWS`] channels of `length` values; `rows` and `products` go on by `stride` from channel to channel. Up to a
/// vector more than `length` is read and written.
#[inline(always)]
pub fn multiply<S: Simd, const TAPS: usize>(
    simd: S,
    weights: &[[[f32; ROWS]; TAPS]],
    rows: &[f32],
    stride: usize,
    length: usize,
    products: &mut [f32],
) {
    let mut from = 0;
    while from < length {
        let vectors = (length - from).div_ceil(S::F32_LANES);
        let (rows, products) = (&rows[from..], &mut products[from..]);
        // 4 as 2 and 2: one alone would wait for its own sums.
        let step = match vectors {
            1 => block::<S, 1, TAPS>(simd, weights, rows, stride, products),
            2 | 4 => block::<S, 2, TAPS>(simd, weights, rows, stride, products),
            _ => block::<S, VECTORS, TAPS>(simd, weights, rows, stride, products),
        };
        from += step * S::F32_LANES;
    }
}

/// `N` vectors; returns `N`.
#[inline(always)]
fn block<S: Simd, const N: usize, const TAPS: usize>(
    simd: S,
    weights: &[[[f32; ROWS]; TAPS]],
    rows: &[f32],
    stride: usize,
    products: &mut [f32],
) -> usize {
    let length = N * S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); N]; ROWS];
    for (taps, row) in weights.iter().zip(rows.chunks(stride)) {
        let row = &row[..length + TAPS - 1];
        for (tap, weights) in taps.iter().enumerate() {
            let (vectors, _) = S::as_simd_f32s(&row[tap..tap + length]);
            let Some(vectors) = vectors.first_chunk::<N>() else { return N };
            for (sums, &weight) in sums.iter_mut().zip(weights) {
                let weight = simd.splat_f32s(weight);
                for (sum, &vector) in sums.iter_mut().zip(vectors) {
                    *sum = simd.mul_add_e_f32s(weight, vector, *sum);
                }
            }
        }
    }
    for (sums, row) in sums.iter().zip(products.chunks_mut(stride)) {
        S::as_mut_simd_f32s(&mut row[..length]).0.copy_from_slice(sums);
    }
    N
}
