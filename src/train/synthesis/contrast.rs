//! Grey values of an image: one per tissue, then what a scanner does to them. Widths are in mm, so that an image made
//! on a coarse grid is what one made at 1 mm would show there.

use super::classes::Classes;
use super::recipe::GreyPrior;
use crate::train::lattice::Lattice;
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, StandardNormal};

/// Standard deviation of a background that is not 0.
const BACKGROUND_SD: f32 = 0.02;

/// All that is drawn of an image's grey values.
#[derive(Debug, Clone)]
pub struct Contrast {
    /// Mean of each class.
    pub mean: Vec<f32>,
    /// Standard deviation of each class before the blur.
    pub sd: Vec<f32>,
    /// Blur along each axis.
    pub blur_mm: [f64; 3],
    /// Logarithm of the bias field.
    bias: Lattice,
    gamma: f32,
    noise: f32,
}

fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
    StandardNormal.sample(rng)
}

impl Contrast {
    /// A random one.
    pub fn draw(classes: &Classes, prior: &GreyPrior, rng: &mut Xoshiro256PlusPlus) -> Self {
        let known = rng.random_bool(prior.known);
        let mut shade = |tissue: &Option<[f64; 2]>| {
            let mean = match tissue {
                Some([mean, sd]) if known => mean + sd * normal(rng),
                _ => rng.random_range(0.0..=1.0),
            };
            (mean as f32, rng.random_range(prior.texture[0]..=prior.texture[1]) as f32)
        };
        let shades: Vec<(f32, f32)> = classes.priors.iter().map(&mut shade).collect();
        let each = |class: usize| if class == 0 { (0.0, 0.0) } else { shades[classes.shade[class]] };
        let (mut mean, mut sd): (Vec<f32>, Vec<f32>) = (0..classes.shade.len()).map(each).unzip();
        if rng.random_bool(0.5) {
            (mean[0], sd[0]) = (rng.random_range(0.0..=prior.background) as f32, BACKGROUND_SD);
        }
        let mut blur_mm: [f64; 3] =
            std::array::from_fn(|_| rng.random_range(prior.blur_mm[0]..=prior.blur_mm[1]));
        if rng.random_bool(prior.thick) {
            blur_mm[rng.random_range(0..3)] = rng.random_range(prior.thick_mm[0]..=prior.thick_mm[1]);
        }
        let [few, many] = prior.bias_points;
        let points = [0; 3].map(|_: usize| rng.random_range(few..=many));
        let bias_sd = rng.random_range(0.0..=prior.bias);
        Self {
            mean,
            sd,
            blur_mm,
            bias: Lattice::draw(points, bias_sd, rng),
            gamma: (prior.gamma * normal(rng)).exp() as f32,
            noise: rng.random_range(0.0..=prior.noise) as f32,
        }
    }

    /// A grey value with the noise of its class, of which the blur leaves a share.
    #[inline]
    pub fn textured(&self, mean: f32, class: u8, share: f32, rng: &mut Xoshiro256PlusPlus) -> f32 {
        let sd = self.sd[usize::from(class)];
        if sd == 0.0 {
            return mean;
        }
        let draw: f32 = StandardNormal.sample(rng);
        mean + sd * share * draw
    }

    /// Whether the background is exactly 0.
    pub fn empty_background(&self) -> bool {
        self.mean[0] == 0.0
    }

    /// Bias field, grey values from 0 to 1, exponent, noise.
    pub fn finish(&self, image: &mut [f32], dims: [usize; 3], rng: &mut Xoshiro256PlusPlus) {
        self.bias.multiply_exp(image, dims);
        let low = image.iter().copied().fold(f32::INFINITY, f32::min);
        let range = image.iter().copied().fold(f32::NEG_INFINITY, f32::max) - low;
        let scale = if range > 0.0 { 1.0 / range } else { 0.0 };
        for value in image {
            let draw: f32 = StandardNormal.sample(rng);
            *value = (((*value - low) * scale).powf(self.gamma) + self.noise * draw).max(0.0);
        }
    }
}
