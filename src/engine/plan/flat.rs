//! What training on a GPU remembers: by name, and as flat arrays in the order of the parameters.

use super::parameters::Parameters;
use crate::engine::nn::weights::tensor;
use crate::error::Result;
use crate::store::{Array, Weights, by_name};
use std::collections::BTreeSet;

/// What the optimiser keeps of every parameter, as a trainer's state names it.
pub const STATE: [&str; 3] = ["first", "second", "average"];

/// All that a trainer goes on from.
#[derive(Debug, Clone, PartialEq)]
pub struct Flats {
    /// The weights.
    pub values: Vec<f32>,
    /// First and second moments, and the running average: [`STATE`].
    pub state: [Vec<f32>; 3],
    /// Names of what was trained so far.
    pub learned: BTreeSet<String>,
}

impl Parameters {
    /// Weights, one after the other.
    ///
    /// # Errors
    /// `Malformed` where one is missing.
    pub fn flat(&self, weights: &Weights) -> Result<Vec<f32>> {
        let mut values = vec![0.0; self.total];
        for parameter in &self.list {
            values[self.place(&parameter.name)].copy_from_slice(tensor(weights, &parameter.name)?);
        }
        Ok(values)
    }

    /// Weights and a trainer's state: `first/NAME`, `second/NAME`, `average/NAME`. Tensors that the state lacks start afresh.
    ///
    /// # Errors
    /// As [`Self::flat`].
    pub fn flats(&self, weights: &Weights, mut state: Weights) -> Result<Flats> {
        let values = self.flat(weights)?;
        let zeros = vec![0.0; self.total];
        let mut flats = [zeros.clone(), zeros, values.clone()];
        let mut learned = BTreeSet::new();
        for name in self.list.iter().map(|parameter| &parameter.name) {
            let place = self.place(name);
            for (part, flat) in STATE.iter().zip(&mut flats) {
                let found = state.remove(&format!("{part}/{name}"));
                if let Some(array) = found.filter(|array| array.values.len() == place.len()) {
                    flat[place.clone()].copy_from_slice(&array.values);
                    learned.insert(name.clone());
                }
            }
        }
        Ok(Flats { values, state: flats, learned })
    }

    /// A flat array by the names of the parameters.
    pub fn named(&self, flat: &[f32]) -> Weights {
        by_name(self.list.iter().map(|parameter| {
            let values = flat[self.place(&parameter.name)].to_vec();
            (parameter.name.clone(), Array { shape: parameter.shape.clone(), values })
        }))
    }

    /// The way back from [`Self::flats`]: the state of what was `learned`.
    pub fn state(&self, flats: &[Vec<f32>; 3], learned: &BTreeSet<String>) -> Weights {
        let parts = STATE.iter().zip(flats);
        by_name(parts.flat_map(|(part, flat)| {
            let learned = learned.iter().map(|name| (name, flat[self.place(name)].to_vec()));
            learned.map(move |(name, values)| {
                (format!("{part}/{name}"), Array { shape: vec![values.len()], values })
            })
        }))
    }
}
