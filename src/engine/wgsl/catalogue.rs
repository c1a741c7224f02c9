//! All kernels of training, for checks.

use super::kernel::Kernel;
use super::{
    adamw, attention_gate, conv, conv_transpose, gather, head_conv1x1, loss, norm_act, pool, residual_add,
    squeeze_excite, sum,
};

/// The kernels that only training uses.
pub const TRAINING: [Kernel; 24] = [
    norm_act::STATS,
    norm_act::SUMS,
    norm_act::COEFFICIENTS,
    norm_act::APPLY,
    conv::WEIGHT_GRAD,
    pool::BACKWARD,
    residual_add::BACKWARD,
    attention_gate::BACKWARD_INNER,
    attention_gate::BACKWARD,
    conv_transpose::BACKWARD,
    conv_transpose::WEIGHT_GRAD,
    loss::SUMS,
    loss::TOTAL,
    loss::BACKWARD,
    loss::GIVEN,
    head_conv1x1::BACKWARD,
    head_conv1x1::WEIGHT_GRAD,
    sum::SUM,
    gather::GATHER,
    squeeze_excite::FORWARD,
    squeeze_excite::BACKWARD,
    adamw::SQUARES,
    adamw::CLIP,
    adamw::STEP,
];
