//! The window and z-score of a CT task, computed from its training cases as the reference does where it gives none.

use super::dataset::LabeledCase;
use crate::error::{Error, Result};
use crate::intensity::{Intensity, mean_and_sd};

/// Widths of a window per standard deviation of the foreground.
const WIDTHS: f64 = 6.0;

/// Means over cases of means and standard deviations.
#[derive(Debug, Default)]
pub(super) struct Means {
    mean: f64,
    sd: f64,
    cases: usize,
}

impl Means {
    fn add(&mut self, (mean, sd): (f64, f64)) {
        (self.mean, self.sd, self.cases) = (self.mean + mean, self.sd + sd, self.cases + 1);
    }

    /// Adds the foreground of a case whose values are in HU; a case without labels says nothing.
    pub fn add_foreground(&mut self, case: &LabeledCase) {
        let voxels = case.image.iter().zip(case.labels.iter().cycle());
        let foreground: Vec<f32> = voxels.filter(|(_, label)| **label > 0).map(|(value, _)| *value).collect();
        if !foreground.is_empty() {
            self.add(mean_and_sd(&foreground));
        }
    }

    /// Of foregrounds: the window around their mean, 6 standard deviations wide, with no z-score yet.
    ///
    /// # Errors
    /// `Malformed` where there is no foreground or all of it has one value.
    pub fn window(&self) -> Result<Intensity> {
        let n = self.cases.max(1) as f64;
        let (center, width) = (self.mean / n, WIDTHS * self.sd / n);
        if width > 0.0 {
            return Ok(Intensity::Ct { center, width, mean: 0.0, sd: 1.0 });
        }
        let found =
            if self.cases == 0 { "no label in any case" } else { "one value wherever there is a label" };
        Err(Error::malformed("training cases: CT window", found, "an object of various values in HU"))
    }

    /// Adds the whole image of a case as `window` shows it.
    pub fn add_windowed(&mut self, case: &LabeledCase, window: &Intensity) {
        self.add(mean_and_sd(&window.unit(&case.image)));
    }

    /// Of windowed images: their z-score in the window.
    ///
    /// # Errors
    /// `Malformed` where all of them have one value.
    pub fn scored(&self, window: Intensity) -> Result<Intensity> {
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
        let case =
            |image: [f32; 4]| LabeledCase::new("a".into(), 0, [4, 1, 1], image.into(), vec![0, 1, 2, 0]);
        let cases = [case([-1000.0, 90.0, 110.0, 5000.0]), case([-1000.0, 20.0, 60.0, 0.0])];
        let mut means = Means::default();
        cases.iter().for_each(|case| means.add_foreground(case));
        // Means 100 and 40, standard deviations 10 and 20.
        let window = means.window().unwrap();
        assert_eq!(window, Intensity::Ct { center: 70.0, width: 90.0, mean: 0.0, sd: 1.0 });
        let mut means = Means::default();
        cases.iter().for_each(|case| means.add_windowed(case, &window));
        let Intensity::Ct { mean, sd, .. } = means.scored(window).unwrap() else { panic!("CT") };
        // 0, 65 / 90, 85 / 90, 1 and 0, 0, 35 / 90, 0 in the window from 25 to 115.
        assert!((mean - (2.0 / 3.0 + 35.0 / 360.0) / 2.0).abs() < 1e-6, "{mean}");
        assert!((sd - 0.5 * (0.398_686_1 + 0.168_393_8)).abs() < 1e-5, "{sd}");
        assert_eq!(Means::default().window().unwrap_err().code(), "malformed");
    }
}
