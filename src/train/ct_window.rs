//! Window and z-score of a CT task, computed from its training cases as the reference does for tasks without a window
//! of their own.

use crate::error::{Error, Result};
use crate::intensity::{Intensity, mean_and_sd};

/// Width of the window in standard deviations of the foreground.
const WIDTH_IN_SD: f64 = 6.0;

/// Means over cases of the mean and of the standard deviation.
#[derive(Debug, Default)]
pub(super) struct MeanAndSd {
    mean: f64,
    sd: f64,
    cases: usize,
}

impl MeanAndSd {
    fn add(&mut self, (mean, sd): (f64, f64)) {
        (self.mean, self.sd, self.cases) = (self.mean + mean, self.sd + sd, self.cases + 1);
    }

    /// Adds the labelled voxels of a case in HU. A case without labels does not count.
    pub fn add_foreground(&mut self, image: &[f32], labels: &[u8]) {
        let voxels = image.iter().zip(labels.iter().cycle());
        let foreground: Vec<f32> = voxels.filter(|(_, label)| **label > 0).map(|(value, _)| *value).collect();
        if !foreground.is_empty() {
            self.add(mean_and_sd(&foreground));
        }
    }

    /// The window around the foreground's mean, 6 standard deviations wide, still without z-score.
    ///
    /// # Errors
    /// `Malformed` where there is no foreground or all of it has one value.
    pub fn window(&self) -> Result<Intensity> {
        let n = self.cases.max(1) as f64;
        let (center, width) = (self.mean / n, WIDTH_IN_SD * self.sd / n);
        if width > 0.0 {
            return Ok(Intensity::Ct { center, width, mean: 0.0, sd: 1.0 });
        }
        let found =
            if self.cases == 0 { "no label in any case" } else { "one value wherever there is a label" };
        Err(Error::malformed("training cases: CT window", found, "an object of various values in HU"))
    }

    /// Adds all voxels of a case in HU, seen through `window`.
    pub fn add_windowed(&mut self, image: &[f32], window: &Intensity) {
        self.add(mean_and_sd(&window.unit(image)));
    }

    /// The window with the z-score of the images that were added.
    ///
    /// # Errors
    /// `Malformed` where all of them have one value.
    pub fn z_score(&self, window: Intensity) -> Result<Intensity> {
        let n = self.cases.max(1) as f64;
        match window {
            Intensity::Ct { center, width, .. } if self.sd > 0.0 => {
                Ok(Intensity::Ct { center, width, mean: self.mean / n, sd: self.sd / n })
            }
            _ => Err(Error::malformed("training cases: CT z-score", "images of one value", "images")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_made_of_means_over_cases() {
        let images = [[-1000.0, 90.0, 110.0, 5000.0], [-1000.0, 20.0, 60.0, 0.0]];
        let mut means = MeanAndSd::default();
        images.iter().for_each(|image| means.add_foreground(image, &[0, 1, 2, 0]));
        // Means 100 and 40, standard deviations 10 and 20.
        let window = means.window().unwrap();
        assert_eq!(window, Intensity::Ct { center: 70.0, width: 90.0, mean: 0.0, sd: 1.0 });
        let mut means = MeanAndSd::default();
        images.iter().for_each(|image| means.add_windowed(image, &window));
        let Intensity::Ct { mean, sd, .. } = means.z_score(window).unwrap() else { panic!("CT") };
        // 0, 65 / 90, 85 / 90, 1 and 0, 0, 35 / 90, 0 in the window from 25 to 115.
        assert!((mean - (2.0 / 3.0 + 35.0 / 360.0) / 2.0).abs() < 1e-6, "{mean}");
        assert!((sd - 0.5 * (0.398_686_1 + 0.168_393_8)).abs() < 1e-5, "{sd}");
        assert_eq!(MeanAndSd::default().window().unwrap_err().code(), "malformed");
    }
}
