//! The operations of the network on the CPU, forward and backward, one file per operation.

pub mod add;
pub mod attention_gate;
pub mod conv;
pub mod conv_transpose;
pub mod conv_transpose_backward;
pub mod conv_weight;
mod correlation;
pub mod head_conv1x1;
pub mod input;
pub mod known_answer;
mod micro_kernel;
pub mod norm_act;
pub mod pool;
pub mod residual_add;
mod row_moments;
mod row_vectors;
mod scratch;
mod simd;
mod tile_rows;
mod winograd;
