//! From logits to labels.

/// Value of a voxel whose logit is no number.
pub const NOT_A_NUMBER: u8 = 255;

/// The labels of `voxels` voxels from logits `[outputs, voxels]`: the last output whose probability is above one half,
/// counted from 1, or 0; [`NOT_A_NUMBER`] where a logit is not finite.
pub fn labels(logits: &[f32], voxels: usize) -> Vec<u8> {
    let mut labels = vec![0; voxels];
    for (logits, label) in logits.chunks_exact(voxels).zip(1..) {
        for (voxel, logit) in labels.iter_mut().zip(logits) {
            if !logit.is_finite() {
                *voxel = NOT_A_NUMBER;
            } else if *logit > 0.0 && *voxel != NOT_A_NUMBER {
                *voxel = label;
            }
        }
    }
    labels
}
