//! Winograd's F(2, 3) along z and F(4, 3) along y, whole rows at a time (Lavin and Gray, arXiv 1509.09308).
//!
//! Along z four rows of input (d) give two of output (y) by four products (m) in place of six:
//!
//! ```text
//! v = d0 - d2,  d1 + d2,  d2 - d1,  d1 - d3        u = g0,  (g0 + g1 + g2) / 2,  (g0 - g1 + g2) / 2,  g2
//! y = m0 + m1 + m2,  m1 - m2 - m3                  m = u v
//! ```
//! Along y six rows give four by six products in place of twelve; on both axes 24 in place of 72:
//!
//! ```text
//! v = 4 d0 - 5 d2 + d4,              (d4 - 4 d2) + (d3 - 4 d1),    (d4 - 4 d2) - (d3 - 4 d1),
//!     (d4 - d2) + 2 (d3 - d1),       (d4 - d2) - 2 (d3 - d1),      4 d1 - 5 d3 + d5
//! u = g0 / 4,  -(g0 + g1 + g2) / 6,  (g1 - g0 - g2) / 6,  (g0 + 2 g1 + 4 g2) / 24,  (g0 - 2 g1 + 4 g2) / 24,  g2
//! y = m0 + m1 + m2 + m3 + m4,  m1 - m2 + 2 (m3 - m4),  m1 + m2 + 4 (m3 + m4),  m1 - m2 + 8 (m3 - m4) + m5
//! ```
//! The gradient by g goes the same way back: `dm` is the transposed of y's formula of `dy`, `du = dm v`, and `dg` is the
//! transposed of u's formula. What is transformed are rows, so every step is a vector operation along x.

use pulp::Simd;

/// Rows of output of a tile, in each of its two planes.
pub const HEIGHT: usize = 4;
/// Points of the transform along z.
pub const ALONG_Z: usize = 4;
/// Points of the transform along y.
pub const ALONG_Y: usize = 6;
/// Points of both, `[along z, along y]`.
pub const POINTS: usize = ALONG_Z * ALONG_Y;

const SIXTH: f32 = 1.0 / 6.0;

/// The points along z of a kernel's three taps.
pub fn taps_z(g: [f32; 3]) -> [f32; ALONG_Z] {
    [g[0], 0.5 * (g[0] + g[1] + g[2]), 0.5 * (g[0] - g[1] + g[2]), g[2]]
}

/// The points along y of a kernel's three taps.
pub fn taps_y([a, b, c]: [f32; 3]) -> [f32; ALONG_Y] {
    let (near, mid) = (SIXTH * (a + c), SIXTH * b);
    let far = 0.25 * SIXTH * a + SIXTH * c;
    [0.25 * a, -near - mid, mid - near, far + 0.5 * mid, far - 0.5 * mid, c]
}

/// The transposed of [`taps_z`]: gradients of the three taps from those of the points.
pub fn taps_z_back(u: [f32; ALONG_Z]) -> [f32; 3] {
    let (sum, apart) = (0.5 * (u[1] + u[2]), 0.5 * (u[1] - u[2]));
    [u[0] + sum, apart, sum + u[3]]
}

/// The transposed of [`taps_y`].
pub fn taps_y_back(u: [f32; ALONG_Y]) -> [f32; 3] {
    let (near, far) = (SIXTH * (u[1] + u[2]), SIXTH * (u[3] + u[4]));
    [0.25 * (u[0] + far) - near, SIXTH * (u[2] - u[1] + 0.5 * (u[3] - u[4])), far - near + u[5]]
}

/// The four points of four rows, each normalised as it is read.
#[inline(always)]
pub fn transform_z<F: Fn(f32) -> f32>(out: [&mut [f32]; 4], rows: [&[f32]; 4], scale_shifts: &[F; 4]) {
    let [a, b, c, d] = out;
    let length = a.len();
    let (b, c, d) = (&mut b[..length], &mut c[..length], &mut d[..length]);
    let [d0, d1, d2, d3] = rows.map(|row| &row[..length]);
    for i in 0..length {
        let (near, mid, next, far) =
            (scale_shifts[0](d0[i]), scale_shifts[1](d1[i]), scale_shifts[2](d2[i]), scale_shifts[3](d3[i]));
        a[i] = near - next;
        b[i] = mid + next;
        c[i] = next - mid;
        d[i] = mid - far;
    }
}

