//! Statistics of rows of an output, taken while they are in the cache.

use crate::engine::nn::scale_shift::Moments;

/// Statistics of a row or two: short enough for sums in 32 bits, about their own mean.
#[inline(always)]
pub fn rows_moments<const N: usize>(rows: [&[f32]; N]) -> Moments {
    let count = rows.iter().map(|row| row.len()).sum::<usize>();
    let mean = rows_sum(rows, |v| v) / count as f32;
    let m2 = rows_sum(rows, |v| (v - mean) * (v - mean));
    // What the rounding of the mean left over.
    let rest = f64::from(rows_sum(rows, |v| v - mean)) / count as f64;
    let count = count as f64;
    Moments { count, mean: f64::from(mean) + rest, m2: f64::from(m2) - count * rest * rest }
}

/// A sum by 16 partial sums, which is a vector's way.
#[inline(always)]
fn rows_sum<const N: usize>(rows: [&[f32]; N], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0f32; 16];
    let mut rest = 0.0;
    for row in rows {
        let mut chunks = row.chunks_exact(16);
        for chunk in &mut chunks {
            for (sum, &value) in sums.iter_mut().zip(chunk) {
                *sum += term(value);
            }
        }
        for &value in chunks.remainder() {
            rest += term(value);
        }
    }
    sums.iter().sum::<f32>() + rest
}
