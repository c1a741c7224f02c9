//! Numbers that go from burn's buffers to the engine's and back. Buffers of burn are pieces of larger ones that kernels of ours must
//! not bind, so they are copied, on the device.

use crate::engine::gpu::gradient_pass::GradientPass;
use crate::error::{Error, Result};
use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{AutoCompiler, WgpuResource};
use burn::backend::{Cube, TensorMetadata};
use burn::cubecl::server::Handle;
use burn::cubecl::wgpu::WgpuServer;

/// All parameters of a network from a tensor of burn.
///
/// # Errors
/// `Device` where the tensor is not these.
pub fn put_parameters(pass: &GradientPass, theta: &FloatTensor<Cube>) -> Result<()> {
    whole("parameters", theta, pass.parameters.total)?;
    on_buffer(theta, |held| pass.copy_values_from((&held.buffer, held.offset)))
}

/// Lets something be submitted on the buffer of a tensor. All that burn computed before is submitted first, and the buffer stays
/// where it is for as long.
///
/// # Errors
/// `Device` where burn does not give it.
pub fn on_buffer(tensor: &FloatTensor<Cube>, submit: impl FnOnce(&WgpuResource)) -> Result<()> {
    let handle: Handle = tensor.handle.clone();
    let held = tensor.client.get_resource::<WgpuServer<AutoCompiler>>(handle);
    let held = held.map_err(|error| Error::device("a buffer of burn", format!("{error:?}"), "a buffer"))?;
    submit(held.resource());
    Ok(())
}

/// That a tensor is so many numbers in one piece.
///
/// # Errors
/// `Device` where it is not.
pub fn whole(place: &str, found: &FloatTensor<Cube>, numbers: usize) -> Result<()> {
    if found.is_contiguous() && found.shape().num_elements() == numbers {
        return Ok(());
    }
    Err(Error::device(place, format!("{found:?}"), format!("{numbers} numbers in one piece")))
}
