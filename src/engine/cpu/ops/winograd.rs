//! Winograd's F(4, 3) along z and y, whole rows at a time (Lavin and Gray, arXiv 1509.09308).
//!
//! Six rows of input (d) give four of output (y) by six products (m) in place of twelve; on both axes 36 in place of 144:
//!
//! ```text
//! v = 4 d0 - 5 d2 + d4,              (d4 - 4 d2) + (d3 - 4 d1),    (d4 - 4 d2) - (d3 - 4 d1),
//!     (d4 - d2) + 2 (d3 - d1),       (d4 - d2) - 2 (d3 - d1),      4 d1 - 5 d3 + d5
//! u = g0 / 4,  -(g0 + g1 + g2) / 6,  (g1 - g0 - g2) / 6,  (g0 + 2 g1 + 4 g2) / 24,  (g0 - 2 g1 + 4 g2) / 24,  g2
//! y = m0 + m1 + m2 + m3 + m4,  m1 - m2 + 2 (m3 - m4),  m1 + m2 + 4 (m3 + m4),  m1 - m2 + 8 (m3 - m4) + m5
//! m = u v
//! ```
//! The gradient by g goes the same way back: `dm` is the transposed of y's formula of `dy`, `du = dm v`, and `dg` is the
//! transposed of u's formula. What is transformed are rows, so every step is a vector operation along x.

use super::row_vectors::{load, next, read, store, write};
use crate::engine::nn::scale_shift::ScaleShift;
use pulp::Simd;

/// Rows of output of a tile along y, and along z.
pub const SIDE: usize = 4;
/// Rows of input that give them, and points of the transform.
pub const ALONG: usize = SIDE + 2;
/// Points of both axes, `[along z, along y]`.
pub const POINTS: usize = ALONG * ALONG;

const SIXTH: f32 = 1.0 / 6.0;

/// The points of a kernel's three taps.
pub fn taps([a, b, c]: [f32; 3]) -> [f32; ALONG] {
    let (near, mid) = (SIXTH * (a + c), SIXTH * b);
    let far = 0.25 * SIXTH * a + SIXTH * c;
    [0.25 * a, -near - mid, mid - near, far + 0.5 * mid, far - 0.5 * mid, c]
}

/// The transposed of [`taps`]: gradients of the three taps from those of the points.
#[inline(always)]
pub fn taps_back<S: Simd>(simd: S, [u0, u1, u2, u3, u4, u5]: [S::f32s; ALONG]) -> [S::f32s; 3] {
    let (quarter, sixth) = (simd.splat_f32s(0.25), simd.splat_f32s(SIXTH));
    let near = simd.mul_f32s(sixth, simd.add_f32s(u1, u2));
    let far = simd.mul_f32s(sixth, simd.add_f32s(u3, u4));
    let far_apart = simd.mul_f32s(simd.splat_f32s(0.5), simd.sub_f32s(u3, u4));
    [
        simd.sub_f32s(simd.mul_f32s(quarter, simd.add_f32s(u0, far)), near),
        simd.mul_f32s(sixth, simd.add_f32s(simd.sub_f32s(u2, u1), far_apart)),
        simd.add_f32s(simd.sub_f32s(far, near), u5),
    ]
}

/// The six points, at `at` of each, of six rows one after the other.
#[inline(always)]
pub fn transform<S: Simd>(simd: S, to: [&mut [f32]; ALONG], at: usize, rows: &[f32], pitch: usize) {
    let mut to = to;
    let mut from = Some(0);
    while let Some(start) = from {
        let mut values = [simd.splat_f32s(0.0); ALONG];
        for (row, value) in values.iter_mut().enumerate() {
            *value = read::<S>(rows, row * pitch + start);
        }
        for (to, value) in to.iter_mut().zip(points(simd, values)) {
            write::<S>(to, at + start, value);
        }
        from = next::<S>(start, pitch);
    }
}

/// The same of six rows as they are read ([`ScaleShift::at`]), of `length` values; a row that is outside is zeros.
#[inline(always)]
pub fn transform_read<S: Simd>(
    simd: S,
    to: &mut [&mut [f32]; ALONG],
    at: usize,
    rows: [Option<&[f32]>; ALONG],
    length: usize,
    read_as: &ScaleShift,
) {
    let scale = simd.splat_f32s(read_as.scale);
    let shift = simd.splat_f32s(read_as.shift);
    let slope = simd.splat_f32s(read_as.negative_slope);
    let mut from = Some(0);
    while let Some(start) = from {
        let mut values = [simd.splat_f32s(0.0); ALONG];
        for (row, value) in rows.iter().zip(&mut values) {
            if let Some(row) = row {
                let raw = simd.add_f32s(simd.mul_f32s(load(simd, row, start), scale), shift);
                *value = simd.max_f32s(raw, simd.mul_f32s(slope, raw));
            }
        }
        for (to, value) in to.iter_mut().zip(points(simd, values)) {
            write::<S>(to, at + start, value);
        }
        from = next::<S>(start, length);
    }
}

