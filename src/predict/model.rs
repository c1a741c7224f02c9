//! A model ready to run: its card and its networks on a device.

use super::cascade::Cascade;
use super::options::InferenceOptions;
use crate::card::{Card, Fold, Stage, StageCard};
use crate::engine::compute::Compute;
use crate::engine::network::Network;
use crate::error::{Error, Result};
use crate::model::Architecture;
use crate::store::{self, Weights};

/// A model ready to run: its card and its networks on a device.
pub struct Model {
    /// What it is.
    pub card: Card,
    pub(super) options: InferenceOptions,
    compute: Compute,
    pub(super) whole: Vec<Network>,
    pub(super) patch: Vec<Network>,
    /// Further folds of the patch network: where they agree, it is sure.
    pub(super) peers: Vec<Network>,
    /// Of a model that takes whole scans.
    scan: Option<ScanModel>,
}

/// What a model needs for whole scans.
struct ScanModel {
    card: Card,
    /// The networks that find the objects; none until their file is there.
    whole: Vec<Network>,
}

impl Model {
    /// Loads the networks of a card; `file` gives the bytes of a weight file by its name. One fold per stage, or
    /// all of them with `ensemble`.
    ///
    /// # Errors
    /// `Malformed` where a stage is missing or a file does not fit the card; what `file` returns.
    pub fn load(
        card: Card,
        mut file: impl FnMut(&str) -> Result<Vec<u8>>,
        ensemble: bool,
        compute: &Compute,
    ) -> Result<Self> {
        let mut networks = |stage: Stage| -> Result<Vec<Network>> {
            let form = card.stage(stage)?;
            let count = if ensemble { form.folds.len() } else { 1 };
            form.folds[..count]
                .iter()
                .map(|fold| load_fold(stage, form, fold, &file(&fold.file)?, compute))
                .collect()
        };
        let (whole, patch) = (networks(Stage::Whole)?, networks(Stage::Patch)?);
        Ok(Self::new(card, [whole, patch], compute))
    }

    fn new(card: Card, [whole, patch]: [Vec<Network>; 2], compute: &Compute) -> Self {
        let scan = card.for_scans().map(|card| ScanModel { card, whole: Vec::new() });
        let (options, compute) = (InferenceOptions::default(), compute.clone());
        Self { card, options, compute, whole, patch, peers: Vec::new(), scan }
    }

    /// The files beyond those of [`load`](Self::load) that an image of these sides, in mm, needs: of a whole scan the network
    /// that finds its objects, and of any image the second fold of the patch network, by which masks and sides are judged.
    pub fn missing(&self, mm: [f64; 3]) -> Vec<&str> {
        let Some(scan) = &self.scan else { return Vec::new() };
        let whole = scan.card.stages.whole.iter().flat_map(|form| &form.folds).take(1).skip(scan.whole.len());
        let patch = self.card.stages.patch.iter().flat_map(|form| &form.folds).take(2);
        let whole = whole.filter(|_| self.card.is_scan(mm));
        whole.chain(patch.skip(self.patch.len() + self.peers.len())).map(|fold| &fold.file[..]).collect()
    }

    /// All files that are [missing](Self::missing) for one image or another: for a whole scan.
    pub fn optional_files(&self) -> Vec<String> {
        self.missing([f64::MAX.cbrt(); 3]).into_iter().map(ToOwned::to_owned).collect()
    }

