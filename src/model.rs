//! The network, all of it: a 3-D SE-Res U-Net. Blocks first, the network last.
//!
//! Tensors are `[n, c, z, y, x]`. The same source runs on the CPU, on WebGPU and under autodiff: the device
//! decides. Numbers are those of the 2nd place of the Medical Segmentation Decathlon 2018.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::{leaky_relu, relu, sigmoid};
use burn::tensor::module::{conv_transpose3d, conv3d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Slope of LeakyReLU below zero.
const LEAK: f64 = 0.3;
/// Added to the variance in every instance normalisation.
const EPSILON: f64 = 1e-3;
/// Channels per unit of the squeeze layer.
const SQUEEZE: usize = 16;

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

impl Architecture {
    /// A fresh network on `device`: Glorot-uniform weights, unit scales, zero offsets.
    pub fn init(&self, device: &Device) -> Network {
        let Self { base, depth, inputs, outputs } = *self;
        let width = |level: usize| base << level;
        Network {
            stem: ConvNorm::init(inputs, base, device),
            down: (1..=depth).map(|i| SeRes::init(width(i - 1), width(i), device)).collect(),
            up: (0..depth).map(|i| Up::init(width(i + 1), width(i), device)).collect(),
            merge: (1..depth).map(|i| SeRes::init(2 * width(i), width(i), device)).collect(),
            head: ConvNorm::init(2 * base, base, device),
            out: Conv::init(base, outputs, 1, true, device),
        }
    }
}

/// Convolution of odd kernel size, stride 1, that keeps the size (zero padding).
#[derive(Module, Debug)]
pub struct Conv {
    /// `[out, in, k, k, k]`
    weight: Param<Tensor<5>>,
    /// `[out]`
    bias: Option<Param<Tensor<1>>>,
}

impl Conv {
    fn init(inputs: usize, outputs: usize, kernel: usize, bias: bool, device: &Device) -> Self {
        let volume = kernel.pow(3);
        Self {
            weight: Initializer::XavierUniform { gain: 1.0 }.init_with(
                [outputs, inputs, kernel, kernel, kernel],
                Some(inputs * volume),
                Some(outputs * volume),
                device,
            ),
            bias: bias.then(|| Initializer::Zeros.init([outputs], device)),
        }
    }

    /// # Shapes
    /// `[n, in, z, y, x]` -> `[n, out, z, y, x]`
    fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        let weight = self.weight.val();
        let [_, _, kernel, _, _] = weight.dims();
        let bias = self.bias.as_ref().map(Param::val);
        conv3d(x, weight, bias, ConvOptions::new([1; 3], [kernel / 2; 3], [1; 3], 1))
    }
}

/// Normalisation of each channel over space, with a learned scale and offset.
#[derive(Module, Debug)]
pub struct InstanceNorm {
    /// `[c]`
    gamma: Param<Tensor<1>>,
    /// `[c]`
    beta: Param<Tensor<1>>,
}

impl InstanceNorm {
    fn init(channels: usize, device: &Device) -> Self {
        Self {
            gamma: Initializer::Ones.init([channels], device),
            beta: Initializer::Zeros.init([channels], device),
        }
    }

    /// # Shapes
    /// `[n, c, z, y, x]` -> the same
    fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        let [n, c, z, y, w] = x.dims();
        let x = x.reshape([n, c, z * y * w]);
        let centered = x.clone() - x.mean_dim(2);
        let variance = centered.clone().square().mean_dim(2);
        let gamma = self.gamma.val().reshape([1, c, 1]);
        let beta = self.beta.val().reshape([1, c, 1]);
        let scale = gamma / (variance + EPSILON).sqrt();
        (centered * scale + beta).reshape([n, c, z, y, w])
    }
}

/// 3^3 convolution without bias, then instance normalisation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv,
    norm: InstanceNorm,
}

impl ConvNorm {
    fn init(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            conv: Conv::init(inputs, outputs, 3, false, device),
            norm: InstanceNorm::init(outputs, device),
        }
    }

    /// # Shapes
    /// `[n, in, z, y, x]` -> `[n, out, z, y, x]`
    fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        self.norm.forward(self.conv.forward(x))
    }
}

