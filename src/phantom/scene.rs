//! Bodies painted one over the other into a volume, RAS, in mm from its centre; then bias and noise.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, StandardNormal};

/// A point or a length per axis, mm, `[right, anterior, superior]`.
pub type Mm = [f64; 3];

/// A body.
pub enum Shape {
    /// An ellipsoid with its half axes along the columns of a rotation.
    Ellipsoid(Mm, Mm, [Mm; 3]),
    /// A block, likewise.
    Block(Mm, Mm, [Mm; 3]),
    /// A round tube along a line through points.
    Tube(Vec<Mm>, f64),
}

/// No rotation.
pub const STRAIGHT: [Mm; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

impl Shape {
    /// A ball.
    pub fn ball(center: Mm, radius: f64) -> Self {
        Self::Ellipsoid(center, [radius; 3], STRAIGHT)
    }

    fn holds(&self, at: Mm) -> bool {
        let local = |center: &Mm, half: &Mm, turn: &[Mm; 3]| -> Mm {
            std::array::from_fn(|k| {
                (0..3).map(|row| turn[row][k] * (at[row] - center[row])).sum::<f64>() / half[k]
            })
        };
        match self {
            Self::Ellipsoid(center, half, turn) => {
                local(center, half, turn).iter().map(|v| v * v).sum::<f64>() <= 1.0
            }
            Self::Block(center, half, turn) => local(center, half, turn).iter().all(|v| v.abs() <= 1.0),
            Self::Tube(points, radius) => {
                points.windows(2).any(|ends| distance_2(at, ends[0], ends[1]) <= radius * radius)
            }
        }
    }

    /// Smallest and largest coordinates, or a little beyond.
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
            Self::Ellipsoid(center, half, turn) | Self::Block(center, half, turn) => {
                let reach = std::array::from_fn(|row| (0..3).map(|k| (turn[row][k] * half[k]).abs()).sum());
                around(&[*center], reach)
            }
            Self::Tube(points, radius) => around(points, [*radius; 3]),
        }
    }
}

/// Square of the distance of a point from a segment.
fn distance_2(at: Mm, from: Mm, to: Mm) -> f64 {
    let along: Mm = std::array::from_fn(|a| to[a] - from[a]);
    let off: Mm = std::array::from_fn(|a| at[a] - from[a]);
    let dot = |a: Mm, b: Mm| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let share = (dot(along, off) / dot(along, along).max(1e-12)).clamp(0.0, 1.0);
    (0..3).map(|a| (off[a] - share * along[a]).powi(2)).sum()
}

/// A volume in the making.
pub struct Scene {
    dims: [usize; 3],
    spacing: Mm,
    /// Values, channel after channel, x fastest.
    pub values: Vec<f32>,
    /// Labels, x fastest.
    pub labels: Vec<u8>,
}

impl Scene {
    /// Zeros.
    pub fn new(dims: [usize; 3], spacing: Mm, channels: usize) -> Self {
        let count: usize = dims.iter().product();
        Self { dims, spacing, values: vec![0.0; channels * count], labels: vec![0; count] }
    }

    /// Half of the field of view.
    pub fn half(&self) -> Mm {
        std::array::from_fn(|a| 0.5 * self.dims[a] as f64 * self.spacing[a])
    }

    /// The place at shares (-1..=1) of the half field of view.
    pub fn at(&self, share: Mm) -> Mm {
        let half = self.half();
        std::array::from_fn(|a| share[a] * half[a])
    }

    /// A share of the shortest half field of view.
    pub fn long(&self, share: f64) -> f64 {
        share * self.half().into_iter().fold(f64::INFINITY, f64::min)
    }

    /// Gives every voxel the values of a tissue, one per channel.
    pub fn flood(&mut self, tissue: &[f32]) {
        let count = self.labels.len();
        self.values.chunks_exact_mut(count).zip(tissue).for_each(|(channel, value)| channel.fill(*value));
    }

    /// Paints a body over what is there.
    pub fn paint(&mut self, shape: &Shape, tissue: &[f32], label: u8) {
        self.paint_where(shape, tissue, label, |_| true);
    }

    /// Paints a body where `allowed` holds of the label that is there.
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
                    if allowed(self.labels[voxel]) && shape.holds(at) {
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
    pub fn noise(&mut self, sd: f32, rng: &mut Xoshiro256PlusPlus) {
        for value in &mut self.values {
            let draw: f32 = StandardNormal.sample(rng);
            *value += sd * draw;
        }
    }

    /// What a receiver coil and a scanner's scale do to MR: each channel is brighter towards one side, is multiplied
    /// by a number of its own, and has no value below zero.
    pub fn magnetic(&mut self, rng: &mut Xoshiro256PlusPlus) {
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

/// Random places, directions and sizes.
pub struct Luck<'a>(pub &'a mut Xoshiro256PlusPlus);

impl Luck<'_> {
    /// A number between two.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        self.0.random_range(low..=high)
    }

    /// A whole number between two, both included.
    pub fn count(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }

    /// `share`, moved by up to `by` along each axis.
    pub fn near(&mut self, share: Mm, by: f64) -> Mm {
        share.map(|v| v + self.within(-by, by))
    }

    /// A direction.
    pub fn direction(&mut self) -> Mm {
        let draw: Mm = std::array::from_fn(|_| StandardNormal.sample(self.0));
        let length = draw.iter().map(|v: &f64| v * v).sum::<f64>().sqrt().max(1e-9);
        draw.map(|v| v / length)
    }

    /// A rotation by up to `degrees` about each axis in turn.
    pub fn turn(&mut self, degrees: f64) -> [Mm; 3] {
        let mut turn = STRAIGHT;
        for [a, b] in [[0, 1], [0, 2], [1, 2]] {
            let (sin, cos) = self.within(-degrees, degrees).to_radians().sin_cos();
            for row in &mut turn {
                (row[a], row[b]) = (cos * row[a] + sin * row[b], cos * row[b] - sin * row[a]);
            }
        }
        turn
    }
}
