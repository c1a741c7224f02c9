//! A model's card: refused, or one that is the same after it is written and read again.
#![no_main]

use insitu_seg::card::Card;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(card) = Card::read(bytes) else { return };
    let written = card.write().expect("a card that was read");
    let again = Card::read(&written).expect("a card that was written");
    assert_eq!(again.write().expect("a card that was read"), written);
});
