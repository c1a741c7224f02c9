//! The network as a module of burn. Its fields are the paths of [`Architecture::parameters`]: `down.0.a.conv.weight`. What it
//! computes is written once, in [`crate::model`]; here lie the weights.

use super::layers::{Layers, Tensors};
use super::read::read;
use crate::error::{Error, Result};
use crate::model::{Architecture, Blocks};
use crate::store::{Array, Weights, check_weights};
use crate::train::initial_weights;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use std::collections::BTreeMap;

/// A convolution without bias.
#[derive(Module, Debug)]
pub struct Conv {
    weight: Param<Tensor<5>>,
}

/// A normalisation of each channel over space.
#[derive(Module, Debug)]
pub struct Norm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
}

/// A 3^3 convolution and its normalisation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv,
    norm: Norm,
}

/// An up-convolution 2^3 and its normalisation.
#[derive(Module, Debug)]
pub struct ConvTranspose {
    weight: Param<Tensor<5>>,
    norm: Norm,
}

/// A dense layer; the weight is `[outputs, inputs]`.
#[derive(Module, Debug)]
pub struct Dense {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

/// Squeeze-and-excite.
#[derive(Module, Debug)]
pub struct SqueezeExcite {
    squeeze: Dense,
    excite: Dense,
}

/// A 1^3 convolution with bias.
#[derive(Module, Debug)]
pub struct HeadConv {
    weight: Param<Tensor<5>>,
    bias: Param<Tensor<1>>,
}

/// An attention gate.
#[derive(Module, Debug)]
pub struct AttentionGate {
    skip: HeadConv,
    up: Conv,
    psi: HeadConv,
}

/// What a level is made of; plain ones have no shortcut and no squeeze-and-excite.
#[derive(Module, Debug)]
pub struct Block {
    a: ConvNorm,
    b: ConvNorm,
    shortcut: Option<ConvNorm>,
    se: Option<SqueezeExcite>,
}

/// The network, a 3-D SE-Res U-Net with its options, as a module of burn.
///
/// Maps are `[n, channels, z, y, x]`. A network that was put on an autodiff device learns by burn's optimisers.
#[derive(Module, Debug)]
pub struct SeResUNet {
    stem: ConvNorm,
    down: Vec<Block>,
    roi: Option<HeadConv>,
    up: Vec<ConvTranspose>,
    gate: Vec<AttentionGate>,
    merge: Vec<Block>,
    head: ConvNorm,
    out: HeadConv,
    #[module(skip)]
    architecture: Architecture,
}

impl SeResUNet {
    /// A network with random weights.
    ///
    /// # Errors
    /// Never, for an architecture of a card.
    pub fn new(architecture: Architecture, seed: u64, device: &Device) -> Result<Self> {
        Self::from_weights(architecture, initial_weights(&architecture, seed), device)
    }

    /// A network with these weights.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn from_weights(architecture: Architecture, weights: Weights, device: &Device) -> Result<Self> {
        check_weights(&architecture, &weights)?;
        let mut source = Source { weights, blocks: architecture.blocks, device };
        let (depth, source) = (architecture.depth, &mut source);
        Ok(Self {
            stem: source.conv_norm("stem")?,
            down: source.each("down", depth, Source::block)?,
            roi: if architecture.roi { Some(source.head("roi")?) } else { None },
            up: source.each("up", depth, Source::conv_transpose)?,
            gate: source.each("gate", if architecture.attention { depth } else { 0 }, Source::gate)?,
            merge: source.each("merge", depth.saturating_sub(1), Source::block)?,
            head: source.conv_norm("head")?,
            out: source.head("out")?,
            architecture,
        })
    }

    /// The network of a stage of a model that is given as a folder, the name of an installed model, or a file of tuned
    /// weights.
    ///
    /// # Errors
    /// As [`ModelWeights::open`](crate::tune::ModelWeights::open).
    #[cfg(feature = "native")]
    pub fn from_model(model: &str, stage: crate::card::Stage, device: &Device) -> Result<Self> {
        let model = crate::tune::ModelWeights::open(model)?;
        let architecture = model.card.stage(stage)?.architecture;
        Self::from_weights(architecture, model.get(stage).clone(), device)
    }

    /// What distinguishes it from others of the family.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// One logit per voxel and label.
    ///
    /// # Shapes
    /// `[n, inputs, z, y, x]` -> `[n, outputs, z, y, x]`; every side at least [`Architecture::min_side`]
    pub fn forward(&self, image: &Tensor<5>) -> Tensor<5> {
        self.architecture.pass(&mut Layers::new(self.tensors(), None), image)
    }

    /// The logits of the region of interest, of a network that has it.
    ///
    /// # Shapes
    /// `[n, inputs, z, y, x]` -> `[n, 1, z / 8, y / 8, x / 8]`
    pub fn forward_roi(&self, image: &Tensor<5>) -> Option<Tensor<5>> {
        self.architecture.roi_pass(&mut Layers::new(self.tensors(), None), image)
    }

    /// The weights, read from their device.
    ///
    /// # Errors
    /// `Device` if the device fails.
    pub async fn weights(&self) -> Result<Weights> {
        self.read(Take::Weights).await
    }

