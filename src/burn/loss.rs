//! What training minimises, on burn's tensors; the formulas are in [`crate::engine::nn::loss`].

use crate::engine::nn::loss::Loss;
use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

/// How much each voxel counts, whatever the label: in the Dice, and in the cross-entropy. Both `[n, 1, z, y, x]`.
#[derive(Debug, Clone)]
pub struct Weighting {
    /// In the Dice, 0 to 1.
    pub overlap: Tensor<5>,
    /// In the cross-entropy, where 1 is an equal share.
    pub entropy: Tensor<5>,
}

/// Minus the mean over labels of `(2 sum(a p y) + 1) / (sum a p + sum a y + 1)`.
///
/// # Shapes
/// probabilities and target `[n, labels, z, y, x]`; sums run over the batch too -> `[1]`
pub fn soft_dice(probabilities: Tensor<5>, target: Tensor<5>, overlap: Option<&Tensor<5>>) -> Tensor<1> {
    let [n, labels, z, y, x] = probabilities.dims();
    let flat =
        |t: Tensor<5>| t.reshape([n, labels, z * y * x]).swap_dims(0, 1).reshape([labels, n * z * y * x]);
    let weighted = |t: Tensor<5>| match overlap {
        Some(overlap) => t * overlap.clone(),
        None => t,
    };
    let (p, y) = (flat(weighted(probabilities)), flat(target.clone()));
    let overlap = (p.clone() * y).sum_dim(1);
    let sizes = p.sum_dim(1) + flat(weighted(target)).sum_dim(1);
    let dice = (overlap * 2.0 + 1.0) / (sizes + 1.0);
    -dice.mean()
}

/// Mean binary cross-entropy from logits, stable for large ones: `e (max(l, 0) - l y + ln(1 + exp(-|l|)))`.
///
/// # Shapes
/// logits and target `[n, labels, z, y, x]` -> `[1]`
pub fn cross_entropy(logits: Tensor<5>, target: Tensor<5>, entropy: Option<Tensor<5>>) -> Tensor<1> {
    let decay = (-logits.clone().abs()).exp();
    let each = logits.clone().clamp_min(0.0) - logits * target + decay.log1p();
    match entropy {
        Some(entropy) => (each * entropy).mean(),
        None => each.mean(),
    }
}

/// A loss of the network: what [`Loss::value`] is for one example.
///
/// # Shapes
/// logits and target `[n, labels, z, y, x]` -> `[1]`
pub fn loss(kind: Loss, logits: Tensor<5>, target: Tensor<5>, weighting: Option<Weighting>) -> Tensor<1> {
    let (overlap, entropy) = weighting.map(|weights| (weights.overlap, weights.entropy)).unzip();
    let dice = soft_dice(sigmoid(logits.clone()), target.clone(), overlap.as_ref());
    match kind {
        Loss::Dice => dice,
        Loss::DiceAndEntropy => dice + cross_entropy(logits, target, entropy),
    }
}
