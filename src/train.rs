//! Training: cases, samples, loop. Nothing here knows the command line or the browser.

pub mod data;
pub mod fit;
pub mod sample;
pub mod steady;
