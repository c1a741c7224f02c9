//! How a model is applied to an image.

/// How a model is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InferenceOptions {
    /// Axes, `[right, anterior, superior]`, for test-time augmentation: the networks run on the image mirrored along all
    /// combinations of them too, and probabilities are averaged. Only for models that were trained on mirrored images.
    pub flips: [bool; 3],
    /// Whether labels are resampled to the file's grid by nearest neighbours, as in the reference implementation, and not
    /// by interpolated probabilities.
    pub nearest: bool,
}

impl InferenceOptions {
    /// The flips of test-time augmentation: by axis, whether the image is mirrored.
    pub(super) fn tta_flips(self) -> Vec<[bool; 3]> {
        let views = (0..8).map(|bits| [0, 1, 2].map(|axis| bits >> axis & 1 == 1));
        views.filter(|view| (0..3).all(|axis| self.flips[axis] || !view[axis])).collect()
    }
}

/// Channels of size `dims`, mirrored along some axes.
pub(super) fn mirrored(values: &[f32], dims: [usize; 3], flips: [bool; 3]) -> Vec<f32> {
    let index = |axis: usize, at: usize| if flips[axis] { dims[axis] - 1 - at } else { at };
    let mut all = Vec::with_capacity(values.len());
    for channel in values.chunks_exact(dims.iter().product()) {
        for z in 0..dims[2] {
            for y in 0..dims[1] {
                let row = &channel[dims[0] * (index(1, y) + dims[1] * index(2, z))..][..dims[0]];
                if flips[0] {
                    all.extend(row.iter().rev());
                } else {
                    all.extend(row);
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flips_are_all_combinations_of_the_axes() {
        let views = |flips| InferenceOptions { flips, nearest: false }.tta_flips();
        assert_eq!(views([false; 3]), [[false; 3]]);
        assert_eq!(views([true, false, true]).len(), 4);
        assert_eq!(views([true; 3]).len(), 8);
    }

    #[test]
    fn what_is_mirrored_twice_is_as_before() {
        let dims = [3, 4, 2];
        let values: Vec<f32> = (0..48u8).map(f32::from).collect();
        for flips in (InferenceOptions { flips: [true; 3], nearest: false }).tta_flips() {
            let seen = mirrored(&values, dims, flips);
            assert_eq!(seen == values, flips == [false; 3]);
            assert_eq!(mirrored(&seen, dims, flips), values);
        }
        assert_eq!(mirrored(&values[..3], [3, 1, 1], [true, false, false]), [2.0, 1.0, 0.0]);
    }
}
