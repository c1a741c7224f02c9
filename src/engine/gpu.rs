//! A network on a GPU: what [`super::plan`] lists, done by wgpu.
//!
//! The trap of WebGPU is silence: a shader that does not compile, or memory that runs out, gives an error *event* and
//! a buffer of zeros or of an earlier result, and every call succeeds. So nothing is released over a fault
//! ([`device::Gpu::sound`]), results are read over a mark that no result is, and a device that does not give known
//! answers is refused before it is used ([`check`]).

pub mod check;
pub mod device;
mod known;
pub mod learner;
mod run;
pub mod speed;

use super::graph::{Graph, Kind};
use super::norm::{parameters, tensor};
use super::plan::{Binding, Packed, Plan, Settings};
use crate::error::Result;
use crate::kernels::{conv, gate, norm, out, up};
use crate::model::{Architecture, gate_units};
use crate::store::Weights;
use device::Gpu;
use run::{Bank, Feed, SUBMIT, run};
use std::rc::Rc;

pub use run::MOST;

/// A network ready to run.
pub struct Network {
    gpu: Rc<Gpu>,
    graph: Graph,
    bank: Bank,
}

impl Network {
    /// Puts weights that fit the architecture on a device.
    ///
    /// # Errors
    /// `Malformed` where a weight is missing.
    pub fn new(architecture: &Architecture, weights: &Weights, gpu: &Rc<Gpu>) -> Result<Self> {
        Self::of(Graph::of(architecture), weights, gpu)
    }

    /// The network that finds the region of interest, for an architecture that has it: [`Architecture::roi_pass`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn roi(architecture: &Architecture, weights: &Weights, gpu: &Rc<Gpu>) -> Result<Self> {
        Self::of(Graph::of_roi(architecture), weights, gpu)
    }

    fn of(graph: Graph, weights: &Weights, gpu: &Rc<Gpu>) -> Result<Self> {
        let channels = |map: usize| graph.maps[map].channels;
        let mut bank = Bank::new();
        for (index, step) in graph.steps.iter().enumerate() {
            let sources: Vec<usize> = step.sources.iter().map(|source| channels(source.map)).collect();
            let outputs = channels(step.output);
            let packed = match &step.kind {
                Kind::Conv(name) => conv::pack(tensor(weights, name)?, &sources, outputs),
                Kind::Up(name) => up::pack(tensor(weights, name)?, sources[0], outputs),
                Kind::Out(name) => {
                    let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
                    out::pack(tensor(weights, &weight)?, tensor(weights, &bias)?)
                }
                Kind::Gate(_) => {
                    let parts = step.parameters().into_iter().map(|name| tensor(weights, &name));
                    let all = parts.collect::<Result<Vec<_>>>()?.concat();
                    gate::pack(&all, outputs, gate_units(outputs))
                }
                Kind::Pool | Kind::Join => continue,
            };
            bank.insert(Binding::Packed(Packed::Weights(index)), gpu.upload(&packed));
        }
        for (index, one) in graph.norms.iter().enumerate() {
            let packed = norm::pack(&parameters(one, weights)?);
            bank.insert(Binding::Packed(Packed::Norm(index)), gpu.upload(&packed));
        }
        Ok(Self { gpu: gpu.clone(), graph, bank })
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
        Ok(self.plan(dims, false)?.peak + self.bank.values().map(wgpu::Buffer::size).sum::<u64>())
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
        let [x, y, z] = self.graph.out_dims(dims);
        let (volume, size, outputs) = (x * y * z, x * y, self.graph.outputs());
        let mut logits = vec![f32::NAN; outputs * volume];
        self.run(image, dims, false, pause, &mut |found, first| {
            for (index, found) in found.chunks_exact(size.div_ceil(4) * 16).enumerate() {
                let (plane, output) = (first + index / outputs, index % outputs);
                let to = &mut logits[output * volume + plane * size..][..size];
                to.iter_mut()
                    .zip(found.chunks_exact(4))
                    .for_each(|(to, b)| *to = f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            }
        })
        .await?;
        Ok(logits)
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
        let [x, y, z] = self.graph.out_dims(dims);
        let size = x * y;
        let mut labels = vec![out::NOT_A_NUMBER; size * z];
        self.run(image, dims, true, pause, &mut |found, first| {
            let rows = found
                .chunks_exact(size.next_multiple_of(4))
                .zip(labels[first * size..].chunks_exact_mut(size));
            rows.for_each(|(from, to)| to.copy_from_slice(&from[..size]));
        })
        .await?;
        Ok(labels)
    }

    async fn run(
        &self,
        image: &[f32],
        dims: [usize; 3],
        labels: bool,
        pause: &mut dyn FnMut(f64) -> Result<()>,
        keep: &mut dyn FnMut(&[u8], usize),
    ) -> Result<()> {
        let plan = self.plan(dims, labels)?;
        check::before_use(&self.gpu, &plan.kernels()).await?;
        let mut feed = Feed { image, target: &[], pause, keep };
        run(&self.gpu, &self.bank, &plan, &mut Vec::new(), &mut feed).await
    }
}
