//! Convolution 3^3.

pub mod backward;
mod direct_variant;
pub mod forward;
mod known_answers;
mod rows;
mod tiled_variant;

use super::kernel::Kernel;
use super::layout::Layout;

pub use tiled_variant::tiled_loads;

const BINDINGS: &[bool] = &[false, false, false, false, false, true, true];

/// The forward kernel in which each invocation reads for itself, rows of so many voxels.
pub const fn direct(row: u32) -> Kernel {
    Kernel::new(
        "conv, direct",
        BINDINGS,
        |row| direct_variant::direct(row as usize),
        |row, precision| vec![known_answers::direct(row as usize, precision)],
    )
    .with_variant(row)
}

/// The forward kernel in which a workgroup shares what it reads, for so many blocks of eight output channels at once.
pub const fn tiled(blocks: u32) -> Kernel {
    Kernel::new("conv, tiled", BINDINGS, tiled_variant::tiled, |blocks, precision| {
        vec![known_answers::tiled(blocks, precision)]
    })
    .with_variant(blocks)
}

/// The kernel: the gradient of the weights.
pub const WEIGHT_GRAD: Kernel = Kernel::new(
    "conv, weight",
    &[false, false, false, true],
    |_| backward::weight(),
    |_, _| [true, false].map(known_answers::weight_grad).into(),
);

/// The forward kernel for an output.
pub fn kernel(output: &Layout, tile: bool) -> Kernel {
    if tile {
        tiled(tiled_variant::tiled_blocks(output))
    } else {
        direct(direct_variant::direct_row(output) as u32)
    }
}

/// Workgroups of either forward kernel.
pub fn groups(params: &forward::Params, kernel: Kernel) -> [u32; 3] {
    if kernel == tiled(kernel.variant) {
        tiled_variant::tiled_groups(params, kernel.variant)
    } else {
        direct_variant::direct_groups(params, row(kernel))
    }
}

/// Voxels in a row of one invocation of a kernel that leaves moments.
pub fn row(kernel: Kernel) -> usize {
    if kernel == direct(kernel.variant) { kernel.variant as usize } else { forward::ROW }
}
