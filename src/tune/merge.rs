//! Merging tuned weights: the weighted mean of several deltas of one model, as federated averaging has it (McMahan et al.
//! 2017, "Communication-Efficient Learning of Deep Networks from Decentralized Data", FedAvg). A tensor that a delta does
//! not have counts as the model's own. The result is a delta like any other: nobody has judged it yet.

use super::delta::{DeltaMetadata, Standing, WeightDelta};
use super::weights::ModelWeights;
use crate::card::Stage;
use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::store::{Array, Weights};
use std::collections::BTreeSet;

impl WeightDelta {
    /// The mean of `deltas`, each with its weight, such as its number of cases; the weights count by their shares. Of the
    /// reports nothing is kept but the shares: a report names the cases of those who tuned.
    ///
    /// # Errors
    /// `Argument` for no delta, for a weight that is not above 0, or for a delta of another model than `base`; `Malformed`
    /// where one holds tensors that the base lacks.
    pub fn merge(base: &ModelWeights, deltas: &[(Self, f64)]) -> Result<Self> {
        let total: f64 = deltas.iter().map(|(_, weight)| weight).sum();
        if let Some((_, weight)) = deltas.iter().find(|(_, weight)| !(weight.is_finite() && *weight > 0.0)) {
            return Err(Error::argument(
                "weights",
                weight.to_string(),
                "a finite number above 0 for each delta",
            ));
        }
        let Some((first, _)) = deltas.first() else {
            return Err(Error::argument("deltas", "none", "at least one file of tuned weights"));
        };
        let mut models = Vec::with_capacity(deltas.len());
        for (index, (delta, weight)) in deltas.iter().enumerate() {
            let model = delta.apply(base).map_err(|error| error.within(format!("delta {}", index + 1)))?;
            models.push((model, weight / total));
        }
        let mut weights = Weights::new();
        for path in deltas.iter().flat_map(|(delta, _)| delta.weights.keys()).collect::<BTreeSet<_>>() {
            if let Some(mean) = mean(&models, path) {
                weights.insert(path.clone(), mean);
            }
        }
        let shares: Vec<f64> = models.iter().map(|(_, share)| *share).collect();
        let variants: BTreeSet<&str> =
            deltas.iter().filter_map(|(delta, _)| delta.about.variant.as_deref()).collect();
        let licences: BTreeSet<&str> = deltas.iter().map(|(delta, _)| delta.about.licence.as_str()).collect();
        let about = DeltaMetadata {
            variant: (!variants.is_empty()).then(|| join(&variants)),
            domain: if variants.is_empty() { Vec::new() } else { domain(&models) },
            report: serde_json::json!({ "merged": { "deltas": deltas.len(), "shares": shares } }),
            licence: join(&licences),
            standing: standing(deltas),
            ..first.about.clone()
        };
        Ok(Self { about, weights })
    }
}

/// What one of them is, their mean is too.
fn standing(deltas: &[(WeightDelta, f64)]) -> Standing {
    let each = || deltas.iter().map(|(delta, _)| &delta.about.standing);
    if each().any(|standing| *standing == Standing::Refused) {
        return Standing::Refused;
    }
    let names: BTreeSet<&str> = each()
        .filter_map(|standing| match standing {
            Standing::Variant(name) => Some(name.as_str()),
            Standing::Accepted | Standing::Refused => None,
        })
        .collect();
    if names.is_empty() { Standing::Accepted } else { Standing::Variant(join(&names)) }
}

fn join(words: &BTreeSet<&str>) -> String {
    words.iter().copied().collect::<Vec<_>>().join("; ")
}

/// The mean of a tensor over models, by their shares; sums are taken in 64 bits.
fn mean(models: &[(ModelWeights, f64)], path: &str) -> Option<Array> {
    let (stage, name) = path.split_once('/')?;
    let stage = [Stage::Whole, Stage::Patch].into_iter().find(|known| known.name() == stage)?;
    let arrays: Vec<(&Array, f64)> = models
        .iter()
        .map(|(model, share)| Some((model.get(stage).get(name)?, *share)))
        .collect::<Option<_>>()?;
    let (first, _) = arrays.first()?;
    let sum = |i: usize| arrays.iter().map(|(array, share)| share * f64::from(array.values[i])).sum::<f64>();
    Some(Array {
        shape: first.shape.clone(),
        values: (0..first.values.len()).map(|i| sum(i) as f32).collect(),
    })
}

/// What the images of any of the models have in common, by channel; empty where one of them does not say.
fn domain(models: &[(ModelWeights, f64)]) -> Vec<Domain> {
    let mut domains = models.iter().map(|(model, _)| model.card.domain.clone());
    let Some(first) = domains.next() else { return Vec::new() };
    domains.fold(first, |all, other| all.iter().zip(&other).map(|(a, b)| a.union(b)).collect())
}
