//! A Gaussian blur whose widths are in mm, on a grid that may be coarser than they are.

/// The grid on which the texture of a tissue is white noise before it is blurred, in mm.
const TEXTURE_MM: f64 = 1.0;

/// How a blur is made on a grid: a part of it by reading the map at more than one place of each voxel, the rest, where
/// the grid is fine enough to show it, by a convolution.
#[derive(Debug, Clone, PartialEq)]
pub struct Blur {
    /// Distance in mm of the places from the middle, along each axis.
    pub spread_mm: [f64; 3],
    /// Weights of the convolution along each axis, from the first to the last; one where there is none.
    kernels: [Vec<f32>; 3],
    /// By how much the noise within a tissue is weaker than before the blur, where it is added before the convolution.
    pub texture: f32,
}

/// Weights of a Gaussian of `sd` steps, cut at 4 `sd`.
fn kernel(sd: f64) -> Vec<f32> {
    let radius = (4.0 * sd + 0.5) as i64;
    let weight = |k: i64| if k == 0 { 1.0 } else { (-0.5 * (k as f64 / sd).powi(2)).exp() };
    let sum: f64 = (-radius..=radius).map(weight).sum();
    (-radius..=radius).map(|k| (weight(k) / sum) as f32).collect()
}

/// What is left of the standard deviation of white noise.
fn noise_left(kernel: &[f32]) -> f64 {
    kernel.iter().map(|&weight| f64::from(weight).powi(2)).sum::<f64>().sqrt()
}

impl Blur {
    /// Of these widths, on a grid of steps in mm.
    pub fn new(blur_mm: [f64; 3], step_mm: [f64; 3]) -> Self {
        let rest: [f64; 3] = std::array::from_fn(|a| {
            let [sd, step] = [blur_mm[a], step_mm[a]];
            if sd > step { (sd * sd - step * step / 4.0).sqrt() } else { 0.0 }
        });
        let kernels: [Vec<f32>; 3] = std::array::from_fn(|a| kernel(rest[a] / step_mm[a].max(1e-6)));
        let texture: f64 =
            (0..3).map(|a| noise_left(&kernel(blur_mm[a] / TEXTURE_MM)) / noise_left(&kernels[a])).product();
        let spread_mm = std::array::from_fn(|a| (blur_mm[a].powi(2) - rest[a].powi(2)).max(0.0).sqrt());
        Self { spread_mm, kernels, texture: texture as f32 }
    }

    /// The convolution; the edge goes on.
    pub fn convolve(&self, image: &mut [f32], dims: [usize; 3]) {
        let mut line = Vec::new();
        for (axis, kernel) in self.kernels.iter().enumerate().filter(|(_, kernel)| kernel.len() > 1) {
            let (n, stride) = (dims[axis], [1, dims[0], dims[0] * dims[1]][axis]);
            let radius = kernel.len() / 2;
            for start in (0..image.len()).filter(|index| (index / stride).is_multiple_of(n)) {
                line.clear();
                line.extend(
                    (0..n + 2 * radius)
                        .map(|at| image[start + at.saturating_sub(radius).min(n - 1) * stride]),
                );
                for at in 0..n {
                    let values = line[at..].iter().zip(kernel);
                    image[start + at * stride] = values.map(|(value, weight)| value * weight).sum();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intensity::mean_and_sd;
    use crate::train::random::seeded_rng;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn noise_within_a_tissue_is_as_strong_on_any_grid() {
        // White noise at 1 mm, blurred there by 0.9, 0.3 and 2.5 mm: the way that the statistics are defined.
        let blur_mm = [0.9, 0.3, 2.5];
        let wanted: f64 = blur_mm.iter().map(|&sd| noise_left(&kernel(sd))).product();
        for step in [0.5, 1.0, 2.0, 2.9] {
            let (blur, dims) = (Blur::new(blur_mm, [step; 3]), [60, 60, 60]);
            let mut rng = seeded_rng(3, 1);
            let mut image: Vec<f32> = (0..60 * 60 * 60)
                .map(|_| {
                    let draw: f32 = StandardNormal.sample(&mut rng);
                    draw * blur.texture
                })
                .collect();
            blur.convolve(&mut image, dims);
            // At the border the edge goes on, and noise averages less.
            let inner = |i: usize| (8..52).contains(&(i % 60)) && (21..39).contains(&(i / 3600));
            let inner: Vec<f32> = (0..image.len()).filter(|i| inner(*i)).map(|i| image[i]).collect();
            let (_, sd) = mean_and_sd(&inner);
            assert!((sd / wanted - 1.0).abs() < 0.1, "{sd} for {wanted} at {step} mm");
        }
    }

    #[test]
    fn the_variance_of_a_blur_is_that_of_its_two_parts() {
        for step in [0.5, 1.0, 2.9] {
            let blur = Blur::new([2.5, 0.7, 0.3], [step; 3]);
            for (axis, sd) in [2.5, 0.7, 0.3f64].into_iter().enumerate() {
                let kernel = &blur.kernels[axis];
                let at = |k: usize| (k as f64 - (kernel.len() / 2) as f64) * step;
                let by_kernel: f64 =
                    kernel.iter().enumerate().map(|(k, &w)| f64::from(w) * at(k).powi(2)).sum();
                let variance = by_kernel + blur.spread_mm[axis].powi(2);
                assert!((variance.sqrt() - sd).abs() < 0.02 * sd, "axis {axis} at {step}: {variance}");
            }
        }
    }

    #[test]
    fn a_blur_keeps_a_flat_image_and_spreads_a_point() {
        let (blur, dims) = (Blur::new([2.0, 0.3, 0.3], [1.0; 3]), [21, 3, 3]);
        let mut flat = vec![0.5; 21 * 9];
        blur.convolve(&mut flat, dims);
        assert!(flat.iter().all(|value| (value - 0.5).abs() < 1e-6));
        let mut point = vec![0.0; 21 * 9];
        point[10 + 21 * 4] = 1.0;
        blur.convolve(&mut point, dims);
        let row = &point[21 * 4..21 * 5];
        assert!(
            (row.iter().sum::<f32>() - 1.0).abs() < 1e-5 && row[10] < 0.3 && (row[8] - row[12]).abs() < 1e-6
        );
        assert_eq!(point.iter().filter(|value| **value > 0.0).count(), 17);
    }
}
