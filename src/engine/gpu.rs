//! A network on a GPU: what [`super::plan`] lists, done by wgpu.
//!
//! The trap of WebGPU is silence: a shader that does not compile, or memory that runs out, gives an error *event* and
//! a buffer of zeros or of an earlier result, and every call succeeds. So nothing is released over a fault
//! ([`device::Gpu::sound`]), results are read over a mark that no result is, and a device that does not give known
//! answers is refused before it is used ([`check`]).

pub mod check;
pub mod device;
mod known;
pub mod speed;

use super::graph::{Graph, Kind};
use super::norm::{parameters, tensor};
use super::plan::{Binding, Op, Plan, Settings};
use crate::error::{Error, Result};
use crate::kernels::{conv, norm, out, up};
use crate::model::Architecture;
use crate::store::Weights;
use device::Gpu;
use std::rc::Rc;
use web_time::Instant;

/// Seconds that a submit should take: what a stop waits for, and far from any watchdog.
const SUBMIT: f64 = 0.1;
/// Operations of a submit, whatever the clock said: 200 ms at 1 TFLOP/s.
pub const MOST: f64 = 2e11;
/// Bytes between two uniforms.
const UNIFORM: usize = 256;
/// Uniforms of a submit.
const UNIFORMS: usize = 256;

/// A network ready to run.
pub struct Network {
    gpu: Rc<Gpu>,
    graph: Graph,
    /// By step; none where it has no weights.
    weights: Vec<Option<wgpu::Buffer>>,
    /// `gamma` and `beta` by normalisation.
    norms: Vec<wgpu::Buffer>,
}

impl Network {
    /// Puts weights that fit the architecture on a device.
    ///
    /// # Errors
    /// `Malformed` where a weight is missing.
    pub fn new(architecture: &Architecture, weights: &Weights, gpu: &Rc<Gpu>) -> Result<Self> {
        let graph = Graph::of(architecture);
        let channels = |map: usize| graph.maps[map].channels;
        let mut buffers = Vec::new();
        for step in &graph.steps {
            let sources: Vec<usize> = step.sources.iter().map(|source| channels(source.map)).collect();
            let outputs = channels(step.output);
            let packed = match &step.kind {
                Kind::Conv(name) => Some(conv::pack(tensor(weights, name)?, &sources, outputs)),
                Kind::Up(name) => Some(up::pack(tensor(weights, name)?, sources[0], outputs)),
                Kind::Out(name) => {
                    let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
                    Some(out::pack(tensor(weights, &weight)?, tensor(weights, &bias)?))
                }
                Kind::Pool | Kind::Join => None,
            };
            buffers.push(packed.map(|values| gpu.upload(&values)));
        }
        let norms = graph.norms.iter();
        let norms = norms
            .map(|one| Ok(gpu.upload(&norm::pack(&parameters(one, weights)?))))
            .collect::<Result<_>>()?;
        Ok(Self { gpu: gpu.clone(), graph, weights: buffers, norms })
    }

