//! Which side of the body an image of one object shows, where the patch network knows one side only: it looks at the image as it
//! is and mirrored, and the reading in which its folds agree more is taken. A network that sees the other side guesses, and
//! each fold guesses otherwise; so where they agree on the image as it is, by more than they ever do on the other side
//! ([`crate::card::ScanCard::sure_agreement`]), its mirror image is not looked at.

use super::boxes::{Bounds, ONLY_OBJECT, TRUSTED_AGREEMENT};
use super::model::Model;
use super::progress::{Phase, PhaseTimer, ProgressFn, SegmentProgress};
use super::reading::Reading;
use super::views::{Seen, View};
use crate::card::CardObject;
use crate::error::Result;

/// By how much the folds must disagree more on the other reading, as a factor, for the side not to be in doubt.
const CLEAR: f64 = 1.25;

/// How the folds agree on an image as it is, and mirrored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SideAgreement {
    /// Of the image as it is.
    pub unmirrored: f64,
    /// Of the image mirrored left to right.
    pub mirrored: f64,
}

impl SideAgreement {
    /// Whether the mirrored reading is taken. Where neither is to be trusted, the image is taken as it is.
    pub fn takes_mirrored(self) -> bool {
        self.mirrored > self.unmirrored && self.mirrored >= TRUSTED_AGREEMENT
    }

    /// Whether both readings are nearly as good, or neither is to be trusted.
    pub fn is_in_doubt(self) -> bool {
        1.0 - self.worst() < CLEAR * (1.0 - self.best()) || self.best() < TRUSTED_AGREEMENT
    }

    /// That of the image as it is, or of its mirror image.
    pub fn of(self, mirrored: bool) -> f64 {
        if mirrored { self.mirrored } else { self.unmirrored }
    }

    /// That of the reading that is taken.
    pub fn best(self) -> f64 {
        self.mirrored.max(self.unmirrored)
    }

    /// That of the other one.
    pub fn worst(self) -> f64 {
        self.mirrored.min(self.unmirrored)
    }
}

/// The object that an image of one object shows, and the image as it was read.
pub(super) struct Shown {
    /// Its place in the card's list.
    pub object: usize,
    /// Its name.
    pub name: String,
    /// The image, mirrored where the networks see the object so.
    pub reading: Reading,
    /// A sentence where another object is nearly as likely.
    pub doubt: Option<String>,
}

/// The object that is given as `side`, or that of the surer reading; the only one where the model knows no sides, the first
/// where it has one fold only.
///
/// # Errors
/// As [`super::segment`].
pub(super) async fn shown_object(
    model: &Model,
    seen: Seen,
    (bounds, side): (Option<Bounds>, Option<usize>),
    timer: &mut PhaseTimer,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Shown> {
    let view = match seen {
        Seen::One(view) => view,
        Seen::Both { straight, mirrored, mirrored_object } => {
            let views = (straight, mirrored);
            return surer_reading(model, views, (bounds, mirrored_object), timer, on_progress).await;
        }
    };
    let objects = model.card.scan.as_ref().map_or(&[][..], |scan| &scan.objects);
    let object = side.unwrap_or(0);
    let reading = Reading::locate(model, view, bounds, timer, on_progress).await?;
    let name = objects.get(object).map_or(ONLY_OBJECT, |known| &known.name).to_owned();
    Ok(Shown { object, name, reading, doubt: None })
}

/// The image as it is, where that is sure; else both readings, and the surer one taken.
async fn surer_reading(
    model: &Model,
    (straight, mirrored): (View, View),
    (bounds, mirrored_object): (Option<Bounds>, usize),
    timer: &mut PhaseTimer,
    on_progress: &mut ProgressFn<'_>,
) -> Result<Shown> {
    let straight = Reading::locate(model, straight, bounds, timer, on_progress).await?;
    let straight = straight.by_all_folds(model, on_progress).await?;
    let unmirrored = straight.agreement.unwrap_or(0.0);
    let scan = model.card.scan.as_ref();
    let objects = scan.iter().flat_map(|scan| &scan.objects);
    let names: Vec<&str> = objects.map(|CardObject { name, .. }| &name[..]).collect();
    if scan.and_then(|scan| scan.sure_agreement).is_some_and(|sure| unmirrored >= sure) {
        timer.end(Phase::Patch);
        return Ok(Shown { object: 0, name: names[0].to_owned(), reading: straight, doubt: None });
    }
    // Of the run that a listener sees it is the end of the patch network's.
    let mut standing = |_: SegmentProgress| on_progress(SegmentProgress { stage: Phase::Patch, done: 1.0 });
    let turned = Reading::locate(model, mirrored, bounds, &mut PhaseTimer::start(), &mut standing).await?;
    let turned = turned.by_all_folds(model, &mut standing).await?;
    timer.end(Phase::Patch);
    let agreement = SideAgreement { unmirrored, mirrored: turned.agreement.unwrap_or(0.0) };
    let takes_mirrored = agreement.takes_mirrored();
    let [object, other] = if takes_mirrored { [mirrored_object, 0] } else { [0, mirrored_object] };
    let doubt = agreement.is_in_doubt().then(|| {
        let [ours, others] = [takes_mirrored, !takes_mirrored].map(|mirrored| agreement.of(mirrored));
        format!(
            "the side is in doubt: the image is taken as of the {} object, on which the folds agree by {ours:.2}, and by \
             {others:.2} on a {} one; a box given by the object's name says which it is",
            names[object], names[other]
        )
    });
    let reading = if takes_mirrored { turned } else { straight };
    Ok(Shown { object, name: names[object].to_owned(), reading, doubt })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reading_on_which_folds_agree_more_is_taken_and_a_narrow_choice_is_a_doubt() {
        let clear = SideAgreement { unmirrored: 0.80, mirrored: 0.97 };
        assert!(clear.takes_mirrored() && !clear.is_in_doubt());
        assert_eq!((clear.best(), clear.worst()), (0.97, 0.80));
        let narrow = SideAgreement { unmirrored: 0.98, mirrored: 0.979 };
        assert!(!narrow.takes_mirrored() && narrow.is_in_doubt());
        // An image that the network does not know stays as it is, and that is said.
        let unknown = SideAgreement { unmirrored: 0.30, mirrored: 0.80 };
        assert!(!unknown.takes_mirrored() && unknown.is_in_doubt());
    }
}
