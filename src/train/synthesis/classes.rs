//! The labels that occur in a set of maps, numbered from 1, and what the recipe says of each. Class 0 is the background.

use super::recipe::Recipe;
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// What is known of every class, by its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    /// The label of each.
    labels: Vec<u16>,
    /// What each becomes in a mirrored image.
    pub mirrored: Vec<u8>,
    /// One bit for every target that it belongs to.
    pub targets: Vec<u8>,
    /// Whether no field of view cuts it.
    pub keep: Vec<bool>,
    /// Whether it stays where the rest is stripped.
    pub stays: Vec<bool>,
    /// Which grey value it has, by the number of a [`Self::priors`]; the background's is not used.
    pub shade: Vec<usize>,
    /// Mean and standard deviation of each grey value in the known contrast; any where there is none.
    pub priors: Vec<Option<[f64; 2]>>,
}

impl Classes {
    /// Of the labels that occur (the background and repeated ones may be among them).
    ///
    /// # Errors
    /// `Malformed` where labels are in no tissue or in two, or are more than 255.
    pub fn new(recipe: &Recipe, occurring: impl IntoIterator<Item = u16>) -> Result<Self> {
        let partner = |label: u16| {
            let pair = recipe.pairs.iter().find(|pair| pair.contains(&label));
            pair.map_or(label, |[left, right]| if *left == label { *right } else { *left })
        };
        let mut labels: Vec<u16> = occurring.into_iter().filter(|label| *label > 0).collect();
        labels.extend(labels.clone().into_iter().map(partner));
        labels.push(0);
        labels.sort_unstable();
        labels.dedup();
        if labels.len() > 256 {
            let found = format!("{} labels", labels.len() - 1);
            return Err(Error::malformed("label maps", found, "at most 255"));
        }
        let (shade, priors) = shades(recipe, &labels, &partner)?;
        let number = |label: u16| labels.binary_search(&label).unwrap_or(0) as u8;
        let bits = |label: u16| {
            let own = recipe.targets.iter().enumerate().filter(|(_, target)| target.labels.contains(label));
            own.fold(0, |bits, (index, _)| bits | 1 << index)
        };
        let stays = |label: u16| recipe.strip.as_ref().is_some_and(|strip| strip.keep.contains(label));
        Ok(Self {
            mirrored: labels.iter().map(|&label| number(partner(label))).collect(),
            targets: labels.iter().map(|&label| bits(label)).collect(),
            keep: labels.iter().map(|&label| label > 0 && recipe.keep.contains(label)).collect(),
            stays: labels.iter().map(|&label| label > 0 && stays(label)).collect(),
            shade,
            priors,
            labels,
        })
    }

    /// The class of a label that occurs.
    pub fn of(&self, label: u16) -> Option<u8> {
        self.labels.binary_search(&label).ok().map(|class| class as u8)
    }

    /// The label of a class.
    pub fn label(&self, class: u8) -> u16 {
        self.labels[usize::from(class)]
    }

    /// Whether a class belongs to the target of this number.
    pub fn belongs(&self, class: u8, target: usize) -> bool {
        self.targets[usize::from(class)] >> target & 1 == 1
    }
}

type Shades = (Vec<usize>, Vec<Option<[f64; 2]>>);

/// The number of each label's grey value, and the priors of these.
fn shades(recipe: &Recipe, labels: &[u16], partner: &dyn Fn(u16) -> u16) -> Result<Shades> {
    let mut unknown = Vec::new();
    let mut numbers: BTreeMap<(usize, u16), usize> = BTreeMap::new();
    let (mut shade, mut priors) = (Vec::with_capacity(labels.len()), Vec::new());
    for &label in labels {
        if label == 0 {
            shade.push(0);
            continue;
        }
        let mut named = recipe.tissues.iter().enumerate().filter(|(_, tissue)| tissue.labels.contains(label));
        let rest = || recipe.tissues.iter().enumerate().find(|(_, tissue)| tissue.rest);
        let (first, second) = (named.next(), named.next());
        if let (Some((_, one)), Some((_, other))) = (first, second) {
            let found = format!("label {label} in \"{}\" and in \"{}\"", one.name, other.name);
            return Err(Error::malformed("synthesis: tissues", found, "each label in one tissue"));
        }
        let Some((index, tissue)) = first.or_else(rest) else {
            unknown.push(label.to_string());
            shade.push(0);
            continue;
        };
        let own = if tissue.apart { label.min(partner(label)) } else { 0 };
        let number = *numbers.entry((index, own)).or_insert_with(|| {
            priors.push(tissue.mean);
            priors.len() - 1
        });
        shade.push(number);
    }
    if unknown.is_empty() {
        return Ok((shade, priors));
    }
    let expected =
        "labels that the synthesis knows: name them in a tissue, or give one tissue \"rest\": true";
    Err(Error::malformed("label maps", format!("labels {} in no tissue", unknown.join(", ")), expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(tissues: &str) -> Recipe {
        let text = format!(
            r#"{{"name": "a", "targets": [{{"name": "l", "labels": [1]}}, {{"name": "r", "labels": [2]}}],
                "pairs": [[1, 2], [5, 6]], "keep": ["1-2"], "tissues": [{tissues}]}}"#
        );
        Recipe::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn sides_share_their_grey_value_and_change_places() {
        let recipe = recipe(
            r#"{"name": "a", "labels": ["1-2"], "mean": [0.5, 0.1]},
               {"name": "b", "labels": ["5-9"], "apart": true}"#,
        );
        let classes = Classes::new(&recipe, [7, 5, 1, 0, 7]).unwrap();
        assert_eq!(classes.labels, [0, 1, 2, 5, 6, 7]);
        assert_eq!(classes.mirrored, [0, 2, 1, 4, 3, 5]);
        assert_eq!(classes.targets, [0, 1, 2, 0, 0, 0]);
        assert_eq!(classes.keep, [false, true, true, false, false, false]);
        assert_eq!(classes.shade[1..], [0, 0, 1, 1, 2]);
        assert_eq!(classes.priors, [Some([0.5, 0.1]), None, None]);
        assert_eq!((classes.of(7), classes.of(8), classes.label(5)), (Some(5), None, 7));
        assert!(classes.belongs(2, 1) && !classes.belongs(2, 0));
    }

    #[test]
    fn labels_in_no_tissue_or_in_two_are_refused_in_words() {
        let one = recipe(r#"{"name": "a", "labels": ["1-2"]}"#);
        let said = Classes::new(&one, [1, 2, 14, 77]).unwrap_err().to_string();
        assert!(said.contains("14, 77") && said.contains("rest"), "{said}");
        let rest = recipe(r#"{"name": "a", "labels": ["1-2"]}, {"name": "other", "rest": true}"#);
        assert_eq!(Classes::new(&rest, [1, 2, 14, 77]).unwrap().shade[3..], [1, 1]);
        let two = recipe(r#"{"name": "a", "labels": ["1-2"]}, {"name": "b", "labels": ["2-9"]}"#);
        assert!(Classes::new(&two, [1, 2]).unwrap_err().to_string().contains("label 2"));
        let many = recipe(r#"{"name": "other", "rest": true}"#);
        assert!(Classes::new(&many, 0..400).unwrap_err().to_string().contains("at most 255"));
    }
}
