//! The surface of a mask, as elements between the voxel centres.
//!
//! ```text
//!   o   o     A corner (+) is where eight voxels (o) meet. It is an element of the surface if some of the eight
//!     +       are inside the mask and some outside. Its code has one bit for each of the eight, and says how
//!   o   o     much surface passes between them.
//! ```
//!
//! A box of n voxels has n + 1 corners along an axis; corner c lies half a voxel before voxel c of the box.

use super::distance::squared_distances;

/// All eight voxels inside.
const INSIDE: u8 = 255;

/// A piece of one surface, and how far away the other surface is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Element {
    pub(super) distance_mm: f64,
    pub(super) area_mm2: f64,
}

/// Surfaces in the box around both masks.
pub(super) struct Surfaces {
    /// Size of the volume.
    pub(super) dims: [usize; 3],
    /// First and last voxel of the box.
    pub(super) extent: ([usize; 3], [usize; 3]),
    pub(super) spacing_mm: [f64; 3],
    /// From [`element_areas`].
    pub(super) areas_mm2: [f64; 256],
}

impl Surfaces {
    /// Number of corners of the box.
    fn corners(&self) -> [usize; 3] {
        let (first, last) = self.extent;
        std::array::from_fn(|axis| last[axis] - first[axis] + 2)
    }

    /// The code of every corner. Each voxel inside sets its bit in the codes of its own eight corners: bit
    /// `dx + 2 dy + 4 dz` in the corner at its near (0) or far (1) end along x, y, z.
    pub(super) fn codes(&self, inside: impl Fn(usize) -> bool) -> Vec<u8> {
        let (first, last) = self.extent;
        let [cx, cy, cz] = self.corners();
        let mut codes = vec![0; cx * cy * cz];
        for z in first[2]..=last[2] {
            for y in first[1]..=last[1] {
                let row = self.dims[0] * (y + self.dims[1] * z);
                let near = cx * ((y - first[1]) + cy * (z - first[2]));
                for x in (first[0]..=last[0]).filter(|x| inside(row + x)) {
                    for (pair, step) in [0, cx, cx * cy, cx * cy + cx].into_iter().enumerate() {
                        let at = near + step + x - first[0];
                        codes[at] |= 1 << (2 * pair);
                        codes[at + 1] |= 2 << (2 * pair);
                    }
                }
            }
        }
        codes
    }

    /// The elements of the surface with the codes `from`, and their distances to the surface with the codes `to`.
    pub(super) fn elements(&self, from: &[u8], to: &[u8]) -> Vec<Element> {
        let is_surface = |code: u8| code != 0 && code != INSIDE;
        let squared = squared_distances(self.corners(), self.spacing_mm, |i| is_surface(to[i]));
        let elements = from.iter().zip(squared).filter(|&(&code, _)| is_surface(code));
        elements
            .map(|(&code, squared)| Element {
                distance_mm: squared.sqrt(),
                area_mm2: self.areas_mm2[usize::from(code)],
            })
            .collect()
    }
}

/// Area in mm^2 of the surface between eight voxels, for each of the 256 codes.
///
/// The source has a table of 256 lists of triangle normals, made by marching cubes with vertices half way along
/// the edges of the cube of eight voxel centres. Its areas, for every spacing, are those of this rule: the area
/// is the same with inside and outside exchanged, so there are at most four voxels inside; these fall apart into
/// groups along the edges of the cube, and each group is cut off by a surface of its own ([`group_area`]).
pub(super) fn element_areas(spacing_mm: [f64; 3]) -> [f64; 256] {
    std::array::from_fn(|code| {
        let mut rest = if code.count_ones() > 4 { !code & 255 } else { code };
        let mut area = 0.0;
        while rest != 0 {
            let group = group_of(rest);
            area += group_area(group, spacing_mm);
            rest &= !group;
        }
        area
    })
}

/// The neighbours of `corners` along one axis of the cube; a set of corners is a set of bits `x + 2 y + 4 z`.
fn neighbours(corners: usize, axis: usize) -> usize {
    let far = [0b1010_1010, 0b1100_1100, 0b1111_0000][axis];
    let step = 1 << axis;
    ((corners & far) >> step) | ((corners & !far) << step)
}

/// The corners that hang together with the lowest one.
fn group_of(corners: usize) -> usize {
    let mut group = corners & corners.wrapping_neg();
    loop {
        let grown = (0..3).fold(group, |group, axis| group | (neighbours(group, axis) & corners));
        if grown == group {
            return group;
        }
        group = grown;
    }
}

/// Area that cuts off one group of one to four corners.
fn group_area(group: usize, [sx, sy, sz]: [f64; 3]) -> f64 {
    let face = [sy * sz, sx * sz, sx * sy];
    // The three shapes that all surfaces are made of: a triangle across one corner of the cube, half of the
    // slanted rectangle along an edge, and half of the cross-section of the cube.
    let corner = face.iter().map(|area| area * area).sum::<f64>().sqrt() / 8.0;
    let along = |axis: usize| face[(axis + 1) % 3].hypot(face[(axis + 2) % 3]) / 4.0;
    let across = |axis: usize| face[axis] / 2.0;

    // The corners that have a neighbour along each axis.
    let linked = [0, 1, 2].map(|axis| neighbours(group, axis) & group);
    let along_all =
        |joins: &dyn Fn(usize) -> bool| (0..3).filter(|&axis| joins(axis)).map(along).sum::<f64>();
    let plane = linked.iter().position(|&corners| corners == 0);
    match (group.count_ones(), plane) {
        (1, _) => corner,
        (2, _) => 2.0 * along_all(&|axis| linked[axis] != 0),
        (3, Some(normal)) => 3.0 * corner + across(normal),
        (4, Some(normal)) => 2.0 * across(normal),
        // A corner and its three neighbours: a hexagon.
        _ if linked[0] & linked[1] & linked[2] != 0 => 6.0 * corner,
        // A path along three axes; its first and last edge count, the one between the two inner corners not.
        _ => {
            let inner = (linked[0] & linked[1]) | (linked[0] & linked[2]) | (linked[1] & linked[2]);
            4.0 * corner + along_all(&|axis| linked[axis] != inner)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_do_not_change_with_inside_and_outside_exchanged() {
        let areas = element_areas([0.7, 0.9, 3.0]);
        assert!((0..256).all(|code| areas[code] == areas[255 - code]));
        assert_eq!((areas[0], areas[255]), (0.0, 0.0));
    }

    #[test]
    fn each_shape_has_the_area_of_the_surface_that_cuts_it_off() {
        let areas = element_areas([1.0, 2.0, 3.0]);
        let close = |code: usize, mm2: f64| assert!((areas[code] - mm2).abs() < 1e-12, "{code:08b}: {mm2}");
        let corner = 7.0 / 8.0; // half of the cross product of (0.5, -1, 0) and (0.5, 0, -1.5)
        close(0b0000_0001, corner);
        close(0b0110_1001, 4.0 * corner);
        close(0b0001_0111, 6.0 * corner);
        close(0b0000_0011, 0.5 * 13_f64.sqrt()); // 1 mm along x, half the diagonal of 2 mm and 3 mm
        close(0b0001_0001, 1.5 * 5_f64.sqrt());
        close(0b0000_1111, 2.0); // the cross-section of x and y
        close(0b0101_0101, 6.0);
        close(0b0000_0111, 3.0 * corner + 1.0);
        // From x along the origin and y to z above y: the edges along x and z count.
        close(0b0100_0111, 4.0 * corner + 0.25 * (13_f64.sqrt() + 3.0 * 5_f64.sqrt()));
    }
}
