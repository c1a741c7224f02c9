//! Instance normalisation, in two halves: statistics that add up over slabs, and the line that a reader draws
//! from a raw value to a normalised one.

use super::excite::Excite;
use super::graph::Norm;
use crate::error::{Error, Result};
use crate::model::{EPSILON, LEAK};
use crate::store::Weights;

/// Count, mean and sum of squared deviations of some values. Two of them add up exactly (Chan, Golub and LeVeque
/// 1979), whatever the mean: sums of squares would lose what lies below the mean's own rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// Number of values.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// Sum of squared differences from the mean.
    pub squares: f64,
}

impl Moments {
    /// Of `count` zeros.
    pub fn zeros(count: f64) -> Self {
        Self { count, mean: 0.0, squares: 0.0 }
    }

    /// Of the values of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let (apart, share) = (other.mean - self.mean, other.count / count);
        Self {
            count,
            mean: self.mean + apart * share,
            squares: self.squares + other.squares + apart * apart * self.count * share,
        }
    }

    /// Mean of the squared deviations.
    pub fn variance(&self) -> f64 {
        self.squares / self.count.max(1.0)
    }
}

/// `leaky(scale x + shift)`, where `leak` 1 is no LeakyReLU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Factor.
    pub scale: f32,
    /// Offset.
    pub shift: f32,
    /// Slope below zero.
    pub leak: f32,
}

impl Line {
    /// Gives a value back as it is.
    pub const SAME: Self = Self { scale: 1.0, shift: 0.0, leak: 1.0 };

    /// Gives zero.
    pub const NOTHING: Self = Self { scale: 0.0, shift: 0.0, leak: 1.0 };

    /// The normalised and activated value of a raw one.
    #[inline(always)]
    pub fn at(&self, value: f32) -> f32 {
        let value = value * self.scale + self.shift;
        value.max(self.leak * value)
    }

    /// The line of a channel with these statistics.
    pub fn new(moments: &Moments, [gamma, beta]: [f32; 2], leaky: bool) -> Self {
        let scale = f64::from(gamma) / (moments.variance() + f64::from(EPSILON)).sqrt();
        let shift = f64::from(beta) - moments.mean * scale;
        Self { scale: scale as f32, shift: shift as f32, leak: if leaky { LEAK } else { 1.0 } }
    }
}

/// How many zeros the padding of an up-convolution adds to its output of `dims`: the size is that of the input and
/// one plane more on each axis, doubled. Where `dims` is odd, one of its two planes of zeros is already there.
pub fn padding(dims: [usize; 3]) -> f64 {
    let product = |dims: [usize; 3]| dims.map(|side| side as f64).iter().product::<f64>();
    product(dims.map(|side| 2 * (side / 2) + 2)) - product(dims)
}

/// `[gamma, beta]` of each channel of a normalisation, squeeze-and-excite multiplied in.
///
/// # Errors
/// `Malformed` where a weight is missing.
pub fn parameters(norm: &Norm, weights: &Weights) -> Result<Vec<[f32; 2]>> {
    let [gamma, beta] = own(norm, weights)?;
    let factors = match &norm.excite {
        None => vec![1.0; beta.len()],
        Some(name) => Excite::new(name, weights, beta)?.factors,
    };
    let scaled = gamma.iter().zip(beta).zip(&factors);
    Ok(scaled.map(|((gamma, beta), factor)| [gamma * factor, beta * factor]).collect())
}

/// The gradients by name from those by the channels' [`parameters`].
///
/// # Errors
/// `Malformed` where a weight is missing.
pub fn gradients(norm: &Norm, weights: &Weights, by: &[[f64; 2]]) -> Result<Vec<(String, Vec<f32>)>> {
    let [gamma, beta] = own(norm, weights)?;
    let part = |n: usize| by.iter().map(move |pair| pair[n] as f32);
    let own = |part: &str, values| (format!("{}.{part}", norm.name), values);
    let Some(name) = &norm.excite else {
        return Ok(vec![own("gamma", part(0).collect()), own("beta", part(1).collect())]);
    };
    let excite = Excite::new(name, weights, beta)?;
    let by_factors = gamma.iter().zip(beta).zip(part(0).zip(part(1)));
    let by_factors: Vec<f32> = by_factors.map(|((gamma, beta), (g, b))| gamma * g + beta * b).collect();
    let (tensors, more) = excite.back(&by_factors);
    let scaled = |n: usize| part(n).zip(&excite.factors).map(|(slope, factor)| slope * factor);
    let beta = scaled(1).zip(more).map(|(slope, more)| slope + more).collect();
    let tensors = tensors.into_iter().map(|(part, values)| (format!("{name}.{part}"), values));
    Ok([own("gamma", scaled(0).collect()), own("beta", beta)].into_iter().chain(tensors).collect())
}

/// A normalisation's own `[gamma, beta]`.
fn own<'a>(norm: &Norm, weights: &'a Weights) -> Result<[&'a [f32]; 2]> {
    Ok([tensor(weights, &format!("{}.gamma", norm.name))?, tensor(weights, &format!("{}.beta", norm.name))?])
}

/// The values of a tensor of weights.
///
/// # Errors
/// `Malformed` where it is missing.
pub fn tensor<'a>(weights: &'a Weights, name: &str) -> Result<&'a [f32]> {
    weights
        .get(name)
        .map(|array| array.values.as_slice())
        .ok_or_else(|| Error::malformed(name, "no such tensor", "every weight of the network"))
}
