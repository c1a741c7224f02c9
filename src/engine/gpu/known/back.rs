//! The questions for the kernels of training.

mod gate;
mod maps;
mod step;

use super::{DIMS, Found, Trial, floats};
use crate::kernels::Kernel;
use crate::kernels::back::Back;

/// Where a part of a sum is of all planes, of two, and of some of one.
const SHAPES: [[usize; 3]; 3] = [DIMS, [50, 40, 6], [70, 60, 6]];

/// The questions for a kernel of training.
pub(super) fn trials(kernel: Back) -> Vec<Trial> {
    match kernel {
        Back::Stats => vec![maps::stats()],
        Back::BendSums => SHAPES.map(maps::bend_sums).into(),
        Back::BendEnd => vec![maps::bend_end(3), maps::bend_end(4)],
        Back::BendApply => vec![maps::bend_apply()],
        Back::ConvWeight => vec![maps::conv_weight(true), maps::conv_weight(false)],
        Back::Pool => vec![maps::pool()],
        Back::Join => vec![maps::join(0), maps::join(2)],
        Back::GateInner => [6, 7].map(gate::inner).into(),
        Back::GateBack => [0, 1, 4].map(gate::back).into(),
        Back::Up => vec![maps::up()],
        Back::UpWeight => vec![maps::up_weight(true), maps::up_weight(false)],
        Back::LossSums => SHAPES.map(step::loss_sums).into(),
        Back::LossEnd => vec![step::loss_end(1, true), step::loss_end(2, true), step::loss_end(2, false)],
        Back::LossBack => vec![step::loss_back()],
        Back::Out => vec![maps::out(false), maps::out(true)],
        Back::OutWeight => vec![maps::out_weight(true), maps::out_weight(false)],
        Back::Sum => vec![step::sum(1), step::sum(4)],
        Back::Gather => vec![step::gather(false), step::gather(true)],
        Back::Excite => vec![step::excite()],
        Back::ExciteBack => vec![step::excite_back()],
        Back::SquareSum => vec![step::square_sum()],
        Back::Clip => vec![step::clip(1.0), step::clip(f32::NAN)],
        Back::AdamW => [2, 3, 4, 5]
            .map(|look| step::adamw(look, 0.5))
            .into_iter()
            .chain([step::adamw(2, -1.0)])
            .collect(),
    }
}

fn trial(
    kernel: Back,
    words: Vec<u32>,
    buffers: Vec<Vec<u8>>,
    groups: [u32; 3],
    (look, expected, found): (usize, Vec<f32>, Found),
) -> Trial {
    Trial { kernel: Kernel::Back(kernel), words, buffers, groups, look, expected, found }
}

/// A buffer of which all numbers are looked at.
fn all(look: usize, expected: Vec<f32>) -> (usize, Vec<f32>, Found) {
    (look, expected, Box::new(floats))
}

/// A buffer that is to be overwritten, of so many numbers: none that adds anything to it is right.
fn blank(count: usize) -> Vec<u8> {
    vec![0xFF; 4 * count]
}
