//! Volumes that stand out of all of their kind.

use super::rows::Row;
use super::words::scans;
use std::collections::BTreeMap;

/// Robust standard deviations from the median beyond which a volume stands out (Iglewicz and Hoaglin, 1993).
pub const FAR: f64 = 3.5;
/// Volumes below which nothing is said of any.
pub const FEWEST: usize = 5;
/// The median of absolute deviations of a normal distribution, in standard deviations.
const MAD_OF_NORMAL: f64 = 0.6745;

/// The volumes of one kind over all scans.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Of what.
    pub name: String,
    /// `#rrggbb` of a label.
    pub color: Option<String>,
    /// The scans by their row, with their volumes in mL, in increasing order.
    pub volumes: Vec<(usize, f64)>,
    /// The middle of them.
    pub median: f64,
    /// The median of the distances from it.
    pub deviation: f64,
}

/// The volumes by name, in the order in which names occur first.
pub fn distributions(rows: &[Row]) -> Vec<Distribution> {
    let mut order = Vec::new();
    let mut found: BTreeMap<&str, Distribution> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        for volume in &row.volumes {
            let of = found.entry(&volume.name).or_insert_with(|| {
                order.push(&volume.name[..]);
                let (name, color) = (volume.name.clone(), volume.color.clone());
                Distribution { name, color, volumes: Vec::new(), median: 0.0, deviation: 0.0 }
            });
            of.volumes.push((index, volume.milliliters));
        }
    }
    let finish = |mut of: Distribution| {
        of.volumes.sort_by(|(i, a), (j, b)| a.total_cmp(b).then(i.cmp(j)));
        let values: Vec<f64> = of.volumes.iter().map(|(_, value)| *value).collect();
        of.median = median(&values);
        let mut distances: Vec<f64> = values.iter().map(|value| (value - of.median).abs()).collect();
        distances.sort_by(f64::total_cmp);
        of.deviation = median(&distances);
        of
    };
    order.into_iter().filter_map(|name| found.remove(name)).map(finish).collect()
}

/// The median of sorted values; 0 of none.
fn median(sorted: &[f64]) -> f64 {
    match (sorted.get(sorted.len() / 2), sorted.len() % 2) {
        (None, _) => 0.0,
        (Some(middle), 1) => *middle,
        (Some(upper), _) => (upper + sorted[sorted.len() / 2 - 1]) / 2.0,
    }
}

impl Distribution {
    /// Robust standard deviations of a value above the median; `None` where there are too few volumes, or most are equal.
    pub fn score(&self, value: f64) -> Option<f64> {
        let told = self.volumes.len() >= FEWEST && self.deviation > 0.0;
        told.then(|| MAD_OF_NORMAL * (value - self.median) / self.deviation)
    }
}

/// A volume that stands out.
#[derive(Debug, Clone)]
pub struct Outlier {
    /// Robust standard deviations above the median.
    pub score: f64,
    /// In words.
    pub words: String,
}

/// The outliers by row, those furthest out first in each.
pub fn outliers(distributions: &[Distribution]) -> BTreeMap<usize, Vec<Outlier>> {
    let mut found: BTreeMap<usize, Vec<Outlier>> = BTreeMap::new();
    for of in distributions {
        for &(row, value) in &of.volumes {
            let Some(score) = of.score(value).filter(|score| score.abs() > FAR) else { continue };
            let side = if score < 0.0 { "below" } else { "above" };
            let words = format!(
                "{}: {value:.2} mL, {:.1} robust standard deviations {side} the median of {:.2} mL over {}",
                of.name,
                score.abs(),
                of.median,
                scans(of.volumes.len()),
            );
            found.entry(row).or_default().push(Outlier { score, words });
        }
    }
    for list in found.values_mut() {
        list.sort_by(|a, b| b.score.abs().total_cmp(&a.score.abs()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Distribution {
        let rows: Vec<Row> = values.iter().map(|value| Row::with_volume("a", *value)).collect();
        distributions(&rows).remove(0)
    }

    #[test]
    fn a_volume_far_from_the_median_stands_out_in_words() {
        let found = of(&[2.0, 2.1, 1.9, 2.2, 1.8, 0.2]);
        assert!((found.median - 1.95).abs() < 1e-12 && (found.deviation - 0.15).abs() < 1e-12);
        let out = outliers(&[found]);
        assert_eq!(out.keys().copied().collect::<Vec<_>>(), [5]);
        let expected = "a: 0.20 mL, 7.9 robust standard deviations below the median of 1.95 mL over 6 scans";
        assert_eq!(out[&5][0].words, expected);
    }

    #[test]
    fn of_few_or_equal_volumes_nothing_is_said() {
        assert!(outliers(&[of(&[2.0, 2.0, 9.0, 2.1])]).is_empty());
        assert!(outliers(&[of(&[2.0, 2.0, 2.0, 2.0, 9.0])]).is_empty());
    }
}
