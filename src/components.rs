//! Connected components of a binary mask.

/// The largest 6-connected component of the voxels that are `true` (x fastest); ties go to the one whose first
/// voxel comes first. All `false` if there is none.
pub fn largest(mask: &[bool], dims: [usize; 3]) -> Vec<bool> {
    let [nx, ny, nz] = dims;
    let strides = [1, nx, nx * ny];
    let mut component = vec![0u32; mask.len()]; // 0 = not visited
    let (mut best, mut best_size, mut next) = (0, 0, 0);
    let mut queue = Vec::new();
    for seed in 0..mask.len() {
        if !mask[seed] || component[seed] != 0 {
            continue;
        }
        next += 1;
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
        if size > best_size {
            (best, best_size) = (next, size);
        }
    }
    component.into_iter().map(|c| c == best && best != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::largest;

    #[test]
    fn the_larger_of_two_stays_and_corners_do_not_connect() {
        let mask = [true, false, false, true, false, true, true, true, false]; // 3 x 3
        let kept = largest(&mask, [3, 3, 1]);
        assert_eq!(kept, [true, false, false, true, false, false, true, true, false]);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(largest(&[false; 8], [2, 2, 2]), [false; 8]);
    }
}
