//! What an example wants of each map of logits.

use super::example::Example;
use super::graph::{Graph, Operation};
use super::loss::Weighting;
use crate::model::ROI;
use std::borrow::Cow;

/// What an example wants of a map of logits.
pub struct Target<'a> {
    /// The map.
    pub map: usize,
    /// `[channel, z, y, x]`
    pub values: Cow<'a, [f32]>,
    weights: Option<[Cow<'a, [f32]>; 2]>,
}

impl Target<'_> {
    /// How much each voxel counts.
    pub fn weighting(&self) -> Option<Weighting<'_>> {
        self.weights.as_ref().map(|[overlap, entropy]| Weighting { overlap, entropy })
    }
}

impl Graph {
    /// The maps of logits in the order of their steps, and what an example wants of each. The region of interest is
    /// wherever a block of voxels, as the poolings see it, has any label; a block counts as its least voxel does.
    pub fn targets<'a>(&self, example: &Example<'a>) -> Vec<Target<'a>> {
        let &Example { target, weighting, dims, .. } = example;
        let weights = weighting.map(|Weighting { overlap, entropy }| [overlap, entropy]);
        let outs = self.steps.iter().filter_map(|step| match &step.kind {
            Operation::HeadConv1x1(name) if name == ROI => {
                let side = 1 << self.maps[step.output].level;
                let blocks = |values, join, first| Cow::Owned(by_block(values, dims, side, join, first));
                let weights = weights.map(|each| each.map(|values| blocks(values, f32::min, f32::INFINITY)));
                Some(Target { map: step.output, values: blocks(target, f32::max, 0.0), weights })
            }
            Operation::HeadConv1x1(_) => {
                let weights = weights.map(|each| each.map(Cow::Borrowed));
                Some(Target { map: step.output, values: Cow::Borrowed(target), weights })
            }
            _ => None,
        });
        outs.collect()
    }
}

/// By block of `side`^3 voxels all of its values, of all channels, joined; what does not fill a block is left out.
fn by_block(
    values: &[f32],
    dims: [usize; 3],
    side: usize,
    join: fn(f32, f32) -> f32,
    first: f32,
) -> Vec<f32> {
    let [x, y, _] = dims;
    let [blocks_x, blocks_y, blocks_z] = dims.map(|n| n / side);
    let mut found = vec![first; blocks_x * blocks_y * blocks_z];
    for (row, values) in values.chunks_exact(x).enumerate() {
        let [at_y, at_z] = [row % y, row / y % dims[2]].map(|n| n / side);
        if at_y < blocks_y && at_z < blocks_z {
            let to = &mut found[(at_z * blocks_y + at_y) * blocks_x..][..blocks_x];
            for (to, block) in to.iter_mut().zip(values.chunks_exact(side)) {
                *to = block.iter().copied().fold(*to, join);
            }
        }
    }
    found
}
