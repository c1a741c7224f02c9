//! What is made of label maps, as one JSON file says it.

use super::label_set::LabelSet;
use serde::Deserialize;

/// How images are made of label maps.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Name of the data, for the model's card.
    pub name: String,
    /// Where the maps are from, and their licence.
    #[serde(default)]
    pub origin: String,
    /// Maps, by file name without its endings, that are not to be learned from.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Output channels of the network, in order.
    pub targets: Vec<Target>,
    /// Labels that change places when an image is mirrored left to right.
    #[serde(default)]
    pub pairs: Vec<[u16; 2]>,
    /// What no field of view cuts.
    pub keep: LabelSet,
    /// Images of which everything but the organ was removed; none where nothing is said.
    #[serde(default)]
    pub strip: Option<Strip>,
    /// Labels by what they look like. Every label of every map is in exactly one; 0 is the background.
    pub tissues: Vec<Tissue>,
    /// Shape and field of view.
    #[serde(default)]
    pub geometry: GeometryPrior,
    /// Grey values.
    #[serde(default)]
    pub grey: GreyPrior,
}

/// An output channel of the network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Labels that belong to it.
    pub labels: LabelSet,
    /// Whether only its volume is of interest: no box is put around it, and it may hold other targets.
    #[serde(default)]
    pub measure: bool,
}

/// Skull stripping and its like.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strip {
    /// What stays.
    pub keep: LabelSet,
    /// Share of the images.
    pub share: f64,
    /// Widest rim around it that stays too, in mm.
    pub rim_mm: f64,
}

/// Labels that share a prior of their grey value.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tissue {
    /// Its name.
    pub name: String,
    /// Its labels.
    #[serde(default)]
    pub labels: LabelSet,
    /// Whether it also has all labels that no other tissue names.
    #[serde(default)]
    pub rest: bool,
    /// Whether each of its labels (left and right alike) has a grey value of its own, rather than all one.
    #[serde(default)]
    pub apart: bool,
    /// Mean and standard deviation of its grey value (0 to 1) in images of the known contrast; any where nothing is said.
    #[serde(default)]
    pub mean: Option<[f64; 2]>,
}

/// How far shapes and fields of view vary.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeometryPrior {
    /// Share of the images that are mirrored left to right, their paired labels with them.
    pub mirror: f64,
    /// Largest rotation about each axis, in degrees.
    pub degrees: f64,
    /// Share of the images that are turned further, and how far at most.
    pub far: [f64; 2],
    /// Smallest and largest scale along each axis.
    pub scale: [f64; 2],
    /// The same of all axes together, on top.
    pub size: [f64; 2],
    /// Largest shear.
    pub shear: f64,
    /// Largest shift along each axis, in mm.
    pub shift_mm: f64,
    /// Fewest and most points of the displacement along each axis.
    pub warp_points: [usize; 2],
    /// Largest standard deviation of the displacement at these points, in mm.
    pub warp_mm: f64,
    /// Share of the images around which air is added, and how much at most on each side, in mm.
    pub air: [f64; 2],
    /// Share of the images whose field of view is cut; each side of them with a probability of one half.
    pub crop: f64,
}

impl Default for GeometryPrior {
    fn default() -> Self {
        Self {
            mirror: 0.5,
            degrees: 15.0,
            far: [0.1, 30.0],
            scale: [0.85, 1.15],
            size: [0.93, 1.07],
            shear: 0.05,
            shift_mm: 6.0,
            warp_points: [4, 10],
            warp_mm: 4.0,
            air: [0.5, 40.0],
            crop: 0.6,
        }
    }
}

/// How far grey values vary; the brightest tissue has about 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GreyPrior {
    /// Share of the images of the known contrast, that of the tissues' `mean`; in the others all are drawn at random.
    pub known: f64,
    /// Smallest and largest standard deviation within a label.
    pub texture: [f64; 2],
    /// Smallest and largest blur, as the standard deviation of a Gaussian in mm, along each axis.
    pub blur_mm: [f64; 2],
    /// Share of the images that are thick slices along one axis.
    pub thick: f64,
    /// Smallest and largest blur along that axis.
    pub thick_mm: [f64; 2],
    /// Fewest and most points of the logarithm of the bias field along each axis.
    pub bias_points: [usize; 2],
    /// Largest standard deviation at these points.
    pub bias: f64,
    /// Standard deviation of the logarithm of the exponent.
    pub gamma: f64,
    /// Largest standard deviation of the noise.
    pub noise: f64,
    /// Largest grey value of the background, in the half of the images in which it is not 0.
    pub background: f64,
}

impl Default for GreyPrior {
    fn default() -> Self {
        Self {
            known: 0.75,
            texture: [0.01, 0.08],
            blur_mm: [0.3, 0.9],
            thick: 0.3,
            thick_mm: [1.0, 2.5],
            bias_points: [2, 4],
            bias: 0.35,
            gamma: 0.2,
            noise: 0.04,
            background: 0.1,
        }
    }
}

impl Recipe {
    /// Targets around which a box is put.
    pub fn objects(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| !target.measure)
    }
}
