//! Dataset: images with their labels, in RAS order, at 1 mm, normalised. Those that fit the memory that is given to them stay
//! there, the others are read again whenever they are asked for.

use super::ct_window::Means;
use super::manifest::{CaseFiles, Manifest, case_id, open};
use crate::components;
use crate::error::{Error, Result};
use crate::file::Overlay;
use crate::grid::{Region, Resample};
use crate::intensity::Intensity;
use crate::prepare::resample_isotropic;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// First and last index, per axis.
pub type Extent = ([usize; 3], [usize; 3]);

/// Half of the side, less one voxel, of the cube by which the reference closes a scattered object: 5^3.
const CLOSING: usize = 2;

/// One image with its labels.
#[derive(Debug, Clone)]
pub struct LabeledCase {
    /// File name without its endings.
    pub id: String,
    /// Dataset of one subject share this number.
    pub subject: usize,
    /// Size, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Normalised intensities, channel after channel, x fastest.
    pub image: Vec<f32>,
    /// Labels, x fastest.
    pub labels: Vec<u8>,
    /// Where the object is, all labels together; none in a case without.
    pub object: Option<Extent>,
    /// Where the parts of it are that a training sample may show: its clusters, or the object itself.
    pub parts: Vec<Extent>,
    /// How far the labels lie off the image in its file, in mm, where that is more than half a voxel. They are taken
    /// voxel by voxel all the same.
    pub misalignment_mm: Option<f64>,
}

impl LabeledCase {
    /// A case whose object is shown as one.
    pub fn new(id: String, subject: usize, dims: [usize; 3], image: Vec<f32>, labels: Vec<u8>) -> Self {
        let object = Region::extent(dims, |i| labels[i] > 0);
        Self {
            id,
            subject,
            dims,
            image,
            labels,
            object,
            parts: object.into_iter().collect(),
            misalignment_mm: None,
        }
    }

    /// The same case, whose object is shown cluster by cluster.
    #[must_use]
    pub fn in_clusters(mut self) -> Self {
        self.parts = components::clusters(self.dims, CLOSING, |i| self.labels[i] > 0);
        self
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.image.len() / self.labels.len().max(1)
    }

    fn bytes(&self) -> u64 {
        (4 * self.image.len() + self.labels.len()) as u64
    }
}

/// How the files of a task become cases.
#[derive(Debug)]
struct Recipe {
    folder: PathBuf,
    channels: usize,
    labels: usize,
    clusters: bool,
    /// None as long as it is not known: values stay as the scanner has them.
    intensity: Option<Intensity>,
}

impl Recipe {
    fn read(&self, pair: &CaseFiles, subject: usize) -> Result<LabeledCase> {
        let id = case_id(&pair.image);
        let image = open(&self.folder.join(&pair.image))?;
        if image.channels != self.channels {
            let found = format!("{} channels", image.channels);
            let expected = format!("{}, as dataset.json names", self.channels);
            return Err(Error::malformed(format!("{id}: image"), found, expected));
        }
        let label = open(&self.folder.join(&pair.label))?;
        let Overlay { labels, misalignment_mm } = image.overlay(&label).map_err(|error| error.within(&id))?;
        if let Some(label) = labels.iter().find(|label| usize::from(**label) > self.labels) {
            let expected = format!("0 to {}, as dataset.json names them", self.labels);
            return Err(Error::malformed(format!("{id}: label value"), label.to_string(), expected));
        }
        let (step, values) = resample_isotropic(&image).map_err(|error| error.within(&id))?;
        let values = match self.intensity {
            Some(intensity) => intensity.normalize_channels(&values, self.channels),
            None => values.into_owned(),
        };
        let Resample { to: dims, .. } = step;
        let case = LabeledCase {
            misalignment_mm,
            ..LabeledCase::new(id, subject, dims, values, step.apply(&labels))
        };
        Ok(if self.clusters { case.in_clusters() } else { case })
    }
}

/// Dataset of a task. Copies share what is in memory.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    slots: Vec<Slot>,
}

#[derive(Debug, Clone)]
struct Slot {
    subject: usize,
    dims: [usize; 3],
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Memory(Arc<LabeledCase>),
    Files(Arc<Recipe>, CaseFiles),
}

