//! Files on the disk: a single file, or a pair by the name of either.

use super::limits::Limits;
use super::read::VolumeFile;
use super::source::ByteSource;
use super::volume::Volume;
use crate::error::{Error, Result};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Opens the file at `path`. For a `.hdr` its `.img` is looked for beside it, and the other way round, each with or
/// without `.gz`.
///
/// # Errors
/// `Io` where a file is missing or cannot be read, with its path; as [`VolumeFile::open`].
pub fn open_path(path: &Path, limits: &Limits) -> Result<VolumeFile<'static>> {
    let (header, voxels) = parts(path)?;
    VolumeFile::open(source(&header)?, voxels.as_deref().map(source).transpose()?, limits)
}

impl Volume {
    /// Reads the image at `path`: NIfTI-1, NIfTI-2 or MGH, packed or not, or either file of a `.hdr`/`.img` pair, within the
    /// default [`Limits`].
    ///
    /// # Errors
    /// `Io` where it cannot be read, `Malformed` where it is damaged, `Unsupported` where it is something else, `Limit`
    /// where it is too large; each with the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        open_path(path, &Limits::default()).and_then(VolumeFile::read).map_err(|error| error.of_file(path))
    }
}

/// A file name without the endings of an image, and which of them it has: `.nii`, `.hdr`, `.img`, `.mgz` or `.mgh`, with or
/// without `.gz`, in any letters; `None` for another name.
pub fn split_name(name: &str) -> Option<(&str, &'static str)> {
    let lower = name.to_ascii_lowercase();
    let packed = lower.strip_suffix(".gz").unwrap_or(&lower);
    let ending =
        [".nii", ".hdr", ".img", ".mgz", ".mgh"].into_iter().find(|ending| packed.ends_with(ending))?;
    Some((&name[..packed.len() - ending.len()], ending))
}

/// The files that make up the image at `path`.
///
/// # Errors
/// `Io` where `path` is an `.img` without a `.hdr`.
pub fn parts(path: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some((bare, ending)) = split_name(&name) else { return Ok((path.to_owned(), None)) };
    let beside = |wanted: &str| {
        // Packed as its partner is, or not; in small letters or in capitals.
        let packed =
            if name.len() > bare.len() + ending.len() { [".gz", ".GZ", ""] } else { ["", ".gz", ".GZ"] };
        let endings = [wanted.to_owned(), wanted.to_ascii_uppercase()];
        let names = endings.iter().flat_map(|ending| packed.map(|gz| format!("{bare}{ending}{gz}")));
        names.map(|name| path.with_file_name(name)).find(|path| path.symlink_metadata().is_ok())
    };
    if ending == ".hdr" {
        return Ok((path.to_owned(), beside(".img")));
    }
    if ending == ".img" {
        let header = beside(".hdr").ok_or_else(|| {
            let found = "an .img without its .hdr beside it";
            Error::new(
                crate::error::ErrorKind::Io,
                path.display().to_string(),
                found,
                "both files of the pair in one folder",
            )
        })?;
        return Ok((header, Some(path.to_owned())));
    }
    Ok((path.to_owned(), None))
}

fn source(path: &Path) -> Result<ByteSource<'static>> {
    let fault = |error| Error::io(path, &error);
    let file = File::open(path).map_err(fault)?;
    let facts = file.metadata().map_err(fault)?;
    if facts.is_dir() {
        return Err(Error::new(
            crate::error::ErrorKind::Io,
            path.display().to_string(),
            "a folder",
            "a file",
        ));
    }
    if !facts.is_file() {
        // A pipe has no length to compare with; it is read under the same limit as any file.
        return Ok(ByteSource::new(file, u64::MAX));
    }
    Ok(ByteSource::new(file, facts.len()))
}
