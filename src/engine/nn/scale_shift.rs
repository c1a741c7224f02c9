//! Instance normalisation, in two halves: statistics that add up over slabs, and the scale and shift that a reader applies
//! from a raw value to a normalised one.

use crate::model::{EPSILON, NEGATIVE_SLOPE};

/// Count, mean and sum of squared deviations of some values. Two of them add up exactly (Chan, Golub and LeVeque
/// 1979), whatever the mean: sums of squares would lose what lies below the mean's own rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// Number of values.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// Sum of squared differences from the mean.
    pub m2: f64,
}

impl Moments {
    /// Of `count` zeros.
    pub fn zeros(count: f64) -> Self {
        Self { count, mean: 0.0, m2: 0.0 }
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
            m2: self.m2 + other.m2 + apart * apart * self.count * share,
        }
    }

    /// Mean of the squared deviations.
    pub fn variance(&self) -> f64 {
        self.m2 / self.count.max(1.0)
    }
}

/// `leaky(scale x + shift)`, where `negative_slope` 1 is no LeakyReLU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleShift {
    /// Factor.
    pub scale: f32,
    /// Offset.
    pub shift: f32,
    /// Slope below zero.
    pub negative_slope: f32,
}

/// The larger of two values; NaN where the second one is. In WebAssembly `f32::max` is a call for each value, and no vector
/// instruction: it took a fifth of a training step.
#[inline(always)]
pub fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

impl ScaleShift {
    /// Gives a value back as it is.
    pub const IDENTITY: Self = Self { scale: 1.0, shift: 0.0, negative_slope: 1.0 };

    /// Gives zero.
    pub const ZERO: Self = Self { scale: 0.0, shift: 0.0, negative_slope: 1.0 };

    /// The normalised and activated value of a raw one.
    #[inline(always)]
    pub fn at(&self, value: f32) -> f32 {
        let value = value * self.scale + self.shift;
        larger(value, self.negative_slope * value)
    }

    /// The scale and shift of a channel with these statistics.
    pub fn new(moments: &Moments, [gamma, beta]: [f32; 2], leaky: bool) -> Self {
        let scale = f64::from(gamma) / (moments.variance() + f64::from(EPSILON)).sqrt();
        let shift = f64::from(beta) - moments.mean * scale;
        Self {
            scale: scale as f32,
            shift: shift as f32,
            negative_slope: if leaky { NEGATIVE_SLOPE } else { 1.0 },
        }
    }
}

/// How many zeros the padding of an up-convolution adds to its output of `dims`: the size is that of the input and
/// one plane more on each axis, doubled. Where `dims` is odd, one of its two planes of zeros is already there.
pub fn padding(dims: [usize; 3]) -> f64 {
    let product = |dims: [usize; 3]| dims.map(|side| side as f64).iter().product::<f64>();
    product(dims.map(|side| 2 * (side / 2) + 2)) - product(dims)
}
