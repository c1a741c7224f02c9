//! Backward through a normalisation and its LeakyReLU.

use super::planner::TrainPlanner;
use crate::engine::nn::scale_shift::padding;
use crate::engine::plan::list::{Binding, Packed, ParamBuffer};
use crate::engine::wgsl::slab::Slab;
use crate::engine::wgsl::{norm_act, squeeze_excite};

impl TrainPlanner<'_> {
    /// From the gradient by a map's read values to that by its raw ones, and those of its normalisation.
    pub(super) fn norm_act_back(&mut self, map: usize) {
        let Some((index, norm)) = self.norm_of(map) else { return };
        let zeros = if norm.padded { padding(self.layouts[map].dims) } else { 0.0 };
        let Some(found) = self.norm_act_grad(map, index, zeros) else { return };
        if self.trains(&norm.parameters()) {
            match self.spec.parameters.excite(self.spec.graph, norm) {
                Some(params) => self.one(
                    squeeze_excite::BACKWARD,
                    params.words(),
                    vec![
                        Binding::ParamBuffer(ParamBuffer::Values),
                        Binding::Buffer(found),
                        Binding::ParamBuffer(ParamBuffer::Gradient),
                    ],
                    [1; 3],
                    (8 * params.channels * params.narrow) as f64,
                ),
                None => {
                    let channels = self.spec.graph.maps[map].channels;
                    self.learn(found, Packed::NormBack(index), &format!("{}.gamma", norm.name), 2 * channels);
                }
            }
        }
        self.buffers.release(found);
    }

    /// The gradient by a map's raw values in the place of that by its read ones; the buffer of the gradients of gamma
    /// and beta.
    fn norm_act_grad(&mut self, map: usize, norm: usize, zeros: f64) -> Option<usize> {
        let (scale_shifts, stats) = (self.scale_shifts[norm]?, self.stats[norm]?);
        let readers = self.spec.graph.steps.iter().flat_map(|step| &step.sources);
        let reader = readers.into_iter().find(|source| source.map == map);
        let negative_slope = reader.map_or(1.0, |source| source.negative_slope());
        let slab = Slab::whole(self.layouts[map]);
        let blocks = slab.map.channel_blocks;
        let voxels = slab.map.dims.iter().product::<usize>();
        let flops = (40 * blocks * voxels) as f64;
        let [grad, data, scale_shifts, stats] =
            [self.grad_of(map), self.there(map), scale_shifts, stats].map(Binding::Buffer);
        let total = norm_act::backward::slots(&slab);
        let buffers = [total * 32, 64, 32].map(|bytes| self.scratch(blocks * bytes));
        let [sums, coefficients, found] = buffers.map(Binding::Buffer);
        self.one(
            norm_act::SUMS,
            norm_act::backward::sums_words(&slab, negative_slope, 0, total),
            vec![grad, data, scale_shifts, stats, sums],
            norm_act::backward::sums_groups(&slab),
            flops,
        );
        self.one(
            norm_act::COEFFICIENTS,
            norm_act::backward::end_words(total, blocks, voxels as f64 + zeros),
            vec![sums, scale_shifts, stats, coefficients, found],
            norm_act::backward::end_groups(blocks),
            0.0,
        );
        self.one(
            norm_act::APPLY,
            norm_act::backward::apply_words(&slab, negative_slope),
            vec![grad, data, scale_shifts, coefficients],
            slab.groups(),
            flops,
        );
        buffers[..2].iter().for_each(|&buffer| self.buffers.release(buffer));
        Some(buffers[2])
    }
}
