//! A safetensors file: refused, or weights that can be held against an architecture.
#![no_main]

use insitu_seg::model::Architecture;
use insitu_seg::store::{check_weights, read_metadata, read_weights};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_metadata(bytes);
    if let Ok(weights) = read_weights(bytes) {
        for array in weights.values() {
            assert_eq!(array.values.len(), array.shape.iter().product::<usize>());
        }
        let _ = check_weights(&Architecture::default(), &weights);
    }
});
