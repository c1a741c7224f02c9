//! The network on a GPU: one file per kernel, with its formula, its WGSL, and a CPU reference of a few lines.
//!
//! What they share. A map lies as `[z, c / 4, y, x]` in **quads** of four channels: a slab of planes is one piece of
//! a buffer, neighbours in x are neighbours in memory. A plane may be longer than its values ([`Layout::pitch`]).
//! Values are f32, or f16 packed by pairs (`pack2x16float` is core WGSL, so every adapter has it); sums are f32.
//! A reader normalises: `leaky(scale x + shift)` by the channel's line, `leak` 1 where no LeakyReLU follows.
//! A kernel works on a slab: planes `first..first + planes` of its output; every map that it sees says by `start`
//! which plane of the volume its buffer begins with. Training goes back by kernels of its own, [`back`].

pub mod back;
pub mod conv;
pub mod gate;
pub mod join;
pub mod norm;
pub mod out;
pub mod pool;
pub mod up;

/// How maps are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits.
    F16,
}

impl Precision {
    /// Bytes of a quad.
    pub fn quad(self) -> usize {
        match self {
            Self::F32 => 16,
            Self::F16 => 8,
        }
    }
}

/// A kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kernel {
    /// [`conv`], each invocation by itself, rows of so many voxels.
    ConvDirect(u32),
    /// [`conv`], a workgroup sharing what it reads; for so many blocks of eight output channels at once.
    ConvTiled(u32),
    /// [`pool`]
    Pool,
    /// [`up`]
    Up,
    /// [`join`]
    Join,
    /// [`gate`]
    Gate,
    /// [`norm`], the statistics.
    Merge,
    /// [`norm`], the lines.
    Norm,
    /// [`out`], a number per label.
    Logits,
    /// [`out`], the label itself.
    Labels,
    /// [`back`], those of training.
    Back(back::Back),
}

impl Kernel {
    /// The name by which a fault is reported.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConvDirect(_) => "conv, direct",
            Self::ConvTiled(_) => "conv, tiled",
            Self::Pool => "pool",
            Self::Up => "up",
            Self::Join => "join",
            Self::Gate => "gate",
            Self::Merge => "merge",
            Self::Norm => "norm",
            Self::Logits => "logits",
            Self::Labels => "labels",
            Self::Back(kernel) => kernel.name(),
        }
    }

    /// Voxels in a row of one invocation, of those that leave moments.
    pub fn row(self) -> usize {
        match self {
            Self::ConvDirect(row) => row as usize,
            _ => conv::ROW,
        }
    }

    /// Its storage buffers, after the uniform at binding 0: whether each is written.
    pub fn bindings(self) -> &'static [bool] {
        match self {
            Self::ConvDirect(_) | Self::ConvTiled(_) => &[false, false, false, false, false, true, true],
            Self::Pool => &[false, false, true],
            Self::Up => &[false, false, false, true, true],
            Self::Join => &[true, false, false, false],
            Self::Gate => &[false, false, false, false, false, true],
            Self::Merge => &[false, true],
            Self::Norm => &[false, false, true],
            Self::Logits | Self::Labels => &[false, false, false, true],
            Self::Back(kernel) => kernel.bindings(),
        }
    }

    /// Its WGSL.
    pub fn source(self, precision: Precision) -> String {
        let body = match self {
            Self::ConvDirect(row) => conv::direct(row as usize),
            Self::ConvTiled(blocks) => conv::tiled(blocks),
            Self::Pool => pool::WGSL.to_owned(),
            Self::Up => up::source(),
            Self::Join => join::WGSL.to_owned(),
            Self::Gate => gate::source(),
            Self::Merge => norm::MERGE.to_owned(),
            Self::Norm => norm::NORM.to_owned(),
            Self::Logits => out::logits(),
            Self::Labels => out::labels(),
            Self::Back(kernel) => kernel.source(),
        };
        let storage = match precision {
            Precision::F32 => F32,
            Precision::F16 => F16,
        };
        format!("{storage}{SHARED}{body}")
    }
}

