//! Opening a model and running it, in calls that block.

use super::model_folder::ModelFiles;
use crate::engine::compute::{Backend, Compute};
use crate::error::{Error, Result};
use crate::file::Volume;
use crate::predict::{Bounds, InferenceOptions, Model, ProgressFn, Segmentation, segment_within, self_check};
use std::ops::ControlFlow;

/// How a model is opened: change what you need of the default, then [`open`](Self::open).
///
/// ```no_run
/// use insitu_seg::{Backend, ModelOptions};
///
/// let mut options = ModelOptions::default();
/// options.backend = Backend::Cpu;
/// options.ensemble = true;
/// let model = options.open("hippocampus")?;
/// # Ok::<(), insitu_seg::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ModelOptions {
    /// What computes. `Auto` by default: a GPU where there is a real one, else the CPU.
    pub backend: Backend,
    /// All folds of the model, averaged, in place of the first one.
    pub ensemble: bool,
    /// How the networks are applied.
    pub inference: InferenceOptions,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self { backend: Backend::Auto, ensemble: false, inference: InferenceOptions::default() }
    }
}

impl ModelOptions {
    /// Opens a model that is given as a folder, the name of an installed model, or a file of tuned weights.
    ///
    /// # Errors
    /// `Argument` where there is no such model; `Malformed` where its files are damaged; `Device` where a GPU was asked
    /// for and there is none, or it computes wrongly.
    pub fn open(&self, model: &str) -> Result<Model> {
        pollster::block_on(self.open_files(&ModelFiles::find(model)?)).map(|(model, _)| model)
    }

    /// Opens a model that was found. A GPU is compared with the CPU on a small input before it is trusted; where it
    /// computes wrongly and nobody insists on it, the CPU is taken and the GPU's error returned beside the model.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_files(&self, files: &ModelFiles) -> Result<(Model, Option<Error>)> {
        let load = |compute: &Compute| {
            Model::load(files.card.clone(), |name| files.read(name), self.ensemble, compute)
                .and_then(|model| with_optional_files(model, files))
                .map(|model| model.with_options(self.inference))
                .map_err(|error| error.within(files.folder.display()))
        };
        let compute = Compute::open(self.backend).await?;
        let model = load(&compute)?;
        if !compute.is_gpu() {
            return Ok((model, None));
        }
        let cpu = load(&Compute::Cpu)?;
        match self_check(&model, &cpu).await {
            Ok(_) => Ok((model, None)),
            Err(error) if self.backend == Backend::Auto => Ok((cpu, Some(error))),
            Err(error) => Err(error),
        }
    }
}

/// The model with all that any image may need.
fn with_optional_files(mut model: Model, files: &ModelFiles) -> Result<Model> {
    for name in model.optional_files() {
        model.add(&name, &files.read(&name)?)?;
    }
    Ok(model)
}

impl Model {
    /// Opens a model with the default [`ModelOptions`]: a model's folder, the name of an installed model, or a file of
    /// tuned weights. Installed models lie in `$INSITU_MODELS`, beside the program, or in `pkg/models` of a checkout;
    /// the npm package `insitu-seg` brings them in its folder `models`.
    ///
    /// # Errors
    /// As [`ModelOptions::open`].
    pub fn open(model: &str) -> Result<Self> {
        ModelOptions::default().open(model)
    }

    /// Segments a volume; the mask lies on the file's own grid.
    ///
    /// # Errors
    /// As [`segment`](crate::predict::segment).
    pub fn segment(&self, volume: &Volume) -> Result<Segmentation> {
        self.segment_with(volume, None, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`segment`](Self::segment), within a box that somebody has chosen (in voxels of the file: first, and one past
    /// the last), and telling `on_progress` about progress, whose `Break` ends the work with the error `Cancelled`.
    ///
    /// # Errors
    /// As [`segment_within`].
    pub fn segment_with(
        &self,
        volume: &Volume,
        bounds: Option<Bounds>,
        on_progress: &mut ProgressFn<'_>,
    ) -> Result<Segmentation> {
        pollster::block_on(segment_within(self, volume, bounds, on_progress))
    }
}
