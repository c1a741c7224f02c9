//! The last step: a 1^3 convolution to logits, or labels.

pub mod backward;
pub mod forward;
mod known_answers;

use super::kernel::Kernel;

/// The kernel: forward: a number per label.
pub const LOGITS: Kernel = Kernel::new(
    "logits",
    &[false, false, false, true],
    |_| forward::logits(),
    |_, precision| vec![known_answers::forward(false, precision)],
);

/// The kernel: forward: the label itself.
pub const LABELS: Kernel = Kernel::new(
    "labels",
    &[false, false, false, true],
    |_| forward::labels(),
    |_, precision| vec![known_answers::forward(true, precision)],
);

/// The kernel: the gradient of the source.
pub const BACKWARD: Kernel = Kernel::new(
    "out, back",
    &[false, false, true],
    |_| backward::WGSL.to_owned(),
    |_, _| [false, true].map(known_answers::backward).into(),
);

/// The kernel: the gradient of the weights.
pub const WEIGHT_GRAD: Kernel = Kernel::new(
    "out, weight",
    &[false, false, false, true],
    |_| backward::weight(),
    |_, _| [true, false].map(known_answers::weight_grad).into(),
);
