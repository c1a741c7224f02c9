//! The training cases of a task: those that fit a memory budget stay in memory, the others are read again whenever they
//! are needed.

use super::case::LabeledCase;
use super::ct_window::MeanAndSd;
use super::manifest::{CaseFiles, Manifest, case_id};
use crate::error::{Error, Result};
use crate::file::Volume;
use crate::intensity::Intensity;
use crate::prepare::resample_isotropic;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the cases of a task are read.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// How intensities are normalised. `None`: CT whose window and z-score are computed from the cases.
    pub intensity: Option<Intensity>,
    /// Bytes of cases that stay in memory.
    pub cache_bytes: u64,
    /// Whether labels whose header puts them elsewhere than their image are taken voxel by voxel, in place of an error.
    pub labels_by_voxel: bool,
}

impl Default for ReadOptions {
    /// Computed CT window, 4 GiB, and an error for labels that lie off their image.
    fn default() -> Self {
        Self { intensity: None, cache_bytes: 4 << 30, labels_by_voxel: false }
    }
}

impl ReadOptions {
    /// The defaults, with the intensity as far as the manifest determines it.
    ///
    /// # Errors
    /// As [`Manifest::intensity`].
    pub fn new(manifest: &Manifest) -> Result<Self> {
        Ok(Self { intensity: manifest.intensity()?, ..Self::default() })
    }
}

/// Reads the files of a case.
#[derive(Debug)]
struct CaseReader {
    folder: PathBuf,
    channels: usize,
    labels: usize,
    clusters: bool,
    labels_by_voxel: bool,
    /// `None` as long as it is unknown: values stay in HU.
    intensity: Option<Intensity>,
}

impl CaseReader {
    fn new(folder: &Path, manifest: &Manifest, options: &ReadOptions) -> Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            channels: manifest.modalities()?.len(),
            labels: manifest.label_names()?.len(),
            clusters: manifest.task().is_some_and(|task| task.clusters),
            labels_by_voxel: options.labels_by_voxel,
            intensity: options.intensity,
        })
    }

    fn read(&self, files: &CaseFiles, subject: usize) -> Result<LabeledCase> {
        let id = case_id(&files.image);
        let image = Volume::open(self.folder.join(&files.image))?;
        if image.channels != self.channels {
            let found = format!("{} channels", image.channels);
            let expected = format!("{}, as dataset.json names", self.channels);
            return Err(Error::malformed(format!("{id}: image"), found, expected));
        }
        let label = Volume::open(self.folder.join(&files.label))?;
        let overlay = image.overlay(&label).map_err(|error| error.within(&id))?;
        let misalignment_mm = overlay.misalignment_mm;
        let labels = if self.labels_by_voxel { Ok(overlay.labels) } else { overlay.require_aligned() };
        let labels = labels.map_err(|error| error.within(&id))?;
        if let Some(label) = labels.iter().find(|label| usize::from(**label) > self.labels) {
            let expected = format!("0 to {}, as dataset.json names them", self.labels);
            return Err(Error::malformed(format!("{id}: label value"), label.to_string(), expected));
        }
        let (resample, values) = resample_isotropic(&image).map_err(|error| error.within(&id))?;
        let values = match self.intensity {
            Some(intensity) => intensity.normalize_channels(&values, self.channels),
            None => values.into_owned(),
        };
        let labels = resample.apply(&labels);
        let case =
            LabeledCase { misalignment_mm, ..LabeledCase::new(id, subject, resample.to, values, labels) };
        Ok(if self.clusters { case.in_clusters() } else { case })
    }
}

/// The cases of a task. Clones share the cases that are in memory.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    subject: usize,
    dims: [usize; 3],
    has_object: bool,
    storage: Storage,
}

#[derive(Debug, Clone)]
enum Storage {
    Memory(Arc<LabeledCase>),
    Files(Arc<CaseReader>, CaseFiles),
}

/// A case while the data set is being read.
struct FirstRead {
    files: CaseFiles,
    subject: usize,
    dims: [usize; 3],
    has_object: bool,
    /// `None` where it does not fit the memory budget.
    case: Option<LabeledCase>,
}

