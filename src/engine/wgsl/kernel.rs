//! What a kernel is: a name, the buffers that it sees, and WGSL behind the definitions that all share.

use super::layout::Precision;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A compute kernel. Each is a constant beside its WGSL, or a function where there are variants.
#[derive(Clone, Copy)]
pub struct Kernel {
    /// The name by which a fault is reported; no two kernels share it.
    pub name: &'static str,
    /// Which variant, where the WGSL depends on a number.
    pub variant: u32,
    /// Its storage buffers, after the uniform at binding 0: whether each is written.
    pub bindings: &'static [bool],
    body: fn(u32) -> String,
    known_answers: fn(u32, Precision) -> Vec<KnownAnswer>,
}

/// From the bytes of a buffer to the numbers that are compared.
pub type Found = Box<dyn Fn(&[u8]) -> Vec<f32>>;

/// A small input of a kernel, and what must come out by its reference: odd sizes, a slab in the middle, two sources,
/// channels that do not fill a block.
pub struct KnownAnswer {
    /// Its uniform.
    pub words: Vec<u32>,
    /// Its storage buffers.
    pub buffers: Vec<Vec<u8>>,
    /// Workgroups.
    pub groups: [u32; 3],
    /// Which buffer is compared.
    pub look: usize,
    /// The right numbers.
    pub expected: Vec<f32>,
    /// The numbers of it that are compared.
    pub found: Found,
}

impl Kernel {
    /// A kernel without variants.
    pub const fn new(
        name: &'static str,
        bindings: &'static [bool],
        body: fn(u32) -> String,
        known_answers: fn(u32, Precision) -> Vec<KnownAnswer>,
    ) -> Self {
        Self { name, variant: 0, bindings, body, known_answers }
    }

    /// The same kernel in another variant.
    #[must_use]
    pub const fn with_variant(self, variant: u32) -> Self {
        Self { variant, ..self }
    }

    /// Its WGSL.
    pub fn source(self, precision: Precision) -> String {
        let storage = match precision {
            Precision::F32 => F32,
            Precision::F16 => F16,
        };
        format!("{storage}{SHARED}{}", (self.body)(self.variant))
    }

    /// The questions that it must answer before its first use: one, or several where a kernel writes to more than one
    /// buffer, or begins a sum and goes on with it.
    pub fn known_answers(self, precision: Precision) -> Vec<KnownAnswer> {
        (self.known_answers)(self.variant, precision)
    }

    fn key(&self) -> (&'static str, u32) {
        (self.name, self.variant)
    }
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Kernel {}

impl PartialOrd for Kernel {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kernel {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Kernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({}, {})", self.name, self.variant)
    }
}

const F32: &str = "
alias ChannelBlock = vec4<f32>;
fn load(block: ChannelBlock) -> vec4<f32> { return block; }
fn pack(value: vec4<f32>) -> ChannelBlock { return value; }
";

const F16: &str = "
alias ChannelBlock = vec2<u32>;
fn load(block: ChannelBlock) -> vec4<f32> { return vec4(unpack2x16float(block.x), unpack2x16float(block.y)); }
fn pack(value: vec4<f32>) -> ChannelBlock {
    let safe = clamp(value, vec4(-65504.0), vec4(65504.0));
    return vec2(pack2x16float(safe.xy), pack2x16float(safe.zw));
}
";

const SHARED: &str = "
struct Map { channel_blocks: u32, pitch: u32, start: u32, negative_slope: f32 }
struct Slab { size: u32, channel_blocks: u32, pitch: u32, first: u32 }
struct ScaleShift { scale: vec4<f32>, shift: vec4<f32> }
struct Moments { count: vec4<f32>, mean: vec4<f32>, m2: vec4<f32> }

fn norm_act(value: vec4<f32>, norm: ScaleShift, negative_slope: f32) -> vec4<f32> {
    let straight = value * norm.scale + norm.shift;
    return max(straight, negative_slope * straight);
}

// The gradient by the normalised value from that by the activated one.
fn leaky_grad(gradient: vec4<f32>, value: vec4<f32>, norm: ScaleShift, negative_slope: f32) -> vec4<f32> {
    let straight = value * norm.scale + norm.shift;
    return gradient * select(vec4(negative_slope), vec4(1.0), straight > vec4(0.0));
}

fn merge_moments(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    let apart = b.mean - a.mean;
    let share = b.count / max(count, vec4(1.0));
    return Moments(count, a.mean + apart * share, a.m2 + b.m2 + apart * apart * a.count * share);
}
";
