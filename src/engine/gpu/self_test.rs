//! Is this GPU to be trusted? Every kernel is asked for a known answer before its first use by this process. That takes
//! milliseconds beside its compilation. Not cached across runs, because drivers change.

use super::device::Gpu;
use super::run_kernel;
use crate::engine::wgsl::kernel::{Kernel, KnownAnswer};
use crate::engine::wgsl::layout::Precision;
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// Largest difference from the reference, as a share of the largest value.
fn tolerance(precision: Precision) -> f32 {
    match precision {
        Precision::F32 => 1e-4,
        Precision::F16 => 4e-3,
    }
}

/// Asks kernels what is known, each before its first use.
///
/// # Errors
/// `Device` that names the kernel whose answer is wrong.
pub async fn before_use(gpu: &Gpu, kernels: &BTreeSet<Kernel>) -> Result<()> {
    let fresh: Vec<Kernel> = kernels.iter().copied().filter(|kernel| !gpu.trusts(*kernel)).collect();
    for kernel in fresh {
        for known in kernel.known_answers(gpu.precision) {
            let named = |error: Error| error.within(format!("kernel \"{}\"", kernel.name));
            ask(gpu, kernel, &known).await.map_err(named)?;
        }
        gpu.trust(kernel);
    }
    Ok(())
}

async fn ask(gpu: &Gpu, kernel: Kernel, known: &KnownAnswer) -> Result<()> {
    let found = (known.found)(&run_kernel::output(gpu, kernel, known).await?);
    if found.len() != known.expected.len() {
        let (found, expected) = (found.len(), known.expected.len());
        return Err(Error::device("known answer", format!("{found} numbers"), format!("{expected}")));
    }
    let top = known.expected.iter().fold(1f32, |top, value| top.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(&known.expected).enumerate() {
        // Written as !(x <= tol) so that NaN fails.
        let right = (found - expected).abs() <= tolerance(gpu.precision) * top;
        if !right {
            return Err(Error::device(
                format!("known answer on {}", gpu.adapter),
                format!("{found} at {index}"),
                format!("{expected}"),
            ));
        }
    }
    Ok(())
}
