//! The box between the two networks: around the object, to be cropped and pasted.

/// How the box around an object is made from the object's extent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxRule {
    /// Shorter sides grow to this many voxels before the margin is added.
    pub min_box: usize,
    /// Share of a side that is added at each of its ends; one value per axis.
    pub margin: [f64; 3],
}

/// A half-open box `[start, end)` in a volume of size `full`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Size of the volume that holds the box.
    pub full: [usize; 3],
    /// First voxel.
    pub start: [usize; 3],
    /// One past the last voxel.
    pub end: [usize; 3],
}

impl Region {
    /// First and last index of the voxels for which `inside` holds, per axis; `None` where there are none.
    pub fn extent(
        dims: [usize; 3],
        mut inside: impl FnMut(usize) -> bool,
    ) -> Option<([usize; 3], [usize; 3])> {
        let (mut first, mut last) = ([usize::MAX; 3], [0; 3]);
        let mut index = 0;
        for z in 0..dims[2] {
            for y in 0..dims[1] {
                for x in 0..dims[0] {
                    if inside(index) {
                        for (axis, at) in [x, y, z].into_iter().enumerate() {
                            first[axis] = first[axis].min(at);
                            last[axis] = last[axis].max(at);
                        }
                    }
                    index += 1;
                }
            }
        }
        (first[0] != usize::MAX).then_some((first, last))
    }

    /// The box around an object with the given extent (first and last index) on a grid of `mask_dims`, in a
    /// volume of `full` voxels that shows the same field of view.
    ///
    /// As in the reference implementation, the start is scaled and floored; the *last index* is scaled, ceiled and taken as
    /// the open end, so that the last plane of the object is left out before the margin is added.
    pub fn around(
        first: [usize; 3],
        last: [usize; 3],
        mask_dims: [usize; 3],
        full: [usize; 3],
        rule: &BoxRule,
    ) -> Self {
        let (mut start, mut end) = ([0; 3], [0; 3]);
        for axis in 0..3 {
            let n = full[axis];
            let scale = n as f64 / mask_dims[axis] as f64;
            let mut s = (first[axis] as f64 * scale).floor() as usize;
            let mut e = ((last[axis] as f64 * scale).ceil() as usize).clamp(s, n);
            let mut grow = |by: usize| {
                s = s.saturating_sub(by);
                e = (e + by).min(n);
                e - s
            };
            let side = grow(0);
            let side = if side < rule.min_box { grow((rule.min_box - side).div_ceil(2)) } else { side };
            grow((side as f64 * rule.margin[axis]).ceil() as usize);
            (start[axis], end[axis]) = (s, e);
        }
        Self { full, start, end }
    }

    /// The box around the voxels of a mask of `mask_dims` for which `inside` holds, as [`Self::around`]; the whole
    /// volume where there are none.
    pub fn around_object(
        mask_dims: [usize; 3],
        full: [usize; 3],
        rule: &BoxRule,
        inside: impl FnMut(usize) -> bool,
    ) -> Self {
        match Self::extent(mask_dims, inside) {
            Some((first, last)) => Self::around(first, last, mask_dims, full, rule),
            None => Self::whole(full),
        }
    }

    /// The whole volume.
    pub fn whole(full: [usize; 3]) -> Self {
        Self { full, start: [0; 3], end: full }
    }

    /// Size of the box.
    pub fn dims(&self) -> [usize; 3] {
        std::array::from_fn(|axis| self.end[axis] - self.start[axis])
    }

    /// Calls `visit(start of the row in the volume, start of the row in the box, length)` for every row.
    fn rows(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let [nx, ny, _] = self.dims();
        let mut inner = 0;
        for z in self.start[2]..self.end[2] {
            for y in self.start[1]..self.start[1] + ny {
                visit(self.start[0] + self.full[0] * (y + self.full[1] * z), inner, nx);
                inner += nx;
            }
        }
    }

    /// The voxels inside the box; of several channels, one after the other.
    pub fn crop<T: Copy>(&self, voxels: &[T]) -> Vec<T> {
        let count: usize = self.full.iter().product();
        let mut inside = Vec::with_capacity(voxels.len() / count * self.dims().iter().product::<usize>());
        for channel in voxels.chunks_exact(count) {
            self.rows(|outer, _, n| inside.extend_from_slice(&channel[outer..outer + n]));
        }
        inside
    }

    /// The inverse of [`Self::crop`]: a volume of `T::default()` with `inside` in its place.
    pub fn paste<T: Copy + Default>(&self, inside: &[T]) -> Vec<T> {
        let mut voxels = vec![T::default(); self.full.iter().product()];
        self.rows(|outer, inner, n| voxels[outer..outer + n].copy_from_slice(&inside[inner..inner + n]));
        voxels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: BoxRule = BoxRule { min_box: 24, margin: [0.2; 3] };

    #[test]
    fn a_paste_puts_a_crop_back_where_it_was() {
        let region = Region { full: [4, 5, 6], start: [1, 2, 3], end: [3, 5, 4] };
        let voxels: Vec<u16> = (1..=120).collect();
        let crop = region.crop(&voxels);
        assert_eq!(crop.len(), 6);
        let pasted = region.paste(&crop);
        for (before, after) in voxels.iter().zip(&pasted) {
            assert!(*after == 0 || after == before);
        }
        assert_eq!(region.crop(&pasted), crop);
    }

    #[test]
    fn a_short_side_grows_before_the_margin_and_stays_inside() {
        let region = Region::around([50; 3], [60; 3], [100; 3], [100; 3], &RULE);
        assert_eq!((region.start, region.end), ([38; 3], [72; 3])); // 10 -> 24 -> 34
        let corner = Region::around([0; 3], [3; 3], [10; 3], [10; 3], &RULE);
        assert_eq!((corner.start, corner.end), ([0; 3], [10; 3]));
    }

    #[test]
    fn an_extent_of_nothing_is_none() {
        assert_eq!(Region::extent([2, 2, 2], |_| false), None);
        assert_eq!(Region::extent([2, 2, 2], |i| i == 5), Some(([1, 0, 1], [1, 0, 1])));
    }
}
