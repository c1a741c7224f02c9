//! The way back through the network, for training on a GPU: one file per step of [`crate::engine::graph`], and those
//! of the loss, the parameters and the optimiser.
//!
//! What they share. Maps are f32 and whole: plane 0 begins the buffer. A map is stored raw, `x`, and read as
//! `v = leaky(n)` with `n = scale x + shift`. Its **gradient** is `d loss / d v`, laid out as the map; [`bend`] makes
//! `d loss / d x` of it, in the same place. That is what the step which wrote the map goes back from:
//!
//! ```text
//! gradient of v, by every reader -> bend: gradient of x -> of the step's sources, and of its weights
//! ```
//! A convolution's gradient of its source is a convolution: the forward kernel, with its weights turned round. Two
//! readers of one map are two sources of it, so that nothing has to be added up.
//!
//! Sums over voxels are cut: every invocation leaves a part of its own, [`sum`] adds the parts up. A gradient of
//! weights lies as the forward kernel's weights do; [`gather`] brings it into the order of the parameters.

pub mod adamw;
pub mod bend;
pub mod conv;
pub mod excite;
pub mod gate;
pub mod gather;
pub mod join;
pub mod loss;
pub mod out;
pub mod pool;
pub mod sum;
pub mod up;

use super::Layout;

/// A kernel of the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Back {
    /// [`bend`], mean and deviation.
    Stats,
    /// [`bend`], the sums over voxels.
    BendSums,
    /// [`bend`], from the sums to the coefficients and the gradients of gamma and beta.
    BendEnd,
    /// [`bend`], the gradient of the raw map.
    BendApply,
    /// [`conv`], of the weights.
    ConvWeight,
    /// [`pool`]
    Pool,
    /// [`join`]
    Join,
    /// [`gate`], what the way back needs of each voxel.
    GateInner,
    /// [`gate`], of both sources.
    GateBack,
    /// [`up`], of the source.
    Up,
    /// [`up`], of the weights.
    UpWeight,
    /// [`loss`], the sums over voxels.
    LossSums,
    /// [`loss`], the loss and the coefficients.
    LossEnd,
    /// [`loss`], the gradient of the logits.
    LossBack,
    /// [`out`], of the source.
    Out,
    /// [`out`], of the weights.
    OutWeight,
    /// [`sum`]
    Sum,
    /// [`gather`]
    Gather,
    /// [`excite`], forward.
    Excite,
    /// [`excite`], back.
    ExciteBack,
    /// [`adamw`], the squares of the gradient.
    SquareSum,
    /// [`adamw`], the factor that clips it.
    Clip,
    /// [`adamw`], the step.
    AdamW,
}

impl Back {
    /// All.
    pub const ALL: [Self; 23] = [
        Self::Stats,
        Self::BendSums,
        Self::BendEnd,
        Self::BendApply,
        Self::ConvWeight,
        Self::Pool,
        Self::Join,
        Self::GateInner,
        Self::GateBack,
        Self::Up,
        Self::UpWeight,
        Self::LossSums,
        Self::LossEnd,
        Self::LossBack,
        Self::Out,
        Self::OutWeight,
        Self::Sum,
        Self::Gather,
        Self::Excite,
        Self::ExciteBack,
        Self::SquareSum,
        Self::Clip,
        Self::AdamW,
    ];

