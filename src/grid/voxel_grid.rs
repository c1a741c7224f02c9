//! Dimensions, affine and spacing.

/// Dimensions `[x, y, z]` and the 4x4 affine (rows) from voxel index to world millimetres.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Number of voxels along x, y, z.
    pub dims: [usize; 3],
    /// Rows of the 4x4 matrix; the last row is `0 0 0 1`.
    pub affine: [[f64; 4]; 4],
    spacing: [f64; 3],
}

/// Relative difference up to which a stated spacing equals that of the affine, whose 32-bit numbers are rounded.
const SPACING_TOLERANCE: f64 = 1e-6;

impl Grid {
    /// A grid whose spacings are the lengths of the affine's columns. Where a spacing is also `stated` (`pixdim`) and
    /// the two are equal up to rounding, the stated one is used: an oblique affine in 32 bits turns 1.25 mm into
    /// 1.25000004, and a size of 42.5 mm is then rounded the other way.
    pub fn new(dims: [usize; 3], affine: [[f64; 4]; 4], stated: [f64; 3]) -> Self {
        let spacing = std::array::from_fn(|axis| {
            let length = (0..3).map(|row| affine[row][axis].powi(2)).sum::<f64>().sqrt();
            if (stated[axis] - length).abs() <= SPACING_TOLERANCE * length { stated[axis] } else { length }
        });
        Self { dims, affine, spacing }
    }

    /// Number of voxels.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether there is no voxel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Distance between neighbouring voxel centres along x, y, z in mm.
    pub fn spacing(&self) -> [f64; 3] {
        self.spacing
    }

    /// Volume of one voxel in mm^3.
    pub fn voxel_mm3(&self) -> f64 {
        let m = &self.affine;
        (m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]))
            .abs()
    }
}