/// A dense layer.
#[derive(Module, Debug)]
pub struct Dense {
    /// `[out, in]`
    weight: Param<Tensor<2>>,
    /// `[out]`
    bias: Param<Tensor<1>>,
}

impl Dense {
    fn init(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            weight: Initializer::XavierUniform { gain: 1.0 }.init_with(
                [outputs, inputs],
                Some(inputs),
                Some(outputs),
                device,
            ),
            bias: Initializer::Zeros.init([outputs], device),
        }
    }

    /// # Shapes
    /// `[n, in]` -> `[n, out]`
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val().transpose()) + self.bias.val().unsqueeze()
    }
}

/// Squeeze-and-excite: every channel is scaled by a factor computed from the means of all.
#[derive(Module, Debug)]
pub struct SqueezeExcite {
    squeeze: Dense,
    excite: Dense,
}

impl SqueezeExcite {
    fn init(channels: usize, device: &Device) -> Self {
        let narrow = (channels / SQUEEZE).max(1);
        Self { squeeze: Dense::init(channels, narrow, device), excite: Dense::init(narrow, channels, device) }
    }

    /// # Shapes
    /// `[n, c, z, y, x]` -> the same
    fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        let [n, c, z, y, w] = x.dims();
        let x = x.reshape([n, c, z * y * w]);
        let means = x.clone().mean_dim(2).reshape([n, c]);
        let scale = sigmoid(self.excite.forward(relu(self.squeeze.forward(means))));
        (x * scale.reshape([n, c, 1])).reshape([n, c, z, y, w])
    }
}

/// Residual block with squeeze-and-excite on its main branch and a 3^3 convolution on its shortcut.
#[derive(Module, Debug)]
pub struct SeRes {
    a: ConvNorm,
    b: ConvNorm,
    se: SqueezeExcite,
    shortcut: ConvNorm,
}

impl SeRes {
    fn init(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            a: ConvNorm::init(inputs, outputs, device),
            b: ConvNorm::init(outputs, outputs, device),
            se: SqueezeExcite::init(outputs, device),
            shortcut: ConvNorm::init(inputs, outputs, device),
        }
    }

    /// # Shapes
    /// `[n, in, z, y, x]` -> `[n, out, z, y, x]`
    fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        let main = self.b.forward(leaky_relu(self.a.forward(x.clone()), LEAK));
        leaky_relu(self.se.forward(main) + self.shortcut.forward(x), LEAK)
    }
}

/// Up-convolution 2^3 of stride 2 to the size of a skip connection.
#[derive(Module, Debug)]
pub struct Up {
    /// `[in, out, 2, 2, 2]`
    weight: Param<Tensor<5>>,
    norm: InstanceNorm,
}

impl Up {
    fn init(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            weight: Initializer::XavierUniform { gain: 1.0 }.init_with(
                [inputs, outputs, 2, 2, 2],
                Some(inputs * 8),
                Some(outputs * 8),
                device,
            ),
            norm: InstanceNorm::init(outputs, device),
        }
    }

    /// Doubles the size, normalises **over the padded size** (the reference pads one zero plane at the end of
    /// each axis first, so that an odd skip can be met), cuts to the skip and puts the skip's channels first.
    ///
    /// # Shapes
    /// `[n, in, z, y, x]`, skip `[n, out, z', y', x']` with `z' = 2 z` or `2 z + 1` -> `[n, 2 out, z', y', x']`
    fn forward(&self, x: Tensor<5>, skip: Tensor<5>) -> Tensor<5> {
        let x = x.pad([(0, 1), (0, 1), (0, 1)], PadMode::Constant(0.0));
        let options = ConvTransposeOptions::new([2; 3], [0; 3], [0; 3], [1; 3], 1);
        let x = conv_transpose3d(x, self.weight.val(), None, options);
        let x = leaky_relu(self.norm.forward(x), LEAK);
        let [n, _, z, y, w] = skip.dims();
        let [_, c, _, _, _] = x.dims();
        Tensor::cat(vec![skip, x.slice([0..n, 0..c, 0..z, 0..y, 0..w])], 1)
    }
}

