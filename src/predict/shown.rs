//! Which of a model's objects an image of one object shows.

use super::boxes::{Bounds, ONLY_OBJECT};
use super::model::Model;
use super::progress::ProgressFn;
use super::side::side_agreement;
use crate::card::CardObject;
use crate::error::Result;
use crate::file::Volume;

/// The object that an image of one object shows.
pub(super) struct Shown {
    /// Its place in the card's list.
    pub object: usize,
    /// Its name.
    pub name: String,
    /// Whether the networks see it mirrored.
    pub mirror: bool,
    /// How the folds agree on it, where that was asked.
    pub agreement: Option<f64>,
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
    volume: &Volume,
    (bounds, side): (Option<Bounds>, Option<usize>),
    on_progress: &mut ProgressFn<'_>,
) -> Result<Shown> {
    let Some(scan) = &model.card.scan else {
        let name = ONLY_OBJECT.to_owned();
        return Ok(Shown { object: 0, name, mirror: false, agreement: None, doubt: None });
    };
    let shown = |object: usize, agreement, doubt| {
        let CardObject { name, mirror } = scan.objects[object].clone();
        Shown { object, name, mirror, agreement, doubt }
    };
    let other = scan.objects.iter().position(|object| object.mirror);
    let (None, Some(other), false) = (side, other, model.peers.is_empty() && model.patch.len() < 2) else {
        return Ok(shown(side.unwrap_or(0), None, None));
    };
    let agreement = side_agreement(model, volume, bounds, on_progress).await?;
    let mirrored = agreement.takes_mirrored();
    let object = if mirrored { other } else { 0 };
    let doubt = agreement.is_in_doubt().then(|| {
        let [taken, left_out] = [object, other - object].map(|n| &scan.objects[n].name);
        let [ours, others] = [mirrored, !mirrored].map(|mirrored| agreement.of(mirrored));
        format!(
            "the side is in doubt: the image is taken as of the {taken} object, on which the folds agree by {ours:.2}, and by \
             {others:.2} on a {left_out} one; a box given by the object's name says which it is"
        )
    });
    Ok(shown(object, Some(agreement.of(mirrored)), doubt))
}
