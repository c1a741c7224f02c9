//! Cross-validation: which cases train and which validate.

use super::dataset::Dataset;

/// Splits a data set into training and validation cases: fold `fold` of `folds` validates on every `folds`-th
/// *subject*, so that no person is on both sides.
pub fn split_fold(dataset: Dataset, fold: usize, folds: usize) -> (Dataset, Dataset) {
    let mut subjects = dataset.subjects();
    subjects.sort_unstable();
    subjects.dedup();
    dataset.partition(|subject| subjects.binary_search(&subject).map_or(true, |i| i % folds != fold))
}

#[cfg(test)]
mod tests {
    use super::super::case::LabeledCase;
    use super::*;

    #[test]
    fn no_subject_is_on_both_sides() {
        let case = |n: usize| LabeledCase::new(n.to_string(), n.div_ceil(2), [1; 3], vec![0.0], vec![0]);
        let (train, check) = split_fold(Dataset::in_memory((1..=40).map(case)), 1, 4);
        assert_eq!((train.len(), check.len()), (30, 10));
        let checked = check.subjects();
        assert!(train.subjects().iter().all(|subject| !checked.contains(subject)));
    }
}
