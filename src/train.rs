//! Training: cases, samples, loop. Nothing here knows the command line or the browser.

pub mod augment;
mod ct_window;
pub mod dataset;
pub mod divergence;
pub mod manifest;
pub mod prefetch;
pub mod run;
pub mod sample;
pub mod sampler;
