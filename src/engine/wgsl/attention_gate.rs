//! Attention gate.

pub mod backward;
pub mod forward;
mod known_answers;

use super::kernel::Kernel;

/// The kernel: forward.
pub const FORWARD: Kernel = Kernel::new(
    "gate",
    &[false, false, false, false, false, true],
    |_| forward::source(),
    |_, precision| vec![known_answers::forward(precision)],
);

/// The kernel: what the way back needs of each voxel.
pub const BACKWARD_INNER: Kernel = Kernel::new(
    "gate, inner",
    &[false, false, false, false, false, false, true, true],
    |_| backward::inner(),
    |_, _| [6, 7].map(known_answers::backward_inner).into(),
);

/// The kernel: the gradients of both sources.
pub const BACKWARD: Kernel = Kernel::new(
    "gate, back",
    &[true, true, false, false, true],
    |_| backward::BACK.to_owned(),
    |_, _| [0, 1, 4].map(known_answers::backward).into(),
);
