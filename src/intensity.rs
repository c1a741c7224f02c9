//! From scanner values to what a network was trained on: 0..1 first, then zero mean and unit variance.

/// How a modality is normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "net", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "net", serde(rename_all = "lowercase", tag = "kind"))]
pub enum Intensity {
    /// Magnetic resonance: arbitrary units. Clipped to `0..p99.99`, scaled to 0..1, z-score of the volume itself. Values
    /// below 0 are counted from the lowest of them, `p0.01`, unless they are one value that stands for no signal.
    Mr,
    /// Computed tomography: Hounsfield units. A fixed window to 0..1, then a fixed z-score.
    Ct {
        /// Middle of the window in HU.
        center: f64,
        /// Width of the window in HU.
        width: f64,
        /// Mean of the windowed training images.
        mean: f64,
        /// Standard deviation of the windowed training images.
        sd: f64,
    },
}

impl Intensity {
    /// The values of one channel in 0..1.
    pub fn unit(&self, voxels: &[f32]) -> Vec<f32> {
        match *self {
            Self::Mr => mr_unit(voxels),
            Self::Ct { center, width, .. } => {
                let low = center - width / 2.0;
                voxels.iter().map(|&v| ((f64::from(v) - low) / width).clamp(0.0, 1.0) as f32).collect()
            }
        }
    }

    /// As [`Self::normalize`], each of the channels for itself, which lie one after the other.
    pub fn normalize_channels(&self, voxels: &[f32], channels: usize) -> Vec<f32> {
        if channels <= 1 {
            return self.normalize(voxels);
        }
        let mut values = Vec::with_capacity(voxels.len());
        for channel in voxels.chunks_exact((voxels.len() / channels).max(1)) {
            values.extend(self.normalize(channel));
        }
        values
    }

    /// The values of one channel as a network sees them: [`Self::unit`], then the z-score.
    pub fn normalize(&self, voxels: &[f32]) -> Vec<f32> {
        let mut values = self.unit(voxels);
        let (mean, sd) = match *self {
            Self::Mr => mean_and_sd(&values),
            Self::Ct { mean, sd, .. } => (mean, sd),
        };
        let scale = if sd > 0.0 { 1.0 / sd } else { 0.0 };
        values.iter_mut().for_each(|v| *v = ((f64::from(*v) - mean) * scale) as f32);
        values
    }
}

/// Normalised values of a part of an image, as if the part were an image of its own: clipped to its 99.99th percentile, zero mean
/// and unit variance. What was subtracted and divided by before does not matter.
pub fn renormalized(values: &[f32]) -> Vec<f32> {
    let top = percentile(values, 99.99);
    let mut values: Vec<f32> = values.iter().map(|value| value.min(top)).collect();
    let (mean, sd) = mean_and_sd(&values);
    let scale = if sd > 0.0 { 1.0 / sd } else { 0.0 };
    values.iter_mut().for_each(|value| *value = ((f64::from(*value) - mean) * scale) as f32);
    values
}

/// Units are arbitrary, and so is where they begin: an image with an offset is the same image. The reference clips at 0 what
/// it never meets.
fn mr_unit(voxels: &[f32]) -> Vec<f32> {
    let bottom = if has_offset(voxels) { percentile(voxels, 0.01) } else { 0.0 };
    let top = percentile(voxels, 99.99).max(bottom);
    let mut values: Vec<f32> = voxels.iter().map(|&v| v.clamp(bottom, top)).collect();
    let min = values.iter().copied().fold(f32::INFINITY, f32::min);
    let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scale = if max > min { 1.0 / (max - min) } else { 0.0 };
    values.iter_mut().for_each(|v| *v = (*v - min) * scale);
    values
}

/// Whether values below 0 are signal: there are several, or there is nothing but one.
fn has_offset(voxels: &[f32]) -> bool {
    let mut below = voxels.iter().copied().filter(|value| *value < 0.0);
    let Some(first) = below.next() else { return false };
    below.any(|value| value != first) || voxels.iter().all(|value| *value <= 0.0)
}

/// The `q`-th percentile (0..=100) with linear interpolation between order statistics, as NumPy has it.
/// 0 for an empty slice.
pub fn percentile(values: &[f32], q: f64) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let position = (values.len() - 1) as f64 * q / 100.0;
    let below = (position.floor() as usize).min(values.len() - 1);
    let mut sorted = values.to_vec();
    let (_, &mut low, above) = sorted.select_nth_unstable_by(below, f32::total_cmp);
    let high = above.iter().copied().min_by(f32::total_cmp).unwrap_or(low);
    (f64::from(low) + (f64::from(high) - f64::from(low)) * (position - below as f64)) as f32
}

/// Mean and standard deviation (of the population).
pub fn mean_and_sd(values: &[f32]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_normalised_as_an_image_of_its_own() {
        let image: Vec<f32> =
            (0..20_000).map(|i| ((i * 37) % 1000) as f32 + if i > 15_000 { 700.0 } else { 0.0 }).collect();
        let part = &image[..9000];
        let again = renormalized(&Intensity::Mr.normalize(&image)[..9000]);
        let own = Intensity::Mr.normalize(part);
        assert!(again.iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn a_percentile_lies_between_its_neighbours() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(percentile(&values, 0.0), 1.0);
        assert_eq!(percentile(&values, 100.0), 4.0);
        assert_eq!(percentile(&values, 50.0), 2.5);
        assert_eq!(percentile(&[], 50.0), 0.0);
    }

    #[test]
    fn a_constant_image_stays_finite() {
        let values = Intensity::Mr.normalize(&[7.0; 10]);
        assert!(values.iter().all(|v| *v == 0.0));
    }

    #[test]
    fn each_channel_is_normalised_for_itself() {
        let (one, two) = ([3.0, 1.0, 4.0, 1.0], [-500.0, 100.0, 900.0, 5.0]);
        let mr = Intensity::Mr;
        let both = mr.normalize_channels(&[one, two].concat(), 2);
        assert_eq!(both, [mr.normalize(&one), mr.normalize(&two)].concat());
    }

    #[test]
    fn an_image_with_an_offset_or_a_scale_is_the_same_image() {
        let image: Vec<f32> = (0..20_000).map(|i| ((i * 37) % 1000) as f32).collect();
        let own = Intensity::Mr.normalize(&image);
        let apart = |seen: &[f32]| {
            own.iter().zip(Intensity::Mr.normalize(seen)).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()))
        };
        for (scale, offset) in [(1.0, -500.0), (3.0, -3000.0), (0.01, -2.0), (64.0, -32_768.0)] {
            let seen: Vec<f32> = image.iter().map(|value| value * scale + offset).collect();
            assert!(apart(&seen) < 1e-2, "{scale}, {offset}: {}", apart(&seen));
        }
        // One value below 0 that stands for no signal is no offset.
        let padded: Vec<f32> =
            image.iter().map(|&value| if value < 5.0 { -32_768.0 } else { value }).collect();
        assert!(apart(&padded) < 2e-2, "{}", apart(&padded));
    }

    #[test]
    fn a_ct_window_clips_at_both_ends() {
        let liver = Intensity::Ct { center: 100.0, width: 180.0, mean: 0.0, sd: 1.0 };
        assert_eq!(liver.unit(&[-500.0, 10.0, 100.0, 190.0, 3000.0]), [0.0, 0.0, 0.5, 1.0, 1.0]);
    }
}
