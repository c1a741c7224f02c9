//! The devices of burn that train, by the names of the command.

use crate::error::{Error, Result};
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use std::mem::discriminant;

/// What convolutions compute in. Weights, sums, norms and the optimiser keep 32 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the exponent of 32, for which GPUs have matrix units.
    Bf16,
}

/// Which device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// burn's own kernels on the CPU: slow, and everywhere.
    Flex,
    /// An NVIDIA GPU by its number.
    Cuda(usize),
    /// An AMD GPU by its number.
    Rocm(usize),
}

impl Place {
    /// Devices of one kind by their names, divided by commas: `cuda`, `cuda:1`, `rocm:0,rocm:1`, `flex`.
    pub fn parse(names: &str) -> Option<Vec<Self>> {
        let places = names.split(',').map(Self::parse_one).collect::<Option<Vec<Self>>>()?;
        let is_one_kind = places.iter().all(|place| discriminant(place) == discriminant(&places[0]));
        is_one_kind.then_some(places)
    }

    fn parse_one(name: &str) -> Option<Self> {
        let (kind, number) = name.split_once(':').unwrap_or((name, "0"));
        match (kind, number.parse().ok()?) {
            ("flex", 0) => Some(Self::Flex),
            ("cuda", number) => Some(Self::Cuda(number)),
            ("rocm", number) => Some(Self::Rocm(number)),
            _ => None,
        }
    }

    fn open(self) -> Result<Device> {
        match self {
            Self::Flex => Ok(Device::flex()),
            Self::Cuda(number) => cuda(number),
            Self::Rocm(number) => rocm(number),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Cuda(_) => "cuda",
            Self::Rocm(_) => "rocm",
        }
    }

    fn number(self) -> usize {
        match self {
            Self::Flex => 0,
            Self::Cuda(number) | Self::Rocm(number) => number,
        }
    }
}

/// A device that is ready, or several of one kind.
#[derive(Debug, Clone)]
pub struct BurnDevice {
    /// burn's, without autodiff; the first of several.
    pub device: Device,
    /// The others, which take their share of the examples of a training step.
    others: Vec<Device>,
    /// `flex`, `cuda` or `rocm`.
    pub name: &'static str,
    /// The device in words.
    pub adapter: String,
    half: Option<FloatDType>,
}

impl BurnDevice {
    /// Opens a device, or several for the steps of a training.
    ///
    /// # Errors
    /// `Device` where one is missing, or this build lacks its kernels; `Argument` for no device, or a precision that it has not.
    pub fn open(places: &[Place], precision: Precision) -> Result<Self> {
        let [first, others @ ..] = places else {
            return Err(Error::argument("--device", "no device", "at least one"));
        };
        let numbers: Vec<String> = places.iter().map(|place| place.number().to_string()).collect();
        let (name, numbers) = (first.name(), numbers.join(" and "));
        let adapter = match first {
            Place::Flex => "the CPU, by burn".to_owned(),
            Place::Cuda(_) => format!("CUDA device {numbers}, by burn"),
            Place::Rocm(_) => format!("ROCm device {numbers}, by burn"),
        };
        let device = first.open()?;
        let half = match precision {
            Precision::F32 => None,
            Precision::Bf16 if device.supports_dtype(FloatDType::BF16) => Some(FloatDType::BF16),
            Precision::Bf16 => {
                return Err(Error::argument("--precision", "bf16", format!("f32, as {adapter} has no bf16")));
            }
        };
        let others = others.iter().map(|place| place.open()).collect::<Result<_>>()?;
        Ok(Self { device, others, name, adapter, half })
    }

    /// Each of the devices by itself.
    pub(super) fn each(&self) -> impl Iterator<Item = Self> {
        let alone = |device: &Device| Self { device: device.clone(), others: Vec::new(), ..self.clone() };
        [&self.device].into_iter().chain(&self.others).map(alone)
    }

    /// What convolutions compute in, where that is not 32 bits.
    pub fn half(&self) -> Option<FloatDType> {
        self.half
    }

    /// Values of a shape on the device, without autodiff.
    pub(super) fn tensor<const D: usize>(&self, values: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &self.device)
    }
}

#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Result<Device> {
    numbered("CUDA", number, burn::tensor::DeviceType::Cuda, Device::cuda)
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: usize) -> Result<Device> {
    Err(Error::device(
        "--device",
        "a build without CUDA",
        "the build with it: cargo build --features cli,cuda",
    ))
}

#[cfg(feature = "rocm")]
fn rocm(number: usize) -> Result<Device> {
    numbered("ROCm", number, burn::tensor::DeviceType::Rocm, Device::rocm)
}

#[cfg(not(feature = "rocm"))]
fn rocm(_: usize) -> Result<Device> {
    Err(Error::device(
        "--device",
        "a build without ROCm",
        "the build with it: cargo build --features cli,rocm",
    ))
}

/// The device of this number. Those that there are are counted first, as burn panics where there is none.
#[cfg(any(feature = "cuda", feature = "rocm"))]
fn numbered(
    kind: &str,
    number: usize,
    of: burn::tensor::DeviceType,
    open: fn(usize) -> Device,
) -> Result<Device> {
    let count = Device::enumerate(of).into_vec().len();
    if number < count {
        return Ok(open(number));
    }
    let found = format!("{kind} device {number} of {count}");
    Err(Error::device("--device", found, "a driver, and a number from 0 to below the number of devices"))
}