    /// The name by which a fault is reported.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stats => "stats",
            Self::BendSums => "bend, sums",
            Self::BendEnd => "bend, end",
            Self::BendApply => "bend, apply",
            Self::ConvWeight => "conv, weight",
            Self::Pool => "pool, back",
            Self::Join => "join, back",
            Self::GateInner => "gate, inner",
            Self::GateBack => "gate, back",
            Self::Up => "up, back",
            Self::UpWeight => "up, weight",
            Self::LossSums => "loss, sums",
            Self::LossEnd => "loss, end",
            Self::LossBack => "loss, back",
            Self::Out => "out, back",
            Self::OutWeight => "out, weight",
            Self::Sum => "sum",
            Self::Gather => "gather",
            Self::Excite => "excite",
            Self::ExciteBack => "excite, back",
            Self::SquareSum => "square sum",
            Self::Clip => "clip",
            Self::AdamW => "adamw",
        }
    }

    /// Its storage buffers, as [`super::Kernel::bindings`].
    pub fn bindings(self) -> &'static [bool] {
        match self {
            Self::Stats | Self::Clip => &[false, true],
            Self::BendSums => &[false, false, false, false, true],
            Self::BendEnd => &[false, false, false, true, true],
            Self::BendApply => &[true, false, false, false],
            Self::ConvWeight | Self::UpWeight | Self::OutWeight => &[false, false, false, true],
            Self::Pool => &[false, false, false, true],
            Self::Join => &[true, false, true],
            Self::GateInner => &[false, false, false, false, false, false, true, true],
            Self::GateBack => &[true, true, false, false, true],
            Self::Up | Self::Out => &[false, false, true],
            Self::LossSums => &[false, false, true],
            Self::LossEnd => &[false, true, true],
            Self::LossBack => &[false, false, false, true],
            Self::Sum | Self::SquareSum => &[false, true],
            Self::Gather => &[false, false, true],
            Self::Excite => &[false, true],
            Self::ExciteBack => &[false, false, true],
            Self::AdamW => &[false, false, true, true, true, true],
        }
    }

    /// Its WGSL, after [`super::Kernel::source`]'s own.
    pub fn source(self) -> String {
        let body = match self {
            Self::Stats => bend::STATS.to_owned(),
            Self::BendSums => bend::SUMS.to_owned(),
            Self::BendEnd => bend::END.to_owned(),
            Self::BendApply => bend::APPLY.to_owned(),
            Self::ConvWeight => conv::weight(),
            Self::Pool => pool::WGSL.to_owned(),
            Self::Join => join::WGSL.to_owned(),
            Self::GateInner => gate::inner(),
            Self::GateBack => gate::BACK.to_owned(),
            Self::Up => up::source(),
            Self::UpWeight => up::weight(),
            Self::LossSums => loss::SUMS.to_owned(),
            Self::LossEnd => loss::END.to_owned(),
            Self::LossBack => loss::BACK.to_owned(),
            Self::Out => out::WGSL.to_owned(),
            Self::OutWeight => out::weight(),
            Self::Sum => sum::WGSL.to_owned(),
            Self::Gather => gather::WGSL.to_owned(),
            Self::Excite => excite::forward(),
            Self::ExciteBack => excite::back(),
            Self::SquareSum => adamw::SQUARES.to_owned(),
            Self::Clip => adamw::CLIP.to_owned(),
            Self::AdamW => adamw::STEP.to_owned(),
        };
        format!("{SHARED}{body}")
    }
}

const SHARED: &str = "
struct Slab { size: u32, quads: u32, pitch: u32, first: u32 }
struct Stats { mean: vec4<f32>, inverse: vec4<f32> }
struct Sums { h: vec4<f32>, hx: vec4<f32> }
struct Bend { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, mean: vec4<f32> }

fn unbend(gradient: vec4<f32>, value: vec4<f32>, line: Line, leak: f32) -> vec4<f32> {
    let straight = value * line.scale + line.shift;
    return gradient * select(vec4(leak), vec4(1.0), straight > vec4(0.0));
}
";

/// Planes of a map, as many as a dispatch takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slab {
    /// The map.
    pub map: Layout,
    /// Its first plane.
    pub first: usize,
    /// How many.
    pub planes: usize,
}

impl Slab {
    /// All planes.
    pub fn whole(map: Layout) -> Self {
        Self { map, first: 0, planes: map.dims[2] }
    }

    /// Voxels of a plane.
    pub fn size(&self) -> usize {
        self.map.dims[0] * self.map.dims[1]
    }

    /// As the shaders read it: voxels of a plane, quads, pitch, first plane.
    pub fn words(&self) -> Vec<u32> {
        [self.size(), self.map.quads, self.map.pitch, self.first].map(|n| n as u32).to_vec()
    }

    /// Workgroups of 64, an invocation for every quad.
    pub fn groups(&self) -> [u32; 3] {
        [(self.size() * self.map.quads).div_ceil(64) as u32, self.planes as u32, 1]
    }

    /// Workgroups of 64 that leave one part each, of up to 4096 voxels or some more: how many to a plane, where it is
    /// large, and how many planes deep, where they are small. The shaders count the same.
    fn parts(&self) -> [usize; 2] {
        let deep = (4096 / self.size()).max(1);
        [self.size().div_ceil(4096), self.planes.div_ceil(deep)]
    }
}

/// Invocations that a GPU should have at least, where sums are cut to have as many.
const INVOCATIONS: usize = 16384;

/// Into how many parts `rows` are cut where each part takes `invocations`: all of about the same length.
fn splits(invocations: usize, rows: usize) -> usize {
    let wanted = INVOCATIONS.div_ceil(invocations).clamp(1, rows.max(1));
    rows.max(1).div_ceil(rows.max(1).div_ceil(wanted))
}