/// The six points, at `at` of each, of six rows one after the other.
#[inline(always)]
pub fn transform_y<S: Simd>(simd: S, to: [&mut [f32]; ALONG_Y], at: usize, rows: &[f32], pitch: usize) {
    let (two, four, five) = (simd.splat_f32s(2.0), simd.splat_f32s(4.0), simd.splat_f32s(5.0));
    let [a, b, c, d, e, f] = to;
    let mut from = Some(0);
    while let Some(start) = from {
        let mut values = [simd.splat_f32s(0.0); 6];
        for (row, value) in values.iter_mut().enumerate() {
            *value = read::<S>(rows, row * pitch + start);
        }
        let [d0, d1, d2, d3, d4, d5] = values;
        let even = simd.sub_f32s(d4, simd.mul_f32s(four, d2));
        let odd = simd.sub_f32s(d3, simd.mul_f32s(four, d1));
        let far_even = simd.sub_f32s(d4, d2);
        let far_odd = simd.mul_f32s(two, simd.sub_f32s(d3, d1));
        let first = simd.sub_f32s(d4, simd.mul_f32s(five, d2));
        let last = simd.sub_f32s(d5, simd.mul_f32s(five, d3));
        write::<S>(a, at + start, simd.mul_add_e_f32s(four, d0, first));
        write::<S>(b, at + start, simd.add_f32s(even, odd));
        write::<S>(c, at + start, simd.sub_f32s(even, odd));
        write::<S>(d, at + start, simd.add_f32s(far_even, far_odd));
        write::<S>(e, at + start, simd.sub_f32s(far_even, far_odd));
        write::<S>(f, at + start, simd.mul_add_e_f32s(four, d1, last));
        from = next::<S>(start, pitch);
    }
}

/// Where the next vector of a row begins: the last one reaches back, or, where there is only one, over the row's end.
#[inline(always)]
fn next<S: Simd>(at: usize, length: usize) -> Option<usize> {
    let end = at + S::F32_LANES;
    if end < length { Some(end.min(length - S::F32_LANES)) } else { None }
}

#[inline(always)]
fn read<S: Simd>(row: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&row[at..at + S::F32_LANES]).0[0]
}

#[inline(always)]
fn write<S: Simd>(row: &mut [f32], at: usize, value: S::f32s) {
    S::as_mut_simd_f32s(&mut row[at..at + S::F32_LANES]).0[0] = value;
}

/// The rows of a tile in its two planes, one after the other, from the products of its points, at `at` of each.
#[inline(always)]
pub fn combine<S: Simd>(
    simd: S,
    points: &[&[f32]; POINTS],
    at: usize,
    length: usize,
    near: &mut [f32],
    far: &mut [f32],
) {
    let (two, four, eight) = (simd.splat_f32s(2.0), simd.splat_f32s(4.0), simd.splat_f32s(8.0));
    let mut from = Some(0);
    while let Some(start) = from {
        let (mut upper, mut lower) = ([simd.splat_f32s(0.0); ALONG_Y], [simd.splat_f32s(0.0); ALONG_Y]);
        for v in 0..ALONG_Y {
            let mut m = [simd.splat_f32s(0.0); ALONG_Z];
            for (u, value) in m.iter_mut().enumerate() {
                *value = read::<S>(points[ALONG_Y * u + v], at + start);
            }
            let [a, b, c, d] = m;
            upper[v] = simd.add_f32s(a, simd.add_f32s(b, c));
            lower[v] = simd.sub_f32s(simd.sub_f32s(b, c), d);
        }
        for (points, to) in [(upper, &mut *near), (lower, &mut *far)] {
            let [m0, m1, m2, m3, m4, m5] = points;
            let (sum, apart) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
            let (far_sum, far_apart) = (simd.add_f32s(m3, m4), simd.sub_f32s(m3, m4));
            let rows = [
                simd.add_f32s(m0, simd.add_f32s(sum, far_sum)),
                simd.mul_add_e_f32s(two, far_apart, apart),
                simd.mul_add_e_f32s(four, far_sum, sum),
                simd.add_f32s(m5, simd.mul_add_e_f32s(eight, far_apart, apart)),
            ];
            for (row, value) in rows.into_iter().enumerate() {
                store(simd, &mut to[row * length..(row + 1) * length], start, value);
            }
        }
        from = next::<S>(start, length);
    }
}

