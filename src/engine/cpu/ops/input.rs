//! What an operation reads.

use crate::engine::nn::scale_shift::ScaleShift;

/// A map as it is read.
pub struct Input<'a> {
    /// `[z, c, y, x]`
    pub data: &'a [f32],
    /// One per channel.
    pub scale_shifts: Vec<ScaleShift>,
}