/// Largest value of every 2^3 block; a last odd plane is left out.
///
/// # Shapes
/// `[n, c, z, y, x]` -> `[n, c, z / 2, y / 2, x / 2]`
fn max_pool(x: Tensor<5>) -> Tensor<5> {
    let [n, c, z, y, w] = x.dims();
    let [hz, hy, hw] = [z / 2, y / 2, w / 2];
    let x = x.slice([0..n, 0..c, 0..2 * hz, 0..2 * hy, 0..2 * hw]);
    // One axis at a time, outermost first: each step halves what the next one reads.
    let x = x.reshape([n * c * hz, 2, 2 * hy * 2 * hw]).max_dim(1);
    let x = x.reshape([n * c * hz * hy, 2, 2 * hw]).max_dim(1);
    let x = x.reshape([n * c * hz * hy * hw, 2]).max_dim(1);
    x.reshape([n, c, hz, hy, hw])
}

/// The segmentation network.
#[derive(Module, Debug)]
pub struct Network {
    stem: ConvNorm,
    /// Level `i + 1` from level `i`.
    down: Vec<SeRes>,
    /// Level `i` from level `i + 1`.
    up: Vec<Up>,
    /// After the concat of level `i + 1`; level 0 has `head` instead.
    merge: Vec<SeRes>,
    head: ConvNorm,
    out: Conv,
}

impl Network {
    /// Smallest side that survives all poolings.
    pub fn min_side(&self) -> usize {
        1 << self.down.len()
    }

    /// One logit per voxel and label.
    ///
    /// # Shapes
    /// `[n, inputs, z, y, x]` -> `[n, outputs, z, y, x]`; every side at least [`Self::min_side`]
    pub fn logits(&self, x: Tensor<5>) -> Tensor<5> {
        let mut pass = Pass::new(self, x);
        while pass.advance() {}
        pass.x
    }

    /// One probability per voxel and label: the sigmoid of [`Self::logits`].
    ///
    /// # Shapes
    /// `[n, inputs, z, y, x]` -> `[n, outputs, z, y, x]`
    pub fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        sigmoid(self.logits(x))
    }
}

/// A forward pass, level by level, so that a caller can show progress, wait for the device or stop in between.
pub struct Pass<'a> {
    network: &'a Network,
    /// The result so far; the logits once [`Self::advance`] returns `false`.
    pub x: Tensor<5>,
    skips: Vec<Tensor<5>>,
    next: usize,
}

impl<'a> Pass<'a> {
    /// A pass over `x`, `[n, inputs, z, y, x]`.
    pub fn new(network: &'a Network, x: Tensor<5>) -> Self {
        Self { network, x, skips: Vec::new(), next: 0 }
    }

    /// Computes the next level; `false` if there was none left.
    pub fn advance(&mut self) -> bool {
        let network = self.network;
        let depth = network.down.len();
        let x = self.x.clone();
        self.x = match self.next {
            0 => leaky_relu(network.stem.forward(x), LEAK), // base at full size
            step if step <= depth => {
                self.skips.push(x.clone());
                network.down[step - 1].forward(max_pool(x)) // base * 2^step at 1 / 2^step
            }
            step if step < 2 * depth => {
                let level = 2 * depth - step;
                match self.skips.pop() {
                    Some(skip) => network.merge[level - 1].forward(network.up[level].forward(x, skip)),
                    None => return false,
                }
            }
            _ => match self.skips.pop() {
                Some(skip) => {
                    let x = network.up[0].forward(x, skip); // 2 base at full size
                    network.out.forward(leaky_relu(network.head.forward(x), LEAK))
                }
                None => return false,
            },
        };
        self.next += 1;
        true
    }

    /// Share of the pass's multiplications that is done, 0..=1.
    pub fn done(&self) -> f64 {
        let depth = self.network.down.len();
        let width = |level: usize| (1u64 << level) as f64;
        let inputs = self.network.stem.conv.weight.lazy_shape()[1] as f64;
        let base = self.network.stem.conv.weight.lazy_shape()[0] as f64;
        let cost = |step: usize| match step {
            0 => inputs / base,
            i if i <= depth => (2.0 * width(i - 1) * width(i) + width(i).powi(2)) / 8f64.powi(i as i32),
            i if i < 2 * depth => {
                let level = 2 * depth - i;
                5.0 * width(level).powi(2) / 8f64.powi(level as i32)
            }
            _ => 2.0,
        };
        let sum = |steps: usize| (0..steps).map(cost).sum::<f64>();
        sum(self.next) / sum(2 * depth + 1)
    }
}
