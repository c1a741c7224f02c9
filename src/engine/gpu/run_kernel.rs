//! One kernel on buffers of its own: to look at what it gives, or to time it.

use super::device::{Gpu, Pipeline};
use crate::engine::wgsl::kernel::{Kernel, KnownAnswer};
use crate::error::Result;
use std::rc::Rc;
use web_time::Instant;

/// Runs a kernel on the inputs of a known answer; the bytes of the buffer that is compared.
pub(super) async fn output(gpu: &Gpu, kernel: Kernel, known: &KnownAnswer) -> Result<Vec<u8>> {
    let before = gpu.faults();
    let ready = Ready::new(gpu, kernel, known);
    let mut encoder = gpu.encoder();
    ready.encode(&mut encoder, known.groups);
    let look = &ready.buffers[known.look];
    let staging = gpu.staging(look.size());
    encoder.copy_buffer_to_buffer(look, 0, &staging, 0, look.size());
    gpu.queue.submit([encoder.finish()]);
    let found = gpu.read(&staging).await;
    staging.destroy();
    gpu.sound(before)?;
    found
}

/// Seconds of one run of a kernel: the best of four rounds of `times` runs, nothing read back.
///
/// # Errors
/// `Device` where the device fails.
pub(super) async fn seconds(gpu: &Gpu, kernel: Kernel, known: &KnownAnswer, times: usize) -> Result<f64> {
    let before = gpu.faults();
    let ready = Ready::new(gpu, kernel, known);
    let mut best = f64::INFINITY;
    for _ in 0..4 {
        let mut encoder = gpu.encoder();
        (0..times).for_each(|_| ready.encode(&mut encoder, known.groups));
        let since = Instant::now();
        gpu.queue.submit([encoder.finish()]);
        gpu.idle().await?;
        best = best.min(since.elapsed().as_secs_f64() / times as f64);
    }
    gpu.sound(before)?;
    Ok(best)
}

/// A kernel with its buffers, ready to be run.
struct Ready {
    pipeline: Rc<Pipeline>,
    group: wgpu::BindGroup,
    buffers: Vec<wgpu::Buffer>,
    table: wgpu::Buffer,
}

impl Ready {
    fn new(gpu: &Gpu, kernel: Kernel, known: &KnownAnswer) -> Self {
        let fill = |bytes: &Vec<u8>| {
            let buffer = gpu.storage(bytes.len() as u64);
            gpu.queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let buffers: Vec<wgpu::Buffer> = known.buffers.iter().map(fill).collect();
        let table = gpu.uniforms(256);
        let words: Vec<u8> = known.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        gpu.queue.write_buffer(&table, 0, &words);
        let pipeline = gpu.pipeline(kernel);
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
