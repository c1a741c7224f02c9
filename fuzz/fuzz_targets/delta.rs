//! A tuned model as one file.
#![no_main]

use insitu_seg::tune::WeightDelta;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(delta) = WeightDelta::read(bytes) {
        delta.write().expect("a delta that was read");
    }
});
