//! Connected components of a binary mask, by the six faces of a voxel.

use crate::grid::Region;

/// The component of every voxel, numbered from 1 in the order of their first voxels, 0 for none; and the size of each.
pub fn connected_components(mask: &[bool], dims: [usize; 3]) -> (Vec<u32>, Vec<usize>) {
    let [nx, ny, nz] = dims;
    let strides = [1, nx, nx * ny];
    let mut component = vec![0u32; mask.len()];
    let mut sizes = Vec::new();
    let mut queue = Vec::new();
    for seed in 0..mask.len() {
        if !mask[seed] || component[seed] != 0 {
            continue;
        }
        let next = sizes.len() as u32 + 1;
        component[seed] = next;
        queue.push(seed);
        let mut size = 0;
        while let Some(index) = queue.pop() {
            size += 1;
            let at = [index % nx, index / nx % ny, index / (nx * ny)];
            for axis in 0..3 {
                let n = [nx, ny, nz][axis];
                let mut visit = |neighbour: usize| {
                    if mask[neighbour] && component[neighbour] == 0 {
                        component[neighbour] = next;
                        queue.push(neighbour);
                    }
                };
                if at[axis] > 0 {
                    visit(index - strides[axis]);
                }
                if at[axis] + 1 < n {
                    visit(index + strides[axis]);
                }
            }
        }
        sizes.push(size);
    }
    (component, sizes)
}

/// The largest component of the voxels that are `true` (x fastest); ties go to the one whose first voxel comes first.
/// All `false` if there is none.
pub fn largest(mask: &[bool], dims: [usize; 3]) -> Vec<bool> {
    let (component, sizes) = connected_components(mask, dims);
    let top = sizes.iter().max().copied();
    let best = sizes.iter().position(|size| Some(*size) == top).map(|index| index as u32 + 1);
    component.into_iter().map(|c| Some(c) == best).collect()
}

/// First and last index of each component, per axis.
pub fn extents(mask: &[bool], dims: [usize; 3]) -> Vec<([usize; 3], [usize; 3])> {
    let (component, sizes) = connected_components(mask, dims);
    let mut found = vec![([usize::MAX; 3], [0; 3]); sizes.len()];
    for (index, &c) in component.iter().enumerate().filter(|(_, c)| **c != 0) {
        let (first, last) = &mut found[c as usize - 1];
        for (axis, at) in
            [index % dims[0], index / dims[0] % dims[1], index / (dims[0] * dims[1])].into_iter().enumerate()
        {
            first[axis] = first[axis].min(at);
            last[axis] = last[axis].max(at);
        }
    }
    found
}

/// First and last index of each cluster: the components after a closing with a cube of `2 radius + 1` voxels.
pub fn clusters(
    dims: [usize; 3],
    radius: usize,
    mut inside: impl FnMut(usize) -> bool,
) -> Vec<([usize; 3], [usize; 3])> {
    let Some((first, last)) = Region::extent(dims, &mut inside) else { return Vec::new() };
    // A closing stays within the extent of its set; a rim of `radius` voxels keeps windows within the array.
    let rim = 2 * radius;
    let side: [usize; 3] = std::array::from_fn(|axis| last[axis] + 1 - first[axis] + 2 * rim);
    let mut mask = vec![false; side.iter().product()];
    for (index, voxel) in mask.iter_mut().enumerate() {
        let at = [index % side[0], index / side[0] % side[1], index / (side[0] * side[1])];
        if (0..3).all(|a| (rim..side[a] - rim).contains(&at[a])) {
            let [x, y, z] = [0, 1, 2].map(|a| first[a] + at[a] - rim);
            *voxel = inside(x + dims[0] * (y + dims[1] * z));
        }
    }
    for wanted in [true, false] {
        (0..3).for_each(|axis| spread(&mut mask, side, axis, radius, wanted));
    }
    let back = |at: [usize; 3]| std::array::from_fn(|axis| first[axis] + at[axis] - rim);
    extents(&mask, side).into_iter().map(|(first, last)| (back(first), back(last))).collect()
}

/// Along one axis, sets every voxel within `radius` of one that is `wanted` to that value.
fn spread(mask: &mut [bool], dims: [usize; 3], axis: usize, radius: usize, wanted: bool) {
    let stride = [1, dims[0], dims[0] * dims[1]][axis];
    let n = dims[axis];
    let mut line = vec![false; n];
    for start in (0..mask.len()).filter(|index| (index / stride).is_multiple_of(n)) {
        (0..n).for_each(|i| line[i] = mask[start + i * stride]);
        for i in 0..n {
            if line[i.saturating_sub(radius)..(i + radius + 1).min(n)].contains(&wanted) {
                mask[start + i * stride] = wanted;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_of_two_stays_and_corners_do_not_connect() {
        let mask = [true, false, false, true, false, true, true, true, false]; // 3 x 3
        let kept = largest(&mask, [3, 3, 1]);
        assert_eq!(kept, [true, false, false, true, false, false, true, true, false]);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(largest(&[false; 8], [2, 2, 2]), [false; 8]);
        assert!(clusters([2, 2, 2], 2, |_| false).is_empty());
    }

    #[test]
    fn clusters_are_what_a_closing_joins() {
        let dims = [40, 5, 5];
        let at = |x: usize, y: usize, z: usize| x + dims[0] * (y + dims[1] * z);
        // Gaps of four voxels are filled, gaps of five are not.
        let voxels = [at(0, 0, 0), at(5, 0, 0), at(11, 0, 0), at(39, 4, 4)];
        let found = clusters(dims, 2, |i| voxels.contains(&i));
        assert_eq!(found, [([0, 0, 0], [5, 0, 0]), ([11, 0, 0], [11, 0, 0]), ([39, 4, 4], [39, 4, 4])]);
    }
}