impl Dataset {
    /// Reads all training cases of the task in `folder`. Calls `on_case` with each case once. Returns the cases and how
    /// their intensities are normalised.
    ///
    /// # Errors
    /// As [`Volume::open`], with the case's name; `Malformed` where image and labels do not fit each other or the
    /// manifest, or where no CT window can be computed.
    pub fn read(
        folder: &Path,
        manifest: &Manifest,
        options: &ReadOptions,
        on_case: &mut dyn FnMut(&LabeledCase),
    ) -> Result<(Self, Intensity)> {
        let reader = CaseReader::new(folder, manifest, options)?;
        let (mut cases, mut foreground, mut bytes) = (Vec::new(), MeanAndSd::default(), 0);
        for (files, subject) in manifest.training.iter().zip(manifest.subjects()) {
            let case = reader.read(files, subject)?;
            if options.intensity.is_none() {
                foreground.add_foreground(&case.image, &case.labels);
            }
            on_case(&case);
            bytes += case.bytes();
            let (dims, has_object) = (case.dims, case.object.is_some());
            let case = (bytes <= options.cache_bytes).then_some(case);
            cases.push(FirstRead { files: files.clone(), subject, dims, has_object, case });
        }
        let intensity = match options.intensity {
            Some(intensity) => intensity,
            None => normalize_ct(&mut cases, &reader, &foreground)?,
        };
        let reader = Arc::new(CaseReader { intensity: Some(intensity), ..reader });
        let entry = |FirstRead { files, subject, dims, has_object, case }: FirstRead| {
            let storage = match case {
                Some(case) => Storage::Memory(Arc::new(case)),
                None => Storage::Files(reader.clone(), files),
            };
            Entry { subject, dims, has_object, storage }
        };
        Ok((Self { entries: cases.into_iter().map(entry).collect() }, intensity))
    }

    /// A data set of cases that are at hand.
    pub fn in_memory(cases: impl IntoIterator<Item = LabeledCase>) -> Self {
        let entry = |case: LabeledCase| Entry {
            subject: case.subject,
            dims: case.dims,
            has_object: case.object.is_some(),
            storage: Storage::Memory(Arc::new(case)),
        };
        Self { entries: cases.into_iter().map(entry).collect() }
    }

    /// Number of cases.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no case.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether any case has a labelled voxel.
    pub fn has_object(&self) -> bool {
        self.entries.iter().any(|entry| entry.has_object)
    }

    /// The case at `index`, read again if it is not in memory.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn get(&self, index: usize) -> Result<Arc<LabeledCase>> {
        let Entry { subject, storage, .. } = &self.entries[index];
        match storage {
            Storage::Memory(case) => Ok(case.clone()),
            Storage::Files(reader, files) => reader.read(files, *subject).map(Arc::new),
        }
    }

    /// The subject number of each case.
    pub fn subjects(&self) -> Vec<usize> {
        self.entries.iter().map(|entry| entry.subject).collect()
    }

    /// The size of each case in mm, `[right, anterior, superior]`.
    pub fn sizes_mm(&self) -> impl Iterator<Item = [usize; 3]> + '_ {
        self.entries.iter().map(|entry| entry.dims)
    }

    /// Number of cases that are in memory.
    pub fn cached(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.storage, Storage::Memory(_))).count()
    }

    /// The cases that `wanted` selects by their index and their subject, and the others.
    #[must_use]
    pub fn partition(self, wanted: impl Fn(usize, usize) -> bool) -> (Self, Self) {
        let (mut selected, mut others) = (Vec::new(), Vec::new());
        for (index, entry) in self.entries.into_iter().enumerate() {
            let side = if wanted(index, entry.subject) { &mut selected } else { &mut others };
            side.push(entry);
        }
        (Self { entries: selected }, Self { entries: others })
    }
}

/// Computes window and z-score of CT cases that are still in HU, and normalises those that are in memory.
fn normalize_ct(cases: &mut [FirstRead], reader: &CaseReader, foreground: &MeanAndSd) -> Result<Intensity> {
    let (window, mut images) = (foreground.window()?, MeanAndSd::default());
    for FirstRead { files, subject, case, .. } in cases.iter() {
        match case {
            Some(case) => images.add_windowed(&case.image, &window),
            None => images.add_windowed(&reader.read(files, *subject)?.image, &window),
        }
    }
    let intensity = images.z_score(window)?;
    for case in cases.iter_mut().filter_map(|read| read.case.as_mut()) {
        case.image = intensity.normalize_channels(&case.image, case.channels());
    }
    Ok(intensity)
}
