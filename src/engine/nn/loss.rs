//! What training minimises, with its gradient: the reference's soft Dice plus the mean binary cross-entropy, which
//! gives a gradient where Dice is flat. Voxels may count differently, with a weight `a` in the one and `e` in the other; both
//! are 1 where nothing is said.
//!
//! ```text
//! dice = - mean over labels of  (2 sum(a p y) + 1) / (sum a p + sum a y + 1)        p = 1 / (1 + exp(-l))
//! entropy = mean over labels and voxels of  e (max(l, 0) - l y + ln(1 + exp(-|l|)))
//! d dice / dl = - a p (1 - p) (2 y - share) / (sum a p + sum a y + 1) / labels      share: the fraction
//! d entropy / dl = e (p - y) / (labels voxels)
//! ```

use super::parallel;
use serde::{Deserialize, Serialize};

/// Added to both parts of the Dice fraction, as in the reference.
const SMOOTH: f64 = 1.0;
/// Voxels that a thread takes at once; sums are in the order of these pieces, however many threads there are.
const PIECE: usize = 1 << 14;

/// Which parts count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// Soft Dice alone, as the reference has it.
    #[serde(rename = "dice")]
    Dice,
    /// Both.
    #[serde(rename = "dice-entropy")]
    DiceAndEntropy,
}

/// How much each voxel `[z, y, x]` counts, whatever the label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighting<'a> {
    /// In the Dice, 0 to 1.
    pub overlap: &'a [f32],
    /// In the cross-entropy, where 1 is an equal share.
    pub entropy: &'a [f32],
}

impl Weighting<'_> {
    /// Both weights of a voxel.
    fn at(weighting: Option<&Self>, voxel: usize) -> [f32; 2] {
        weighting.map_or([1.0; 2], |weights| [weights.overlap[voxel], weights.entropy[voxel]])
    }
}

/// Sums of a label.
#[derive(Default)]
struct Label {
    overlap: f64,
    sizes: f64,
    entropy: f64,
}

impl Label {
    /// Takes the place of the logits in `values` by probabilities.
    fn of(values: &mut [f32], target: &[f32], weighting: Option<&Weighting>) -> Self {
        let pieces = values.chunks_mut(PIECE).zip(target.chunks(PIECE)).enumerate().collect();
        let parts = parallel::map(
            pieces,
            || (),
            |(), (piece, (values, target)): (usize, (&mut [f32], &[f32]))| {
                let mut label = Self::default();
                for (voxel, (value, &y)) in values.iter_mut().zip(target).enumerate() {
                    let [a, e] = Weighting::at(weighting, piece * PIECE + voxel).map(f64::from);
                    let (l, small) = (*value, (-value.abs()).exp());
                    *value = if l < 0.0 { small } else { 1.0 } / (1.0 + small);
                    let p = f64::from(*value);
                    label.overlap += a * p * f64::from(y);
                    label.sizes += a * (p + f64::from(y));
                    label.entropy += e * f64::from(l.max(0.0) - l * y + small.ln_1p());
                }
                label
            },
        );
        parts.into_iter().fold(Self::default(), |sum, part| Self {
            overlap: sum.overlap + part.overlap,
            sizes: sum.sizes + part.sizes,
            entropy: sum.entropy + part.entropy,
        })
    }

    fn fraction(&self) -> f64 {
        (2.0 * self.overlap + SMOOTH) / (self.sizes + SMOOTH)
    }
}

/// A loss with what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct LossValue {
    /// The loss.
    pub loss: f64,
    /// Soft Dice of each label: the fraction in the formula.
    pub soft_dice: Vec<f64>,
}

impl Loss {
    /// The loss of `logits` and `target`, both `[labels, ...]`.
    pub fn value(
        self,
        mut logits: Vec<f32>,
        target: &[f32],
        weighting: Option<&Weighting>,
        labels: usize,
    ) -> LossValue {
        self.sums(&mut logits, target, weighting, labels).1
    }

    /// The loss, and its gradient by the logits, which takes their place in `values`.
    pub fn gradient(
        self,
        values: &mut [f32],
        target: &[f32],
        weighting: Option<&Weighting>,
        labels: usize,
    ) -> LossValue {
        let (sums, value) = self.sums(values, target, weighting, labels);
        let voxels = values.len() / labels;
        let entropy = if self == Self::Dice { 0.0 } else { 1.0 / (labels * voxels) as f32 };
        let each = sums.iter().zip(values.chunks_exact_mut(voxels)).zip(target.chunks_exact(voxels));
        for ((label, values), target) in each {
            let fraction = label.fraction() as f32;
            let weight = (1.0 / ((label.sizes + SMOOTH) * labels as f64)) as f32;
            for (voxel, (value, &y)) in values.iter_mut().zip(target).enumerate() {
                let ([a, e], p) = (Weighting::at(weighting, voxel), *value);
                *value = a * p * (1.0 - p) * (fraction - 2.0 * y) * weight + e * (p - y) * entropy;
            }
        }
        value
    }

    fn sums(
        self,
        values: &mut [f32],
        target: &[f32],
        weighting: Option<&Weighting>,
        labels: usize,
    ) -> (Vec<Label>, LossValue) {
        let (voxels, count) = (values.len() / labels, values.len());
        let each = values.chunks_exact_mut(voxels).zip(target.chunks_exact(voxels));
        let sums: Vec<Label> = each.map(|(values, target)| Label::of(values, target, weighting)).collect();
        let soft_dice: Vec<f64> = sums.iter().map(Label::fraction).collect();
        let dice = soft_dice.iter().sum::<f64>() / labels as f64;
        let entropy = sums.iter().map(|label| label.entropy).sum::<f64>() / count as f64;
        let loss = if self == Self::Dice { -dice } else { entropy - dice };
        (sums, LossValue { loss, soft_dice })
    }
}
