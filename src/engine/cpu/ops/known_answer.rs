//! The known answer of the machine's vectors: a browser's fused products are trusted only after they were seen to be right.

use super::correlation::{Correlation, padded};
use super::micro_kernel::{ROWS, Tile, multiply};
use super::simd::dispatch;
use crate::engine::nn::pseudo_random::pseudo_random;
use crate::error::{Error, Result};
use pulp::{Simd, WithSimd};
use std::array::from_fn;

/// Channels in: of every number of them that is worked on at once there are some.
const INPUTS: usize = 15;
/// Tiles of [`ROWS`] channels out.
const TILES: usize = 2;
/// Values of a row, not a whole number of any vectors.
const LENGTH: usize = 75;
/// From one row to the next.
const STRIDE: usize = 160;
/// How far a sum may be off, as a share of the sum of the sizes of its terms: more than rounding, fused or not, can do.
const ROUNDING: f64 = 1e-5;

/// Checks the inner products of all convolutions, forward and by weight, against sums in 64 bits.
///
/// # Errors
/// `Device` where one is off by more than rounding.
pub fn known_answers() -> Result<()> {
    let worst = dispatch(Products);
    if worst <= ROUNDING {
        return Ok(());
    }
    Err(Error::device(
        "vectors of the CPU",
        format!("products that are off by {worst:.1e}"),
        format!("at most {ROUNDING:.0e}, which is rounding"),
    ))
}

/// All products; the answer is the worst deviation, infinite where one is no number.
struct Products;

impl WithSimd for Products {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let rows = pseudo_random(INPUTS * STRIDE, 1);
        let values = pseudo_random(TILES * INPUTS * 3 * ROWS, 2);
        let weights: Vec<Tile<3>> = values
            .chunks_exact(3 * ROWS)
            .map(|tile| from_fn(|tap| from_fn(|output| tile[tap * ROWS + output])))
            .collect();
        let mut products = vec![0.0; TILES * ROWS * STRIDE];
        multiply(simd, &weights, INPUTS, &rows, STRIDE, LENGTH, &mut products);
        let mut worst = Deviation::default();
        for output in 0..TILES * ROWS {
            for at in 0..LENGTH {
                let terms = (0..3 * INPUTS).map(|term| {
                    let (input, tap) = (term / 3, term % 3);
                    let weight = weights[output / ROWS * INPUTS + input][tap][output % ROWS];
                    f64::from(weight) * f64::from(rows[input * STRIDE + at + tap])
                });
                worst.see(products[output * STRIDE + at], terms);
            }
        }
        // Two vectors at once, and one where a machine has such.
        let outputs = padded::<S>(3 * S::F32_LANES);
        let grad = pseudo_random(LENGTH * outputs, 3);
        let mut sums = vec![0.0; INPUTS * 3 * outputs];
        let all = Correlation { rows: &rows, stride: STRIDE, grad: &grad, outputs };
        all.add::<S, 3>(simd, &mut sums);
        for (at, &sum) in sums.iter().enumerate() {
            let (input, tap, output) = (at / outputs / 3, at / outputs % 3, at % outputs);
            let terms = (0..LENGTH)
                .map(|n| f64::from(grad[n * outputs + output]) * f64::from(rows[input * STRIDE + n + tap]));
            worst.see(sum, terms);
        }
        worst.0
    }
}

/// The worst deviation so far, as a share of the sum of the sizes of the terms.
#[derive(Default)]
struct Deviation(f64);

impl Deviation {
    fn see(&mut self, found: f32, terms: impl Iterator<Item = f64>) {
        let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
        let off = (f64::from(found) - sum).abs() / f64::max(size, f64::MIN_POSITIVE);
        self.0 = if off.is_nan() { f64::INFINITY } else { self.0.max(off) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_this_machine_have_their_known_answer() {
        assert_eq!(known_answers(), Ok(()));
    }

    #[test]
    fn a_wrong_sum_and_what_is_no_number_are_seen() {
        let mut worst = Deviation::default();
        worst.see(3.0, [1.0, 2.0].into_iter());
        assert!(worst.0 <= ROUNDING);
        worst.see(3.001, [1.0, 2.0].into_iter());
        assert!(worst.0 > ROUNDING);
        worst.see(f32::NAN, [1.0].into_iter());
        assert!(worst.0.is_infinite());
    }
}
