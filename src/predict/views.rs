//! What the networks see of a volume: all that a run needs of its voxels, which may go before the networks run.

use super::boxes::{Bounds, ChosenBoxes, ONLY_OBJECT};
use super::model::Model;
use super::progress::{Phase, PhaseTimer, ProgressFn, report_progress};
use super::transform::{SpatialTransform, field_mm};
use crate::card::Card;
use crate::error::{Error, Result};
use crate::file::{Volume, VolumeFile, check_allocatable};
use crate::grid::{Grid, Reorientation, Resample};
use crate::prepare::{Image, isotropic_step};

/// An image at 1 mm, and the way to it from the file.
pub(super) struct View {
    pub transform: SpatialTransform,
    pub image: Image,
}

impl View {
    fn of(volume: &Volume, card: &Card) -> Result<Self> {
        let (transform, image) = SpatialTransform::forward(volume, card)?;
        Ok(Self { transform, image })
    }
}

/// The views of a run.
#[allow(clippy::large_enum_variant, reason = "one of them, for the length of a run")]
pub(super) enum Seen {
    /// The image as it is, or mirrored where its object is known to be seen so.
    One(View),
    /// Both, where the side has to be found out.
    Both { straight: View, mirrored: View, mirrored_object: usize },
}

/// What the networks see of a volume.
pub struct Views {
    pub(super) seen: Seen,
    pub(super) timer: PhaseTimer,
}

impl Views {
    /// The views for a run of [`super::segment_views`] with the same boxes.
    ///
    /// # Errors
    /// As [`super::segment_boxes`].
    pub fn of(
        model: &Model,
        volume: &Volume,
        chosen: &ChosenBoxes,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<Self> {
        let (card, wanted) = wanted(model, &volume.grid, chosen)?;
        let timer = begin(on_progress)?;
        let mirrored = wanted.orders().contains(&true).then(|| volume.mirrored());
        let view = |turned: &bool| View::of(mirrored.as_ref().filter(|_| *turned).unwrap_or(volume), card);
        let views = wanted.orders().iter().map(view).collect::<Result<Vec<_>>>()?;
        Ok(Self { seen: wanted.seen(views)?, timer })
    }

    /// As [`Self::of`], of a file that is not decoded yet. Its voxels are never held as a whole, and the volume has none.
    ///
    /// # Errors
    /// As [`super::segment_boxes`] and [`VolumeFile::read`].
    pub fn of_file(
        model: &Model,
        file: VolumeFile<'_>,
        chosen: &ChosenBoxes,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<(Volume, Self)> {
        let (card, wanted) = wanted(model, &file.header()?.grid, chosen)?;
        let (volume, step, values) = resampled(file, card, wanted.orders())?;
        let timer = begin(on_progress)?;
        let orders = wanted.orders();
        let count = step.to.iter().product::<usize>() * orders.len();
        let view = |(at, turned): (usize, &bool)| {
            let own: Vec<f32>;
            let of_order = match orders.len() {
                1 => &values[..],
                n => {
                    let channels = values.chunks_exact(count);
                    own = channels
                        .flat_map(|channel| &channel[at * count / n..][..count / n])
                        .copied()
                        .collect();
                    &own
                }
            };
            let reorientation = if *turned { volume.reorientation.mirrored() } else { volume.reorientation };
            let (transform, image) = SpatialTransform::of_resampled(reorientation, step, of_order, card);
            View { transform, image }
        };
        let views = orders.iter().enumerate().map(view).collect();
        let seen = wanted.seen(views)?;
        Ok((volume, Self { seen, timer }))
    }
}

/// An image of a file as a network sees all of it, and the way to it; as [`SpatialTransform::forward`], but no other voxels
/// are kept.
///
/// # Errors
/// As [`SpatialTransform::forward`] and [`VolumeFile::read`].
pub fn view_of_file(file: VolumeFile<'_>, card: &Card) -> Result<(SpatialTransform, Image)> {
    let (volume, step, values) = resampled(file, card, &[false])?;
    Ok(SpatialTransform::of_resampled(volume.reorientation, step, &values, card))
}

/// The values of a file at 1 mm, in these orders: mirrored or not.
fn resampled(file: VolumeFile<'_>, card: &Card, orders: &[bool]) -> Result<(Volume, Resample, Vec<f32>)> {
    let header = file.header()?;
    card.check_channels(header.channels)?;
    let step =
        isotropic_step(&Reorientation::to_ras(&header.grid), &header.grid, header.channels, file.limits())?;
    let (volume, values) = file.read_resampled(&step, orders)?;
    check_allocatable(values.len())?;
    Ok((volume, step, values))
}

/// The preparation begins.
fn begin(on_progress: &mut ProgressFn<'_>) -> Result<PhaseTimer> {
    report_progress(on_progress, Phase::Prepare, 0.0)?;
    Ok(PhaseTimer::start())
}

/// Which views of an image a run needs.
enum Wanted {
    Straight,
    Mirrored,
    /// Both, and which object is seen mirrored.
    Both(usize),
}

/// The views of a volume on `grid`, and the card by which they are made.
fn wanted<'m>(model: &'m Model, grid: &Grid, chosen: &ChosenBoxes) -> Result<(&'m Card, Wanted)> {
    let scan = model.cascade_for(field_mm(grid)).card;
    if !scan.objects.is_empty() {
        chosen.by_object(&scan.object_names())?;
        return Ok((scan, Wanted::Straight));
    }
    let card = &model.card;
    let side = of_one_object(card, chosen)?.1;
    let objects = card.scan.as_ref().map_or(&[][..], |scan| &scan.objects);
    let mirrored_object = objects.iter().position(|object| object.mirror);
    let one_fold = model.patch.len() + model.peers.len() < 2;
    let known = objects.get(side.unwrap_or(0));
    Ok((
        card,
        match (side, mirrored_object) {
            (None, Some(object)) if !one_fold => Wanted::Both(object),
            _ if known.is_some_and(|known| known.mirror) => Wanted::Mirrored,
            _ => Wanted::Straight,
        },
    ))
}

impl Wanted {
    /// Whether mirrored, of each view.
    fn orders(&self) -> &'static [bool] {
        match self {
            Self::Straight => &[false],
            Self::Mirrored => &[true],
            Self::Both(_) => &[false, true],
        }
    }