    /// Adds a file that is [missing](Self::missing).
    ///
    /// # Errors
    /// `Argument` for another file; `Malformed` where it does not fit the card.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let loaded = self.patch.len() + self.peers.len();
        if let Some(form) = &self.card.stages.patch
            && let Some(fold) = form.folds.get(loaded).filter(|fold| fold.file == name)
        {
            self.peers.push(load_fold(Stage::Patch, form, fold, bytes, &self.compute)?);
            return Ok(());
        }
        if let Some(scan) = &mut self.scan
            && let Some(form) = &scan.card.stages.whole
            && let Some(fold) = form.folds.get(scan.whole.len()).filter(|fold| fold.file == name)
        {
            scan.whole.push(load_fold(Stage::Whole, form, fold, bytes, &self.compute)?);
            return Ok(());
        }
        Err(Error::argument("weights", format!("\"{name}\""), "a file of the card that is not there yet"))
    }

    /// The networks that an image of one object is segmented by.
    pub(crate) fn cascade(&self) -> Cascade<'_> {
        let Self { card, whole, patch, peers, .. } = self;
        Cascade { card, options: self.options, whole, patch, peers }
    }

    /// The networks that an image with a field of view of these sides, in mm, is segmented by; of a whole scan, no whole network
    /// until its file is there.
    pub(crate) fn cascade_for(&self, mm: [f64; 3]) -> Cascade<'_> {
        match &self.scan {
            Some(ScanModel { card, whole }) if self.card.is_scan(mm) => {
                let crops = self.cascade();
                let [patch, peers] = if self.scans_by_peer() {
                    [crops.peers, crops.patch]
                } else {
                    [crops.patch, crops.peers]
                };
                Cascade { card, whole, patch, peers, ..crops }
            }
            _ => self.cascade(),
        }
    }

    /// Whether the second fold segments whole scans, and the first judges. What was tuned is the first: it then segments them too.
    fn scans_by_peer(&self) -> bool {
        let fold = self.card.scan.as_ref().and_then(|scan| scan.patch_fold);
        let second = self.card.stages.patch.as_ref().and_then(|form| form.folds.get(1));
        let alone = self.patch.len() == 1 && self.peers.len() == 1 && self.card.tuned.is_none();
        alone && second.is_some_and(|second| Some(second.fold) == fold)
    }

    /// All its networks, with the names of their stages.
    pub(super) fn networks(&self) -> impl Iterator<Item = (&'static str, &Network)> {
        let stages = [("whole", &self.whole), ("patch", &self.patch), ("patch", &self.peers)];
        let scan = self.scan.iter().map(|scan| ("whole", &scan.whole));
        stages
            .into_iter()
            .chain(scan)
            .flat_map(|(stage, networks)| networks.iter().map(move |one| (stage, one)))
    }

    /// The same model with other options.
    #[must_use]
    pub fn with_options(mut self, options: InferenceOptions) -> Self {
        self.options = options;
        self
    }

    /// A model of one fold from weights in memory: those of the whole network, those of the patch network.
    ///
    /// # Errors
    /// `Malformed` where a stage is missing, or weights do not fit it.
    pub fn from_weights(card: Card, [whole, patch]: [&Weights; 2], compute: &Compute) -> Result<Self> {
        let networks = |stage: Stage, weights: &Weights| {
            network(stage, &card.stage(stage)?.architecture, weights, compute).map(|network| vec![network])
        };
        let (whole, patch) = (networks(Stage::Whole, whole)?, networks(Stage::Patch, patch)?);
        Ok(Self::new(card, [whole, patch], compute))
    }

    /// The device that it runs on.
    pub fn compute(&self) -> &Compute {
        &self.compute
    }
}

/// The network of a fold, from the bytes of its file.
fn load_fold(
    stage: Stage,
    form: &StageCard,
    fold: &Fold,
    bytes: &[u8],
    compute: &Compute,
) -> Result<Network> {
    fold.check(bytes)?;
    let made =
        store::read_weights(bytes).and_then(|weights| network(stage, &form.architecture, &weights, compute));
    made.map_err(|error| error.within(&fold.file))
}

/// A stage's network on a device.
fn network(stage: Stage, form: &Architecture, weights: &Weights, compute: &Compute) -> Result<Network> {
    store::check_weights(form, weights)?;
    // The region of interest is enough to locate the object, at a fraction of the cost.
    let roi = stage == Stage::Whole && form.roi;
    if roi { Network::roi(form, weights, compute) } else { Network::new(form, weights, compute) }
}
