//! Where models lie on a disk: a model is a folder with `model.json` and weight files, known by its name or its path.

use super::output::read_file;
use crate::card::Card;
use crate::error::{Error, Result};
use crate::tune::delta::weight_hashes;
use crate::tune::{ModelWeights, WeightDelta};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The folders that are searched for models, in order: `$INSITU_MODELS`, beside the executable, and `pkg/models` of the
/// checkout in which the executable or the working directory lies.
fn search_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("INSITU_MODELS").map(PathBuf::from).into_iter().collect();
    let executable = std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_path_buf));
    if let Some(beside) = &executable {
        folders.extend([beside.join("models"), beside.clone()]);
    }
    let checkout = |start: &PathBuf| {
        start.ancestors().map(|folder| folder.join("pkg").join("models")).find(|folder| folder.is_dir())
    };
    let starts = [executable, std::env::current_dir().ok()];
    folders.extend(starts.iter().flatten().filter_map(checkout));
    folders
}

/// The folder of a model that is given as a folder or a name.
///
/// # Errors
/// `Argument` where there is none.
pub fn model_folder(model: &str) -> Result<PathBuf> {
    let has_card = |folder: &PathBuf| folder.join("model.json").is_file();
    let direct = PathBuf::from(model);
    if has_card(&direct) {
        return Ok(direct);
    }
    search_folders().into_iter().map(|folder| folder.join(model)).find(has_card).ok_or_else(|| {
        let expected = "a folder with model.json, or the name of a model in $INSITU_MODELS, beside the program or in \
                        pkg/models (`insitu models` lists them)";
        Error::argument("model", format!("\"{model}\""), expected)
    })
}

/// The models of all search folders, with their folders; of a name, the first one counts.
pub fn installed_models() -> Vec<(PathBuf, Card)> {
    let mut found: Vec<(PathBuf, Card)> = Vec::new();
    for folder in search_folders().iter().flat_map(subfolders) {
        match read_card(&folder) {
            Ok(card) if found.iter().all(|(_, other)| other.name != card.name) => found.push((folder, card)),
            _ => {}
        }
    }
    found
}

fn subfolders(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Reads a model's card, `model.json` in its folder.
///
/// # Errors
/// `Io` where there is none; as [`Card::read`].
pub fn read_card(folder: &Path) -> Result<Card> {
    Card::read(&read_file(&folder.join("model.json"))?).map_err(|error| error.within(folder.display()))
}

/// A model that was found: its card, and where its files are.
pub struct ModelFiles {
    /// Its card.
    pub card: Card,
    /// Its folder; of tuned weights, that of the model that they belong to.
    pub folder: PathBuf,
    /// Files that are not in the folder: those that tuned weights were applied to.
    in_memory: HashMap<String, Vec<u8>>,
    /// Of tuned weights: the model that they belong to, and they themselves.
    pub origin: Option<(ModelWeights, WeightDelta)>,
}

impl ModelFiles {
    /// Finds a model that is given as a folder, a name, or a file of tuned weights.
    ///
    /// # Errors
    /// `Argument` where there is none; as [`read_card`].
    pub fn find(model: &str) -> Result<Self> {
        let path = Path::new(model);
        if path.is_file() {
            return Self::tuned(path).map_err(|error| error.of_file(path));
        }
        let folder = model_folder(model)?;
        Ok(Self { card: read_card(&folder)?, folder, in_memory: HashMap::new(), origin: None })
    }

    /// Tuned weights, on the model whose weight files have the hashes that they name: in the file's own folder, the one
    /// above it, or a search folder.
    fn tuned(path: &Path) -> Result<Self> {
        let delta = WeightDelta::read(&read_file(path)?)?;
        let beside = path.parent().into_iter().flat_map(|folder| [folder.to_owned(), folder.join("..")]);
        let mut folders = beside.chain(search_folders().into_iter().flat_map(subfolders));
        let belongs = |folder: PathBuf| {
            let card = read_card(&folder).ok()?;
            (weight_hashes(&card).ok()? == delta.about.files).then_some((card, folder))
        };
        let Some((card, folder)) = folders.find_map(belongs) else {
            let hashes: Vec<&str> =
                delta.about.files.values().map(|hash| hash.get(..12).unwrap_or(hash)).collect();
            let found = format!("tuned weights of the model {} ({})", delta.about.base, hashes.join(", "));
            let expected = "that model among those that `insitu models` lists, or in the file's own folder";
            return Err(Error::argument("model", found, expected));
        };
        let base = ModelWeights::load(card, |name| read_file(&folder.join(name)))?;
        let (card, in_memory) = delta.apply(&base)?.files()?;
        Ok(Self { card, folder, in_memory: in_memory.into_iter().collect(), origin: Some((base, delta)) })
    }

    /// The bytes of one of its files.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        match self.in_memory.get(name) {
            Some(bytes) => Ok(bytes.clone()),
            None => read_file(&self.folder.join(name)),
        }
    }
}

impl ModelWeights {
    /// Opens the first fold of a model that is given as a folder, the name of an installed model, or a file of tuned
    /// weights, to be tuned.
    ///
    /// # Errors
    /// As [`ModelFiles::find`] and [`ModelWeights::load`].
    pub fn open(model: &str) -> Result<Self> {
        let files = ModelFiles::find(model)?;
        Self::load(files.card.clone(), |name| files.read(name))
    }
}
