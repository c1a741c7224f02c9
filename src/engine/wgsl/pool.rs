//! Pooling: the largest value of every 2^3 block.

pub mod backward;
pub mod forward;
mod known_answers;

use super::kernel::Kernel;

/// The kernel: forward.
pub const FORWARD: Kernel = Kernel::new(
    "pool",
    &[false, false, true],
    |_| forward::WGSL.to_owned(),
    |_, precision| vec![known_answers::forward(precision)],
);

/// The kernel: backward: the gradient of the source.
pub const BACKWARD: Kernel = Kernel::new(
    "pool, back",
    &[false, false, false, true],
    |_| backward::WGSL.to_owned(),
    |_, _| vec![known_answers::backward()],
);
