//! Squeeze-and-excite as numbers of the model: it looks at the means of channels that were just normalised, and
//! these are `beta`, whatever the image is.
//!
//! ```text
//! q = max(Ws beta + bs, 0)        f = 1 / (1 + exp(-(We q + be)))        gamma' = gamma f        beta' = beta f
//! ```

use super::graph::Norm;
use super::weights::tensor;
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
    fn backward(&self, grad: &[f32]) -> Vec<f32> {
        let mut found = vec![0.0; self.weight.len() / grad.len()];
        for (row, g) in self.weight.chunks_exact(found.len()).zip(grad) {
            found.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * g);
        }
        found
    }
}

/// The gradient by a layer's weight.
fn outer(grad: &[f32], x: &[f32]) -> Vec<f32> {
    grad.iter().flat_map(|g| x.iter().map(move |x| g * x)).collect()
}

/// A squeeze-and-excite on channels with these offsets.
pub struct SqueezeExcite<'a> {
    beta: &'a [f32],
    squeeze: Dense<'a>,
    excite: Dense<'a>,
    squeezed: Vec<f32>,
    /// By channel.
    pub factors: Vec<f32>,
}

impl<'a> SqueezeExcite<'a> {
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
    pub fn backward(&self, grad_factors: &[f32]) -> ([(&'static str, Vec<f32>); 4], Vec<f32>) {
        let excited: Vec<f32> =
            grad_factors.iter().zip(&self.factors).map(|(g, f)| g * f * (1.0 - f)).collect();
        let mut squeezed = self.excite.backward(&excited);
        squeezed.iter_mut().zip(&self.squeezed).for_each(|(g, q)| *g *= f32::from(*q > 0.0));
        let grad_beta = self.squeeze.backward(&squeezed);
        let tensors = [
            ("squeeze.weight", outer(&squeezed, self.beta)),
            ("squeeze.bias", squeezed),
            ("excite.weight", outer(&excited, &self.squeezed)),
            ("excite.bias", excited),
        ];
        (tensors, grad_beta)
    }
}

/// `[gamma, beta]` of each channel of a normalisation, squeeze-and-excite multiplied in.
///
/// # Errors
/// `Malformed` where a weight is missing.
pub fn parameters(norm: &Norm, weights: &Weights) -> Result<Vec<[f32; 2]>> {
    let [gamma, beta] = own(norm, weights)?;
    let factors = match &norm.squeeze_excite {
        None => vec![1.0; beta.len()],
        Some(name) => SqueezeExcite::new(name, weights, beta)?.factors,
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
    let Some(name) = &norm.squeeze_excite else {
        return Ok(vec![own("gamma", part(0).collect()), own("beta", part(1).collect())]);
    };
    let excite = SqueezeExcite::new(name, weights, beta)?;
    let grad_factors = gamma.iter().zip(beta).zip(part(0).zip(part(1)));
    let grad_factors: Vec<f32> = grad_factors.map(|((gamma, beta), (g, b))| gamma * g + beta * b).collect();
    let (tensors, more) = excite.backward(&grad_factors);
    let scaled = |n: usize| part(n).zip(&excite.factors).map(|(g, factor)| g * factor);
    let beta = scaled(1).zip(more).map(|(g, more)| g + more).collect();
    let tensors = tensors.into_iter().map(|(part, values)| (format!("{name}.{part}"), values));
    Ok([own("gamma", scaled(0).collect()), own("beta", beta)].into_iter().chain(tensors).collect())
}

/// A normalisation's own `[gamma, beta]`.
fn own<'a>(norm: &Norm, weights: &'a Weights) -> Result<[&'a [f32]; 2]> {
    Ok([tensor(weights, &format!("{}.gamma", norm.name))?, tensor(weights, &format!("{}.beta", norm.name))?])
}
