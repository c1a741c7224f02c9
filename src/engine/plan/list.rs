//! The list itself: commands, the buffers that they see, and what a device allows.

use crate::engine::wgsl::kernel::Kernel;
use crate::engine::wgsl::layout::{Layout, Precision};
use std::collections::BTreeSet;
use std::ops::Range;

/// What a device allows, and what we allow ourselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Bytes of a binding.
    pub binding: u64,
    /// Bytes that the plan tries to stay within.
    pub budget: u64,
    /// Operations of a dispatch.
    pub dispatch: f64,
}

impl Default for Limits {
    /// WebGPU's own; what a phone may give; 20 GFLOP are 20 ms of a small GPU.
    fn default() -> Self {
        Self { binding: 128 << 20, budget: 600 << 20, dispatch: 2e10 }
    }
}

/// Settings of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanSettings {
    /// How maps are stored.
    pub precision: Precision,
    /// Whether the tiled convolution is used.
    pub tiled: bool,
    /// Limits.
    pub limits: Limits,
    /// Whether labels come out in place of logits.
    pub labels: bool,
}

/// All parameters, one after the other, or what training keeps of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ParamBuffer {
    /// Themselves.
    Values,
    /// Their gradients.
    Gradient,
    /// First moments of the optimiser.
    First,
    /// Second moments.
    Second,
    /// Running averages.
    Average,
}

/// Numbers in the order in which kernels see them, and the tables that bring them into it or back
/// ([`crate::engine::wgsl::gather`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Packed {
    /// The weights of a step.
    Weights(usize),
    /// `gamma` and `beta` of a normalisation.
    Norm(usize),
    /// The weights that give a map's gradient from those of the convolutions that read it.
    Transposed(usize),
    /// The gradient of a step's weights.
    WeightsBack(usize),
    /// The gradient of a normalisation's `gamma` and `beta`.
    NormBack(usize),
}

/// A buffer that a kernel sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Binding {
    /// One of the plan.
    Buffer(usize),
    /// What belongs to the network, not to a pass.
    Packed(Packed),
    /// How such numbers come into their order.
    Table(Packed),
    /// All parameters.
    ParamBuffer(ParamBuffer),
    /// The loss of a step.
    Loss,
    /// The logits of an example, `[plane, label, size / 4]` channel blocks of voxels.
    Logits,
    /// The gradient by them, as they lie.
    LogitsGradient,
    /// Scales and shifts that change nothing.
    Identity,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make a buffer.
    Create {
        /// Its number.
        buffer: usize,
        /// Its size.
        bytes: u64,
    },
    /// Drop a buffer.
    Drop {
        /// Its number.
        buffer: usize,
    },
    /// Put planes of the image into a buffer.
    Upload {
        /// Where to.
        buffer: usize,
        /// How they lie there.
        layout: Layout,
        /// Which planes.
        planes: Range<usize>,
    },
    /// Run a kernel.
    Dispatch {
        /// Which.
        kernel: Kernel,
        /// Its uniform.
        words: Vec<u32>,
        /// Its buffers.
        bindings: Vec<Binding>,
        /// Workgroups.
        groups: [u32; 3],
        /// Operations.
        flops: f64,
    },
    /// Copy bytes between two buffers.
    Copy {
        /// Source and its offset.
        from: (Binding, u64),
        /// Target and its offset.
        to: (Binding, u64),
        /// How many.
        bytes: u64,
    },
    /// Put numbers of the target into a buffer.
    Target {
        /// Where to.
        buffer: usize,
        /// Which.
        numbers: Range<usize>,
    },
    /// Fill with zeros.
    Clear {
        /// Which.
        binding: Binding,
    },
    /// Fill a buffer with a mark that no result equals.
    Mark {
        /// Which.
        buffer: usize,
        /// How far.
        bytes: u64,
    },
    /// Read planes of the result.
    Read {
        /// From which buffer.
        binding: Binding,
        /// How far.
        bytes: u64,
        /// Which planes.
        planes: Range<usize>,
    },
}

/// The list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In order.
    pub ops: Vec<Command>,
    /// Bytes of all buffers at the worst moment, weights left out.
    pub peak: u64,
    /// Operations, with what is made again.
    pub flops: f64,
}

impl Plan {
    /// The kernels that it uses.
    pub fn kernels(&self) -> BTreeSet<Kernel> {
        let kernel =
            |op: &Command| if let Command::Dispatch { kernel, .. } = op { Some(*kernel) } else { None };
        self.ops.iter().filter_map(kernel).collect()
    }
}
