//! The loss and its gradient.

mod known_answers;
pub mod shader;

use super::kernel::Kernel;
use super::known_answer::SHAPES;

/// The kernel: the sums over voxels.
pub const SUMS: Kernel = Kernel::new(
    "loss, sums",
    &[false, false, true],
    |_| shader::SUMS.to_owned(),
    |_, _| SHAPES.map(known_answers::sums).into(),
);

/// The kernel: the loss and the coefficients.
pub const TOTAL: Kernel = Kernel::new(
    "loss, end",
    &[false, true, true],
    |_| shader::END.to_owned(),
    |_, _| {
        [(1, true), (2, true), (2, false)].map(|(look, entropy)| known_answers::total(look, entropy)).into()
    },
);

/// The kernel: the gradient of the logits.
pub const BACKWARD: Kernel = Kernel::new(
    "loss, back",
    &[false, false, false, true],
    |_| shader::BACK.to_owned(),
    |_, _| vec![known_answers::backward()],
);

/// The kernel: a gradient of the logits that came from elsewhere.
pub const GIVEN: Kernel = Kernel::new(
    "loss, given",
    &[false, true],
    |_| shader::GIVEN.to_owned(),
    |_, _| vec![known_answers::given()],
);
