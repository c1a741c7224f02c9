//! The decision whether tuned weights replace the original ones, with its reason in words.

use serde::Serialize;

/// A figure before and after tuning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BeforeAfter {
    /// With the original weights.
    pub before: f64,
    /// With the tuned weights, rounded as their file holds them.
    pub after: f64,
}

/// Bounds of the acceptance rules. All are Dice values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AcceptanceBounds {
    /// Least gain on the validation voxels.
    pub gain: f64,
    /// Largest loss on the reference case.
    pub fall: f64,
    /// Least agreement of annotations and original masks, for images that resemble the training images; see
    /// [`super::evaluation::agreement`].
    pub agreement: f64,
}

impl Default for AcceptanceBounds {
    /// The validation voxels are often a few slices of one subject, so that a small gain there may be chance: of five
    /// tunings on cases such as the model knows, the two that gained 0.0025 and 0.0022 there were worse elsewhere, by
    /// 0.005 and 0.003 (`scripts/tune-proof.mjs same`).
    fn default() -> Self {
        Self { gain: 0.005, fall: 0.02, agreement: 0.7 }
    }
}

/// Least validation Dice of tuned weights that are accepted.
pub const MIN_DICE: f64 = 0.5;

/// Whether tuned weights are accepted, and the reason with its numbers. `veto`: whether the reference case can refuse them.
pub fn decide(
    validation: BeforeAfter,
    reference: Option<BeforeAfter>,
    veto: bool,
    bounds: &AcceptanceBounds,
) -> (bool, String) {
    let BeforeAfter { before, after } = validation;
    let figures = format!("Dice on the voxels that judge {before:.4} before, {after:.4} after");
    let reference_figures = reference
        .map(|BeforeAfter { before, after }| format!("; reference {before:.4} before, {after:.4} after"));
    let figures = figures + &reference_figures.unwrap_or_else(|| "; no reference case".to_owned());
    let refused = |why: String| (false, format!("refused: {why} ({figures})"));
    // Written so that NaN is refused.
    let better = after > before;
    if !better {
        return refused("it judges no better than before".to_owned());
    }
    let AcceptanceBounds { gain, fall, .. } = *bounds;
    if after - before < gain {
        return refused(format!("a gain of less than {gain} on the voxels that judge may be chance"));
    }
    if after < MIN_DICE {
        return refused(format!("what was learned does not fit what judges, it must reach {MIN_DICE}"));
    }
    let preserved = reference.is_none_or(|BeforeAfter { before, after }| after >= before - fall);
    if veto && !preserved {
        return refused(format!("the reference case falls by more than {fall}"));
    }
    let note = if veto || reference.is_none() { "" } else { ", which does not count in another domain" };
    (true, format!("accepted: {figures}{note}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_those_that_are_stated() {
        let bounds = AcceptanceBounds { gain: 0.0, fall: 0.02, agreement: 0.6 };
        let change = |before, after| BeforeAfter { before, after };
        let accepted = |check, reference, veto| decide(check, reference, veto, &bounds).0;
        assert!(accepted(change(0.8, 0.85), Some(change(0.9, 0.89)), true));
        assert!(!accepted(change(0.8, 0.8), Some(change(0.9, 0.9)), true));
        assert!(!accepted(change(0.8, 0.85), Some(change(0.9, 0.87)), true));
        assert!(accepted(change(0.1, 0.85), Some(change(0.9, 0.1)), false));
        assert!(!accepted(change(0.1, 0.45), None, false));
        assert!(!accepted(change(0.1, f64::NAN), None, false));
        assert!(!accepted(change(0.8, 0.85), Some(change(0.9, f64::NAN)), true));
        let bounds = AcceptanceBounds { gain: 0.005, ..bounds };
        let words = |before, after| decide(change(before, after), None, true, &bounds).1;
        assert!(words(0.8, 0.804).starts_with("refused: a gain of less than 0.005"));
        assert!(words(0.8, 0.79).starts_with("refused: it judges no better"));
        assert!(words(0.8, 0.806).starts_with("accepted"));
    }
}
