//! The images of a data set in BIDS form.

use super::name::ScanName;
use insitu_seg::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which part of a data set is wanted: labels without `sub-` and `ses-`; all where none is said.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Participants.
    pub participants: Vec<String>,
    /// Sessions.
    pub sessions: Vec<String>,
}

impl Selection {
    /// Labels as they are given, with or without `sub-` and `ses-`.
    pub fn new(participants: &[String], sessions: &[String]) -> Self {
        let bare = |labels: &[String], prefix: &str| {
            labels.iter().map(|label| label.strip_prefix(prefix).unwrap_or(label).to_owned()).collect()
        };
        Self { participants: bare(participants, "sub-"), sessions: bare(sessions, "ses-") }
    }

    /// Whether a scan is wanted.
    pub fn takes(&self, participant: &str, session: Option<&str>) -> bool {
        let in_list = |list: &[String], label: &str| list.is_empty() || list.iter().any(|one| one == label);
        in_list(&self.participants, participant)
            && session.map_or(self.sessions.is_empty(), |session| in_list(&self.sessions, session))
    }
}

/// An image of a data set.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Label of the participant, without `sub-`.
    pub participant: String,
    /// Label of the session, without `ses-`.
    pub session: Option<String>,
    /// What the image's name says.
    pub name: ScanName,
    /// The image, from the data set's folder, with `/`.
    pub source: String,
    /// Another image that would have outputs of the same name.
    pub twin: Option<String>,
}

impl Scan {
    /// The folder of its outputs, from that of the derivatives.
    pub fn folder(&self) -> PathBuf {
        let mut folder = PathBuf::from(format!("sub-{}", self.participant));
        folder.extend(self.session.as_ref().map(|session| format!("ses-{session}")));
        folder.join("anat")
    }
}

/// The images of a data set that have a suffix, in the order of their names, and what is named as none of BIDS.
#[derive(Debug, Default)]
pub struct Found {
    /// The images.
    pub scans: Vec<Scan>,
    /// Images that are left out, from the data set's folder.
    pub misnamed: Vec<String>,
}

/// Finds the wanted images of a data set in `sub-*/anat` and `sub-*/ses-*/anat`.
///
/// # Errors
/// `Argument` where there is no data set, no participant or session that was asked for, or no image of the suffix.
pub fn find_scans(root: &Path, suffix: &str, wanted: &Selection) -> Result<Found> {
    let place = root.display().to_string();
    if !root.is_dir() {
        return Err(Error::argument(place, "no such folder", "the folder of a data set in BIDS form"));
    }
    let participants = labels(root, "sub-")?;
    if participants.is_empty() {
        return Err(Error::argument(place, "no folder sub-*", "a data set in BIDS form"));
    }
    check_known("--participant-label", &wanted.participants, &participants)?;
    let participants = participants.into_iter().filter(|label| wanted.takes_participant(label));
    let (mut found, mut suffixes, mut all_sessions) = (Found::default(), BTreeSet::new(), BTreeSet::new());
    for participant in participants {
        let folder = format!("sub-{participant}");
        let sessions = labels(&root.join(&folder), "ses-")?;
        all_sessions.extend(sessions.iter().cloned());
        for session in std::iter::once(None).chain(sessions.into_iter().map(Some)) {
            if wanted.takes(&participant, session.as_deref()) {
                let folder = session.as_ref().map_or(folder.clone(), |label| format!("{folder}/ses-{label}"));
                let place = Place { participant: &participant, session: session.as_deref(), folder };
                place.images(root, suffix, &mut found, &mut suffixes)?;
            }
        }
    }
    check_known("--session-label", &wanted.sessions, &all_sessions)?;
    if found.scans.is_empty() {
        let there: Vec<String> = suffixes.into_iter().collect();
        let kinds = if there.is_empty() { "none of any kind".to_owned() } else { there.join(", ") };
        let found = format!("no image *_{suffix}.nii.gz or .nii in anat of the participants asked for");
        return Err(Error::argument(place, found, format!("one at least (--suffix; there are: {kinds})")));
    }
    name_twins(&mut found.scans);
    Ok(found)
}

impl Selection {
    fn takes_participant(&self, label: &str) -> bool {
        self.participants.is_empty() || self.participants.iter().any(|one| one == label)
    }
}

/// A folder of a participant or a session.
struct Place<'a> {
    participant: &'a str,
    session: Option<&'a str>,
    folder: String,
}

impl Place<'_> {
    /// Adds the images of its `anat` to what was found, and the suffixes of all.
    fn images(
        &self,
        root: &Path,
        suffix: &str,
        found: &mut Found,
        suffixes: &mut BTreeSet<String>,
    ) -> Result<()> {
        let anat = format!("{}/anat", self.folder);
        for file in names(&root.join(&anat))? {
            let source = format!("{anat}/{file}");
            match ScanName::read(&file).filter(|name| self.holds(name)) {
                Some(name) => {
                    suffixes.insert(name.suffix.clone());
                    if name.suffix == suffix {
                        let (participant, session) =
                            (self.participant.to_owned(), self.session.map(str::to_owned));
                        found.scans.push(Scan { participant, session, name, source, twin: None });
                    }
                }
                None if is_image(&file, suffix) => found.misnamed.push(source),
                None => {}
            }
        }
        Ok(())
    }

    /// Whether a name is one of this folder.
    fn holds(&self, name: &ScanName) -> bool {
        name.value("sub") == Some(self.participant) && name.value("ses") == self.session
    }
}

/// Whether a file that is not named as BIDS wants looks like an image that somebody misses.
fn is_image(file: &str, suffix: &str) -> bool {
    !file.starts_with('.')
        && [".nii", ".nii.gz"].iter().any(|ending| file.ends_with(&format!("{suffix}{ending}")))
}

/// Images that differ in nothing that their outputs' names keep, such as `.nii` beside `.nii.gz`.
fn name_twins(scans: &mut [Scan]) {
    let mut first: BTreeMap<(PathBuf, String), String> = BTreeMap::new();
    for scan in scans {
        let place = (scan.folder(), scan.name.derived(""));
        scan.twin = first.get(&place).cloned();
        first.entry(place).or_insert_with(|| scan.source.clone());
    }
}

/// Refuses labels that nothing has.
fn check_known<'a>(
    flag: &str,
    wanted: &[String],
    known: impl IntoIterator<Item = &'a String> + Clone,
) -> Result<()> {
    let unknown = |label: &&String| !known.clone().into_iter().any(|one| one == *label);
    let Some(label) = wanted.iter().find(unknown) else { return Ok(()) };
    let names: Vec<&str> = known.into_iter().map(String::as_str).collect();
    let shown = names.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(MOST_NAMED);
    let expected = match (names.len(), more) {
        (0, _) => "none, as the data set has none".to_owned(),
        (_, 0) => format!("one of {shown}"),
        _ => format!("one of {shown} and {more} more"),
    };
    Err(Error::argument(flag, format!("\"{label}\""), expected))
}

/// Labels that an error names.
const MOST_NAMED: usize = 12;

/// The labels of the folders `{prefix}*`, in order.
fn labels(folder: &Path, prefix: &str) -> Result<Vec<String>> {
    let names = names(folder)?.into_iter();
    let label = |name: String| name.strip_prefix(prefix).map(str::to_owned);
    Ok(names.filter(|name| folder.join(name).is_dir()).filter_map(label).collect())
}

/// The names in a folder, in order; none where there is no such folder.
pub fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened.map_err(|error| Error::io(folder, &error))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io(folder, &error))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
