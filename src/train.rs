//! Training: cases, samples, loss, optimiser, loop. Nothing here knows the command line or the browser.

pub mod bench;
pub mod data;
pub mod fit;
pub mod loss;
pub mod network;
pub mod optimizer;
pub mod sample;
