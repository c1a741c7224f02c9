//! The network, all of it: a 3-D SE-Res U-Net. Blocks first, the network last.
//!
//! It is written once, against [`Ops`]. Who implements these runs it (burn's tensors, under autodiff for training),
//! records it (the graph that our own kernels run, [`crate::engine::graph`]) or lists its weights
//! ([`Architecture::parameters`]). Numbers are those of the 2nd place of the Medical Segmentation Decathlon 2018.

use serde::{Deserialize, Serialize};

/// Slope of LeakyReLU below zero.
pub const LEAK: f32 = 0.3;
/// Added to the variance in every instance normalisation.
pub const EPSILON: f32 = 1e-3;
/// Channels per unit of the squeeze layer.
const SQUEEZE: usize = 16;

/// What the network is made of. A map has a value per channel and voxel; weights are called by name, and lie as
/// [`Architecture::parameters`] says.
pub trait Ops {
    /// A map, or what stands for one.
    type Map: Clone;

    /// 3^3 convolution without bias, zero padding, then normalisation of each channel over space.
    ///
    /// # Shapes
    /// `[in, z, y, x]` -> `[outputs, z, y, x]`
    fn conv_norm(&mut self, x: &Self::Map, name: &str, outputs: usize) -> Self::Map;

    /// LeakyReLU.
    fn leaky(&mut self, x: Self::Map) -> Self::Map;

    /// Largest value of every 2^3 block; a last odd plane is left out.
    ///
    /// # Shapes
    /// `[c, z, y, x]` -> `[c, z / 2, y / 2, x / 2]`
    fn pool(&mut self, x: &Self::Map) -> Self::Map;

    /// Up-convolution 2^3 of stride 2, normalised **over the padded size** (the reference pads one zero plane at
    /// the end of each axis first, so that an odd skip can be met), LeakyReLU, then cut to the size of `skip`.
    ///
    /// # Shapes
    /// `[in, z, y, x]`, skip `[_, z', y', x']` with `z' = 2 z` or `2 z + 1` -> `[outputs, z', y', x']`
    fn up(&mut self, x: &Self::Map, name: &str, outputs: usize, skip: &Self::Map) -> Self::Map;

    /// The channels of `a`, then those of `b`.
    fn concat(&mut self, a: Self::Map, b: Self::Map) -> Self::Map;

    /// Squeeze-and-excite: every channel is scaled by a factor computed from the means of all, by way of a layer
    /// of `narrow` units.
    fn excite(&mut self, x: Self::Map, name: &str, narrow: usize) -> Self::Map;

    /// LeakyReLU of the sum.
    fn join(&mut self, a: Self::Map, b: Self::Map) -> Self::Map;

    /// 1^3 convolution with bias: the logits.
    ///
    /// # Shapes
    /// `[in, z, y, x]` -> `[outputs, z, y, x]`
    fn out(&mut self, x: &Self::Map, name: &str, outputs: usize) -> Self::Map;
}

/// What distinguishes one network of the family from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Architecture {
    /// Channels at full resolution; level `i` has `base * 2^i`.
    pub base: usize,
    /// Number of poolings, 3 or 4.
    pub depth: usize,
    /// Input channels (modalities).
    pub inputs: usize,
    /// Output channels (labels without background).
    pub outputs: usize,
}

/// Residual block with squeeze-and-excite on its main branch and a 3^3 convolution on its shortcut.
///
/// # Shapes
/// `[in, z, y, x]` -> `[width, z, y, x]`
fn se_res<O: Ops>(ops: &mut O, x: &O::Map, name: &str, width: usize) -> O::Map {
    let main = ops.conv_norm(x, &format!("{name}.a"), width);
    let shortcut = ops.conv_norm(x, &format!("{name}.shortcut"), width);
    let main = ops.leaky(main);
    let main = ops.conv_norm(&main, &format!("{name}.b"), width);
    let main = ops.excite(main, &format!("{name}.se"), (width / SQUEEZE).max(1));
    ops.join(main, shortcut)
}

