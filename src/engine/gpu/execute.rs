//! Executes a plan on the GPU.

use super::device::Gpu;
use crate::engine::plan::list::{Binding, Command, Plan, PlanSettings};
use crate::engine::wgsl::kernel::Kernel;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use web_time::Instant;

/// Seconds that a submit should take: what a stop waits for, and far from any watchdog.
pub const SUBMIT: f64 = 0.1;
/// Operations of a submit, whatever the clock said: 200 ms at 1 TFLOP/s.
pub const MOST: f64 = 2e11;
/// Bytes between two uniforms.
const UNIFORM: usize = 256;
/// Uniforms of a submit.
const UNIFORMS: usize = 256;

/// What a plan for this device may do: as much at once as the clock allows, so that a stop is heard.
pub fn plan_settings(gpu: &Gpu, labels: bool) -> PlanSettings {
    let mut limits = gpu.limits;
    limits.dispatch = limits.dispatch.min((gpu.rate.get() * SUBMIT).max(1e7));
    PlanSettings { precision: gpu.precision, tiled: gpu.tiled.get(), limits, labels }
}

/// What is there before a plan begins, and stays.
pub type WeightBuffers = HashMap<Binding, wgpu::Buffer>;

/// What goes in and comes out.
pub struct IoCallbacks<'a> {
    /// `[c, z, y, x]`
    pub image: &'a [f32],
    /// What the targets' buffers are to hold, one after the other.
    pub target: &'a [f32],
    /// Told the share that is done, many times; its error stops the work.
    pub pause: &'a mut dyn FnMut(f64) -> Result<()>,
    /// Given what is read, and the first plane of it.
    pub keep: &'a mut dyn FnMut(&[u8], usize),
}

/// Runs a plan. Buffers that are in `kept` already are not made again; with an empty one nothing is left behind.
///
/// # Errors
/// What `pause` gives; `Device` where the device fails or reports an error.
pub async fn execute(
    gpu: &Gpu,
    weight_buffers: &WeightBuffers,
    plan: &Plan,
    kept: &mut Vec<Option<wgpu::Buffer>>,
    io: &mut IoCallbacks<'_>,
) -> Result<()> {
    run(gpu, weight_buffers, plan, kept, io, true).await
}

/// Hands over a plan and waits for nothing: the queue does it before all that it is given later. Faults may be heard later too
/// ([`Gpu::sound`]), and how fast the device was is not learned.
///
/// # Errors
/// As [`execute`]; `Device` for a plan that reads.
pub fn enqueue(
    gpu: &Gpu,
    weight_buffers: &WeightBuffers,
    plan: &Plan,
    kept: &mut Vec<Option<wgpu::Buffer>>,
    io: &mut IoCallbacks<'_>,
) -> Result<()> {
    // Of what is never waited for the first look finds the end.
    let mut work = pin!(run(gpu, weight_buffers, plan, kept, io, false));
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::device("plan", "a command that waits", "commands that are handed over")),
    }
}

async fn run(
    gpu: &Gpu,
    weight_buffers: &WeightBuffers,
    plan: &Plan,
    kept: &mut Vec<Option<wgpu::Buffer>>,
    io: &mut IoCallbacks<'_>,
    waits: bool,
) -> Result<()> {
    let before = gpu.faults();
    let keep = !kept.is_empty();
    let mut run = Execution {
        gpu,
        weight_buffers,
        waits,
        buffers: std::mem::take(kept),
        encoder: gpu.encoder(),
        uniforms: Vec::new(),
        table: gpu.uniforms(UNIFORM * UNIFORMS),
        waiting: 0.0,
        done: 0.0,
        total: plan.flops.max(1.0),
    };
    let result = run.all(plan, io).await;
    run.table.destroy();
    if keep {
        *kept = run.buffers;
    } else {
        run.buffers.iter().flatten().for_each(wgpu::Buffer::destroy);
    }
    gpu.sound(before)?;
    result
}

/// A plan under way.
struct Execution<'a> {
    gpu: &'a Gpu,
    weight_buffers: &'a WeightBuffers,
    /// Whether each submit is waited for.
    waits: bool,
    buffers: Vec<Option<wgpu::Buffer>>,
    encoder: wgpu::CommandEncoder,
    /// Of what is encoded and not yet submitted.
    uniforms: Vec<u8>,
    table: wgpu::Buffer,
    /// Operations that are encoded and not yet submitted.
    waiting: f64,
    done: f64,
    total: f64,
}

