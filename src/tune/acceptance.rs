//! The decision whether tuned weights replace the original ones, with its reason in words.

use serde::{Deserialize, Serialize};

/// A figure before and after tuning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BeforeAfter {
    /// With the original weights.
    pub before: f64,
    /// With the tuned weights, rounded as their file holds them.
    pub after: f64,
}

impl BeforeAfter {
    fn gain(self) -> f64 {
        self.after - self.before
    }
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

/// A convention of one's own: so much must be gained, on so many images, where the reference case falls.
const OWN_GAIN: f64 = 0.01;
const OWN_IMAGES: usize = 2;

/// What became of a tuning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The tuned model takes the place of the original one.
    Accepted,
    /// It does so only where a person says that it shall, as a variant of their own: their images gain clearly, and only
    /// the shipped reference case falls, as where a lab draws an object otherwise than the model was taught.
    Variant,
    /// It does not.
    Refused,
}

/// Which rule decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// All of them are kept.
    Better,
    /// The held-out annotations gain clearly, and the reference case falls.
    OwnConvention,
    /// No gain on the held-out annotations.
    NoGain,
    /// A gain that may be chance.
    SmallGain,
    /// The tuned model still fits the held-out annotations badly.
    PoorFit,
    /// The reference case falls.
    ReferenceFalls,
    /// Merged weights meet one's own annotations worse.
    OwnFalls,
    /// The annotations do not belong to the images.
    Annotations,
}

/// The verdict, the rule that led to it, and both in words with their figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What becomes of the tuned model.
    pub verdict: Verdict,
    /// Why.
    pub cause: Cause,
    /// A sentence for people.
    pub reason: String,
}

/// Whether tuned weights are accepted. `validation`: mean Dice on the annotations that were held out; `cases`: the same by
/// image; `veto`: whether the reference case can refuse them.
pub fn decide(
    validation: BeforeAfter,
    cases: &[BeforeAfter],
    reference: Option<BeforeAfter>,
    veto: bool,
    bounds: &AcceptanceBounds,
) -> Decision {
    let BeforeAfter { before, after } = validation;
    let figures = format!("Dice on the held-out annotations {before:.4} before, {after:.4} after");
    let on_reference = reference.map(on_reference);
    let figures = figures + &on_reference.unwrap_or_else(|| "; the model has no reference case".to_owned());
    let decision = |verdict: Verdict, cause: Cause, why: &str| {
        let word = word(verdict);
        let why = if why.is_empty() { String::new() } else { format!("{why} (") };
        let end = if why.is_empty() { "" } else { ")" };
        Decision { verdict, cause, reason: format!("{word}: {why}{figures}{end}") }
    };
    let refused = |cause: Cause, why: &str| decision(Verdict::Refused, cause, why);
    let AcceptanceBounds { gain, fall, .. } = *bounds;
    // Written so that NaN is refused.
    let better = after > before;
    if !better {
        return refused(Cause::NoGain, "the annotations that were held out are met no better than before");
    }
    if validation.gain() < gain {
        let why = format!("a gain of less than {gain} on the annotations that were held out may be chance");
        return refused(Cause::SmallGain, &why);
    }
    if after < MIN_DICE {
        let why = format!("the annotations that were held out are still met badly, {MIN_DICE} is the least");
        return refused(Cause::PoorFit, &why);
    }
    if veto && !is_preserved(reference, fall) {
        let own = cases.iter().filter(|case| case.gain() >= OWN_GAIN).count();
        let why = format!("the model's reference case falls by more than {fall}");
        if own < OWN_IMAGES {
            return refused(Cause::ReferenceFalls, &why);
        }
        let why = format!(
            "{why}, while {own} of your images gain {OWN_GAIN} or more: it can be kept as a variant of your own"
        );
        return decision(Verdict::Variant, Cause::OwnConvention, &why);
    }
    let mut accepted = decision(Verdict::Accepted, Cause::Better, "");
    if !veto && reference.is_some() {
        accepted.reason.push_str(", which does not count for images of another kind");
    }
    accepted
}

/// Whether weights that were merged with somebody else's take the place of one's own: they gain elsewhere, so here they may
/// fall by as much as the reference case may. `validation`, `reference` and `veto` as of [`decide`].
pub fn decide_merged(
    validation: BeforeAfter,
    reference: Option<BeforeAfter>,
    veto: bool,
    bounds: &AcceptanceBounds,
) -> Decision {
    let fall = bounds.fall;
    let BeforeAfter { before, after } = validation;
    // Written so that NaN is refused.
    let holds = validation.gain() >= -fall;
    let (cause, why) = if !holds {
        (Cause::OwnFalls, format!("the annotations that were held out fall by more than {fall}"))
    } else if after < MIN_DICE {
        (Cause::PoorFit, format!("the annotations that were held out are met badly, {MIN_DICE} is the least"))
    } else if veto && !is_preserved(reference, fall) {
        (Cause::ReferenceFalls, format!("the model's reference case falls by more than {fall}"))
    } else {
        (Cause::Better, format!("the annotations that were held out fall by no more than {fall}"))
    };
    let verdict = if cause == Cause::Better { Verdict::Accepted } else { Verdict::Refused };
    let (word, on_reference) = (word(verdict), reference.map(on_reference).unwrap_or_default());
    let figures = format!("Dice {before:.4} before, {after:.4} after{on_reference}");
    Decision { verdict, cause, reason: format!("{word}: {why} ({figures})") }
}

