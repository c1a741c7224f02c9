//! Training: cases, samples, loop. Nothing here knows the command line or the browser.

pub mod augment;
pub mod cases;
pub mod data;
pub mod draws;
pub mod fit;
pub mod prefetch;
pub mod sample;
pub mod steady;
mod window;
