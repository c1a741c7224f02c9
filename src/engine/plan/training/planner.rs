//! A training step under way: its buffers, and what every operation needs.

use crate::engine::nn::graph::{Graph, MapRef, Norm};
use crate::engine::plan::buffers::Buffers;
use crate::engine::plan::emit::{Output, View};
use crate::engine::plan::list::{Binding, Command, PlanSettings};
use crate::engine::plan::parameters::Parameters;
use crate::engine::wgsl::kernel::Kernel;
use crate::engine::wgsl::layout::Layout;
use crate::error::{Error, Result};
use std::ops::Range;

/// How one example contributes to an optimiser step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossScale {
    /// Its part of the loss: one over the examples.
    pub share: f32,
    /// Whether it is the first.
    pub fresh: bool,
    /// Whether the cross-entropy counts, or Dice alone.
    pub entropy: bool,
}

/// Where the way forward ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    /// In the loss, and the gradient by the logits.
    Loss(LossScale),
    /// In the logits, which are left in [`Binding::Logits`].
    Logits,
    /// In the gradient by the logits, which lies in [`Binding::LogitsGradient`].
    Gradient,
}

/// Inputs from which a training step is planned.
#[derive(Clone, Copy)]
pub struct TrainSpec<'a> {
    /// The network.
    pub graph: &'a Graph,
    /// Its parameters.
    pub parameters: &'a Parameters,
    /// The image, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Settings; maps are f32.
    pub settings: &'a PlanSettings,
    /// Which parameters are trained, by name.
    pub trainable: &'a dyn Fn(&str) -> bool,
}

/// Bytes of a whole map.
pub(super) fn bytes(layout: &Layout) -> u64 {
    (layout.dims[2] * layout.pitch * 16) as u64
}

/// A kernel over planes, in as many dispatches as their cost asks for.
pub(super) struct Part<'a> {
    pub kernel: Kernel,
    pub words: &'a dyn Fn(Range<usize>, usize) -> Vec<u32>,
    pub groups: &'a dyn Fn(Range<usize>) -> [u32; 3],
    pub bindings: Vec<Binding>,
    /// How many planes.
    pub planes: usize,
    /// Operations of all planes.
    pub flops: f64,
}

/// A list under way, with what is known of every map.
pub struct TrainPlanner<'a> {
    pub(super) spec: TrainSpec<'a>,
    /// By map, whether its gradient is wanted.
    pub(super) requires_grad: Vec<bool>,
    pub(super) layouts: Vec<Layout>,
    pub(super) buffers: Buffers,
    /// Buffers by map, in their time.
    pub(super) maps: Vec<Option<usize>>,
    /// Buffers of gradients by map.
    pub(super) grads: Vec<Option<usize>>,
    /// Numbers of the targets so far.
    pub(super) targets: usize,
    /// Buffers by normalisation.
    pub(super) scale_shifts: Vec<Option<usize>>,
    pub(super) stats: Vec<Option<usize>>,
}

impl<'a> TrainPlanner<'a> {
    /// An empty list.
    ///
    /// # Errors
    /// `Limit` where a map exceeds a binding.
    pub(super) fn new(spec: TrainSpec<'a>) -> Result<Self> {
        let maps = spec.graph.maps.len();
        let layouts: Vec<Layout> = (0..maps)
            .map(|map| Layout::new(spec.graph.maps[map].channels, spec.graph.dims(map, spec.dims)))
            .collect();
        let largest = layouts.iter().map(bytes).max().unwrap_or(0);
        if largest > spec.settings.limits.binding {
            let [x, y, z] = spec.dims;
            let found = format!("maps of {} MiB for a {x} x {y} x {z} patch", largest >> 20);
            let limit = spec.settings.limits.binding >> 20;
            let expected = format!("at most {limit} MiB: a smaller patch, or the CPU");
            return Err(Error::limit("GPU", found, expected));
        }
        Ok(Self {
            spec,
            requires_grad: spec.graph.requires_grad(spec.trainable),
            layouts,
            buffers: Buffers::kept(),
            maps: vec![None; maps],
            grads: vec![None; maps],
            targets: 0,
            scale_shifts: vec![None; spec.graph.norms.len()],
            stats: vec![None; spec.graph.norms.len()],
        })
    }

    /// A buffer for the output of a step, as its kernel writes it.
    pub(super) fn output(&mut self, map: usize) -> Output {
        let layout = self.layouts[map];
        let buffer = self.buffers.acquire(bytes(&layout));
        self.maps[map] = Some(buffer);
        Output { buffer, layout, start: 0 }
    }

    /// A map that is there, as a kernel reads it.
    pub(super) fn view(&self, source: &MapRef) -> View {
        View {
            buffer: self.there(source.map),
            layout: self.layouts[source.map],
            start: 0,
            scale_shift: self.scale_shifts_of(*source),
            negative_slope: source.negative_slope(),
        }
    }

    /// Whether any of these parameters is trained.
    pub(super) fn trains(&self, names: &[String]) -> bool {
        names.iter().any(|name| (self.spec.trainable)(name))
    }

    /// Releases a map's buffer.
    pub(super) fn forget(&mut self, map: usize) {
        if let Some(buffer) = self.maps[map].take() {
            self.buffers.release(buffer);
        }
    }

    /// The buffer of a map that is there.
    pub(super) fn there(&self, map: usize) -> usize {
        self.maps[map].unwrap_or(usize::MAX)
    }

    /// A kernel in one dispatch.
    pub(super) fn one(
        &mut self,
        kernel: Kernel,
        words: Vec<u32>,
        bindings: Vec<Binding>,
        groups: [u32; 3],
        flops: f64,
    ) {
        self.buffers.push(Command::Dispatch { kernel, words, bindings, groups, flops });
    }

    /// A buffer of so many bytes.
    pub(super) fn scratch(&mut self, bytes: usize) -> usize {
        self.buffers.acquire(bytes as u64)
    }

    /// How a map is normalised where it is read.
    pub(super) fn scale_shifts_of(&self, source: MapRef) -> Binding {
        source.norm.and_then(|norm| self.scale_shifts[norm]).map_or(Binding::Identity, Binding::Buffer)
    }

    /// The normalisation of a map.
    pub(super) fn norm_of(&self, map: usize) -> Option<(usize, &'a Norm)> {
        self.spec.graph.norms.iter().enumerate().find(|(_, norm)| norm.map == map)
    }

    /// Planes in as few slabs as the limit on a dispatch allows.
    pub(super) fn dispatches(&self, planes: usize, flops: f64) -> Vec<Range<usize>> {
        let each = flops / planes as f64;
        let most = (self.spec.settings.limits.dispatch / each).clamp(1.0, 65535.0) as usize;
        let count = planes.div_ceil(most);
        (0..count).map(|k| k * planes / count..(k + 1) * planes / count).collect()
    }

    /// Lists a kernel in slabs that each cost no more than a dispatch may.
    pub(super) fn part(&mut self, part: &Part) {
        let each = part.flops / part.planes as f64;
        for (k, slab) in self.dispatches(part.planes, part.flops).into_iter().enumerate() {
            self.buffers.push(Command::Dispatch {
                kernel: part.kernel,
                words: (part.words)(slab.clone(), k),
                bindings: part.bindings.clone(),
                groups: (part.groups)(slab.clone()),
                flops: each * slab.len() as f64,
            });
        }
    }

    /// The buffer of the gradient of a map.
    pub(super) fn grad_of(&self, map: usize) -> usize {
        self.grads[map].unwrap_or(usize::MAX)
    }
}
