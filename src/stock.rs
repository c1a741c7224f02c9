//! The same network on burn's tensors and kernels: what ours are judged by, in results and in time. No product part
//! uses it. The weights are flat tensors by name; a layer gives them their shape where it uses them.

use crate::engine::bench::architecture;
use crate::engine::nn::pseudo_random::{pseudo_random, random_weights};
use crate::error::Result;
use crate::model::{Architecture, EPSILON, NEGATIVE_SLOPE, Ops};
use crate::store::{Array, Weights, check_weights};
use burn::tensor::activation::{leaky_relu, relu, sigmoid};
use burn::tensor::module::{conv_transpose3d, conv3d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use std::collections::BTreeMap;
use web_time::Instant;

/// Weights on a device. Maps are `[n, c, z, y, x]`.
#[derive(Debug, Clone)]
pub struct Network {
    /// What it is.
    pub architecture: Architecture,
    /// By name, flat.
    pub tensors: BTreeMap<String, Tensor<1>>,
    shapes: BTreeMap<String, Vec<usize>>,
}

impl Network {
    fn new(architecture: Architecture, tensors: BTreeMap<String, Tensor<1>>) -> Self {
        let shapes = architecture.parameters().into_iter().map(|p| (p.name, p.shape)).collect();
        Self { architecture, tensors, shapes }
    }

    /// With these weights, whose tensors ask for gradients: on an autodiff device.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn load(architecture: Architecture, weights: Weights, device: &Device) -> Result<Self> {
        let mut network = Self::frozen(architecture, weights, device)?;
        for tensor in network.tensors.values_mut() {
            *tensor = tensor.clone().require_grad();
        }
        Ok(network)
    }

    /// With these weights, whose tensors ask for no gradients: on any device.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn frozen(architecture: Architecture, weights: Weights, device: &Device) -> Result<Self> {
        check_weights(&architecture, &weights)?;
        let tensor = |Array { shape, values }: Array| {
            let size: usize = shape.iter().product();
            Tensor::<1>::from_data(TensorData::new(values, [size]), device)
        };
        let tensors = weights.into_iter().map(|(name, array)| (name, tensor(array)));
        Ok(Self::new(architecture, tensors.collect()))
    }

    /// One logit per voxel and label.
    ///
    /// # Shapes
    /// `[n, inputs, z, y, x]` -> `[n, outputs, z, y, x]`; every side at least [`Architecture::min_side`]
    pub fn logits(&self, x: &Tensor<5>) -> Tensor<5> {
        self.architecture.pass(&mut Layers(self), x)
    }

    /// The gradients by the weights' names; those without one are left out.
    ///
    /// # Errors
    /// `Device` if the device fails.
    pub async fn gradients(&self, gradients: &Gradients) -> Result<Weights> {
        let mut found = Weights::new();
        for (name, tensor) in &self.tensors {
            if let Some(tensor) = tensor.grad(gradients) {
                let array = Array { shape: self.shapes[name].clone(), values: read(tensor).await? };
                found.insert(name.clone(), array);
            }
        }
        Ok(found)
    }

    fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Tensor<D> {
        self.tensors[name].clone().reshape(shape)
    }
}

/// The values of a tensor, read from its device.
///
/// # Errors
/// `Device` if the device fails.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let fault = |error: String| crate::Error::device("reading a tensor", error, "values");
    let data = tensor.into_data_async().await.map_err(|error| fault(format!("{error:?}")))?;
    data.try_into_vec_as::<f32>().map_err(|error| fault(format!("{error:?}")))
}

/// The network's operations by burn's.
struct Layers<'a>(&'a Network);

impl Layers<'_> {
    fn norm(&self, x: Tensor<5>, name: &str) -> Tensor<5> {
        let [n, c, z, y, w] = x.dims();
        let x = x.reshape([n, c, z * y * w]);
        let centered = x.clone() - x.mean_dim(2);
        let variance = centered.clone().square().mean_dim(2);
        let gamma = self.0.tensor(&format!("{name}.norm.gamma"), [1, c, 1]);
        let beta = self.0.tensor(&format!("{name}.norm.beta"), [1, c, 1]);
        let scale = gamma / (variance + EPSILON).sqrt();
        (centered * scale + beta).reshape([n, c, z, y, w])
    }

    fn dense(&self, x: Tensor<2>, name: &str, outputs: usize) -> Tensor<2> {
        let [_, inputs] = x.dims();
        let weight: Tensor<2> = self.0.tensor(&format!("{name}.weight"), [outputs, inputs]);
        x.matmul(weight.transpose()) + self.0.tensor(&format!("{name}.bias"), [1, outputs])
    }
}

