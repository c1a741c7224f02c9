//! From the forms of a header to the affine: the affine form, else the quaternion form, else the spacings alone.
//!
//! Where a file has neither form, axes are taken as they lie with no flip (method 1 of the standard).

use super::layout::{Fields, Version};

/// Rows of a 4x4 matrix from voxel index to world millimetres.
pub(super) type Affine = [[f64; 4]; 4];

/// How far b² + c² + d² may be from 1 by rounding: three times that of 32-bit floats, as nibabel has it.
const ROUNDING: f64 = 3.0 * f32::EPSILON as f64;

/// The affine that counts, to mm whatever the unit of the file.
pub(super) fn affine(fields: &Fields) -> Affine {
    let mut affine = if fields.sform_code > 0 {
        sform(fields)
    } else if fields.qform_code > 0 {
        qform(fields)
    } else {
        let [x, y, z] = spacings(fields);
        [[x, 0.0, 0.0, 0.0], [0.0, y, 0.0, 0.0], [0.0, 0.0, z, 0.0], [0.0, 0.0, 0.0, 1.0]]
    };
    let unit = fields.length_unit();
    affine[..3].iter_mut().flatten().for_each(|length| *length = unit.mm(*length));
    affine
}

/// Method 3 of the standard, in the unit of the file.
pub(super) fn sform(fields: &Fields) -> Affine {
    let [x, y, z] = fields.srow;
    [x, y, z, [0.0, 0.0, 0.0, 1.0]]
}

/// Method 2 of the standard, in the unit of the file.
pub(super) fn qform(fields: &Fields) -> Affine {
    let [mut b, mut c, mut d] = fields.quatern;
    let square = b * b + c * c + d * d;
    // A half turn has a = 0. Were the rounding of b, c, d left in it, axes would be off by its square root.
    let rounding = match fields.version {
        Version::One => ROUNDING,
        Version::Two => 3.0 * f64::EPSILON,
    };
    let a = if square >= 1.0 - rounding {
        let length = square.sqrt();
        (b, c, d) = (b / length, c / length, d / length);
        0.0
    } else {
        (1.0 - square).sqrt()
    };
    let rotation = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ];
    let [x, y, z] = spacings(fields);
    let z = z * qfac(fields);
    let row = |r: usize| {
        let [i, j, k] = rotation[r];
        [i * x, j * y, k * z, fields.qoffset[r]]
    };
    [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]
}

/// -1 mirrors the third axis; every other number counts as 1, as nibabel has it.
pub(super) fn qfac(fields: &Fields) -> f64 {
    if fields.pixdim[0] == -1.0 { -1.0 } else { 1.0 }
}

/// `pixdim[1..4]` without signs; 0 counts as 1 mm.
pub(super) fn spacings(fields: &Fields) -> [f64; 3] {
    std::array::from_fn(|axis| match fields.pixdim[axis + 1].abs() {
        0.0 => 1.0,
        spacing => spacing,
    })
}

/// Whether a quaternion can be one: finite, and no longer than 1 but for rounding.
pub(super) fn is_quaternion(quatern: [f64; 3]) -> bool {
    // Written as !(x <= limit) so that NaN fails.
    quatern.iter().map(|v| v * v).sum::<f64>() <= 1.0 + ROUNDING
}

/// The lengths of the columns.
pub(super) fn lengths(affine: &Affine) -> [f64; 3] {
    std::array::from_fn(|axis| (0..3).map(|row| affine[row][axis].powi(2)).sum::<f64>().sqrt())
}

/// The volume that the directions of the columns span: 1 for right angles, 0 for axes in one plane.
pub(super) fn normalized_volume(affine: &Affine) -> f64 {
    let [x, y, z] = lengths(affine);
    let minor = |a: usize, b: usize| affine[a][1] * affine[b][2] - affine[a][2] * affine[b][1];
    let volume = affine[0][0] * minor(1, 2) - affine[1][0] * minor(0, 2) + affine[2][0] * minor(0, 1);
    (volume / (x * y * z)).abs()
}

/// The largest cosine of the angle between two columns: 0 for right angles, 1 for parallel axes.
pub(super) fn max_cosine(affine: &Affine) -> f64 {
    let length = lengths(affine);
    let cosine = |a: usize, b: usize| {
        ((0..3).map(|row| affine[row][a] * affine[row][b]).sum::<f64>() / (length[a] * length[b])).abs()
    };
    cosine(0, 1).max(cosine(0, 2)).max(cosine(1, 2))
}
