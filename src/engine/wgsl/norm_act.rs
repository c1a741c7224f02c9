//! Instance normalisation and LeakyReLU.

pub mod backward;
pub mod forward;
mod known_answers;

use super::kernel::Kernel;
use super::known_answer::SHAPES;

/// The kernel: forward: the statistics.
pub const MERGE: Kernel =
    Kernel::new("merge", &[false, true], |_| forward::MERGE.to_owned(), |_, _| vec![known_answers::merge()]);

/// The kernel: forward: scale and shift of each channel.
pub const SCALE_SHIFT: Kernel = Kernel::new(
    "norm",
    &[false, false, true],
    |_| forward::NORM.to_owned(),
    |_, _| vec![known_answers::scale_shift()],
);

/// The kernel: backward: mean and inverse deviation.
pub const STATS: Kernel = Kernel::new(
    "stats",
    &[false, true],
    |_| backward::source(backward::STATS),
    |_, _| vec![known_answers::stats()],
);

/// The kernel: backward: the sums over voxels.
pub const SUMS: Kernel = Kernel::new(
    "norm_act, sums",
    &[false, false, false, false, true],
    |_| backward::source(backward::SUMS),
    |_, _| SHAPES.map(known_answers::sums).into(),
);

/// The kernel: backward: from the sums to the coefficients and the gradients of gamma and beta.
pub const COEFFICIENTS: Kernel = Kernel::new(
    "norm_act, end",
    &[false, false, false, true, true],
    |_| backward::source(backward::END),
    |_, _| [3, 4].map(known_answers::coefficients).into(),
);

/// The kernel: backward: the gradient of the raw map.
pub const APPLY: Kernel = Kernel::new(
    "norm_act, apply",
    &[true, false, false, false],
    |_| backward::source(backward::APPLY),
    |_, _| vec![known_answers::apply()],
);
