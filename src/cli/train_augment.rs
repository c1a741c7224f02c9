//! Arguments of `insitu train` on the augmentation of samples.

use super::axes::{AxisName, flips};
use super::refusals::{ordered, pair, refuse, up_to, within};
use clap::{Args, ValueEnum};
use insitu_seg::Result;
use insitu_seg::train::augment::{Augment, Fill};
use insitu_seg::train::scanner::Scanner;

#[derive(Clone, Copy, ValueEnum)]
enum FillName {
    /// The edge goes on
    Edge,
    /// The value of --fill-value, and background
    Constant,
}

/// The arguments on the augmentation.
#[derive(Args)]
pub struct AugmentArguments {
    /// Axes along which one sample in two is mirrored, for example x,y; refused where a label's name says left or right
    #[arg(long, value_delimiter = ',')]
    flip: Vec<AxisName>,
    /// What samples show where they reach beyond the volume (edge)
    #[arg(long)]
    fill: Option<FillName>,
    /// The normalised value of a constant fill: 0 is the mean
    #[arg(long, allow_negative_numbers = true)]
    fill_value: Option<f32>,
    /// Share of samples that are turned, zoomed and sheared; the others are shifted by whole voxels (0.4)
    #[arg(long, value_name = "SHARE")]
    affine: Option<f64>,
    /// Largest turn about each axis, in degrees (10)
    #[arg(long, value_name = "DEGREES")]
    degrees: Option<f64>,
    /// Smallest and largest zoom (0.88,1.14)
    #[arg(long, value_name = "LOW,HIGH", value_parser = pair)]
    zoom: Option<[f64; 2]>,
    /// Largest shear, in voxels per voxel (0.05)
    #[arg(long, value_name = "SHARE")]
    shear: Option<f64>,
    /// Largest shift along each axis, as a share of the side (0.08)
    #[arg(long, value_name = "SHARE")]
    shift: Option<f64>,
    /// Smallest and largest exponent of the grey values (0.7,1.5)
    #[arg(long, value_name = "LOW,HIGH", value_parser = pair)]
    gamma: Option<[f64; 2]>,
    /// Largest standard deviation of the noise on training images, whose own is 1 (0.1), or the smallest and the largest
    #[arg(long, value_name = "SD|LOW,HIGH", value_parser = up_to, allow_negative_numbers = true)]
    noise: Option<[f64; 2]>,
    /// Largest standard deviation of the logarithm of a bias field on training images (0)
    #[arg(long, value_name = "SD")]
    bias: Option<f64>,
    /// Largest standard deviation of a blur of training images along each axis, in mm (0)
    #[arg(long, value_name = "MM")]
    blur: Option<f64>,
    /// Share of training images whose grey values go through a random map, so that contrast does not count (0)
    #[arg(long, value_name = "SHARE")]
    remap: Option<f64>,
    /// Margins of boxes in training are --margin, or by this share less or more (0.5)
    #[arg(long, value_name = "SHARE")]
    margin_spread: Option<f64>,
    /// Share of boxes that lie anywhere in the volume (0.2)
    #[arg(long, value_name = "SHARE")]
    anywhere: Option<f64>,
}

impl AugmentArguments {
    /// Puts what is given in place of what the recipe has.
    pub fn apply(&self, augment: &mut Augment) -> Result<()> {
        let Scanner { bias, blur_mm, remap } = augment.scanner;
        *augment = Augment {
            affine_probability: self.affine.unwrap_or(augment.affine_probability),
            degrees: self.degrees.unwrap_or(augment.degrees),
            zoom: self.zoom.unwrap_or(augment.zoom),
            shear: self.shear.unwrap_or(augment.shear),
            shift: self.shift.unwrap_or(augment.shift),
            flip: if self.flip.is_empty() { augment.flip } else { flips(&self.flip) },
            fill: self.fill(augment.fill),
            gamma: self.gamma.unwrap_or(augment.gamma),
            noise: self.noise.unwrap_or(augment.noise),
            scanner: Scanner {
                bias: self.bias.unwrap_or(bias),
                blur_mm: self.blur.unwrap_or(blur_mm),
                remap: self.remap.unwrap_or(remap),
            },
            margin_spread: self.margin_spread.unwrap_or(augment.margin_spread),
            anywhere: self.anywhere.unwrap_or(augment.anywhere),
        };
        check(augment)
    }

    fn fill(&self, recipe: Fill) -> Fill {
        let constant = match recipe {
            Fill::Constant(value) => value,
            Fill::Edge => 0.0,
        };
        let constant = Fill::Constant(self.fill_value.unwrap_or(constant));
        match (self.fill, recipe) {
            (Some(FillName::Constant), _) | (None, Fill::Constant(_)) => constant,
            (Some(FillName::Edge), _) | (None, Fill::Edge) => Fill::Edge,
        }
    }
}

fn check(augment: &Augment) -> Result<()> {
    if let Fill::Constant(value) = augment.fill
        && !value.is_finite()
    {
        return refuse("--fill-value", &value, "a finite number");
    }
    within("--affine", augment.affine_probability, 0.0..=1.0)?;
    within("--degrees", augment.degrees, 0.0..=180.0)?;
    ordered("--zoom", augment.zoom, 0.1..=10.0)?;
    within("--shear", augment.shear, 0.0..=1.0)?;
    within("--shift", augment.shift, 0.0..=1.0)?;
    ordered("--gamma", augment.gamma, 0.01..=100.0)?;
    ordered("--noise", augment.noise, 0.0..=10.0)?;
    within("--bias", augment.scanner.bias, 0.0..=2.0)?;
    within("--blur", augment.scanner.blur_mm, 0.0..=10.0)?;
    within("--remap", augment.scanner.remap, 0.0..=1.0)?;
    within("--margin-spread", augment.margin_spread, 0.0..=1.0)?;
    within("--anywhere", augment.anywhere, 0.0..=1.0)
}
