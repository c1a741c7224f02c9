//! A set of label values as people write it: `[17, "502-530"]`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::ops::RangeInclusive;

/// Label values: numbers, and spans in quotes with both ends included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSet(Vec<RangeInclusive<u16>>);

impl LabelSet {
    /// Whether the value is in it.
    pub fn contains(&self, label: u16) -> bool {
        self.0.iter().any(|span| span.contains(&label))
    }

    /// Whether no value is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&[u16]> for LabelSet {
    fn from(labels: &[u16]) -> Self {
        Self(labels.iter().map(|&label| label..=label).collect())
    }
}

impl std::fmt::Display for LabelSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, span) in self.0.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            let (first, last) = (span.start(), span.end());
            if first == last { write!(f, "{comma}{first}") } else { write!(f, "{comma}{first}-{last}") }?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    One(u16),
    Span(String),
}

impl<'de> Deserialize<'de> for LabelSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<Entry>::deserialize(deserializer)?;
        let span = |entry| match entry {
            Entry::One(label) => Ok(label..=label),
            Entry::Span(text) => {
                let ends = text.split_once('-').and_then(|(first, last)| {
                    Some((first.trim().parse::<u16>().ok()?, last.trim().parse::<u16>().ok()?))
                });
                match ends {
                    Some((first, last)) if first <= last => Ok(first..=last),
                    _ => Err(D::Error::custom(format!("\"{text}\", expected a span such as \"502-530\""))),
                }
            }
        };
        entries.into_iter().map(span).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_spans_are_read_and_shown() {
        let set: LabelSet = serde_json::from_str(r#"[17, "502-504"]"#).unwrap();
        assert!([17, 502, 504].iter().all(|&label| set.contains(label)));
        assert!([0, 16, 501, 505].iter().all(|&label| !set.contains(label)));
        assert_eq!(set.to_string(), "17, 502-504");
        for wrong in [r#"["5-2"]"#, r#"["a-b"]"#, "[-1]", r#"["7"]"#, "[70000]"] {
            assert!(serde_json::from_str::<LabelSet>(wrong).is_err(), "{wrong}");
        }
    }
}