impl Ops for Layers<'_> {
    type Map = Tensor<5>;

    fn conv_norm(&mut self, x: &Tensor<5>, name: &str, outputs: usize) -> Tensor<5> {
        let [_, inputs, _, _, _] = x.dims();
        let weight = self.0.tensor(&format!("{name}.conv.weight"), [outputs, inputs, 3, 3, 3]);
        let x = conv3d(x.clone(), weight, None, ConvOptions::new([1; 3], [1; 3], [1; 3], 1));
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
        let weight = self.0.tensor(&format!("{name}.weight"), [inputs, outputs, 2, 2, 2]);
        let x = conv_transpose3d(x, weight, None, options);
        let x = leaky_relu(self.norm(x, name), f64::from(NEGATIVE_SLOPE));
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
        leaky_relu(a + b, f64::from(NEGATIVE_SLOPE))
    }

    fn attention_gate(&mut self, skip: &Tensor<5>, up: &Tensor<5>, name: &str, units: usize) -> Tensor<5> {
        let [_, inputs, _, _, _] = up.dims();
        let weight = self.0.tensor(&format!("{name}.up.weight"), [units, inputs, 1, 1, 1]);
        let up = conv3d(up.clone(), weight, None, ConvOptions::new([1; 3], [0; 3], [1; 3], 1));
        let q = leaky_relu(
            self.head_conv1x1(skip, &format!("{name}.skip"), units) + up,
            f64::from(NEGATIVE_SLOPE),
        );
        skip.clone() * sigmoid(self.head_conv1x1(&q, &format!("{name}.psi"), 1))
    }

    fn head_conv1x1(&mut self, x: &Tensor<5>, name: &str, outputs: usize) -> Tensor<5> {
        let [_, inputs, _, _, _] = x.dims();
        let weight = self.0.tensor(&format!("{name}.weight"), [outputs, inputs, 1, 1, 1]);
        let bias = Some(self.0.tensor(&format!("{name}.bias"), [outputs]));
        conv3d(x.clone(), weight, bias, ConvOptions::new([1; 3], [0; 3], [1; 3], 1))
    }
}

/// The reference's loss: minus the mean over labels of `(2 sum(p y) + 1) / (sum p + sum y + 1)`.
///
/// # Shapes
/// probabilities and target `[n, labels, z, y, x]`; sums run over the batch too -> `[1]`
pub fn soft_dice(probabilities: Tensor<5>, target: Tensor<5>) -> Tensor<1> {
    let [n, labels, z, y, x] = probabilities.dims();
    let flat =
        |t: Tensor<5>| t.reshape([n, labels, z * y * x]).swap_dims(0, 1).reshape([labels, n * z * y * x]);
    let (p, y) = (flat(probabilities), flat(target));
    let overlap = (p.clone() * y.clone()).sum_dim(1);
    let sizes = p.sum_dim(1) + y.sum_dim(1);
    let dice = (overlap * 2.0 + 1.0) / (sizes + 1.0);
    -dice.mean()
}

/// Mean binary cross-entropy from logits, stable for large ones: `max(l, 0) - l y + ln(1 + exp(-|l|))`.
///
/// # Shapes
/// logits and target `[n, labels, z, y, x]` -> `[1]`
pub fn cross_entropy(logits: Tensor<5>, target: Tensor<5>) -> Tensor<1> {
    let decay = (-logits.clone().abs()).exp();
    (logits.clone().clamp_min(0.0) - logits * target + decay.log1p()).mean()
}

/// Both.
///
/// # Shapes
/// logits and target `[n, labels, z, y, x]` -> `[1]`
pub fn loss(logits: Tensor<5>, target: Tensor<5>) -> Tensor<1> {
    soft_dice(sigmoid(logits.clone()), target.clone()) + cross_entropy(logits, target)
}

/// What burn computes on: its CPU kernels (`cpu`), or the GPU, which is opened once.
///
/// # Errors
/// `Device` where there is no GPU.
pub async fn device(backend: &str) -> Result<Device> {
    #[cfg(target_arch = "wasm32")]
    if backend == "webgpu" {
        static DEVICE: std::sync::OnceLock<Device> = std::sync::OnceLock::new();
        if let Some(device) = DEVICE.get() {
            return Ok(device.clone());
        }
        let missing = |error: String| crate::Error::device("GPU", error, "an adapter");
        let device = Device::wgpu_options().init_async().await.map_err(|error| missing(error.to_string()))?;
        return Ok(DEVICE.get_or_init(|| device).clone());
    }
    if backend == "cpu" {
        return Ok(Device::flex());
    }
    Err(crate::Error::argument("backend", backend, "\"cpu\", or in a browser \"webgpu\""))
}

/// Milliseconds of `runs` runs, after one more: forward passes or, with `train`, these with the loss and all
/// gradients, but without a step. A network of `base` channels on an image of `dims` (`[x, y, z]`).
///
/// # Errors
/// `Device` where there is no GPU, or it fails.
pub async fn bench(
    base: usize,
    dims: [usize; 3],
    train: bool,
    runs: usize,
    device: &Device,
) -> Result<Vec<f64>> {
    let [x, y, z] = dims;
    let architecture = architecture(base, dims)?;
    let device = if train { device.clone().autodiff() } else { device.clone() };
    let weights = random_weights(&architecture);
    let network = if train {
        Network::load(architecture, weights, &device)?
    } else {
        Network::frozen(architecture, weights, &device)?
    };
    let (image, target) = (pseudo_random(x * y * z, 0), pseudo_random(architecture.outputs * x * y * z, 1));
    let target: Vec<f32> = target.iter().map(|v| f32::from(*v > 0.0)).collect();
    let tensor = |values: &[f32], channels| -> Tensor<5> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, channels, z, y, x]), &device)
    };
    let mut times = Vec::new();
    for _ in 0..=runs {
        let since = Instant::now();
        let logits = network.logits(&tensor(&image, 1));
        if train {
            let gradients = loss(logits, tensor(&target, architecture.outputs)).backward();
            network.gradients(&gradients).await?;
        } else {
            read(logits).await?;
        }
        times.push(since.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times.split_off(1))
}
