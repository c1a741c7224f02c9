//! The optimiser.

mod known_answers;
pub mod shader;

use super::kernel::Kernel;

/// The kernel: parts of the sum of squares of the gradient.
pub const SQUARES: Kernel = Kernel::new(
    "square sum",
    &[false, true],
    |_| shader::SQUARES.to_owned(),
    |_, _| vec![known_answers::squares()],
);

/// The kernel: the factor that clips the gradient.
pub const CLIP: Kernel = Kernel::new(
    "clip",
    &[false, true],
    |_| shader::CLIP.to_owned(),
    |_, _| [1.0, f32::NAN].map(known_answers::clip).into(),
);

/// The kernel: the step.
pub const STEP: Kernel = Kernel::new(
    "adamw",
    &[false, false, true, true, true, true],
    |_| shader::STEP.to_owned(),
    |_, _| {
        [(2, 0.5), (3, 0.5), (4, 0.5), (5, 0.5), (2, -1.0)]
            .map(|(look, factor)| known_answers::step(look, factor))
            .into()
    },
);
