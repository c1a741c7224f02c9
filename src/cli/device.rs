//! What trains: our kernels on the CPU or on a GPU, or burn's on a GPU that has kernels of its own there.

use clap::{Args, ValueEnum};
use insitu_seg::Backend;
use insitu_seg::Result;
use insitu_seg::engine::compute::Compute;

/// What a device is called; those of burn need a build with it.
#[derive(Debug, Clone, PartialEq)]
enum DeviceName {
    Ours(Backend),
    #[cfg(feature = "burn")]
    Burn(Vec<insitu_seg::burn::device::Place>),
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum PrecisionName {
    F32,
    /// Convolutions in 16 bits, all else in 32
    Bf16,
}

/// The device of commands that train.
#[derive(Args)]
pub struct DeviceArguments {
    /// What computes: auto (a GPU if there is a real one, else the CPU), cpu, wgpu; in builds with them also cuda or rocm, by
    /// burn, with :N for the GPU of number N; several (cuda:0,cuda:1) share the images of a step
    #[arg(long, alias = "backend", default_value = "auto", value_name = "NAME", value_parser = named)]
    device: DeviceName,
    /// What cuda and rocm compute convolutions in
    #[arg(long, default_value = "f32")]
    precision: PrecisionName,
}

fn named(text: &str) -> std::result::Result<DeviceName, String> {
    match text {
        "auto" => Ok(DeviceName::Ours(Backend::Auto)),
        "cpu" => Ok(DeviceName::Ours(Backend::Cpu)),
        "wgpu" | "gpu" => Ok(DeviceName::Ours(Backend::Gpu)),
        other => of_burn(other),
    }
}

#[cfg(feature = "burn")]
fn of_burn(text: &str) -> std::result::Result<DeviceName, String> {
    insitu_seg::burn::device::Place::parse(text).map(DeviceName::Burn).ok_or_else(|| {
        "expected auto, cpu, wgpu, cuda, cuda:N, rocm or rocm:N, or several of one kind (cuda:0,cuda:1)"
            .to_owned()
    })
}

#[cfg(not(feature = "burn"))]
fn of_burn(text: &str) -> std::result::Result<DeviceName, String> {
    let kind = text.split(':').next().unwrap_or_default();
    Err(if ["cuda", "rocm"].contains(&kind) {
        format!("this build has no {kind}: cargo build --release --features cli,{kind} makes one that has")
    } else {
        "expected auto, cpu or wgpu".to_owned()
    })
}

impl DeviceArguments {
    /// Opens the device.
    ///
    /// # Errors
    /// `Device` where it is missing; `Argument` for a precision that it does not have.
    pub fn open(&self) -> Result<Compute> {
        match &self.device {
            DeviceName::Ours(_) if self.precision != PrecisionName::F32 => Err(insitu_seg::Error::argument(
                "--precision",
                "bf16",
                "f32, or --device cuda or rocm: our kernels compute in 32 bits",
            )),
            DeviceName::Ours(backend) => pollster::block_on(Compute::open(*backend)),
            #[cfg(feature = "burn")]
            DeviceName::Burn(places) => {
                use insitu_seg::burn::device::{BurnDevice, Precision};
                let precision = match self.precision {
                    PrecisionName::F32 => Precision::F32,
                    PrecisionName::Bf16 => Precision::Bf16,
                };
                BurnDevice::open(places, precision).map(Compute::Burn)
            }
        }
    }
}
