//! The machine's vectors: which of them an operation runs on.

use pulp::{Simd, WithSimd};

/// `op` on the widest vectors that this machine has: natively found out at run time, in WebAssembly what the module was
/// built for.
#[cfg(not(all(target_arch = "wasm32", feature = "relaxed")))]
#[inline(always)]
pub fn dispatch<O: WithSimd>(op: O) -> O::Output {
    pulp::Arch::new().dispatch(op)
}

/// `op` on WebAssembly's vectors with products and sums in one step. A browser without them does not compile the module.
#[cfg(all(target_arch = "wasm32", feature = "relaxed"))]
#[inline(always)]
pub fn dispatch<O: WithSimd>(op: O) -> O::Output {
    use pulp::core_arch::wasm;
    op.with_simd(pulp::wasm::RelaxedSimd {
        simd128: wasm::Simd128::new_unchecked(),
        relaxed_simd: wasm::RelaxedSimd::new_unchecked(),
    })
}

/// Whether there are more than 16 registers for vectors; of WebAssembly's a machine may have 16 or 32 in them.
pub const fn many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32 && cfg!(not(target_arch = "wasm32"))
}
