//! Refusals of arguments that make no sense.

use insitu_seg::{Error, Result};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Refuses a value outside of a range, NaN too.
pub fn within<T: PartialOrd + Display + Copy>(name: &str, value: T, range: RangeInclusive<T>) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    refuse(name, &value, &format!("{} to {}", range.start(), range.end()))
}

/// Refuses a lowest and a highest value outside of a range, or in the wrong order.
pub fn ordered(name: &str, [low, high]: [f64; 2], range: RangeInclusive<f64>) -> Result<()> {
    if range.contains(&low) && range.contains(&high) && low <= high {
        return Ok(());
    }
    let expected = format!("the lowest and the highest value, {} to {}", range.start(), range.end());
    refuse(name, &format!("{low},{high}"), &expected)
}

/// Refuses a value.
pub fn refuse<T>(name: &str, found: &impl ToString, expected: &str) -> Result<T> {
    Err(Error::argument(name, found.to_string(), expected))
}

/// Reads `LOW,HIGH`.
pub fn pair(text: &str) -> std::result::Result<[f64; 2], String> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[low, high]) => Ok([low, high]),
        _ => Err("expected two numbers, LOW,HIGH".to_owned()),
    }
}

/// Reads `HIGH`, which stands for `0,HIGH`, or `LOW,HIGH`.
pub fn up_to(text: &str) -> std::result::Result<[f64; 2], String> {
    if let Ok(high) = text.trim().parse() {
        return Ok([0.0, high]);
    }
    pair(text).map_err(|_| "expected a number, or two, LOW,HIGH".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_refused_in_words() {
        assert_eq!(
            (pair("0.9,1.1"), up_to("0.1"), up_to("0.1, 0.2")),
            (Ok([0.9, 1.1]), Ok([0.0, 0.1]), Ok([0.1, 0.2]))
        );
        assert!(pair("1").is_err() && up_to("a").is_err() && pair("1,2,3").is_err());
        assert!(within("--base", 257, 1..=256).is_err() && within("--shear", f64::NAN, 0.0..=1.0).is_err());
        let error = ordered("--zoom", [1.1, 0.9], 0.1..=10.0).map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("--zoom: found 1.1,0.9, expected the lowest and the highest value, 0.1 to 10".to_owned())
        );
    }
}