impl Dataset {
    /// Reads all training cases of the task in `folder`, and keeps those in memory that fit `budget` bytes. Where the
    /// intensity is not `known` it is that of CT, and window and z-score are computed from all of them. `tell` is
    /// called with each case, once.
    ///
    /// # Errors
    /// As [`open`], with the case's name; `Malformed` where image and labels do not fit each other or the manifest,
    /// or no window can be computed.
    pub fn read(
        folder: &Path,
        manifest: &Manifest,
        known: Option<Intensity>,
        budget: u64,
        tell: &mut dyn FnMut(&LabeledCase),
    ) -> Result<(Self, Intensity)> {
        let recipe = |intensity| -> Result<Recipe> {
            Ok(Recipe {
                folder: folder.to_owned(),
                channels: manifest.modalities()?.len(),
                labels: manifest.label_names()?.len(),
                clusters: manifest.task().is_some_and(|task| task.clusters),
                intensity,
            })
        };
        let first = recipe(known)?;
        let (mut foreground, mut bytes) = (Means::default(), 0);
        let mut read: Vec<([usize; 3], Option<LabeledCase>)> = Vec::new();
        let subjects = manifest.subjects();
        let named = || manifest.training.iter().zip(&subjects);
        for (pair, &subject) in named() {
            let case = first.read(pair, subject)?;
            if known.is_none() {
                foreground.add_foreground(&case);
            }
            tell(&case);
            bytes += case.bytes();
            read.push((case.dims, (bytes <= budget).then_some(case)));
        }
        let intensity = match known {
            Some(intensity) => intensity,
            None => {
                let (window, mut images) = (foreground.window()?, Means::default());
                for ((pair, &subject), (_, held)) in named().zip(&read) {
                    match held {
                        Some(case) => images.add_windowed(case, &window),
                        None => images.add_windowed(&first.read(pair, subject)?, &window),
                    }
                }
                let intensity = images.scored(window)?;
                for case in read.iter_mut().filter_map(|(_, held)| held.as_mut()) {
                    case.image = intensity.normalize_channels(&case.image, case.channels());
                }
                intensity
            }
        };
        let recipe = Arc::new(recipe(Some(intensity))?);
        let mut slots = Vec::with_capacity(read.len());
        for ((dims, held), (pair, &subject)) in read.into_iter().zip(named()) {
            let source = match held {
                Some(case) => Source::Memory(Arc::new(case)),
                None => Source::Files(recipe.clone(), pair.clone()),
            };
            slots.push(Slot { subject, dims, source });
        }
        Ok((Self { slots }, intensity))
    }

    /// Dataset that are in memory.
    pub fn held(cases: impl IntoIterator<Item = LabeledCase>) -> Self {
        let slot = |case: LabeledCase| Slot {
            subject: case.subject,
            dims: case.dims,
            source: Source::Memory(Arc::new(case)),
        };
        Self { slots: cases.into_iter().map(slot).collect() }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The case at `index`.
    ///
    /// # Errors
    /// As [`Self::read`], where it is read again.
    pub fn get(&self, index: usize) -> Result<Arc<LabeledCase>> {
        let Slot { subject, source, .. } = &self.slots[index];
        match source {
            Source::Memory(case) => Ok(case.clone()),
            Source::Files(recipe, pair) => recipe.read(pair, *subject).map(Arc::new),
        }
    }

    /// The subject of each.
    pub fn subjects(&self) -> Vec<usize> {
        self.slots.iter().map(|slot| slot.subject).collect()
    }

    /// The size of each, in mm.
    pub fn sizes(&self) -> impl Iterator<Item = [usize; 3]> + '_ {
        self.slots.iter().map(|slot| slot.dims)
    }

    /// How many are in memory.
    pub fn in_memory(&self) -> usize {
        self.slots.iter().filter(|slot| matches!(slot.source, Source::Memory(_))).count()
    }

    /// Those whose subject is `wanted`, and the others.
    #[must_use]
    pub fn partition(self, wanted: impl Fn(usize) -> bool) -> (Self, Self) {
        let (one, other) = self.slots.into_iter().partition(|slot| wanted(slot.subject));
        (Self { slots: one }, Self { slots: other })
    }
}