const F32: &str = "
alias Quad = vec4<f32>;
fn load(quad: Quad) -> vec4<f32> { return quad; }
fn pack(value: vec4<f32>) -> Quad { return value; }
";

const F16: &str = "
alias Quad = vec2<u32>;
fn load(quad: Quad) -> vec4<f32> { return vec4(unpack2x16float(quad.x), unpack2x16float(quad.y)); }
fn pack(value: vec4<f32>) -> Quad {
    let safe = clamp(value, vec4(-65504.0), vec4(65504.0));
    return vec2(pack2x16float(safe.xy), pack2x16float(safe.zw));
}
";

const SHARED: &str = "
struct Map { quads: u32, pitch: u32, start: u32, leak: f32 }
struct Line { scale: vec4<f32>, shift: vec4<f32> }
struct Moments { count: vec4<f32>, mean: vec4<f32>, squares: vec4<f32> }

fn bend(value: vec4<f32>, line: Line, leak: f32) -> vec4<f32> {
    let straight = value * line.scale + line.shift;
    return max(straight, leak * straight);
}

fn together(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    let apart = b.mean - a.mean;
    let share = b.count / max(count, vec4(1.0));
    return Moments(count, a.mean + apart * share, a.squares + b.squares + apart * apart * a.count * share);
}
";

/// Where a map's values lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Size, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Channels by four, rounded up.
    pub quads: usize,
    /// Quads from one plane to the next: a multiple of 32, so that a plane begins where a binding or a copy may.
    pub pitch: usize,
}

impl Layout {
    /// Of a map of `channels`.
    pub fn new(channels: usize, dims: [usize; 3]) -> Self {
        let quads = channels.div_ceil(4);
        Self { dims, quads, pitch: (quads * dims[0] * dims[1]).next_multiple_of(32) }
    }

    /// Index of a quad whose map begins with plane `start`.
    pub fn at(&self, start: usize, quad: usize, [x, y, z]: [usize; 3]) -> usize {
        (z - start) * self.pitch + (quad * self.dims[1] + y) * self.dims[0] + x
    }

    /// Bytes of planes `planes` of a map `[c, z, y, x]`, as a buffer that begins with the first of them holds it.
    pub fn pack(&self, values: &[f32], planes: std::ops::Range<usize>, precision: Precision) -> Vec<u8> {
        let [x, y, z] = self.dims;
        let channels = values.len() / (x * y * z);
        let mut quads = vec![[0f32; 4]; planes.len() * self.pitch];
        for channel in 0..channels {
            for plane in planes.clone() {
                let from = (channel * z + plane) * y * x;
                let to = self.at(planes.start, channel / 4, [0, 0, plane]);
                for (quad, value) in quads[to..].iter_mut().zip(&values[from..from + y * x]) {
                    quad[channel % 4] = *value;
                }
            }
        }
        let numbers = quads.iter().flatten();
        match precision {
            Precision::F32 => numbers.flat_map(|value| value.to_le_bytes()).collect(),
            Precision::F16 => numbers.flat_map(|&value| half::f16::from_f32(value).to_le_bytes()).collect(),
        }
    }

    /// The way back from [`Self::pack`]: `channels` of planes `[c, plane, y, x]`.
    pub fn unpack(&self, bytes: &[u8], channels: usize, planes: usize, precision: Precision) -> Vec<f32> {
        let numbers: Vec<f32> = match precision {
            Precision::F32 => {
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            Precision::F16 => {
                bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
            }
        };
        let [x, y, _] = self.dims;
        let value = |channel: usize, plane: usize, voxel: usize| {
            numbers[4 * (self.at(0, channel / 4, [0, 0, plane]) + voxel) + channel % 4]
        };
        (0..channels)
            .flat_map(|channel| {
                (0..planes).flat_map(move |plane| (0..x * y).map(move |voxel| (channel, plane, voxel)))
            })
            .map(|(channel, plane, voxel)| value(channel, plane, voxel))
            .collect()
    }
}
