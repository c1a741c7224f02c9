//! Where voxels are: dimensions and the affine that maps voxel indices to the patient.
//!
//! ```text
//! world [mm, +x right, +y anterior, +z superior] = affine * [i, j, k, 1]
//! memory index = i + nx * (j + ny * k)            (x fastest; a tensor [z, y, x] has the same bytes)
//! ```
//!
//! Every step between the file's grid and the network's is a value that knows its own way back:
//! [`Turn`] (axes), [`Resample`] (size), [`Region`] (crop and paste).

mod region;
mod resample;
mod turn;

pub use region::{BoxRule, Region};
pub use resample::{Resample, capped_dims, isotropic_dims};
pub use turn::Turn;

/// Dimensions `[x, y, z]` and the 4x4 affine (rows) from voxel index to world millimetres.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Number of voxels along x, y, z.
    pub dims: [usize; 3],
    /// Rows of the 4x4 matrix; the last row is `0 0 0 1`.
    pub affine: [[f64; 4]; 4],
}

impl Grid {
    /// Number of voxels.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether there is no voxel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Distance between neighbouring voxel centres along x, y, z in mm: the lengths of the affine's columns,
    /// rounded to six digits, so that a spacing that was 1.5 before an oblique form in 32 bits is 1.5 again.
    pub fn spacing(&self) -> [f64; 3] {
        std::array::from_fn(|axis| {
            let length = (0..3).map(|row| self.affine[row][axis].powi(2)).sum::<f64>().sqrt();
            let unit = 10f64.powi(5 - length.log10().floor() as i32);
            let rounded = (length * unit).round() / unit;
            if rounded > 0.0 { rounded } else { length }
        })
    }

    /// Volume of one voxel in mm^3.
    pub fn voxel_mm3(&self) -> f64 {
        let m = &self.affine;
        (m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]))
            .abs()
    }

    /// The anatomical direction that each voxel axis points to, as three letters, for example `RAS` or `LIA`.
    pub fn orientation(&self) -> String {
        let turn = Turn::to_ras(self);
        let mut letters = ['?'; 3];
        for (world, &axis) in turn.from_axis().iter().enumerate() {
            let pair = [('R', 'L'), ('A', 'P'), ('S', 'I')][world];
            letters[axis] = if turn.flipped()[world] { pair.1 } else { pair.0 };
        }
        letters.iter().collect()
    }
}
