//! Weights on disk.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use insitu_seg::store::{self, Array, Precision, Weights};

#[test]
fn weights_survive_the_way_to_disk_and_back() {
    let array = Array { shape: vec![2, 3], values: vec![0.0, 1.0, -2.5, 1e-3, 65504.0, -0.125] };
    let weights = Weights::from([("a.b".to_owned(), array.clone())]);
    let exact = store::write_weights(&weights, Precision::F32, Default::default()).unwrap();
    assert_eq!(store::read_weights(&exact).unwrap()["a.b"], array);
    let half = store::write_weights(&weights, Precision::F16, Default::default()).unwrap();
    let back = store::read_weights(&half).unwrap();
    for (a, b) in back["a.b"].values.iter().zip(&array.values) {
        assert!((a - b).abs() <= 1e-3 * b.abs());
    }
    assert_eq!(store::read_weights(&half[..40]).unwrap_err().code(), "malformed");
    assert_eq!(store::check_hash("w", &half, "00").unwrap_err().code(), "malformed");
}
