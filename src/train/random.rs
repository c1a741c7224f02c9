//! The random numbers of training, tuning and phantoms.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

/// The generator of draw `index` under `seed`. Every draw has a generator of its own, so that any of them can be repeated
/// without those before it.
pub fn seeded_rng(seed: u64, index: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index))
}
