//! The end of a residual block: LeakyReLU of a sum.

pub mod backward;
pub mod forward;
mod known_answers;

use super::kernel::Kernel;

/// The kernel: forward.
pub const FORWARD: Kernel = Kernel::new(
    "join",
    &[true, false, false, false],
    |_| forward::WGSL.to_owned(),
    |_, precision| vec![known_answers::forward(precision)],
);

/// The kernel: backward.
pub const BACKWARD: Kernel = Kernel::new(
    "join, back",
    &[true, false, true],
    |_| backward::WGSL.to_owned(),
    |_, _| [0, 2].map(known_answers::backward).into(),
);
