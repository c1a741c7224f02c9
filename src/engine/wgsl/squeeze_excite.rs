//! Squeeze-and-excite on the parameters of a normalisation.

mod known_answers;
pub mod shader;

use super::kernel::Kernel;

/// The kernel: forward: scales gamma and beta.
pub const FORWARD: Kernel =
    Kernel::new("excite", &[false, true], |_| shader::forward(), |_, _| vec![known_answers::forward()]);

/// The kernel: backward.
pub const BACKWARD: Kernel = Kernel::new(
    "excite, back",
    &[false, false, true],
    |_| shader::back(),
    |_, _| vec![known_answers::backward()],
);
