//! What training minimises.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

/// Added to both parts of the Dice fraction, as in the reference.
const SMOOTH: f32 = 1.0;

/// The reference's loss: minus the mean over labels of `(2 sum(p y) + 1) / (sum p + sum y + 1)`.
///
/// # Shapes
/// probabilities and target `[n, labels, z, y, x]`; sums run over the batch too -> `[1]`
pub fn soft_dice(probabilities: Tensor<5>, target: Tensor<5>) -> Tensor<1> {
    let [n, labels, z, y, x] = probabilities.dims();
    let flat =
        |t: Tensor<5>| t.reshape([n, labels, z * y * x]).swap_dims(0, 1).reshape([labels, n * z * y * x]);
    let (p, y) = (flat(probabilities), flat(target));
    let overlap = (p.clone() * y.clone()).sum_dim(1);
    let sizes = p.sum_dim(1) + y.sum_dim(1);
    let dice = (overlap * 2.0 + SMOOTH) / (sizes + SMOOTH);
    -dice.mean()
}

/// Mean binary cross-entropy from logits, stable for large ones: `max(l, 0) - l y + ln(1 + exp(-|l|))`.
///
/// # Shapes
/// logits and target `[n, labels, z, y, x]` -> `[1]`
pub fn cross_entropy(logits: Tensor<5>, target: Tensor<5>) -> Tensor<1> {
    let decay = (-logits.clone().abs()).exp();
    (logits.clone().clamp_min(0.0) - logits * target + decay.log1p()).mean()
}

/// What training minimises: the reference's soft Dice loss plus the mean binary cross-entropy, which gives a
/// gradient where Dice is flat.
///
/// # Shapes
/// logits and target `[n, labels, z, y, x]` -> `[1]`
pub fn training(logits: Tensor<5>, target: Tensor<5>) -> Tensor<1> {
    soft_dice(sigmoid(logits.clone()), target.clone()) + cross_entropy(logits, target)
}
