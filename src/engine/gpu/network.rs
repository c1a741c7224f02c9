//! A forward pass on a GPU.

use super::device::Gpu;
use super::execute::{IoCallbacks, WeightBuffers, execute, plan_settings};
use super::self_test;
use crate::engine::nn::graph::Graph;
use crate::engine::nn::labels::NOT_A_NUMBER;
use crate::engine::nn::squeeze_excite::parameters;
use crate::engine::nn::weights::tensor;
use crate::engine::plan::forward::plan;
use crate::engine::plan::list::{Binding, Packed, Plan};
use crate::engine::plan::packing;
use crate::engine::wgsl::norm_act;
use crate::error::Result;
use crate::model::Architecture;
use crate::store::Weights;
use std::rc::Rc;

/// A network ready to run.
pub struct Network {
    gpu: Rc<Gpu>,
    graph: Graph,
    weight_buffers: WeightBuffers,
}

impl Network {
    /// Puts weights that fit the architecture on a device.
    ///
    /// # Errors
    /// `Malformed` where a weight is missing.
    pub fn new(architecture: &Architecture, weights: &Weights, gpu: &Rc<Gpu>) -> Result<Self> {
        Self::with_graph(Graph::inference(architecture), weights, gpu)
    }

    /// The network that finds the region of interest, for an architecture that has it: [`Architecture::roi_pass`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn roi(architecture: &Architecture, weights: &Weights, gpu: &Rc<Gpu>) -> Result<Self> {
        Self::with_graph(Graph::roi(architecture), weights, gpu)
    }

    fn with_graph(graph: Graph, weights: &Weights, gpu: &Rc<Gpu>) -> Result<Self> {
        let mut weight_buffers = WeightBuffers::new();
        for (index, step) in graph.steps.iter().enumerate() {
            let tensors = step.parameters().into_iter().map(|name| tensor(weights, &name));
            let all = tensors.collect::<Result<Vec<_>>>()?.concat();
            if let Some(packed) = packing::pack(&graph, step, &all) {
                weight_buffers.insert(Binding::Packed(Packed::Weights(index)), gpu.upload(&packed));
            }
        }
        for (index, one) in graph.norms.iter().enumerate() {
            let packed = norm_act::forward::pack(&parameters(one, weights)?);
            weight_buffers.insert(Binding::Packed(Packed::Norm(index)), gpu.upload(&packed));
        }
        Ok(Self { gpu: gpu.clone(), graph, weight_buffers })
    }

    /// What it computes.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The plan for an image of `dims`.
    ///
    /// # Errors
    /// As [`plan`].
    pub fn plan(&self, dims: [usize; 3], labels: bool) -> Result<Plan> {
        plan(&self.graph, dims, &plan_settings(&self.gpu, labels))
    }

    /// Compiles and checks what a pass needs, so that its first run takes no longer than the next.
    ///
    /// # Errors
    /// As [`plan`]; `Device` that names a kernel whose known answer is wrong.
    pub async fn prepare(&self, dims: [usize; 3]) -> Result<()> {
        for labels in [false, true] {
            self_test::before_use(&self.gpu, &self.plan(dims, labels)?.kernels()).await?;
        }
        Ok(())
    }

    /// Bytes at the worst moment of a pass.
    ///
    /// # Errors
    /// As [`plan`].
    pub fn peak_bytes(&self, dims: [usize; 3]) -> Result<u64> {
        Ok(self.plan(dims, false)?.peak + self.weight_buffers.values().map(wgpu::Buffer::size).sum::<u64>())
    }

    /// As [`crate::engine::network::Network::logits`].
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

    /// As [`crate::engine::network::Network::labels`].
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
        let mut labels = vec![NOT_A_NUMBER; size * z];
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
        self_test::before_use(&self.gpu, &plan.kernels()).await?;
        let mut io = IoCallbacks { image, target: &[], pause, keep };
        execute(&self.gpu, &self.weight_buffers, &plan, &mut Vec::new(), &mut io).await
    }
}