    /// What it computes.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The plan for an image of `dims`.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn plan(&self, dims: [usize; 3], labels: bool) -> Result<Plan> {
        let Gpu { precision, tiled, limits, .. } = &*self.gpu;
        let mut limits = *limits;
        // As much at once as the clock allows, so that a stop is heard.
        limits.dispatch = limits.dispatch.min((self.gpu.rate.get() * SUBMIT).max(1e7));
        let settings = Settings { precision: *precision, tiled: tiled.get(), limits, labels };
        Plan::new(&self.graph, dims, &settings)
    }

    /// Compiles and checks what a pass needs, so that its first run takes no longer than the next.
    ///
    /// # Errors
    /// As [`Plan::new`]; `Device` that names a kernel whose known answer is wrong.
    pub async fn prepare(&self, dims: [usize; 3]) -> Result<()> {
        for labels in [false, true] {
            check::before_use(&self.gpu, &self.plan(dims, labels)?.kernels()).await?;
        }
        Ok(())
    }

    /// Bytes at the worst moment of a pass.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn peak_bytes(&self, dims: [usize; 3]) -> Result<u64> {
        let weights = self.weights.iter().flatten().chain(&self.norms).map(wgpu::Buffer::size).sum::<u64>();
        Ok(self.plan(dims, false)?.peak + weights)
    }

    /// As [`super::Network::logits`].
    ///
    /// # Errors
    /// What `pause` gives; `Limit` where a plane is too large; `Device` where the device fails or reports an error.
    pub async fn logits(
        &self,
        image: &[f32],
        dims: [usize; 3],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Vec<f32>> {
        self.run(image, dims, false, pause).await.map(|run| run.logits)
    }

    /// As [`super::Network::labels`].
    ///
    /// # Errors
    /// As [`Self::logits`].
    pub async fn labels(
        &self,
        image: &[f32],
        dims: [usize; 3],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Vec<u8>> {
        self.run(image, dims, true, pause).await.map(|run| run.labels)
    }

    async fn run(
        &self,
        image: &[f32],
        dims: [usize; 3],
        labels: bool,
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Run<'_>> {
        let plan = self.plan(dims, labels)?;
        check::before_use(&self.gpu, &plan.kernels()).await?;
        let before = self.gpu.faults();
        let volume = dims.iter().product::<usize>();
        let outputs = self.graph.maps.last().map_or(1, |map| map.channels);
        let mut run = Run {
            network: self,
            dims,
            buffers: Vec::new(),
            encoder: self.gpu.encoder(),
            uniforms: Vec::new(),
            table: self.gpu.uniforms(UNIFORM * UNIFORMS),
            waiting: 0.0,
            done: 0.0,
            total: plan.flops.max(1.0),
            logits: if labels { Vec::new() } else { vec![f32::NAN; outputs * volume] },
            labels: if labels { vec![out::NOT_A_NUMBER; volume] } else { Vec::new() },
        };
        let result = run.all(&plan, image, pause).await;
        run.buffers.iter().flatten().for_each(wgpu::Buffer::destroy);
        run.table.destroy();
        self.gpu.sound(before)?;
        result.map(|()| run)
    }
}

/// A pass under way.
struct Run<'a> {
    network: &'a Network,
    dims: [usize; 3],
    buffers: Vec<Option<wgpu::Buffer>>,
    encoder: wgpu::CommandEncoder,
    /// Of what is encoded and not yet submitted.
    uniforms: Vec<u8>,
    table: wgpu::Buffer,
    /// Operations that are encoded and not yet submitted.
    waiting: f64,
    done: f64,
    total: f64,
    logits: Vec<f32>,
    labels: Vec<u8>,
}

