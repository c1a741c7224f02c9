//! Up-convolution 2^3 of stride 2.

pub mod backward;
pub mod forward;
mod known_answers;

use super::kernel::Kernel;

/// The kernel: forward.
pub const FORWARD: Kernel = Kernel::new(
    "up",
    &[false, false, false, true, true],
    |_| forward::source(),
    |_, precision| vec![known_answers::forward(precision)],
);

/// The kernel: the gradient of the source.
pub const BACKWARD: Kernel = Kernel::new(
    "up, back",
    &[false, false, true],
    |_| backward::source(),
    |_, _| vec![known_answers::backward()],
);

/// The kernel: the gradient of the weights.
pub const WEIGHT_GRAD: Kernel = Kernel::new(
    "up, weight",
    &[false, false, false, true],
    |_| backward::weight(),
    |_, _| [true, false].map(known_answers::weight_grad).into(),
);
