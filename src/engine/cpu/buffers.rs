//! Memory of maps that are done with, kept for maps to come. Fresh memory costs a fault for each of its pages, and zeros
//! that nobody reads: a seventh of a training step.

use crate::error::Result;
use crate::file::check_allocatable;
use std::collections::BTreeMap;

/// Buffers that are free, by their length.
#[derive(Debug, Clone, Default)]
pub struct Buffers {
    /// Size of the image that they were for, `[x, y, z]`.
    dims: [usize; 3],
    free: BTreeMap<usize, Vec<Vec<f32>>>,
}

impl Buffers {
    /// Gives up what was for images of another size: none of it would fit, and memory would be that of both.
    pub fn ready_for(&mut self, dims: [usize; 3]) {
        if self.dims != dims {
            *self = Self { dims, ..Self::default() };
        }
    }

    /// `length` values, whatever they are: who takes them writes each before it is read.
    ///
    /// # Errors
    /// `Limit` where memory does not suffice.
    pub fn take(&mut self, length: usize) -> Result<Vec<f32>> {
        if let Some(buffer) = self.free.get_mut(&length).and_then(Vec::pop) {
            return Ok(buffer);
        }
        check_allocatable(length)?;
        Ok(vec![0.0; length])
    }

    /// `length` zeros.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn zeros(&mut self, length: usize) -> Result<Vec<f32>> {
        let mut buffer = self.take(length)?;
        buffer.fill(0.0);
        Ok(buffer)
    }

    /// A copy of `values`.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn copy(&mut self, values: &[f32]) -> Result<Vec<f32>> {
        let mut buffer = self.take(values.len())?;
        buffer.copy_from_slice(values);
        Ok(buffer)
    }

    /// Takes back what is done with.
    pub fn give(&mut self, buffer: Vec<f32>) {
        if !buffer.is_empty() {
            self.free.entry(buffer.len()).or_default().push(buffer);
        }
    }

    /// Values of all that is free.
    #[cfg(test)]
    pub fn values(&self) -> usize {
        self.free.iter().map(|(length, buffers)| length * buffers.len()).sum()
    }

    /// Overwrites all that is free: what is read before it is written shows.
    #[cfg(test)]
    pub fn spoil(&mut self) {
        self.free.values_mut().flatten().for_each(|buffer| buffer.fill(f32::NAN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::network::Network;
    use crate::engine::nn::example::Example;
    use crate::engine::nn::loss::Loss;
    use crate::engine::nn::pseudo_random::{pseudo_random, random_weights};
    use crate::model::Architecture;

    #[test]
    fn a_step_in_used_memory_is_one_in_fresh_memory() -> Result<()> {
        let plain = Architecture { base: 4, depth: 2, inputs: 2, outputs: 2, ..Architecture::default() };
        for architecture in [plain, Architecture { attention: true, roi: true, ..plain }] {
            let dims = [13, 18, 11];
            let volume = dims.iter().product::<usize>();
            let (image, target) = (pseudo_random(2 * volume, 1), pseudo_random(2 * volume, 2));
            let target: Vec<f32> = target.iter().map(|value| f32::from(*value > 0.0)).collect();
            let example = Example::new(&image, &target, dims);
            let weights = random_weights(&architecture);
            let network = Network::training(&architecture, &weights)?;
            let mut buffers = Buffers::default();
            let mut step = || {
                let loss = Loss::DiceAndEntropy;
                let found = network.loss_gradients_in(&mut buffers, &weights, &example, loss, &|_| true);
                let values = buffers.values();
                buffers.spoil();
                found.map(|found| (found.loss, found.gradients, values))
            };
            let first = step()?;
            assert!(first.1.values().flat_map(|array| &array.values).all(|value| value.is_finite()));
            assert_eq!(step()?, first);
            // Of another size they hold what that size needs, and nothing of this one.
            let mut values_after = |dims: [usize; 3]| -> Result<usize> {
                let volume = dims.iter().product::<usize>();
                let (image, target) = (&image[..2 * volume], &target[..2 * volume]);
                let (loss, example) = (Loss::DiceAndEntropy, Example::new(image, target, dims));
                network.loss_gradients_in(&mut buffers, &weights, &example, loss, &|_| true)?;
                Ok(buffers.values())
            };
            assert!(values_after([8; 3])? < first.2);
            assert_eq!(values_after(dims)?, first.2);
        }
        Ok(())
    }
}