/// A vector, or as much of it as the row has room for.
#[inline(always)]
fn store<S: Simd>(simd: S, row: &mut [f32], at: usize, value: S::f32s) {
    if row.len() < S::F32_LANES {
        simd.partial_store_f32s(row, value);
    } else {
        write::<S>(row, at, value);
    }
}

/// The gradients by a tile's products, to `[point]`, `size` apart, from those by its rows, `[near plane, far plane]`.
/// [`combine`] the other way; `to` has room for a vector.
#[inline(always)]
pub fn spread<S: Simd>(simd: S, to: &mut [f32], size: usize, planes: [[&[f32]; HEIGHT]; 2]) {
    let length = planes[0][0].len();
    let room = length.max(S::F32_LANES);
    let (two, four) = (simd.splat_f32s(2.0), simd.splat_f32s(4.0));
    let mut at = Some(0);
    while let Some(start) = at {
        let mut along_y = [[simd.splat_f32s(0.0); ALONG_Y]; 2];
        for (rows, points) in planes.iter().zip(&mut along_y) {
            let mut y = [simd.splat_f32s(0.0); HEIGHT];
            for (row, value) in rows.iter().zip(&mut y) {
                *value = part(simd, row, start);
            }
            let [y0, y1, y2, y3] = y;
            let (even, odd) = (simd.add_f32s(y0, y2), simd.add_f32s(y1, y3));
            let far_even = simd.mul_add_e_f32s(four, y2, y0);
            let far_odd = simd.mul_f32s(two, simd.mul_add_e_f32s(four, y3, y1));
            *points = [
                y0,
                simd.add_f32s(even, odd),
                simd.sub_f32s(even, odd),
                simd.add_f32s(far_even, far_odd),
                simd.sub_f32s(far_even, far_odd),
                y3,
            ];
        }
        let [near, far] = along_y;
        for v in 0..ALONG_Y {
            let along_z = [
                near[v],
                simd.add_f32s(near[v], far[v]),
                simd.sub_f32s(near[v], far[v]),
                simd.neg_f32s(far[v]),
            ];
            for (u, value) in along_z.into_iter().enumerate() {
                write::<S>(&mut to[(ALONG_Y * u + v) * size..][..room], start, value);
            }
        }
        at = next::<S>(start, length);
    }
}

