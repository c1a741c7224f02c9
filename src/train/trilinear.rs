//! Trilinear interpolation at one point of a volume.

use super::augment::Fill;
use crate::card::Stage;

/// The eight voxels around a point with their weights, and the weight of what lies outside the volume.
pub(crate) struct Trilinear {
    /// Indices of the voxels, x fastest.
    pub index: [usize; 8],
    /// Weights of the voxels. They sum to `1 - outside`.
    pub weight: [f32; 8],
    /// Weight of the points outside the volume. 0 with [`Fill::Edge`], which repeats the voxels of the edge.
    pub outside: f32,
}

impl Trilinear {
    /// At a point in voxels, `[x, y, z]`, of a volume of `dims`.
    #[inline]
    pub fn at(point: [f64; 3], dims: [usize; 3], fill: Fill) -> Self {
        let base = point.map(f64::floor);
        let part: [f32; 3] = std::array::from_fn(|a| (point[a] - base[a]) as f32);
        let stride = [1, dims[0], dims[0] * dims[1]];
        // Per axis, of the lower and the upper neighbour: its offset in memory and its weight.
        let mut place = [[0; 2]; 3];
        let mut share = [[0.0; 2]; 3];
        for axis in 0..3 {
            let last = dims[axis] as i64 - 1;
            for high in 0..2 {
                let wanted = base[axis] as i64 + high as i64;
                let found = wanted.clamp(0, last);
                let weight = if high == 1 { part[axis] } else { 1.0 - part[axis] };
                place[axis][high] = found as usize * stride[axis];
                let counts = found == wanted || fill == Fill::Edge;
                share[axis][high] = if counts { weight } else { 0.0 };
            }
        }
        let bit = |corner: usize, axis: usize| corner >> axis & 1;
        let index = std::array::from_fn(|c| place[0][bit(c, 0)] + place[1][bit(c, 1)] + place[2][bit(c, 2)]);
        let weight = std::array::from_fn(|c| share[0][bit(c, 0)] * share[1][bit(c, 1)] * share[2][bit(c, 2)]);
        let inside = share.iter().map(|[low, high]| low + high).product::<f32>();
        Self { index, weight, outside: if fill == Fill::Edge { 0.0 } else { 1.0 - inside } }
    }

    /// The weighted sum of a value per voxel index; what lies outside counts 0.
    #[inline]
    pub fn sum(&self, value: impl Fn(usize) -> f32) -> f32 {
        (0..8).map(|c| self.weight[c] * value(self.index[c])).sum()
    }

    /// The interpolated intensity; outside of the volume it is that of `fill`.
    #[inline]
    pub fn intensity(&self, channel: &[f32], fill: Fill) -> f32 {
        let inside = self.sum(|index| channel[index]);
        match fill {
            Fill::Edge => inside,
            Fill::Constant(value) => inside + self.outside * value,
        }
    }

    /// Calls `hit` with every output of the stage whose labels have at least half of the weight.
    #[inline]
    pub fn for_each_output(&self, labels: &[u8], stage: Stage, mut hit: impl FnMut(usize)) {
        let found = self.index.map(|index| labels[index]);
        if found == [found[0]; 8] && self.outside < 0.5 {
            // Nearly every point lies among voxels of one label.
            match stage {
                _ if found[0] == 0 => {}
                Stage::Whole => hit(0),
                Stage::Patch => hit(usize::from(found[0]) - 1),
            }
            return;
        }
        let share = |wanted: &dyn Fn(u8) -> bool| -> f32 {
            (0..8).filter(|&c| wanted(found[c])).map(|c| self.weight[c]).sum()
        };
        match stage {
            Stage::Whole if 1.0 - self.outside - share(&|label| label == 0) >= 0.5 => hit(0),
            Stage::Whole => {}
            Stage::Patch => {
                for (corner, &label) in found.iter().enumerate().filter(|(_, label)| **label > 0) {
                    if !found[..corner].contains(&label) && share(&|other| other == label) >= 0.5 {
                        hit(usize::from(label) - 1);
                    }
                }
            }
        }
    }
}
