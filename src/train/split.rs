//! Cross-validation: which cases train and which validate.

use super::dataset::Dataset;
use serde::{Deserialize, Serialize};

/// What a fold is counted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoldsBy {
    /// The person: nobody is on both sides.
    #[default]
    Subject,
    /// The place in the manifest, as in the publication. Images of one person may be on both sides, so that the validation
    /// flatters.
    Index,
}

impl FoldsBy {
    /// Splits a data set into training and validation cases: fold `fold` of `folds` validates on every `folds`-th.
    pub fn split(self, dataset: Dataset, fold: usize, folds: usize) -> (Dataset, Dataset) {
        match self {
            Self::Subject => split_fold(dataset, fold, folds),
            Self::Index => dataset.partition(|index, _| index % folds != fold),
        }
    }
}

/// Splits a data set into training and validation cases: fold `fold` of `folds` validates on every `folds`-th
/// *subject*, so that no person is on both sides.
pub fn split_fold(dataset: Dataset, fold: usize, folds: usize) -> (Dataset, Dataset) {
    let mut subjects = dataset.subjects();
    subjects.sort_unstable();
    subjects.dedup();
    dataset.partition(|_, subject| subjects.binary_search(&subject).map_or(true, |i| i % folds != fold))
}

#[cfg(test)]
mod tests {
    use super::super::case::LabeledCase;
    use super::*;

    /// Two cases of each person.
    fn pairs() -> Dataset {
        let case = |n: usize| LabeledCase::new(n.to_string(), n.div_ceil(2), [1; 3], vec![0.0], vec![0]);
        Dataset::in_memory((1..=40).map(case))
    }

    #[test]
    fn no_subject_is_on_both_sides() {
        let (train, check) = FoldsBy::Subject.split(pairs(), 1, 4);
        assert_eq!((train.len(), check.len()), (30, 10));
        let checked = check.subjects();
        assert!(train.subjects().iter().all(|subject| !checked.contains(subject)));
    }

    #[test]
    fn by_index_every_fourth_case_validates() {
        let (train, check) = FoldsBy::Index.split(pairs(), 1, 4);
        let ids: Vec<String> =
            (0..check.len()).map(|n| check.get(n).map_or(String::new(), |c| c.id.clone())).collect();
        assert_eq!((train.len(), &ids[..3]), (30, &["2", "6", "10"].map(str::to_owned)[..]));
    }
}