/// A vector of a row; where the row is shorter, zeros follow.
#[inline(always)]
fn part<S: Simd>(simd: S, row: &[f32], at: usize) -> S::f32s {
    if row.len() < S::F32_LANES { simd.partial_load_f32s(row) } else { read::<S>(row, at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The weights of a linear function of `N` values.
    fn columns<const N: usize, const M: usize>(f: impl Fn([f32; N]) -> [f32; M]) -> [[f32; M]; N] {
        std::array::from_fn(|n| f(std::array::from_fn(|i| f32::from(u8::from(i == n)))))
    }

    #[test]
    fn the_ways_back_are_transposed() {
        let (z, y) = (columns(taps_z), columns(taps_y));
        let (z_back, y_back) = (columns(taps_z_back), columns(taps_y_back));
        for tap in 0..3 {
            (0..ALONG_Z).for_each(|point| assert_eq!(z[tap][point], z_back[point][tap]));
            (0..ALONG_Y).for_each(|point| assert!((y[tap][point] - y_back[point][tap]).abs() < 1e-7));
        }
    }

    struct Tile {
        length: usize,
    }

    impl pulp::WithSimd for Tile {
        type Output = f32;

        /// The largest error of a tile by the taps `[z][y]`, without any along x, and of the way back by its adjoint.
        fn with_simd<S: Simd>(self, simd: S) -> f32 {
            let length = self.length;
            let room = length + S::F32_LANES;
            let value = |seed: usize| ((seed * 7919 % 1013) as f32 - 506.0) / 500.0;
            let input: Vec<f32> = (0..4 * 6 * length).map(value).collect();
            let taps: [[f32; 3]; 3] =
                std::array::from_fn(|dz| std::array::from_fn(|dy| value(5000 + 3 * dz + dy)));
            let row = |z: usize, y: usize| &input[(z * 6 + y) * length..][..length];
            let mut planes = vec![0.0; 4 * 6 * length + room];
            let mut points = vec![0.0; POINTS * room];
            for y in 0..6 {
                let mut parts = planes[..24 * length].chunks_exact_mut(6 * length);
                let out = std::array::from_fn(|_| &mut parts.next().expect("four")[y * length..][..length]);
                transform_z(out, std::array::from_fn(|z| row(z, y)), &[|v| v; 4]);
            }
            for u in 0..ALONG_Z {
                let mut parts = points[u * ALONG_Y * room..][..ALONG_Y * room].chunks_exact_mut(room);
                let to = std::array::from_fn(|_| parts.next().expect("six"));
                transform_y(simd, to, 0, &planes[u * 6 * length..], length);
            }
            let weights: [[f32; ALONG_Y]; 3] = std::array::from_fn(|dz| taps_y(taps[dz]));
            let weights: [[f32; ALONG_Z]; ALONG_Y] =
                std::array::from_fn(|v| taps_z(std::array::from_fn(|dz| weights[dz][v])));
            for (point, row) in points.chunks_exact_mut(room).enumerate() {
                row.iter_mut().for_each(|value| *value *= weights[point % ALONG_Y][point / ALONG_Y]);
            }
            let (mut near, mut far) = (vec![0.0; HEIGHT * length], vec![0.0; HEIGHT * length]);
            let all: [&[f32]; POINTS] = std::array::from_fn(|point| &points[point * room..][..room]);
            combine(simd, &all, 0, length, &mut near, &mut far);
            let mut worst = 0f32;
            for (z, plane) in [&near, &far].into_iter().enumerate() {
                for (at, &found) in plane.iter().enumerate() {
                    let (y, x) = (at / length, at % length);
                    let each = (0..9).map(|t| taps[t / 3][t % 3] * row(z + t / 3, y + t % 3)[x]);
                    worst = worst.max((found - each.sum::<f32>()).abs());
                }
            }
            // <combine(points), gradient> = <points, spread(gradient)>
            let gradient: Vec<f32> = (0..8 * length).map(|n| value(n + 31)).collect();
            let mut back = vec![0.0; POINTS * room];
            let rows = |plane: usize, y: usize| &gradient[(plane * HEIGHT + y) * length..][..length];
            let planes = std::array::from_fn(|plane| std::array::from_fn(|y| rows(plane, y)));
            spread(simd, &mut back, room, planes);
            let dot = |a: &[f32], b: &[f32]| {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
            };
            let there = dot(&near, &gradient) + dot(&far, &gradient[HEIGHT * length..]);
            let here: f64 =
                (0..POINTS).map(|p| dot(&points[p * room..][..length], &back[p * room..][..length])).sum();
            worst.max((there - here).abs() as f32 / 10.0)
        }
    }

    #[test]
    fn a_tile_is_that_of_the_direct_sum_whatever_the_length_of_its_rows() {
        for length in [1, 3, 4, 7, 8, 15, 16, 17, 33, 50] {
            let worst = pulp::Arch::new().dispatch(Tile { length });
            assert!(worst < 1e-5, "rows of {length}: {worst}");
        }
    }
}
