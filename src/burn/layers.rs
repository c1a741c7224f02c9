//! The network's operations by burn's: what [`Architecture::pass`](crate::model::Architecture::pass) runs on.

use crate::model::{EPSILON, NEGATIVE_SLOPE, Ops, ROI};
use burn::tensor::activation::{leaky_relu, relu, sigmoid};
use burn::tensor::module::{conv_transpose3d, conv3d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode};
use burn::tensor::{FloatDType, Tensor};
use std::collections::BTreeMap;

/// Weights by name, flat: a layer gives them their shape where it uses them.
pub type Tensors = BTreeMap<String, Tensor<1>>;

/// A pass under way. Maps are `[n, c, z, y, x]`.
pub struct Layers {
    tensors: Tensors,
    /// What convolutions compute in, where that is not 32 bits; sums, norms and activations keep these.
    half: Option<FloatDType>,
    /// The logits of the region of interest, once the pass has come by them.
    pub roi: Option<Tensor<5>>,
}

impl Layers {
    pub fn new(tensors: Tensors, half: Option<FloatDType>) -> Self {
        Self { tensors, half, roi: None }
    }

    fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Tensor<D> {
        self.tensors[name].clone().reshape(shape)
    }

    fn narrowed<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        match self.half {
            Some(half) => tensor.cast(half),
            None => tensor,
        }
    }

    fn widened<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        if self.half.is_some() { tensor.cast(FloatDType::F32) } else { tensor }
    }

    /// A convolution of side `side`, zero padding.
    fn conv(&self, x: &Tensor<5>, name: &str, outputs: usize, side: usize) -> Tensor<5> {
        let [_, inputs, _, _, _] = x.dims();
        let weight = self.tensor(&format!("{name}.weight"), [outputs, inputs, side, side, side]);
        let options = ConvOptions::new([1; 3], [side / 2; 3], [1; 3], 1);
        self.widened(conv3d(self.narrowed(x.clone()), self.narrowed(weight), None, options))
    }

    fn norm(&self, x: Tensor<5>, name: &str) -> Tensor<5> {
        let [n, c, z, y, w] = x.dims();
        let x = x.reshape([n, c, z * y * w]);
        let centered = x.clone() - x.mean_dim(2);
        let variance = centered.clone().square().mean_dim(2);
        let gamma = self.tensor(&format!("{name}.norm.gamma"), [1, c, 1]);
        let beta = self.tensor(&format!("{name}.norm.beta"), [1, c, 1]);
        let scale = gamma / (variance + EPSILON).sqrt();
        (centered * scale + beta).reshape([n, c, z, y, w])
    }

    fn dense(&self, x: Tensor<2>, name: &str, outputs: usize) -> Tensor<2> {
        let [_, inputs] = x.dims();
        let weight: Tensor<2> = self.tensor(&format!("{name}.weight"), [outputs, inputs]);
        x.matmul(weight.transpose()) + self.tensor(&format!("{name}.bias"), [1, outputs])
    }
}

impl Ops for Layers {
    type Map = Tensor<5>;

    fn conv_norm(&mut self, x: &Tensor<5>, name: &str, outputs: usize) -> Tensor<5> {
        let x = self.conv(x, &format!("{name}.conv"), outputs, 3);
        self.norm(x, name)
    }

    fn leaky(&mut self, x: Tensor<5>) -> Tensor<5> {
        leaky_relu(x, f64::from(NEGATIVE_SLOPE))
    }

    fn pool(&mut self, x: &Tensor<5>) -> Tensor<5> {
        let [n, c, z, y, w] = x.dims();
        let [hz, hy, hw] = [z / 2, y / 2, w / 2];
        let x = x.clone().slice([0..n, 0..c, 0..2 * hz, 0..2 * hy, 0..2 * hw]);
        // One axis at a time, outermost first: each step halves what the next one reads.
        let x = x.reshape([n * c * hz, 2, 2 * hy * 2 * hw]).max_dim(1);
        let x = x.reshape([n * c * hz * hy, 2, 2 * hw]).max_dim(1);
        let x = x.reshape([n * c * hz * hy * hw, 2]).max_dim(1);
        x.reshape([n, c, hz, hy, hw])
    }

    fn conv_transpose(&mut self, x: &Tensor<5>, name: &str, outputs: usize, skip: &Tensor<5>) -> Tensor<5> {
        let [_, inputs, _, _, _] = x.dims();
        let x = x.clone().pad([(0, 1), (0, 1), (0, 1)], PadMode::Constant(0.0));
        let options = ConvTransposeOptions::new([2; 3], [0; 3], [0; 3], [1; 3], 1);
        let weight = self.tensor(&format!("{name}.weight"), [inputs, outputs, 2, 2, 2]);
        let x = self.widened(conv_transpose3d(self.narrowed(x), self.narrowed(weight), None, options));
        let x = self.norm(x, name);
        let x = self.leaky(x);
        let [n, _, z, y, w] = skip.dims();
        x.slice([0..n, 0..outputs, 0..z, 0..y, 0..w])
    }

    fn concat(&mut self, a: Tensor<5>, b: Tensor<5>) -> Tensor<5> {
        Tensor::cat(vec![a, b], 1)
    }

    fn squeeze_excite(&mut self, x: Tensor<5>, name: &str, narrow: usize) -> Tensor<5> {
        let [n, c, z, y, w] = x.dims();
        let x = x.reshape([n, c, z * y * w]);
        let means = x.clone().mean_dim(2).reshape([n, c]);
        let squeezed = relu(self.dense(means, &format!("{name}.squeeze"), narrow));
        let scale = sigmoid(self.dense(squeezed, &format!("{name}.excite"), c));
        (x * scale.reshape([n, c, 1])).reshape([n, c, z, y, w])
    }

    fn residual_add(&mut self, a: Tensor<5>, b: Tensor<5>) -> Tensor<5> {
        self.leaky(a + b)
    }

    fn attention_gate(&mut self, skip: &Tensor<5>, up: &Tensor<5>, name: &str, units: usize) -> Tensor<5> {
        let up = self.conv(up, &format!("{name}.up"), units, 1);
        let q = self.head_conv1x1(skip, &format!("{name}.skip"), units) + up;
        let q = self.leaky(q);
        skip.clone() * sigmoid(self.head_conv1x1(&q, &format!("{name}.psi"), 1))
    }

    fn head_conv1x1(&mut self, x: &Tensor<5>, name: &str, outputs: usize) -> Tensor<5> {
        let bias = self.tensor(&format!("{name}.bias"), [1, outputs, 1, 1, 1]);
        let logits = self.conv(x, name, outputs, 1) + bias;
        if name == ROI {
            self.roi = Some(logits.clone());
        }
        logits
    }
}