/// The six points of six values.
#[inline(always)]
fn points<S: Simd>(simd: S, [d0, d1, d2, d3, d4, d5]: [S::f32s; ALONG]) -> [S::f32s; ALONG] {
    let (two, four, five) = (simd.splat_f32s(2.0), simd.splat_f32s(4.0), simd.splat_f32s(5.0));
    let even = simd.sub_f32s(d4, simd.mul_f32s(four, d2));
    let odd = simd.sub_f32s(d3, simd.mul_f32s(four, d1));
    let far_even = simd.sub_f32s(d4, d2);
    let far_odd = simd.mul_f32s(two, simd.sub_f32s(d3, d1));
    let first = simd.sub_f32s(d4, simd.mul_f32s(five, d2));
    let last = simd.sub_f32s(d5, simd.mul_f32s(five, d3));
    [
        simd.mul_add_e_f32s(four, d0, first),
        simd.add_f32s(even, odd),
        simd.sub_f32s(even, odd),
        simd.add_f32s(far_even, far_odd),
        simd.sub_f32s(far_even, far_odd),
        simd.mul_add_e_f32s(four, d1, last),
    ]
}

/// Four rows from the products of six points.
#[inline(always)]
fn sums<S: Simd>(simd: S, [m0, m1, m2, m3, m4, m5]: [S::f32s; ALONG]) -> [S::f32s; SIDE] {
    let (two, four, eight) = (simd.splat_f32s(2.0), simd.splat_f32s(4.0), simd.splat_f32s(8.0));
    let (sum, apart) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
    let (far_sum, far_apart) = (simd.add_f32s(m3, m4), simd.sub_f32s(m3, m4));
    [
        simd.add_f32s(m0, simd.add_f32s(sum, far_sum)),
        simd.mul_add_e_f32s(two, far_apart, apart),
        simd.mul_add_e_f32s(four, far_sum, sum),
        simd.add_f32s(m5, simd.mul_add_e_f32s(eight, far_apart, apart)),
    ]
}

/// The transposed of [`sums`].
#[inline(always)]
fn sums_back<S: Simd>(simd: S, [y0, y1, y2, y3]: [S::f32s; SIDE]) -> [S::f32s; ALONG] {
    let (two, four) = (simd.splat_f32s(2.0), simd.splat_f32s(4.0));
    let (even, odd) = (simd.add_f32s(y0, y2), simd.add_f32s(y1, y3));
    let far_even = simd.mul_add_e_f32s(four, y2, y0);
    let far_odd = simd.mul_f32s(two, simd.mul_add_e_f32s(four, y3, y1));
    [
        y0,
        simd.add_f32s(even, odd),
        simd.sub_f32s(even, odd),
        simd.add_f32s(far_even, far_odd),
        simd.sub_f32s(far_even, far_odd),
        y3,
    ]
}

/// The rows of a tile in its four planes, `[y, x]` each, from the products of its points, at `at` of each.
#[inline(always)]
pub fn combine<S: Simd>(
    simd: S,
    points: &[&[f32]; POINTS],
    at: usize,
    length: usize,
    planes: [&mut [f32]; SIDE],
) {
    let zero = simd.splat_f32s(0.0);
    let mut planes = planes;
    let mut from = Some(0);
    while let Some(start) = from {
        let mut along_z = [[zero; ALONG]; SIDE];
        for v in 0..ALONG {
            let mut products = [zero; ALONG];
            for (u, value) in products.iter_mut().enumerate() {
                *value = read::<S>(points[ALONG * u + v], at + start);
            }
            for (plane, value) in along_z.iter_mut().zip(sums(simd, products)) {
                plane[v] = value;
            }
        }
        for (products, plane) in along_z.into_iter().zip(&mut planes) {
            for (row, value) in sums(simd, products).into_iter().enumerate() {
                store(simd, &mut plane[row * length..(row + 1) * length], start, value);
            }
        }
        from = next::<S>(start, length);
    }
}