impl Run<'_> {
    async fn all(
        &mut self,
        plan: &Plan,
        image: &[f32],
        pause: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<()> {
        let gpu = &self.network.gpu;
        gpu.peak.set(0);
        for op in &plan.ops {
            match op {
                Op::Create { buffer, bytes } => {
                    self.buffers.resize(self.buffers.len().max(buffer + 1), None);
                    self.buffers[*buffer] = Some(gpu.storage(*bytes));
                    let alive = self.buffers.iter().flatten().map(wgpu::Buffer::size).sum();
                    gpu.peak.set(gpu.peak.get().max(alive));
                }
                Op::Drop { buffer } => {
                    // What uses it must have been submitted.
                    self.submit(pause).await?;
                    if let Some(buffer) = self.buffers[*buffer].take() {
                        buffer.destroy();
                    }
                }
                Op::Upload { buffer, layout, planes } => {
                    let bytes = layout.pack(image, planes.clone(), gpu.precision);
                    gpu.queue.write_buffer(self.buffer(*buffer)?, 0, &bytes);
                }
                Op::Mark { buffer, bytes } => {
                    self.submit(pause).await?;
                    gpu.queue.write_buffer(self.buffer(*buffer)?, 0, &vec![0xFF; *bytes as usize]);
                }
                Op::Copy { from, to, bytes } => {
                    let (source, target) = (self.buffer(from.0)?.clone(), self.buffer(to.0)?.clone());
                    self.encoder.copy_buffer_to_buffer(&source, from.1, &target, to.1, *bytes);
                }
                Op::Dispatch { kernel, words, bindings, groups, flops } => {
                    let most = (gpu.rate.get() * SUBMIT).min(MOST);
                    if self.waiting > 0.0 && self.waiting + flops > most
                        || self.uniforms.len() == UNIFORM * UNIFORMS
                    {
                        self.submit(pause).await?;
                    }
                    let buffers =
                        bindings.iter().map(|&binding| self.bound(binding)).collect::<Result<Vec<_>>>()?;
                    let pipeline = gpu.pipeline(*kernel);
                    let group = gpu.bind(&pipeline, &self.table, &buffers);
                    let mut pass = self.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                    pass.set_pipeline(&pipeline.pipeline);
                    pass.set_bind_group(0, &group, &[self.uniforms.len() as u32]);
                    pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
                    drop(pass);
                    self.uniforms.extend(words.iter().flat_map(|word| word.to_le_bytes()));
                    self.uniforms.resize(self.uniforms.len().next_multiple_of(UNIFORM), 0);
                    self.waiting += flops;
                }
                Op::Read { buffer, bytes, planes } => {
                    let source = self.buffer(*buffer)?.clone();
                    let staging = gpu.staging(*bytes);
                    self.encoder.copy_buffer_to_buffer(&source, 0, &staging, 0, *bytes);
                    self.submit(pause).await?;
                    let found = gpu.read(&staging).await?;
                    staging.destroy();
                    self.keep(&found, planes.clone());
                }
            }
        }
        Ok(())
    }

    fn buffer(&self, buffer: usize) -> Result<&wgpu::Buffer> {
        let found = self.buffers.get(buffer).and_then(Option::as_ref);
        found.ok_or_else(|| Error::device("plan", format!("no buffer {buffer}"), "a buffer that was made"))
    }

    fn bound(&self, binding: Binding) -> Result<&wgpu::Buffer> {
        match binding {
            Binding::Buffer(buffer) => self.buffer(buffer),
            Binding::Norm(norm) => Ok(&self.network.norms[norm]),
            Binding::Same => Ok(&self.network.gpu.same),
            Binding::Weights(step) => {
                let found = self.network.weights[step].as_ref();
                found.ok_or_else(|| Error::device("plan", format!("no weights of step {step}"), "weights"))
            }
        }
    }

    /// Hands over what is encoded and waits for it; learns from the time how much to hand over at once.
    async fn submit(&mut self, pause: &mut dyn FnMut(f64) -> Result<()>) -> Result<()> {
        let gpu = &self.network.gpu;
        let encoder = std::mem::replace(&mut self.encoder, gpu.encoder());
        if !self.uniforms.is_empty() {
            gpu.queue.write_buffer(&self.table, 0, &self.uniforms);
        }
        let since = Instant::now();
        gpu.queue.submit([encoder.finish()]);
        gpu.idle().await?;
        let seconds = since.elapsed().as_secs_f64();
        if self.waiting > 1e8 {
            gpu.rate.set(0.5 * gpu.rate.get() + 0.5 * self.waiting / seconds.max(1e-4));
        }
        self.done += self.waiting;
        self.waiting = 0.0;
        self.uniforms.clear();
        pause((self.done / self.total).min(1.0))
    }

    /// Puts planes of the result in their place.
    fn keep(&mut self, found: &[u8], planes: std::ops::Range<usize>) {
        let [x, y, z] = self.dims;
        let size = x * y;
        if !self.labels.is_empty() {
            let rows = found
                .chunks_exact(size.next_multiple_of(4))
                .zip(self.labels[planes.start * size..].chunks_exact_mut(size));
            rows.for_each(|(from, to)| to.copy_from_slice(&from[..size]));
            return;
        }
        let outputs = self.logits.len() / (size * z);
        for (index, from) in found.chunks_exact(size.div_ceil(4) * 16).enumerate() {
            let (plane, output) = (planes.start + index / outputs, index % outputs);
            let to = &mut self.logits[(output * z + plane) * size..][..size];
            to.iter_mut()
                .zip(from.chunks_exact(4))
                .for_each(|(to, b)| *to = f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        }
    }
}