/// Whether the reference case, where there is one, does not fall too far; not where its Dice is no number.
fn is_preserved(reference: Option<BeforeAfter>, fall: f64) -> bool {
    reference.is_none_or(|reference| reference.gain() >= -fall)
}

fn on_reference(BeforeAfter { before, after }: BeforeAfter) -> String {
    format!("; on the model's reference case {before:.4} before, {after:.4} after")
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Variant | Verdict::Refused => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: f64, after: f64) -> BeforeAfter {
        BeforeAfter { before, after }
    }

    #[test]
    fn the_rules_are_those_that_are_stated() {
        let bounds = AcceptanceBounds { gain: 0.0, fall: 0.02, agreement: 0.6 };
        let accepted = |check, reference, veto| {
            decide(check, &[], reference, veto, &bounds).verdict == Verdict::Accepted
        };
        assert!(accepted(change(0.8, 0.85), Some(change(0.9, 0.89)), true));
        assert!(!accepted(change(0.8, 0.8), Some(change(0.9, 0.9)), true));
        assert!(!accepted(change(0.8, 0.85), Some(change(0.9, 0.87)), true));
        assert!(accepted(change(0.1, 0.85), Some(change(0.9, 0.1)), false));
        assert!(!accepted(change(0.1, 0.45), None, false));
        assert!(!accepted(change(0.1, f64::NAN), None, false));
        assert!(!accepted(change(0.8, 0.85), Some(change(0.9, f64::NAN)), true));
        let bounds = AcceptanceBounds { gain: 0.005, ..bounds };
        let words = |before, after| decide(change(before, after), &[], None, true, &bounds).reason;
        assert!(words(0.8, 0.804).starts_with("refused: a gain of less than 0.005"));
        assert!(
            words(0.8, 0.79).starts_with("refused: the annotations that were held out are met no better")
        );
        assert!(words(0.8, 0.806).starts_with("accepted"));
    }

    #[test]
    fn a_convention_of_ones_own_is_offered_as_a_variant_where_two_images_gain_clearly() {
        let bounds = AcceptanceBounds::default();
        let of = |cases: &[BeforeAfter], reference| {
            let found = decide(change(0.8, 0.85), cases, reference, true, &bounds);
            (found.verdict, found.cause)
        };
        let falls = Some(change(0.9, 0.7));
        let (clear, little) = (change(0.8, 0.82), change(0.8, 0.805));
        assert_eq!(of(&[clear, clear], falls), (Verdict::Variant, Cause::OwnConvention));
        assert_eq!(of(&[clear, little, clear], falls), (Verdict::Variant, Cause::OwnConvention));
        assert_eq!(of(&[clear, little], falls), (Verdict::Refused, Cause::ReferenceFalls));
        assert_eq!(of(&[clear], falls), (Verdict::Refused, Cause::ReferenceFalls));
        assert_eq!(of(&[clear, clear], Some(change(0.9, 0.9))), (Verdict::Accepted, Cause::Better));
        // What is refused for its own sake is no variant.
        let poor = decide(change(0.1, 0.4), &[clear, clear], falls, true, &bounds);
        assert_eq!((poor.verdict, poor.cause), (Verdict::Refused, Cause::PoorFit));
        let lost = decide(change(0.8, 0.85), &[clear, clear], Some(change(0.9, f64::NAN)), true, &bounds);
        assert_eq!(lost.verdict, Verdict::Variant);
        let words = decide(change(0.8, 0.85), &[clear, clear], falls, true, &bounds).reason;
        assert!(
            words.starts_with(
                "refused: the model's reference case falls by more than 0.02, while 2 of your images"
            ),
            "{words}"
        );
    }

    #[test]
    fn merged_weights_may_cost_a_little_of_ones_own() {
        let bounds = AcceptanceBounds::default();
        let cause = |check, reference, veto| decide_merged(check, reference, veto, &bounds).cause;
        let kept = Some(change(0.9, 0.89));
        assert_eq!(cause(change(0.85, 0.84), kept, true), Cause::Better);
        assert_eq!(cause(change(0.85, 0.82), kept, true), Cause::OwnFalls);
        assert_eq!(cause(change(0.85, f64::NAN), kept, true), Cause::OwnFalls);
        assert_eq!(cause(change(0.4, 0.45), kept, true), Cause::PoorFit);
        for fallen in [0.7, f64::NAN] {
            assert_eq!(cause(change(0.85, 0.9), Some(change(0.9, fallen)), true), Cause::ReferenceFalls);
            assert_eq!(cause(change(0.85, 0.9), Some(change(0.9, fallen)), false), Cause::Better);
        }
        let words = decide_merged(change(0.85, 0.8), None, true, &bounds).reason;
        assert!(
            words.starts_with("refused: the annotations that were held out fall by more than 0.02"),
            "{words}"
        );
    }
}