impl Execution<'_> {
    async fn all(&mut self, plan: &Plan, io: &mut IoCallbacks<'_>) -> Result<()> {
        self.gpu.peak.set(0);
        for command in &plan.ops {
            match command {
                Command::Dispatch { kernel, words, bindings, groups, flops } => {
                    let most = (self.gpu.rate.get() * SUBMIT).min(MOST);
                    if self.waiting > 0.0 && self.waiting + flops > most
                        || self.uniforms.len() == UNIFORM * UNIFORMS
                    {
                        self.submit(io).await?;
                    }
                    self.encode(*kernel, words, bindings, *groups)?;
                    self.waiting += flops;
                }
                Command::Clear { binding } => {
                    let buffer = self.bound(*binding)?.clone();
                    self.encoder.clear_buffer(&buffer, 0, None);
                }
                Command::Copy { from, to, bytes } => {
                    let (source, target) = (self.bound(from.0)?.clone(), self.bound(to.0)?.clone());
                    self.encoder.copy_buffer_to_buffer(&source, from.1, &target, to.1, *bytes);
                }
                other => self.exchange(other, io).await?,
            }
        }
        // What nobody reads: a step of the optimiser.
        self.submit_any(io).await
    }

    /// Buffers made and dropped, and what goes in and comes out: all that is not encoded.
    async fn exchange(&mut self, command: &Command, io: &mut IoCallbacks<'_>) -> Result<()> {
        let gpu = self.gpu;
        match command {
            Command::Create { buffer, bytes } => {
                self.buffers.resize(self.buffers.len().max(buffer + 1), None);
                self.buffers[*buffer].get_or_insert_with(|| gpu.storage(*bytes));
                let alive = self.buffers.iter().flatten().map(wgpu::Buffer::size).sum();
                gpu.peak.set(gpu.peak.get().max(alive));
            }
            Command::Drop { buffer } => {
                // What uses it must have been submitted.
                self.submit(io).await?;
                if let Some(buffer) = self.buffers[*buffer].take() {
                    buffer.destroy();
                }
            }
            Command::Upload { buffer, layout, planes } => {
                // What was encoded before may still need what is there.
                let bytes = layout.pack(io.image, planes.clone(), gpu.precision);
                self.submit_any(io).await?;
                gpu.queue.write_buffer(self.buffer(*buffer)?, 0, &bytes);
            }
            Command::Target { buffer, numbers } => {
                self.submit_any(io).await?;
                let target = bytemuck::cast_slice(&io.target[numbers.clone()]);
                gpu.queue.write_buffer(self.buffer(*buffer)?, 0, target);
            }
            Command::Mark { buffer, bytes } => {
                self.submit(io).await?;
                gpu.queue.write_buffer(self.buffer(*buffer)?, 0, &vec![0xFF; *bytes as usize]);
            }
            Command::Read { binding, bytes, planes } => {
                let source = self.bound(*binding)?.clone();
                let staging = gpu.staging(*bytes);
                self.encoder.copy_buffer_to_buffer(&source, 0, &staging, 0, *bytes);
                self.submit(io).await?;
                let found = gpu.read(&staging).await?;
                staging.destroy();
                (io.keep)(&found, planes.start);
            }
            Command::Dispatch { .. } | Command::Clear { .. } | Command::Copy { .. } => {}
        }
        Ok(())
    }

    /// Encodes one dispatch.
    fn encode(
        &mut self,
        kernel: Kernel,
        words: &[u32],
        bindings: &[Binding],
        groups: [u32; 3],
    ) -> Result<()> {
        let buffers = bindings.iter().map(|&binding| self.bound(binding)).collect::<Result<Vec<_>>>()?;
        let pipeline = self.gpu.pipeline(kernel);
        let group = self.gpu.bind(&pipeline, &self.table, &buffers);
        let mut pass = self.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline.pipeline);
        pass.set_bind_group(0, &group, &[self.uniforms.len() as u32]);
        pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
        drop(pass);
        self.uniforms.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.uniforms.resize(self.uniforms.len().next_multiple_of(UNIFORM), 0);
        Ok(())
    }

    fn buffer(&self, buffer: usize) -> Result<&wgpu::Buffer> {
        let found = self.buffers.get(buffer).and_then(Option::as_ref);
        found.ok_or_else(|| Error::device("plan", format!("no buffer {buffer}"), "a buffer that was made"))
    }

    fn bound(&self, binding: Binding) -> Result<&wgpu::Buffer> {
        match binding {
            Binding::Buffer(buffer) => self.buffer(buffer),
            Binding::Identity => Ok(&self.gpu.identity),
            _ => {
                let missing = || Error::device("plan", format!("no {binding:?}"), "numbers of the network");
                self.weight_buffers.get(&binding).ok_or_else(missing)
            }
        }
    }

    /// [`Self::submit`], if kernels are encoded.
    async fn submit_any(&mut self, io: &mut IoCallbacks<'_>) -> Result<()> {
        if self.uniforms.is_empty() { Ok(()) } else { self.submit(io).await }
    }

    /// Hands over what is encoded. Who waits for it learns from the time how much to hand over at once.
    async fn submit(&mut self, io: &mut IoCallbacks<'_>) -> Result<()> {
        let gpu = self.gpu;
        let encoder = std::mem::replace(&mut self.encoder, gpu.encoder());
        if !self.uniforms.is_empty() {
            gpu.queue.write_buffer(&self.table, 0, &self.uniforms);
        }
        let since = Instant::now();
        gpu.queue.submit([encoder.finish()]);
        if self.waits {
            gpu.idle().await?;
            gpu.learn_rate(self.waiting, since.elapsed().as_secs_f64());
        }
        self.done += self.waiting;
        self.waiting = 0.0;
        self.uniforms.clear();
        (io.pause)((self.done / self.total).min(1.0))
    }
}
