//! How large the networks' images are, and how large those of training were.

use crate::grid::BoxRule;
use serde::{Deserialize, Serialize};

/// Settings of the cascade's geometry, in voxels of 1 mm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Sides of the object's box grow to this before the margin is added.
    pub min_box: usize,
    /// Sides that are shorter after the crop are stretched to this.
    pub min_side: usize,
    /// Share of a side added at each of its ends.
    pub margin: f64,
    /// Larger volumes shrink to about this many voxels.
    pub max_voxels: usize,
}

impl Default for Preset {
    fn default() -> Self {
        Self { min_box: 24, min_side: 24, margin: 0.2, max_voxels: 180 * 180 * 180 }
    }
}

impl Preset {
    /// The rule of the box around the object.
    pub fn box_rule(&self) -> BoxRule {
        BoxRule { min_box: self.min_box, margin: [self.margin; 3] }
    }
}

/// Smallest and largest side of the training volumes in mm, `[right, anterior, superior]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FieldOfView {
    /// Smallest side along each axis.
    pub min: [f64; 3],
    /// Largest side along each axis.
    pub max: [f64; 3],
}

/// How far a side may lie outside the range of the training volumes, as a share of the nearer limit.
const FIELD_TOLERANCE: f64 = 0.2;

impl FieldOfView {
    /// Whether every side, in mm, lies within the training range or at most a fifth outside of it.
    pub fn fits(&self, mm: [f64; 3]) -> bool {
        (0..3).all(|axis| {
            mm[axis] >= (1.0 - FIELD_TOLERANCE) * self.min[axis]
                && mm[axis] <= (1.0 + FIELD_TOLERANCE) * self.max[axis]
        })
    }

    /// A warning where the sides do not [fit](Self::fits).
    pub fn warning(&self, mm: [f64; 3]) -> Option<String> {
        let text = |v: [f64; 3]| format!("{:.0} x {:.0} x {:.0} mm", v[0], v[1], v[2]);
        (!self.fits(mm)).then(|| {
            format!(
                "the field of view is {}, this model was trained on {} to {}: do not expect a correct mask",
                text(mm),
                text(self.min),
                text(self.max)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_may_be_a_fifth_off_and_no_more() {
        let field = FieldOfView { min: [100.0; 3], max: [200.0; 3] };
        assert!(field.fits([80.0, 150.0, 240.0]));
        assert!(!field.fits([79.0, 150.0, 240.0]));
        assert!(!field.fits([80.0, 150.0, 241.0]));
        assert!(field.warning([80.0, 150.0, 240.0]).is_none());
        let warning = field.warning([80.0, 150.0, 245.0]).unwrap();
        assert!(warning.contains("80 x 150 x 245 mm"), "{warning}");
    }
}