    /// The views, which were made in that order.
    fn seen(&self, views: Vec<View>) -> Result<Seen> {
        let mut views = views.into_iter();
        match (self, views.next(), views.next()) {
            (Self::Both(object), Some(straight), Some(mirrored)) => {
                Ok(Seen::Both { straight, mirrored, mirrored_object: *object })
            }
            (_, Some(view), None) => Ok(Seen::One(view)),
            _ => Err(Error::argument("views", "another number of views", "one for each order")),
        }
    }
}

/// The box of an image of one object, where it is given, and that object's place in the card's list, where it is named.
pub(super) fn of_one_object(card: &Card, chosen: &ChosenBoxes) -> Result<(Option<Bounds>, Option<usize>)> {
    let objects = card.scan.iter().flat_map(|scan| &scan.objects);
    let mut names: Vec<&str> = objects.map(|object| &object.name[..]).collect();
    if names.is_empty() {
        names.push(ONLY_OBJECT);
    }
    let given = chosen.by_object(&names)?;
    if let [_, _, ..] = chosen.boxes[..] {
        let found = format!("{} boxes", chosen.boxes.len());
        return Err(Error::argument("box", found, "one, as the image shows one object"));
    }
    let named = chosen.boxes.iter().any(|one| one.object.is_some()) && card.scan.is_some();
    let position = given.iter().position(Option::is_some);
    Ok((position.and_then(|at| given[at]), position.filter(|_| named)))
}
