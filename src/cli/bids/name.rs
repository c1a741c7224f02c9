//! File names of BIDS: `sub-01_ses-A_acq-mprage_T1w.nii.gz`, entities with their values, then a suffix.

use insitu_seg::file::split_name;

/// What the name of an image says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanName {
    /// Entities with their values, in order, but for `desc`.
    entities: Vec<(String, String)>,
    /// Value of `desc`, of an image that was made of another one.
    description: Option<String>,
    /// What kind of image it is, for example `T1w`.
    pub suffix: String,
}

impl ScanName {
    /// Reads the name of a NIfTI file; `None` where it is no name of BIDS.
    pub fn read(file: &str) -> Option<Self> {
        let Some((bare, ".nii")) = split_name(file) else { return None };
        let mut parts: Vec<&str> = bare.split('_').collect();
        let suffix = parts.pop().filter(|suffix| is_label(suffix))?.to_owned();
        let entity = |part: &&str| {
            let (key, value) = part.split_once('-')?;
            (is_label(key) && is_label(value)).then(|| (key.to_owned(), value.to_owned()))
        };
        let all: Vec<(String, String)> = parts.iter().map(entity).collect::<Option<_>>()?;
        let (description, entities): (Vec<_>, Vec<_>) = all.into_iter().partition(|(key, _)| key == "desc");
        let starts = entities.first().is_some_and(|(key, _)| key == "sub");
        let description = description.into_iter().next().map(|(_, value)| value);
        starts.then_some(Self { entities, description, suffix })
    }

    /// The value of an entity.
    pub fn value(&self, wanted: &str) -> Option<&str> {
        self.entities.iter().find(|(key, _)| key == wanted).map(|(_, value)| &value[..])
    }

    /// The start of the name of something that is made of the image: its entities, and `desc` with the value `what`. Of an
    /// image that has a `desc` itself the values are joined, so that two images never share a name.
    pub fn derived(&self, what: &str) -> String {
        let kept = self.entities.iter().map(|(key, value)| format!("{key}-{value}_"));
        let what = match &self.description {
            None => what.to_owned(),
            Some(own) => {
                let (first, rest) = what.split_at(what.chars().next().map_or(0, char::len_utf8));
                format!("{own}{}{rest}", first.to_uppercase())
            }
        };
        format!("{}desc-{what}", kept.collect::<String>())
    }
}

/// Whether a text may be a label of BIDS.
fn is_label(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '+')
}

/// A text as a label of BIDS: its letters and digits.
pub fn label(text: &str) -> String {
    let kept: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    if kept.is_empty() { "model".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_kept_and_the_suffix_goes() {
        let name = ScanName::read("sub-01_ses-A_acq-mprage_run-2_T1w.nii.gz").unwrap();
        assert_eq!((name.value("sub"), name.value("run"), &name.suffix[..]), (Some("01"), Some("2"), "T1w"));
        assert_eq!(name.derived("hippocampus"), "sub-01_ses-A_acq-mprage_run-2_desc-hippocampus");
        let made = ScanName::read("sub-01_desc-preproc_T1w.nii").unwrap();
        assert_eq!(made.derived("volumes"), "sub-01_desc-preprocVolumes");
    }

    #[test]
    fn other_names_are_none_of_bids() {
        for name in [
            "T1w.nii.gz",
            "sub-01.nii.gz",
            "sub-01_T1w.mgz",
            "ses-A_T1w.nii",
            "sub-0 1_T1w.nii",
            "sub-01__T1w.nii",
            "._sub-01_T1w.nii.gz",
            "sub-01_mprage_T1w.nii",
            "sub-01_T1w.nii.tmp",
        ] {
            assert_eq!(ScanName::read(name), None, "{name}");
        }
        assert_eq!(label("my model-2.1"), "mymodel21");
        assert_eq!(label("模型"), "model");
    }
}
