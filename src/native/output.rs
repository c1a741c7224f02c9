//! Files that are written whole or not at all.

use crate::error::{Error, Result};
use crate::file::{Volume, split_name, write_labels, write_seg_nrrd};
use crate::predict::Segmentation;
use crate::store::{self, WeightPrecision, Weights};
use crate::tune::WeightDelta;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// How the names of files begin that are being written.
const UNFINISHED: &str = ".insitu-";

/// Writes a file whole or not at all: to a temporary name beside it, then renamed.
///
/// # Errors
/// `Io` where the folder is missing or cannot be written to.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let fault = |error: &std::io::Error| Error::io(path, error);
    // A link stays one: what it names is written.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = parent_folder(&target);
    let device = path.starts_with("/dev") || path.starts_with("/proc");
    if device || path.metadata().is_ok_and(|found| !found.is_file()) {
        // A device or a pipe is written to; it must not be replaced by a file.
        return std::fs::write(path, bytes).map_err(|error| fault(&error));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666)); // less the umask
    }
    let mut file = builder.tempfile_in(folder).map_err(|error| fault(&error))?;
    file.write_all(bytes).map_err(|error| fault(&error))?;
    file.persist(&target).map_err(|error| fault(&error.error))?;
    Ok(())
}

/// Removes what [`write_file`] left in a folder when it was killed. For a folder that nobody else writes into.
///
/// # Errors
/// `Io`, with the path.
pub fn remove_unfinished(folder: &Path) -> Result<()> {
    let fault = |path: &Path, error: &std::io::Error| Error::io(path, error);
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).map_err(|error| fault(folder, &error))? {
        let path = entry.map_err(|error| fault(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(UNFINISHED) && path.is_file() {
            std::fs::remove_file(&path).map_err(|error| fault(&path, &error))?;
        }
    }
    Ok(())
}

/// The folder that a file lies in; of a bare name, the working directory.
pub fn parent_folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The bytes of a file.
///
/// # Errors
/// `Io`, with the path.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io(path, &error))
}

/// Makes a folder and those above it.
///
/// # Errors
/// `Io`, with the path.
pub fn create_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|error| Error::io(path, &error))
}

/// Writes the weights of a network, 32 bits each, as safetensors.
///
/// # Errors
/// `Io`, with the path.
pub fn save_weights(path: impl AsRef<Path>, weights: &Weights) -> Result<()> {
    write_file(path.as_ref(), &store::write_weights(weights, WeightPrecision::F32, HashMap::new())?)
}

impl WeightDelta {
    /// Writes the tuned weights as a file that [`Model::open`](crate::Model::open) takes.
    ///
    /// # Errors
    /// As [`WeightDelta::write`]; `Io`, with the path.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_file(path.as_ref(), &self.write()?)
    }
}

impl Segmentation {
    /// Writes the mask on the grid of `volume`, from which it was made: `.seg.nrrd` with names and colours for 3D
    /// Slicer, `.nii` plain, any other name as `.nii.gz`. The file is written whole or not at all.
    ///
    /// # Errors
    /// `Io` where it cannot be written; `Argument` where `volume` is another one, or where the name is that of an MGH
    /// volume, which is not written.
    pub fn save(&self, path: impl AsRef<Path>, volume: &Volume) -> Result<()> {
        let path = path.as_ref();
        let name = path.to_string_lossy().to_ascii_lowercase();
        if let Some((_, ".mgz" | ".mgh")) = split_name(&name) {
            return Err(Error::argument("mask", name, "a name that ends in .nii, .nii.gz or .seg.nrrd"));
        }
        let bytes = if name.ends_with(".nrrd") {
            write_seg_nrrd(&self.labels, volume, &self.segments())?
        } else {
            write_labels(&self.labels, volume, !name.ends_with(".nii"))?
        };
        write_file(path, &bytes)
    }
}
