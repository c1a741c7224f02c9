//! What a trainer on a GPU remembers, read and written: weights, gradients and the optimiser's memory by name.

use super::trainer::Trainer;
use crate::engine::nn::weights::tensor;
use crate::engine::plan::list::{Binding, Command, ParamBuffer, Plan};
use crate::error::Result;
use crate::store::{Array, Weights, by_name, check_weights};

impl Trainer {
    /// The weights as they are.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn weights(&self) -> Result<Weights> {
        self.named(ParamBuffer::Values).await
    }

    /// Their running average.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn averaged(&self) -> Result<Weights> {
        self.named(ParamBuffer::Average).await
    }

    /// The optimiser's state: `first/NAME`, `second/NAME`, `average/NAME` of what was trained.
    ///
    /// # Errors
    /// `Device` where the device fails.
    pub async fn state(&self) -> Result<Weights> {
        let mut state = Weights::new();
        for (part, flat) in [
            ("first", ParamBuffer::First),
            ("second", ParamBuffer::Second),
            ("average", ParamBuffer::Average),
        ] {
            for (name, Array { values, .. }) in self.named(flat).await? {
                if self.learned.contains(&name) {
                    state.insert(format!("{part}/{name}"), Array { shape: vec![values.len()], values });
                }
            }
        }
        Ok(state)
    }

    /// Goes on from weights and a [`Self::state`] after `step` steps. Tensors that the state lacks start afresh.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn restore(&mut self, weights: &Weights, mut state: Weights, step: usize) -> Result<()> {
        check_weights(&self.architecture, weights)?;
        self.step = step;
        self.learned.clear();
        let mut flats = [ParamBuffer::Values, ParamBuffer::First, ParamBuffer::Second, ParamBuffer::Average]
            .map(|flat| (flat, vec![0f32; self.pass.parameters.total]));
        for parameter in &self.pass.parameters.list {
            let (name, place) = (&parameter.name, self.pass.parameters.place(&parameter.name));
            let values = tensor(weights, name)?;
            flats[0].1[place.clone()].copy_from_slice(values);
            flats[3].1[place.clone()].copy_from_slice(values);
            for (part, (_, flat)) in ["first", "second", "average"].iter().zip(&mut flats[1..]) {
                let found = state.remove(&format!("{part}/{name}"));
                if let Some(array) = found.filter(|array| array.values.len() == place.len()) {
                    flat[place.clone()].copy_from_slice(&array.values);
                    self.learned.insert(name.clone());
                }
            }
        }
        for (flat, values) in flats {
            if let Some(buffer) = self.pass.weight_buffers.get(&Binding::ParamBuffer(flat)) {
                self.pass.gpu.queue.write_buffer(buffer, 0, bytemuck::cast_slice(&values));
            }
        }
        Ok(())
    }

    /// An array of all parameters, by name.
    pub(super) async fn named(&self, flat: ParamBuffer) -> Result<Weights> {
        let mut plan = Plan::default();
        let bytes = 4 * self.pass.parameters.total as u64;
        plan.ops.push(Command::Read { binding: Binding::ParamBuffer(flat), bytes, planes: 0..1 });
        let mut all = Vec::new();
        self.pass
            .execute_once(&plan, &mut Vec::new(), (&[], &[]), &mut |found, _| {
                all = found.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            })
            .await?;
        let named = self.pass.parameters.list.iter().map(|parameter| {
            let values = all[self.pass.parameters.place(&parameter.name)].to_vec();
            (parameter.name.clone(), Array { shape: parameter.shape.clone(), values })
        });
        Ok(by_name(named))
    }
}
