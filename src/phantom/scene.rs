//! Paints bodies over each other into a volume in RAS order, in mm from its centre; then adds noise and bias.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, StandardNormal};

/// A point or a length per axis, mm, `[right, anterior, superior]`.
pub type Mm = [f64; 3];

/// A solid body.
pub enum Shape {
    /// An ellipsoid: centre, half axes, and the rotation whose columns they lie along.
    Ellipsoid(Mm, Mm, [Mm; 3]),
    /// A cuboid: the same.
    Block(Mm, Mm, [Mm; 3]),
    /// A round tube along a polyline: its points and its radius.
    Tube(Vec<Mm>, f64),
}

/// No rotation.
pub const STRAIGHT: [Mm; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

impl Shape {
    /// A ball.
    pub fn ball(center: Mm, radius: f64) -> Self {
        Self::Ellipsoid(center, [radius; 3], STRAIGHT)
    }

    fn contains(&self, at: Mm) -> bool {
        let local = |center: &Mm, half: &Mm, rotation: &[Mm; 3]| -> Mm {
            std::array::from_fn(|k| {
                (0..3).map(|row| rotation[row][k] * (at[row] - center[row])).sum::<f64>() / half[k]
            })
        };
        match self {
            Self::Ellipsoid(center, half, rotation) => {
                local(center, half, rotation).iter().map(|v| v * v).sum::<f64>() <= 1.0
            }
            Self::Block(center, half, rotation) => {
                local(center, half, rotation).iter().all(|v| v.abs() <= 1.0)
            }
            Self::Tube(points, radius) => {
                points.windows(2).any(|ends| squared_distance(at, ends[0], ends[1]) <= radius * radius)
            }
        }
    }

    /// Smallest and largest coordinates, or a little beyond them.
    fn bounds(&self) -> (Mm, Mm) {
        let around = |points: &[Mm], reach: Mm| {
            let end = |pick: fn(f64, f64) -> f64, sign: f64| {
                std::array::from_fn(|a| {
                    points.iter().map(|p| p[a]).reduce(pick).unwrap_or(0.0) + sign * reach[a]
                })
            };
            (end(f64::min, -1.0), end(f64::max, 1.0))
        };
        match self {
            Self::Ellipsoid(center, half, rotation) | Self::Block(center, half, rotation) => {
                let reach =
                    std::array::from_fn(|row| (0..3).map(|k| (rotation[row][k] * half[k]).abs()).sum());
                around(&[*center], reach)
            }
            Self::Tube(points, radius) => around(points, [*radius; 3]),
        }
    }
}

/// Squared distance of a point from a line segment.
fn squared_distance(at: Mm, from: Mm, to: Mm) -> f64 {
    let along: Mm = std::array::from_fn(|a| to[a] - from[a]);
    let off: Mm = std::array::from_fn(|a| at[a] - from[a]);
    let dot = |a: Mm, b: Mm| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let share = (dot(along, off) / dot(along, along).max(1e-12)).clamp(0.0, 1.0);
    (0..3).map(|a| (off[a] - share * along[a]).powi(2)).sum()
}

/// A volume that bodies are painted into.
pub struct Scene {
    dims: [usize; 3],
    spacing: Mm,
    /// Values, channel after channel, x fastest.
    pub values: Vec<f32>,
    /// Labels, x fastest.
    pub labels: Vec<u8>,
}

impl Scene {
    /// A volume of zeros.
    pub fn new(dims: [usize; 3], spacing: Mm, channels: usize) -> Self {
        let count: usize = dims.iter().product();
        Self { dims, spacing, values: vec![0.0; channels * count], labels: vec![0; count] }
    }

    /// Half of the field of view.
    pub fn half(&self) -> Mm {
        std::array::from_fn(|a| 0.5 * self.dims[a] as f64 * self.spacing[a])
    }

    /// The position at shares (-1..=1) of half the field of view.
    pub fn at(&self, share: Mm) -> Mm {
        let half = self.half();
        std::array::from_fn(|a| share[a] * half[a])
    }

    /// A length, as a share of half the shortest side of the field of view.
    pub fn length(&self, share: f64) -> f64 {
        share * self.half().into_iter().fold(f64::INFINITY, f64::min)
    }

    /// Gives every voxel the values of a tissue, one per channel.
    pub fn fill(&mut self, tissue: &[f32]) {
        let count = self.labels.len();
        self.values.chunks_exact_mut(count).zip(tissue).for_each(|(channel, value)| channel.fill(*value));
    }

    /// Paints a body over what is there, and labels it.
    pub fn paint(&mut self, shape: &Shape, tissue: &[f32], label: u8) {
        self.paint_where(shape, tissue, label, |_| true);
    }

    /// Paints a body over the voxels whose present label is `allowed`.
    pub fn paint_where(&mut self, shape: &Shape, tissue: &[f32], label: u8, allowed: impl Fn(u8) -> bool) {
        let (low, high) = shape.bounds();
        let middle = self.dims.map(|n| (n as f64 - 1.0) / 2.0);
        let index = |a: usize, mm: f64| mm / self.spacing[a] + middle[a];
        let [xs, ys, zs] = [0, 1, 2].map(|a| {
            let first = index(a, low[a]).floor().max(0.0) as usize;
            let end = index(a, high[a]).ceil().max(-1.0) + 1.0;
            first..(end as usize).min(self.dims[a])
        });
        let count = self.labels.len();
        for z in zs {
            for y in ys.clone() {
                for x in xs.clone() {
                    let at = std::array::from_fn(|a| ([x, y, z][a] as f64 - middle[a]) * self.spacing[a]);
                    let voxel = x + self.dims[0] * (y + self.dims[1] * z);
                    if allowed(self.labels[voxel]) && shape.contains(at) {
                        self.labels[voxel] = label;
                        for (channel, value) in tissue.iter().enumerate() {
                            self.values[channel * count + voxel] = *value;
                        }
                    }
                }
            }
        }
    }

    /// Adds noise of a standard deviation to every voxel.
    pub fn add_noise(&mut self, sd: f32, rng: &mut Xoshiro256PlusPlus) {
        for value in &mut self.values {
            let draw: f32 = StandardNormal.sample(rng);
            *value += sd * draw;
        }
    }

    /// Adds a bias field and an arbitrary scale to each channel, as receiver coils and MR scanners do; no value stays below
    /// zero.
    pub fn add_mr_artifacts(&mut self, rng: &mut Xoshiro256PlusPlus) {
        let (dims, count) = (self.dims, self.labels.len());
        for channel in self.values.chunks_exact_mut(count) {
            let slope: Mm = std::array::from_fn(|_| rng.random_range(-0.15..0.15));
            let scale = 2f64.powf(rng.random_range(-2.0..3.0));
            for (voxel, value) in channel.iter_mut().enumerate() {
                let at = [voxel % dims[0], voxel / dims[0] % dims[1], voxel / (dims[0] * dims[1])];
                let bias: f64 = (0..3).map(|a| slope[a] * (2.0 * at[a] as f64 / dims[a] as f64 - 1.0)).sum();
                *value = (f64::from(*value) * scale * (1.0 + bias)).clamp(0.0, 32_000.0) as f32;
            }
        }
    }
}

/// Random positions, directions and sizes.
pub struct RandomShapes<'a>(pub &'a mut Xoshiro256PlusPlus);

impl RandomShapes<'_> {
    /// A number between two bounds.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0.random_range(low..=high)
    }

    /// A whole number between two bounds, both included.
    pub fn count(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }

    /// A position moved by up to `by` along each axis.
    pub fn jitter(&mut self, share: Mm, by: f64) -> Mm {
        share.map(|v| v + self.between(-by, by))
    }

    /// A direction.
    pub fn direction(&mut self) -> Mm {
        let draw: Mm = std::array::from_fn(|_| StandardNormal.sample(self.0));
        let length = draw.iter().map(|v: &f64| v * v).sum::<f64>().sqrt().max(1e-9);
        draw.map(|v| v / length)
    }

    /// A rotation by up to `degrees` about each axis in rotation.
    pub fn rotation(&mut self, degrees: f64) -> [Mm; 3] {
        let mut rotation = STRAIGHT;
        for [a, b] in [[0, 1], [0, 2], [1, 2]] {
            let (sin, cos) = self.between(-degrees, degrees).to_radians().sin_cos();
            for row in &mut rotation {
                (row[a], row[b]) = (cos * row[a] + sin * row[b], cos * row[b] - sin * row[a]);
            }
        }
        rotation
    }
}
