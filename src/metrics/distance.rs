//! The exact Euclidean distance transform.

/// Squared distance in mm^2 from every point of a grid (x fastest) to the nearest point for which `is_site`
/// holds; infinite where there is none.
///
/// Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions", Theory of Computing 8, 2012: along
/// one axis after the other, each value becomes the lowest of the parabolas that stand on the values of its line.
/// The squares add up in the order x, y, z, as in SciPy, so distances that are equal to a tolerance there are
/// equal to it here.
pub(super) fn squared_distances(
    dims: [usize; 3],
    spacing_mm: [f64; 3],
    is_site: impl Fn(usize) -> bool,
) -> Vec<f64> {
    let points: usize = dims.iter().product();
    let mut squared: Vec<f64> = (0..points).map(|i| if is_site(i) { 0.0 } else { f64::INFINITY }).collect();
    let mut line = Vec::new();
    let mut envelope = Vec::new();
    let mut stride = 1;
    for (n, spacing) in dims.into_iter().zip(spacing_mm) {
        let starts = (0..points).step_by(stride * n).flat_map(|block| block..block + stride);
        for start in starts {
            line.clear();
            line.extend(squared[start..].iter().step_by(stride).take(n));
            lower_envelope(&line, spacing, &mut envelope);
            if !envelope.is_empty() {
                let values = squared[start..].iter_mut().step_by(stride).take(n);
                sample(&envelope, spacing, values);
            }
        }
        stride *= n;
    }
    squared
}

/// A parabola `height + (spacing (i - foot))^2` that is the lowest from `from` on; both in grid steps.
struct Parabola {
    foot: usize,
    height: f64,
    from: f64,
}

/// The parabolas that are the lowest somewhere, from left to right. Infinite heights have none.
fn lower_envelope(heights: &[f64], spacing: f64, envelope: &mut Vec<Parabola>) {
    envelope.clear();
    for (foot, &height) in heights.iter().enumerate().filter(|(_, height)| height.is_finite()) {
        let mut from = f64::NEG_INFINITY;
        while let Some(last) = envelope.last() {
            let rise = (height - last.height) / (spacing * spacing);
            let crossing = (rise / (foot - last.foot) as f64 + (foot + last.foot) as f64) / 2.0;
            if crossing > last.from {
                from = crossing;
                break;
            }
            envelope.pop(); // the new parabola is lower wherever this one was the lowest
        }
        envelope.push(Parabola { foot, height, from });
    }
}

/// Writes the lowest parabola's value at every grid point.
fn sample<'a>(envelope: &[Parabola], spacing: f64, values: impl Iterator<Item = &'a mut f64>) {
    let mut at = 0;
    for (i, value) in values.enumerate() {
        while envelope.get(at + 1).is_some_and(|next| next.from <= i as f64) {
            at += 1;
        }
        let distance = spacing * i.abs_diff(envelope[at].foot) as f64;
        *value = envelope[at].height + distance * distance;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_distance_is_that_of_a_search_through_all_sites() {
        let (dims, spacing) = ([9, 7, 6], [0.7, 0.9, 3.0]);
        let place = |i: usize| [i % 9, i / 9 % 7, i / 63];
        for every in [3, 11, 40, 200, 377] {
            let is_site = |i: usize| (i * 37 + 5) % 378 % every == 1;
            let squared = squared_distances(dims, spacing, is_site);
            for (i, found) in squared.into_iter().enumerate() {
                let to = |site: usize| -> f64 {
                    let [a, b] = [place(i), place(site)];
                    (0..3).map(|axis| (spacing[axis] * a[axis].abs_diff(b[axis]) as f64).powi(2)).sum()
                };
                let nearest = (0..378).filter(|&site| is_site(site)).map(to).fold(f64::INFINITY, f64::min);
                assert!((found - nearest).abs() < 1e-9, "{:?}: {found}, expected {nearest}", place(i));
            }
        }
    }

    #[test]
    fn without_a_site_every_distance_is_infinite() {
        assert!(squared_distances([2, 3, 4], [1.0; 3], |_| false).into_iter().all(f64::is_infinite));
    }
}
