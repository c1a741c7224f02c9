//! The folder of the derivatives as a data set of its own: what made it, of what, and that it holds one kind of result.

use insitu_seg::native::{create_folder, read_file, write_file};
use insitu_seg::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Component, Path};

/// The one kind of result of a folder: the masks of one model on images of one suffix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Kind {
    /// Name of the model.
    pub model: String,
    /// Suffix of the images.
    pub suffix: String,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "masks of {} images by the model {}", self.suffix, self.model)
    }
}

/// Version of BIDS that the names keep to.
const BIDS_VERSION: &str = "1.10.0";
/// Key of the kind in `dataset_description.json`.
const KIND: &str = "InsituResults";
const DESCRIPTION: &str = "dataset_description.json";

/// What BIDS has no names for, and a validator must pass over.
const IGNORED: &str = "*_report.json\n*_report.png\n*_desc-volumes.tsv\n*_desc-*Volumes.tsv\n/group.*\n";

/// The kind of result that a folder holds; `None` where it is empty or new.
///
/// # Errors
/// `Argument` where it belongs to another program; `Io`.
pub fn kind(out: &Path) -> Result<Option<Kind>> {
    let path = out.join(DESCRIPTION);
    if !path.is_file() {
        return Ok(None);
    }
    let facts: Option<Value> = serde_json::from_slice(&read_file(&path)?).ok();
    let kind = facts.and_then(|facts| serde_json::from_value(facts.get(KIND)?.clone()).ok());
    let found = "a dataset_description.json that insitu bids did not write";
    let expected = "a new folder, or one of insitu bids";
    kind.map(Some).ok_or_else(|| Error::argument(out.display().to_string(), found, expected))
}

/// Refuses a folder for other results than it holds, and the data set itself.
///
/// # Errors
/// `Argument`; `Io` where it cannot be made.
pub fn check(out: &Path, root: &Path, wanted: &Kind) -> Result<()> {
    create_folder(out)?;
    let real = |path: &Path| std::fs::canonicalize(path).map_err(|error| Error::io(path, &error));
    if real(out)? == real(root)? {
        let found = format!("{}, the data set itself", out.display());
        return Err(Error::argument("OUT_DIR", found, "another folder, such as derivatives/insitu in it"));
    }
    match kind(out)? {
        Some(held) if held != *wanted => Err(Error::argument(
            out.display().to_string(),
            held.to_string(),
            format!("{wanted}; give these a folder of their own"),
        )),
        _ => Ok(()),
    }
}

/// Writes `dataset_description.json`, `README.md` and `.bidsignore`. Several runs may do so at once: all write the same.
///
/// # Errors
/// `Io`.
pub fn describe(out: &Path, root: &Path, kind: &Kind) -> Result<()> {
    let link = link(out, root)?;
    let mut source = json!({"URL": link});
    let theirs: Option<Value> =
        std::fs::read(root.join(DESCRIPTION)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let name = theirs.as_ref().and_then(|facts| facts["Name"].as_str()).unwrap_or("a data set in BIDS form");
    if let Some(doi) = theirs.as_ref().and_then(|facts| facts["DatasetDOI"].as_str()) {
        source["DOI"] = doi.into();
    }
    let facts = json!({
        "Name": format!("{name}: {kind}"),
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{
            "Name": "insitu",
            "Version": env!("CARGO_PKG_VERSION"),
            "Description": format!("insitu bids, {kind}. Not a medical device; not for diagnosis."),
            "CodeURL": env!("CARGO_PKG_REPOSITORY"),
        }],
        "SourceDatasets": [source],
        "DatasetLinks": {"raw": link},
        KIND: kind,
    });
    write_changed(&out.join(DESCRIPTION), format!("{facts:#}\n").as_bytes())?;
    write_changed(&out.join("README.md"), readme(kind).as_bytes())?;
    write_changed(&out.join(".bidsignore"), IGNORED.as_bytes())
}

fn readme(kind: &Kind) -> String {
    format!(
        "# {kind}\n\n\
         Made by `insitu bids` {}. **Not a medical device; not for diagnosis.**\n\n\
         Beside each mask (`*_dseg.nii.gz`, on the grid of its image) lie its description (`*_dseg.json`), names and colours \
         of its labels (`*_dseg.tsv`), their volumes (`*_desc-volumes.tsv`), a picture, and a report (`*_report.json`) that \
         says of what the mask was made or why there is none. `group.tsv` and `group.html` show all scans.\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Writes a file unless it has these bytes already, whose time of change then stays.
///
/// # Errors
/// `Io`, with the path.
pub fn write_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    match std::fs::read(path) {
        Ok(old) if old == bytes => Ok(()),
        _ => write_file(path, bytes),
    }
}

/// The way from one folder to another as a relative address.
fn link(from: &Path, to: &Path) -> Result<String> {
    let parts = |path: &Path| -> Result<Vec<String>> {
        let real = std::fs::canonicalize(path).map_err(|error| Error::io(path, &error))?;
        let named = real.components().map(Component::as_os_str);
        Ok(named.map(|part| part.to_string_lossy().into_owned()).collect())
    };
    let (from, to) = (parts(from)?, parts(to)?);
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    let steps: Vec<String> = up.chain(to[common..].iter().map(|part| encoded(part))).collect();
    Ok(if steps.is_empty() { ".".to_owned() } else { steps.join("/") })
}

/// A part of a path in an address.
fn encoded(part: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    part.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_and_encoded() {
        let folder = tempfile::tempdir().unwrap();
        let (data, out) = (folder.path().join("my data"), folder.path().join("out/insitu"));
        create_folder(&data).unwrap();
        create_folder(&out).unwrap();
        assert_eq!(link(&out, &data).unwrap(), "../../my%20data");
        assert_eq!(link(&data.join("."), &data).unwrap(), ".");
    }
}
