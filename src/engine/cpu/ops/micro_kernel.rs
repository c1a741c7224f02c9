//! The inner product that all convolutions end in, a few channels by a few vectors in registers.
//!
//! ```text
//! products[o][n] = sum over i, tap of  weights[i][tap][o] * rows[i][n + tap]
//! ```

use super::simd::many_registers;
use pulp::Simd;

/// Output channels of a tile of weights. 4 by 3 vectors of sums, 3 of input and one weight are the 16 registers of
/// the smallest machine; where there are 32, two tiles are worked on at once.
pub const ROWS: usize = 4;
/// Vectors at once.
const VECTORS: usize = 3;

/// Weights of four channels by channel of input and tap.
pub type Tile<const TAPS: usize> = [[f32; ROWS]; TAPS];

/// `length` values of all channels of `weights`, `[tile, in]`. `rows` and `products` go on by `stride` from channel
/// to channel; up to a vector more than `length` is read and written.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
pub fn multiply<S: Simd, const TAPS: usize>(
    simd: S,
    weights: &[Tile<TAPS>],
    inputs: usize,
    rows: &[f32],
    stride: usize,
    length: usize,
    products: &mut [f32],
) {
    let mut weights = weights.chunks_exact(inputs);
    let mut products = products.chunks_exact_mut(ROWS * stride);
    while let (Some(first), Some(one)) = (weights.next(), products.next()) {
        let second = if many_registers::<S>() { weights.next().zip(products.next()) } else { None };
        match second {
            Some((second, two)) => {
                along::<S, TAPS, 2>(simd, [first, second], rows, stride, length, [one, two]);
            }
            None => along::<S, TAPS, 1>(simd, [first], rows, stride, length, [one]),
        }
    }
}

/// `T` tiles along the whole length.
#[inline(always)]
fn along<S: Simd, const TAPS: usize, const T: usize>(
    simd: S,
    weights: [&[Tile<TAPS>]; T],
    rows: &[f32],
    stride: usize,
    length: usize,
    products: [&mut [f32]; T],
) {
    let mut products = products;
    let mut from = 0;
    while from < length {
        let vectors = (length - from).div_ceil(S::F32_LANES);
        let rows = &rows[from..];
        let out = products.each_mut().map(|products| &mut products[from..]);
        // 4 as 2 and 2: one alone would wait for its own sums.
        let step = match vectors {
            1 => block::<S, 1, TAPS, T>(simd, weights, rows, stride, out),
            2 | 4 => block::<S, 2, TAPS, T>(simd, weights, rows, stride, out),
            _ => block::<S, VECTORS, TAPS, T>(simd, weights, rows, stride, out),
        };
        from += step * S::F32_LANES;
    }
}

/// `T` tiles by `N` vectors; returns `N`.
#[allow(
    clippy::needless_range_loop,
    clippy::manual_memcpy,
    reason = "loops over constants stay in registers, iterators went to the stack"
)]
#[inline(always)]
fn block<S: Simd, const N: usize, const TAPS: usize, const T: usize>(
    simd: S,
    weights: [&[Tile<TAPS>]; T],
    rows: &[f32],
    stride: usize,
    products: [&mut [f32]; T],
) -> usize {
    let length = N * S::F32_LANES;
    let mut sums = [[[simd.splat_f32s(0.0); N]; ROWS]; T];
    for (input, row) in rows.chunks(stride).enumerate().take(weights[0].len()) {
        let row = &row[..length + TAPS - 1];
        for tap in 0..TAPS {
            let (vectors, _) = S::as_simd_f32s(&row[tap..tap + length]);
            let vectors: [S::f32s; N] = std::array::from_fn(|n| vectors[n]);
            for tile in 0..T {
                let weights = weights[tile][input][tap];
                for output in 0..ROWS {
                    let weight = simd.splat_f32s(weights[output]);
                    for n in 0..N {
                        sums[tile][output][n] =
                            simd.mul_add_e_f32s(weight, vectors[n], sums[tile][output][n]);
                    }
                }
            }
        }
    }
    for (tile, products) in products.into_iter().enumerate() {
        for output in 0..ROWS {
            let row = &mut products[output * stride..][..length];
            let vectors = S::as_mut_simd_f32s(row).0;
            for n in 0..N {
                vectors[n] = sums[tile][output][n];
            }
        }
    }
    N
}