/// The gradients by a tile's products, to `[point]`, `size` apart, from those by its rows, `[plane][row]`.
/// [`combine`] the other way; `to` has room for a vector.
#[inline(always)]
pub fn spread<S: Simd>(simd: S, to: &mut [f32], size: usize, planes: [[&[f32]; SIDE]; SIDE]) {
    let length = planes[0][0].len();
    let room = length.max(S::F32_LANES);
    let zero = simd.splat_f32s(0.0);
    let mut at = Some(0);
    while let Some(start) = at {
        let mut along_y = [[zero; SIDE]; ALONG];
        for (plane, rows) in planes.iter().enumerate() {
            let mut y = [zero; SIDE];
            for (row, value) in rows.iter().zip(&mut y) {
                *value = load(simd, row, start);
            }
            for (points, value) in along_y.iter_mut().zip(sums_back(simd, y)) {
                points[plane] = value;
            }
        }
        for (v, planes) in along_y.into_iter().enumerate() {
            for (u, value) in sums_back(simd, planes).into_iter().enumerate() {
                write::<S>(&mut to[(ALONG * u + v) * size..][..room], start, value);
            }
        }
        at = next::<S>(start, length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::array::from_fn;

    /// The weights of a linear function of `N` values.
    fn columns<const N: usize, const M: usize>(f: impl Fn([f32; N]) -> [f32; M]) -> [[f32; M]; N] {
        from_fn(|n| f(from_fn(|i| f32::from(u8::from(i == n)))))
    }

    #[test]
    fn the_way_back_is_transposed() {
        let (there, back) = (columns(taps), columns(|points| taps_back(pulp::Scalar::new(), points)));
        for tap in 0..3 {
            (0..ALONG).for_each(|point| assert!((there[tap][point] - back[point][tap]).abs() < 1e-7));
        }
    }

    fn value(seed: usize) -> f32 {
        ((seed * 7919 % 1013) as f32 - 506.0) / 500.0
    }

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    /// A tile of rows of `length`.
    struct Tile {
        length: usize,
    }

    impl Tile {
        /// The points of some rows `[z, y, x]`, as many on both axes.
        fn points<S: Simd>(&self, simd: S, input: &[f32], room: usize) -> Vec<f32> {
            let (length, size) = (self.length, ALONG * self.length + room);
            let (mut planes, mut points) = (vec![0.0; ALONG * size], vec![0.0; POINTS * room]);
            for y in 0..ALONG {
                let mut rows = vec![0.0; size];
                for z in 0..ALONG {
                    rows[z * length..][..length]
                        .copy_from_slice(&input[(z * ALONG + y) * length..][..length]);
                }
                let mut parts = planes.chunks_exact_mut(size);
                transform(simd, from_fn(|_| parts.next().expect("six")), y * length, &rows, length);
            }
            for (plane, points) in planes.chunks_exact(size).zip(points.chunks_exact_mut(ALONG * room)) {
                let mut parts = points.chunks_exact_mut(room);
                transform(simd, from_fn(|_| parts.next().expect("six")), 0, plane, length);
            }
            points
        }
    }

    impl pulp::WithSimd for Tile {
        /// The largest error of a tile by 3 x 3 taps, without any along x, and of the way back.
        type Output = [f64; 2];

        fn with_simd<S: Simd>(self, simd: S) -> [f64; 2] {
            let (length, room) = (self.length, self.length + S::F32_LANES);
            let input: Vec<f32> = (0..POINTS * length).map(value).collect();
            let kernel: [[f32; 3]; 3] = from_fn(|dz| from_fn(|dy| value(5000 + 3 * dz + dy)));
            let mut points = self.points(simd, &input, room);
            let along_y = kernel.map(taps);
            let weights: [[f32; ALONG]; ALONG] = from_fn(|v| taps(from_fn(|dz| along_y[dz][v])));
            for (point, row) in points.chunks_exact_mut(room).enumerate() {
                row.iter_mut().for_each(|value| *value *= weights[point % ALONG][point / ALONG]);
            }
            let size = SIDE * length;
            let mut found = vec![0.0; SIDE * size];
            let mut planes = found.chunks_exact_mut(size);
            let all = from_fn(|point| &points[point * room..][..room]);
            combine(simd, &all, 0, length, from_fn(|_| planes.next().expect("four")));
            let direct = |at: usize| {
                let (z, y, x) = (at / size, at % size / length, at % length);
                let row = |dz: usize, dy: usize| input[((z + dz) * ALONG + y + dy) * length + x];
                (0..9).map(|t| kernel[t / 3][t % 3] * row(t / 3, t % 3)).sum::<f32>()
            };
            let error = found.iter().enumerate().map(|(at, found)| f64::from((found - direct(at)).abs()));
            // <combine(points), gradient> = <points, spread(gradient)>
            let gradient: Vec<f32> = (0..SIDE * size).map(|n| value(n + 31)).collect();
            let mut back = vec![0.0; POINTS * room];
            let row = |plane: usize, y: usize| &gradient[plane * size + y * length..][..length];
            spread(simd, &mut back, room, from_fn(|plane| from_fn(|y| row(plane, y))));
            let here = (0..POINTS).map(|p| dot(&points[p * room..][..length], &back[p * room..][..length]));
            [error.fold(0.0, f64::max), (dot(&found, &gradient) - here.sum::<f64>()).abs()]
        }
    }

    #[test]
    fn a_tile_is_that_of_the_direct_sum_whatever_the_length_of_its_rows() {
        for length in [1, 3, 4, 7, 8, 15, 16, 17, 33, 50] {
            let [there, back] = pulp::Arch::new().dispatch(Tile { length });
            assert!(there < 2e-5 && back < 2e-3, "rows of {length}: {there}, {back}");
        }
    }
}
