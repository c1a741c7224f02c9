//! Numbers brought into another order by a table.

mod known_answers;
pub mod shader;

use super::kernel::Kernel;

/// The kernel: brings numbers into another order.
pub const GATHER: Kernel = Kernel::new(
    "gather",
    &[false, false, true],
    |_| shader::WGSL.to_owned(),
    |_, _| [false, true].map(known_answers::gather).into(),
);
