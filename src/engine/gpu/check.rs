//! Is this GPU to be trusted, and which variant is faster on it? Every kernel is asked for a known answer before its
//! first use by this process. That takes milliseconds beside its compilation; the answer of yesterday is not kept, for
//! it says nothing about today's driver.

use super::device::{Gpu, Pipeline};
use super::known::{Trial, trials};
use super::speed;
use crate::error::{Error, Result};
use crate::kernels::{Kernel, Precision};
use std::collections::BTreeSet;
use std::rc::Rc;
use web_time::Instant;

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
        for trial in trials(kernel, gpu.precision) {
            let named = |error: Error| error.within(format!("kernel \"{}\"", kernel.name()));
            one(gpu, &trial).await.map_err(named)?;
        }
        gpu.trust(kernel);
    }
    Ok(())
}

async fn one(gpu: &Gpu, trial: &Trial) -> Result<()> {
    let found = (trial.found)(&dispatch(gpu, trial).await?);
    if found.len() != trial.expected.len() {
        let (found, expected) = (found.len(), trial.expected.len());
        return Err(Error::device("known answer", format!("{found} numbers"), format!("{expected}")));
    }
    let top = trial.expected.iter().fold(1f32, |top, value| top.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(&trial.expected).enumerate() {
        // Asked for what is right, so that NaN fails.
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

/// Runs a trial; the bytes of the buffer that is looked at.
async fn dispatch(gpu: &Gpu, trial: &Trial) -> Result<Vec<u8>> {
    let before = gpu.faults();
    let ready = Ready::new(gpu, trial);
    let mut encoder = gpu.encoder();
    ready.encode(&mut encoder, trial.groups);
    let look = &ready.buffers[trial.look];
    let staging = gpu.staging(look.size());
    encoder.copy_buffer_to_buffer(look, 0, &staging, 0, look.size());
    gpu.queue.submit([encoder.finish()]);
    let found = gpu.read(&staging).await;
    staging.destroy();
    gpu.sound(before)?;
    found
}

/// A kernel with its buffers, ready to be run.
struct Ready {
    pipeline: Rc<Pipeline>,
    group: wgpu::BindGroup,
    buffers: Vec<wgpu::Buffer>,
    table: wgpu::Buffer,
}

impl Ready {
    fn new(gpu: &Gpu, trial: &Trial) -> Self {
        let fill = |bytes: &Vec<u8>| {
            let buffer = gpu.storage(bytes.len() as u64);
            gpu.queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let buffers: Vec<wgpu::Buffer> = trial.buffers.iter().map(fill).collect();
        let table = gpu.uniforms(256);
        let words: Vec<u8> = trial.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        gpu.queue.write_buffer(&table, 0, &words);
        let pipeline = gpu.pipeline(trial.kernel);
        let group = gpu.bind(&pipeline, &table, &buffers.iter().collect::<Vec<_>>());
        Self { pipeline, group, buffers, table }
    }

    fn encode(&self, encoder: &mut wgpu::CommandEncoder, groups: [u32; 3]) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, &self.group, &[0]);
        pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.buffers.iter().chain([&self.table]).for_each(wgpu::Buffer::destroy);
    }
}

/// Seconds of one run of a kernel: the best of four rounds of `times` runs, nothing read back.
///
/// # Errors
/// `Device` where the device fails.
pub(super) async fn seconds(gpu: &Gpu, trial: &Trial, times: usize) -> Result<f64> {
    let before = gpu.faults();
    let ready = Ready::new(gpu, trial);
    let mut best = f64::INFINITY;
    for _ in 0..4 {
        let mut encoder = gpu.encoder();
        (0..times).for_each(|_| ready.encode(&mut encoder, trial.groups));
        let since = Instant::now();
        gpu.queue.submit([encoder.finish()]);
        gpu.idle().await?;
        best = best.min(since.elapsed().as_secs_f64() / times as f64);
    }
    gpu.sound(before)?;
    Ok(best)
}

/// Times both variants of the convolution on 32 channels of 24^3.
///
/// # Errors
/// `Device` where the device fails.
pub async fn tiled_is_faster(gpu: &Gpu) -> Result<bool> {
    let direct = seconds(gpu, &speed::conv(gpu, false, 32, 32, [24; 3]).trial, 1).await?;
    let tiled = seconds(gpu, &speed::conv(gpu, true, 32, 32, [24; 3]).trial, 1).await?;
    Ok(tiled < direct)
}