impl Architecture {
    /// The network on `x`: one logit per voxel and label.
    ///
    /// # Shapes
    /// `[inputs, z, y, x]` -> `[outputs, z, y, x]`; every side at least [`Self::min_side`]
    pub fn pass<O: Ops>(&self, ops: &mut O, x: &O::Map) -> O::Map {
        let width = |level: usize| self.base << level;
        let x = ops.conv_norm(x, "stem", width(0));
        let mut x = ops.leaky(x); // base at full size
        let mut skips = Vec::new();
        for level in 1..=self.depth {
            let half = ops.pool(&x);
            skips.push(x);
            x = se_res(ops, &half, &format!("down.{}", level - 1), width(level)); // base * 2^level at 1 / 2^level
        }
        for (level, skip) in skips.into_iter().enumerate().rev() {
            let up = ops.up(&x, &format!("up.{level}"), width(level), &skip);
            let both = ops.concat(skip, up); // 2 base * 2^level at 1 / 2^level
            x = if level > 0 {
                se_res(ops, &both, &format!("merge.{}", level - 1), width(level))
            } else {
                let x = ops.conv_norm(&both, "head", width(0));
                ops.leaky(x)
            };
        }
        ops.out(&x, "out", self.outputs)
    }

    /// Smallest side that survives all poolings.
    pub fn min_side(&self) -> usize {
        1 << self.depth
    }

    /// The weights by name.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut list = Vec::new();
        self.pass(&mut list, &self.inputs);
        list
    }
}

/// A tensor of weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its path in the network, for example `down.0.a.conv.weight`.
    pub name: String,
    /// Size of each axis, outermost first.
    pub shape: Vec<usize>,
    /// What it begins as.
    pub start: Start,
}

/// What a fresh tensor of weights holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Zeros.
    Zeros,
    /// Ones.
    Ones,
    /// Glorot's uniform draw from plus or minus `sqrt(6 / (fan_in + fan_out))`.
    Glorot {
        /// Inputs of a unit.
        fan_in: usize,
        /// Units that an input reaches.
        fan_out: usize,
    },
}

/// Listing the weights: a map is its number of channels.
impl Ops for Vec<Parameter> {
    type Map = usize;

    fn conv_norm(&mut self, &x: &usize, name: &str, outputs: usize) -> usize {
        conv(self, format!("{name}.conv"), x, outputs, 3);
        norm(self, name, outputs)
    }

    fn leaky(&mut self, x: usize) -> usize {
        x
    }

    fn pool(&mut self, x: &usize) -> usize {
        *x
    }

    fn up(&mut self, &x: &usize, name: &str, outputs: usize, _: &usize) -> usize {
        let start = Start::Glorot { fan_in: x * 8, fan_out: outputs * 8 };
        self.push(Parameter { name: format!("{name}.weight"), shape: vec![x, outputs, 2, 2, 2], start });
        norm(self, name, outputs)
    }

    fn concat(&mut self, a: usize, b: usize) -> usize {
        a + b
    }

    fn excite(&mut self, x: usize, name: &str, narrow: usize) -> usize {
        for (layer, inputs, outputs) in [("squeeze", x, narrow), ("excite", narrow, x)] {
            let start = Start::Glorot { fan_in: inputs, fan_out: outputs };
            let name = format!("{name}.{layer}");
            self.push(Parameter { name: format!("{name}.weight"), shape: vec![outputs, inputs], start });
            self.push(Parameter { name: format!("{name}.bias"), shape: vec![outputs], start: Start::Zeros });
        }
        x
    }

    fn join(&mut self, a: usize, _: usize) -> usize {
        a
    }

    fn out(&mut self, &x: &usize, name: &str, outputs: usize) -> usize {
        conv(self, name.to_owned(), x, outputs, 1);
        self.push(Parameter { name: format!("{name}.bias"), shape: vec![outputs], start: Start::Zeros });
        outputs
    }
}

fn conv(list: &mut Vec<Parameter>, name: String, inputs: usize, outputs: usize, kernel: usize) {
    let start = Start::Glorot { fan_in: inputs * kernel.pow(3), fan_out: outputs * kernel.pow(3) };
    let shape = vec![outputs, inputs, kernel, kernel, kernel];
    list.push(Parameter { name: name + ".weight", shape, start });
}

fn norm(list: &mut Vec<Parameter>, name: &str, channels: usize) -> usize {
    for (part, start) in [("gamma", Start::Ones), ("beta", Start::Zeros)] {
        list.push(Parameter { name: format!("{name}.norm.{part}"), shape: vec![channels], start });
    }
    channels
}
