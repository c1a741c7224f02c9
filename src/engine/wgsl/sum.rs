//! Adding up the parts of a split sum.

mod known_answers;
pub mod shader;

use super::kernel::Kernel;

/// The kernel: adds parts up.
pub const SUM: Kernel = Kernel::new(
    "sum",
    &[false, true],
    |_| shader::WGSL.to_owned(),
    |_, _| [1, 4].map(known_answers::sum).into(),
);
