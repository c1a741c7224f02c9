//! Another scanner: the grey values of a sample as another contrast, coil and resolution would show them, so that a network
//! does not rely on those of the scanner that its cases came from.

use super::blur::Blur;
use super::lattice::Lattice;
use crate::intensity::mean_and_sd;
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// Points per axis of the bias field: fewest and most.
const BIAS_POINTS: [usize; 2] = [2, 4];
/// Pieces of a grey map: fewest and most.
const PIECES: [usize; 2] = [2, 5];

/// How far the scanner may be another one. All 0: it is the same, and nothing is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Scanner {
    /// Largest standard deviation of the logarithm of the bias field.
    pub bias: f64,
    /// Largest standard deviation of the blur along each axis, in mm; half of the samples have one.
    pub blur_mm: f64,
    /// Probability that the grey values go through a random piecewise-linear map, which need not rise.
    pub remap: f64,
}

/// Changes the values of a channel of size `dims`, 1 mm each; its mean and standard deviation stay.
pub(crate) fn random_scanner(
    channel: &mut [f32],
    dims: [usize; 3],
    scanner: &Scanner,
    rng: &mut Xoshiro256PlusPlus,
) {
    if *scanner == Scanner::default() {
        return;
    }
    on_shares(channel, |shares| {
        if rng.random_bool(scanner.remap.clamp(0.0, 1.0)) {
            remap(shares, &grey_map(rng));
        }
        if rng.random_bool(0.5) {
            let blur_mm = [0; 3].map(|_: usize| rng.random_range(0.0..=scanner.blur_mm));
            Blur::new(blur_mm, [1.0; 3]).convolve(shares, dims);
        }
        let [few, many] = BIAS_POINTS;
        let points = [0; 3].map(|_: usize| rng.random_range(few..=many));
        let sd = rng.random_range(0.0..=scanner.bias);
        Lattice::draw(points, sd, rng).multiply_exp(shares, dims);
    });
}

/// Changes the values of a channel, scaled to 0..1, then restores their mean and standard deviation. A constant channel
/// stays as it is.
pub(crate) fn on_shares(channel: &mut [f32], change: impl FnOnce(&mut [f32])) {
    let (mean, sd) = mean_and_sd(channel);
    let min = channel.iter().copied().fold(f32::INFINITY, f32::min);
    let range = channel.iter().copied().fold(f32::NEG_INFINITY, f32::max) - min;
    if range > 0.0 {
        channel.iter_mut().for_each(|v| *v = (*v - min) / range);
        change(channel);
        let (new_mean, new_sd) = mean_and_sd(channel);
        let scale = if new_sd > 0.0 { sd / new_sd } else { 1.0 };
        channel.iter_mut().for_each(|v| *v = ((f64::from(*v) - new_mean) * scale + mean) as f32);
    }
}

/// Values of a map at equal steps from 0 to 1.
fn grey_map(rng: &mut Xoshiro256PlusPlus) -> Vec<f32> {
    let pieces = rng.random_range(PIECES[0]..=PIECES[1]);
    (0..=pieces).map(|_| rng.random()).collect()
}

/// Values from 0 to 1 through a map, linear between its points.
fn remap(shares: &mut [f32], map: &[f32]) {
    let pieces = map.len() - 1;
    for share in shares {
        let at = share.clamp(0.0, 1.0) * pieces as f32;
        let low = (at as usize).min(pieces - 1);
        *share = map[low] + (at - low as f32) * (map[low + 1] - map[low]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::seeded_rng;
    use super::*;

    const DIMS: [usize; 3] = [20, 16, 12];

    fn ramp() -> Vec<f32> {
        (0..20 * 16 * 12).map(|i| (i % 20) as f32 / 10.0 - 1.0 + (i / 320) as f32 * 0.1).collect()
    }

    #[test]
    fn the_same_scanner_changes_nothing_and_draws_nothing() {
        let (mut channel, mut rng) = (ramp(), seeded_rng(1, 1));
        random_scanner(&mut channel, DIMS, &Scanner::default(), &mut rng);
        assert_eq!(channel, ramp());
        assert_eq!(rng.random::<u64>(), seeded_rng(1, 1).random::<u64>());
    }

    #[test]
    fn mean_and_deviation_stay_and_the_values_change() {
        for (n, scanner) in [
            Scanner { bias: 0.4, ..Scanner::default() },
            Scanner { blur_mm: 1.5, ..Scanner::default() },
            Scanner { remap: 1.0, ..Scanner::default() },
        ]
        .into_iter()
        .enumerate()
        {
            let mut changed = 0;
            for draw in 0..8 {
                let mut channel = ramp();
                random_scanner(&mut channel, DIMS, &scanner, &mut seeded_rng(n as u64, draw));
                let (found, wanted) = (mean_and_sd(&channel), mean_and_sd(&ramp()));
                assert!((found.0 - wanted.0).abs() < 1e-4 && (found.1 - wanted.1).abs() < 1e-3, "{n} {draw}");
                changed += usize::from(channel.iter().zip(&ramp()).any(|(a, b)| (a - b).abs() > 1e-3));
            }
            assert!(changed >= 3, "{n}: {changed} of 8");
        }
    }

    #[test]
    fn a_map_is_linear_between_its_points() {
        let mut shares = [0.0, 0.25, 0.5, 0.75, 1.0];
        remap(&mut shares, &[1.0, 0.0, 0.5]);
        assert_eq!(shares, [1.0, 0.5, 0.0, 0.25, 0.5]);
    }
}
