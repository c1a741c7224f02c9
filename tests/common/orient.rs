//! One patient in every orientation: axis orders, flips, forms, obliqueness, thick slices.

use super::nifti::Made;

pub const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

type Matrix = [[f64; 3]; 3];

/// How a file lies: file axis `a` runs along canonical axis `order[a]`, against it where `flip[a]`.
#[derive(Debug, Clone, Copy)]
pub struct Pose {
    pub order: [usize; 3],
    pub flip: [bool; 3],
    pub sform: bool,
    pub qform: bool,
    pub qfac: f64,
    pub oblique: bool,
}

/// All axis orders and flips.
pub fn orders_and_flips() -> impl Iterator<Item = ([usize; 3], [bool; 3])> {
    let flips = |bits: usize| std::array::from_fn(|axis| bits >> axis & 1 == 1);
    ORDERS.into_iter().flat_map(move |order| (0..8).map(move |bits| (order, flips(bits))))
}

/// Axis orders and flips x forms x qfac x oblique or not.
pub fn poses() -> Vec<Pose> {
    let mut poses = Vec::new();
    for (order, flip) in orders_and_flips() {
        for (sform, qform) in [(true, false), (false, true), (true, true)] {
            for (qfac, oblique) in [(1.0, false), (-1.0, false), (1.0, true), (-1.0, true)] {
                poses.push(Pose { order, flip, sform, qform, qfac, oblique });
            }
        }
    }
    poses
}

/// A turn of 21 degrees about an odd axis: every canonical axis stays the closest one to itself.
fn tilt() -> Matrix {
    let (s, c) = 21f64.to_radians().sin_cos();
    let n = [1.0, 2.0, -3.0].map(|v: f64| v / 14f64.sqrt());
    let cross = [[0.0, -n[2], n[1]], [n[2], 0.0, -n[0]], [-n[1], n[0], 0.0]];
    std::array::from_fn(|r| {
        std::array::from_fn(|k| f64::from(u8::from(r == k)) * c + (1.0 - c) * n[r] * n[k] + s * cross[r][k])
    })
}

fn determinant(m: &Matrix) -> f64 {
    (0..3)
        .map(|k| m[0][k] * (m[1][(k + 1) % 3] * m[2][(k + 2) % 3] - m[1][(k + 2) % 3] * m[2][(k + 1) % 3]))
        .sum()
}

/// The quaternion (b, c, d with a >= 0) of a rotation.
fn quaternion(m: &Matrix) -> [f64; 3] {
    // The eigenvector of the largest of the four sums stays away from 0.
    let t = [
        1.0 + m[0][0] + m[1][1] + m[2][2],
        1.0 + m[0][0] - m[1][1] - m[2][2],
        1.0 - m[0][0] + m[1][1] - m[2][2],
        1.0 - m[0][0] - m[1][1] + m[2][2],
    ];
    let largest = (0..4).max_by(|a, b| t[*a].total_cmp(&t[*b])).unwrap();
    let (d01, d02, d12) = (m[1][0] - m[0][1], m[0][2] - m[2][0], m[2][1] - m[1][2]);
    let (s01, s02, s12) = (m[0][1] + m[1][0], m[0][2] + m[2][0], m[1][2] + m[2][1]);
    let q = match largest {
        0 => [t[0], d12, d02, d01],
        1 => [d12, t[1], s01, s02],
        2 => [d02, s01, t[2], s12],
        _ => [d01, s02, s12, t[3]],
    };
    let length = q.iter().map(|v| v * v).sum::<f64>().sqrt() * if q[0] < 0.0 { -1.0 } else { 1.0 };
    [q[1] / length, q[2] / length, q[3] / length]
}

impl Pose {
    /// Rows of the affine of a file with these spacings along its own axes. Where the quaternion form counts, its
    /// qfac decides whether the third axis is mirrored.
    pub fn affine(&self, spacing: [f64; 3], origin: [f64; 3]) -> [[f64; 4]; 3] {
        let axes = self.directions();
        std::array::from_fn(|r| {
            [axes[r][0] * spacing[0], axes[r][1] * spacing[1], axes[r][2] * spacing[2], origin[r]]
        })
    }

    /// With the qfac that mirrors nothing, so that every pose shows the same patient.
    pub fn unmirrored(mut self) -> Self {
        self.qform = false;
        self.qfac = determinant(&self.directions()).signum();
        Self { qform: !self.sform || self.qfac < 0.0, ..self }
    }

    fn directions(&self) -> Matrix {
        let tilt = if self.oblique { tilt() } else { [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] };
        let sign = |axis: usize| if self.flip[axis] { -1.0 } else { 1.0 };
        let mut axes: Matrix =
            std::array::from_fn(|r| std::array::from_fn(|axis| tilt[r][self.order[axis]] * sign(axis)));
        if self.qform && determinant(&axes).signum() != self.qfac {
            axes.iter_mut().for_each(|row| row[2] = -row[2]);
        }
        axes
    }

    /// Gives a file these forms.
    pub fn place(&self, made: &mut Made, spacing: [f64; 3], origin: [f64; 3]) {
        made.pixdim = [self.qfac, spacing[0], spacing[1], spacing[2], 0.0, 0.0, 0.0, 0.0];
        (made.sform_code, made.qform_code) = (if self.sform { 2 } else { 0 }, if self.qform { 1 } else { 0 });
        made.srow = if self.sform { self.affine(spacing, origin) } else { [[0.0; 4]; 3] };
        made.quatern = [0.0; 6];
        if self.qform {
            let mut rotation = self.directions();
            rotation.iter_mut().for_each(|row| row[2] *= self.qfac);
            let [b, c, d] = quaternion(&rotation);
            made.quatern = [b, c, d, origin[0], origin[1], origin[2]];
        }
    }
}

/// Voxels of a canonical array as a file with this axis order holds them: its sizes, and for each of its voxels the
/// canonical index.
pub fn file_order(dims: [usize; 3], order: [usize; 3], flip: [bool; 3]) -> ([usize; 3], Vec<usize>) {
    let sizes = order.map(|axis| dims[axis]);
    let strides = [1, dims[0], dims[0] * dims[1]];
    let step =
        |axis: usize, at: usize| strides[order[axis]] * if flip[axis] { sizes[axis] - 1 - at } else { at };
    let mut indices = Vec::with_capacity(dims.iter().product());
    for k in 0..sizes[2] {
        for j in 0..sizes[1] {
            indices.extend((0..sizes[0]).map(|i| step(0, i) + step(1, j) + step(2, k)));
        }
    }
    (sizes, indices)
}
