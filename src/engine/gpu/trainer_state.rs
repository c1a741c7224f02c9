//! What a trainer on a GPU remembers, read and written: weights, gradients and the optimiser's memory by name.

use super::trainer::{KEPT, Trainer};
use crate::engine::plan::flat::Flats;
use crate::engine::plan::list::{Binding, Command, ParamBuffer, Plan};
use crate::error::Result;
use crate::store::{Weights, check_weights};

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
        let mut flats = [Vec::new(), Vec::new(), Vec::new()];
        for (flat, kept) in flats.iter_mut().zip(KEPT) {
            *flat = self.flat(kept).await?;
        }
        Ok(self.pass.parameters.state(&flats, &self.learned))
    }

    /// Goes on from weights and a [`Self::state`] after `step` steps. Tensors that the state lacks start afresh.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn restore(&mut self, weights: &Weights, state: Weights, step: usize) -> Result<()> {
        check_weights(&self.architecture, weights)?;
        self.step = step;
        let Flats { values, state, learned } = self.pass.parameters.flats(weights, state)?;
        self.learned = learned;
        for (flat, values) in KEPT.into_iter().zip(&state).chain([(ParamBuffer::Values, &values)]) {
            if let Some(buffer) = self.pass.weight_buffers.get(&Binding::ParamBuffer(flat)) {
                self.pass.gpu.queue.write_buffer(buffer, 0, bytemuck::cast_slice(values));
            }
        }
        Ok(())
    }

    /// An array of all parameters, by name.
    pub(super) async fn named(&self, flat: ParamBuffer) -> Result<Weights> {
        Ok(self.pass.parameters.named(&self.flat(flat).await?))
    }

    async fn flat(&self, flat: ParamBuffer) -> Result<Vec<f32>> {
        let mut plan = Plan::default();
        let bytes = 4 * self.pass.parameters.total as u64;
        plan.ops.push(Command::Read { binding: Binding::ParamBuffer(flat), bytes, planes: 0..1 });
        let mut all = Vec::new();
        let keep = &mut |found: &[u8], _: usize| {
            all = found.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        };
        self.pass.execute_once(&plan, &mut Vec::new(), (&[], &[]), keep).await?;
        Ok(all)
    }
}
