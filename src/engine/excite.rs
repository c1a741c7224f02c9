//! Squeeze-and-excite as numbers of the model: it looks at the means of channels that were just normalised, and
//! these are `beta`, whatever the image is.
//!
//! ```text
//! q = max(Ws beta + bs, 0)        f = 1 / (1 + exp(-(We q + be)))        gamma' = gamma f        beta' = beta f
//! ```

use super::norm::tensor;
use crate::error::Result;
use crate::store::Weights;

/// A layer: `[out, in]` and `[out]`.
struct Dense<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
}

impl<'a> Dense<'a> {
    fn new(weights: &'a Weights, name: &str) -> Result<Self> {
        let part = |part: &str| tensor(weights, &format!("{name}.{part}"));
        Ok(Self { weight: part("weight")?, bias: part("bias")? })
    }

    fn of(&self, x: &[f32]) -> Vec<f32> {
        let row = |row: &[f32]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
        self.weight.chunks_exact(x.len()).zip(self.bias).map(|(weights, bias)| row(weights) + bias).collect()
    }

    /// The gradient by the input from that by the output.
    fn back(&self, slopes: &[f32]) -> Vec<f32> {
        let mut found = vec![0.0; self.weight.len() / slopes.len()];
        for (row, slope) in self.weight.chunks_exact(found.len()).zip(slopes) {
            found.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * slope);
        }
        found
    }
}

/// The gradient by a layer's weight.
fn outer(slopes: &[f32], x: &[f32]) -> Vec<f32> {
    slopes.iter().flat_map(|slope| x.iter().map(move |x| slope * x)).collect()
}

/// A squeeze-and-excite on channels with these offsets.
pub struct Excite<'a> {
    beta: &'a [f32],
    squeeze: Dense<'a>,
    excite: Dense<'a>,
    squeezed: Vec<f32>,
    /// By channel.
    pub factors: Vec<f32>,
}

impl<'a> Excite<'a> {
    /// The one of this name.
    ///
    /// # Errors
    /// `Malformed` where a weight is missing.
    pub fn new(name: &str, weights: &'a Weights, beta: &'a [f32]) -> Result<Self> {
        let squeeze = Dense::new(weights, &format!("{name}.squeeze"))?;
        let excite = Dense::new(weights, &format!("{name}.excite"))?;
        let squeezed: Vec<f32> = squeeze.of(beta).iter().map(|v| v.max(0.0)).collect();
        let factors = excite.of(&squeezed).iter().map(|v| 1.0 / (1.0 + (-v).exp())).collect();
        Ok(Self { beta, squeeze, excite, squeezed, factors })
    }

    /// From the gradients by the factors: those of its four tensors, by the ends of their names, and what is to be
    /// added to the gradient by `beta`.
    pub fn back(&self, by_factors: &[f32]) -> ([(&'static str, Vec<f32>); 4], Vec<f32>) {
        let excited: Vec<f32> =
            by_factors.iter().zip(&self.factors).map(|(slope, f)| slope * f * (1.0 - f)).collect();
        let mut squeezed = self.excite.back(&excited);
        squeezed.iter_mut().zip(&self.squeezed).for_each(|(slope, q)| *slope *= f32::from(*q > 0.0));
        let by_beta = self.squeeze.back(&squeezed);
        let tensors = [
            ("squeeze.weight", outer(&squeezed, self.beta)),
            ("squeeze.bias", squeezed),
            ("excite.weight", outer(&excited, &self.squeezed)),
            ("excite.bias", excited),
        ];
        (tensors, by_beta)
    }
}