    /// The gradients by the weights' names; those without one are left out.
    ///
    /// # Errors
    /// `Device` if the device fails.
    pub async fn gradients(&self, gradients: &Gradients) -> Result<Weights> {
        self.read(Take::Gradients(gradients)).await
    }
}

impl SeResUNet {
    /// Every weight, flat, by its path.
    pub(super) fn tensors(&self) -> Tensors {
        let mut flat = Flat { take: Take::Weights, path: Vec::new(), found: BTreeMap::new() };
        self.visit(&mut flat);
        flat.found.into_iter().map(|(name, (_, tensor))| (name, tensor)).collect()
    }

    async fn read(&self, take: Take<'_>) -> Result<Weights> {
        let mut flat = Flat { take, path: Vec::new(), found: BTreeMap::new() };
        self.visit(&mut flat);
        let mut weights = Weights::new();
        for (name, (shape, tensor)) in flat.found {
            weights.insert(name, Array { shape, values: read(tensor).await? });
        }
        Ok(weights)
    }
}

/// What is wanted of every weight.
enum Take<'a> {
    Weights,
    Gradients(&'a Gradients),
}

/// Visits every weight, and keeps what is wanted of it, flat, with its shape.
struct Flat<'a> {
    take: Take<'a>,
    path: Vec<String>,
    found: BTreeMap<String, (Vec<usize>, Tensor<1>)>,
}

impl ModuleVisitor for Flat<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (tensor, shape) = (param.val(), param.val().dims());
        let wanted = match self.take {
            Take::Weights => Some(tensor),
            Take::Gradients(gradients) => tensor.grad(gradients),
        };
        if let Some(wanted) = wanted {
            let flat = wanted.reshape([shape.iter().product::<usize>()]);
            self.found.insert(self.path.join("."), (shape.to_vec(), flat));
        }
    }
}

/// Weights by name, on their way to a device.
struct Source<'a> {
    weights: Weights,
    blocks: Blocks,
    device: &'a Device,
}

impl Source<'_> {
    fn param<const D: usize>(&mut self, name: &str) -> Result<Param<Tensor<D>>> {
        let missing = || Error::malformed(name, "no such tensor", "every weight of the network");
        let Array { shape, values } = self.weights.remove(name).ok_or_else(missing)?;
        Ok(Param::from_data(TensorData::new(values, shape), self.device))
    }

    fn each<M>(
        &mut self,
        name: &str,
        count: usize,
        make: fn(&mut Self, &str) -> Result<M>,
    ) -> Result<Vec<M>> {
        (0..count).map(|index| make(self, &format!("{name}.{index}"))).collect()
    }

    fn conv(&mut self, name: &str) -> Result<Conv> {
        Ok(Conv { weight: self.param(&format!("{name}.weight"))? })
    }

    fn norm(&mut self, name: &str) -> Result<Norm> {
        let [gamma, beta] = ["gamma", "beta"].map(|part| format!("{name}.norm.{part}"));
        Ok(Norm { gamma: self.param(&gamma)?, beta: self.param(&beta)? })
    }

    fn conv_norm(&mut self, name: &str) -> Result<ConvNorm> {
        Ok(ConvNorm { conv: self.conv(&format!("{name}.conv"))?, norm: self.norm(name)? })
    }

    fn conv_transpose(&mut self, name: &str) -> Result<ConvTranspose> {
        Ok(ConvTranspose { weight: self.param(&format!("{name}.weight"))?, norm: self.norm(name)? })
    }

    fn dense(&mut self, name: &str) -> Result<Dense> {
        let [weight, bias] = ["weight", "bias"].map(|part| format!("{name}.{part}"));
        Ok(Dense { weight: self.param(&weight)?, bias: self.param(&bias)? })
    }

    fn head(&mut self, name: &str) -> Result<HeadConv> {
        let [weight, bias] = ["weight", "bias"].map(|part| format!("{name}.{part}"));
        Ok(HeadConv { weight: self.param(&weight)?, bias: self.param(&bias)? })
    }

    fn gate(&mut self, name: &str) -> Result<AttentionGate> {
        Ok(AttentionGate {
            skip: self.head(&format!("{name}.skip"))?,
            up: self.conv(&format!("{name}.up"))?,
            psi: self.head(&format!("{name}.psi"))?,
        })
    }

    fn block(&mut self, name: &str) -> Result<Block> {
        let (shortcut, se) = match self.blocks {
            Blocks::Plain => (None, None),
            Blocks::SeRes => {
                let [squeeze, excite] = ["squeeze", "excite"].map(|part| format!("{name}.se.{part}"));
                let se = SqueezeExcite { squeeze: self.dense(&squeeze)?, excite: self.dense(&excite)? };
                (Some(self.conv_norm(&format!("{name}.shortcut"))?), Some(se))
            }
        };
        let [a, b] = ["a", "b"].map(|part| format!("{name}.{part}"));
        Ok(Block { a: self.conv_norm(&a)?, b: self.conv_norm(&b)?, shortcut, se })
    }
}
