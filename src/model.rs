//! The network, all of it: a 3-D SE-Res U-Net with its options. Blocks first, the network last.
//!
//! It is written once, against [`Ops`]. Who implements these runs it (burn's tensors, under autodiff for training),
//! records it (the graph that the engine runs) or lists its weights
//! ([`Architecture::parameters`]). Numbers are those of the 2nd place of the Medical Segmentation Decathlon 2018.

mod ops;
mod parameters;

use serde::{Deserialize, Serialize};

pub use ops::Ops;
pub use parameters::{Init, Parameter};

/// Slope of LeakyReLU below zero.
pub const NEGATIVE_SLOPE: f32 = 0.3;
/// Added to the variance in every instance normalisation.
pub const EPSILON: f32 = 1e-3;
/// Channels per unit of the squeeze layer.
const SQUEEZE: usize = 16;
/// How often the sides are halved where the region-of-interest head looks, whatever the depth: 1/8.
pub const ROI_LEVEL: usize = 3;
/// Name of that head.
pub const ROI: &str = "roi";

/// What a level is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blocks {
    /// Residual, with squeeze-and-excite.
    #[default]
    SeRes,
    /// Two convolutions, each normalised and activated.
    Plain,
}

/// What distinguishes one network of the family from another. Options that are off are not written to a model card.
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
    /// What levels are made of.
    #[serde(default, skip_serializing_if = "is_default")]
    pub blocks: Blocks,
    /// Whether attention gates weigh the skips ([`Ops::attention_gate`], with half as many units as channels). The published
    /// system does not fix their form: this is Attention U-Net's (Oktay et al. 2018), the map of the level below being
    /// raised by the network's own up-convolution first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attention: bool,
    /// Whether there is a second network, which finds the region of interest: the encoder up to 1/8 of the size,
    /// then a 1^3 convolution to one channel. Both learn together from one set of weights.
    #[serde(default, skip_serializing_if = "is_default")]
    pub roi: bool,
    /// Whether probabilities not above one half become 0 (the reference's thresholded ReLU): before folds are summed
    /// or averaged, so that a fold votes only for what it sees.
    #[serde(default, skip_serializing_if = "is_default")]
    pub threshold: bool,
}

/// The published network: one channel in, one label out.
impl Default for Architecture {
    fn default() -> Self {
        Self {
            base: 32,
            depth: 3,
            inputs: 1,
            outputs: 1,
            blocks: Blocks::SeRes,
            attention: false,
            roi: false,
            threshold: false,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// 1 / (1 + exp(-l)).
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// Two convolutions.
///
/// # Shapes
/// `[in, z, y, x]` -> `[width, z, y, x]`
fn plain<O: Ops>(ops: &mut O, x: &O::Map, name: &str, width: usize) -> O::Map {
    let x = ops.conv_norm(x, &format!("{name}.a"), width);
    let x = ops.leaky(x);
    let x = ops.conv_norm(&x, &format!("{name}.b"), width);
    ops.leaky(x)
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
    let main = ops.squeeze_excite(main, &format!("{name}.se"), (width / SQUEEZE).max(1));
    ops.residual_add(main, shortcut)
}

/// What the encoder leaves: the deepest map, those on the way, and the logits of the region of interest.
struct Encoded<M> {
    x: M,
    skips: Vec<M>,
    roi: Option<M>,
}

impl Architecture {
    /// The network on `x`: one logit per voxel and label.
    ///
    /// # Shapes
    /// `[inputs, z, y, x]` -> `[outputs, z, y, x]`; every side at least [`Self::min_side`]
    pub fn pass<O: Ops>(&self, ops: &mut O, x: &O::Map) -> O::Map {
        let encoded = self.encode(ops, x, self.depth, false);
        self.decode(ops, encoded)
    }

    /// The network that finds the region of interest, for an architecture that has it.
    ///
    /// # Shapes
    /// `[inputs, z, y, x]` -> `[1, z / 8, y / 8, x / 8]`
    pub fn roi_pass<O: Ops>(&self, ops: &mut O, x: &O::Map) -> Option<O::Map> {
        self.roi.then(|| self.encode(ops, x, ROI_LEVEL, true).roi).flatten()
    }

    /// As [`Self::pass`], with the logits of [`Self::roi_pass`] on the way where there are such: what learns.
    pub fn training_pass<O: Ops>(&self, ops: &mut O, x: &O::Map) -> O::Map {
        let encoded = self.encode(ops, x, self.depth, self.roi);
        self.decode(ops, encoded)
    }

    fn width(&self, level: usize) -> usize {
        self.base << level
    }

    fn block<O: Ops>(&self, ops: &mut O, x: &O::Map, name: &str, level: usize) -> O::Map {
        match self.blocks {
            Blocks::SeRes => se_res(ops, x, name, self.width(level)),
            Blocks::Plain => plain(ops, x, name, self.width(level)),
        }
    }

    fn encode<O: Ops>(&self, ops: &mut O, x: &O::Map, levels: usize, roi: bool) -> Encoded<O::Map> {
        let x = ops.conv_norm(x, "stem", self.width(0));
        let x = ops.leaky(x); // base at full size
        let mut encoded = Encoded { x, skips: Vec::new(), roi: None };
        for level in 1..=levels {
            let half = ops.pool(&encoded.x);
            let x = self.block(ops, &half, &format!("down.{}", level - 1), level); // base * 2^level at 1 / 2^level
            encoded.skips.push(std::mem::replace(&mut encoded.x, x));
            if roi && level == ROI_LEVEL {
                encoded.roi = Some(ops.head_conv1x1(&encoded.x, ROI, 1));
            }
        }
        encoded
    }

    fn decode<O: Ops>(&self, ops: &mut O, Encoded { mut x, skips, .. }: Encoded<O::Map>) -> O::Map {
        for (level, skip) in skips.into_iter().enumerate().rev() {
            let up = ops.conv_transpose(&x, &format!("up.{level}"), self.width(level), &skip);
            let skip = if self.attention {
                ops.attention_gate(
                    &skip,
                    &up,
                    &format!("gate.{level}"),
                    attention_gate_units(self.width(level)),
                )
            } else {
                skip
            };
            let both = ops.concat(skip, up); // 2 base * 2^level at 1 / 2^level
            x = if level > 0 {
                self.block(ops, &both, &format!("merge.{}", level - 1), level)
            } else {
                let x = ops.conv_norm(&both, "head", self.width(0));
                ops.leaky(x)
            };
        }
        ops.head_conv1x1(&x, "out", self.outputs)
    }

    /// The probability that a logit stands for, as folds add it up.
    pub fn probability(&self, logit: f32) -> f32 {
        let p = sigmoid(logit);
        if self.threshold { thresholded(p) } else { p }
    }

    /// Smallest side that survives all poolings.
    pub fn min_side(&self) -> usize {
        1 << self.depth
    }

    /// The weights by name.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut list = Vec::new();
        self.training_pass(&mut list, &self.inputs);
        list
    }
}

/// The reference's thresholded ReLU: a probability above one half as it is, any other 0.
pub fn thresholded(probability: f32) -> f32 {
    if probability > 0.5 { probability } else { 0.0 }
}

/// Units of the attention gate of a skip of so many channels.
pub fn attention_gate_units(channels: usize) -> usize {
    (channels / 2).max(1)
}

/// Names of an attention gate's tensors, in the order in which they are listed.
pub fn attention_gate_parameters(name: &str) -> [String; 5] {
    ["skip.weight", "skip.bias", "up.weight", "psi.weight", "psi.bias"].map(|part| format!("{name}.{part}"))
}
