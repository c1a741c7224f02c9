//! Stored values as 32-bit floats, and their statistics.

use super::datatype::DataType;
use super::header::Header;
use crate::error::{Error, Result};

/// Smallest, largest and mean of the finite values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean value.
    pub mean: f64,
    /// Values that are NaN, infinite or beyond 32-bit floats.
    pub nonfinite: u64,
}

/// Decodes a row of stored values.
pub(super) fn convert(raw: &[u8], header: &Header, row: &mut [f32]) {
    let form = (header.fields.big_endian, header.applied_scaling());
    match header.datatype {
        DataType::U8 => each(raw, row, form, |[b]: [u8; 1]| f64::from(b)),
        DataType::I8 => each(raw, row, form, |[b]: [u8; 1]| f64::from(b as i8)),
        DataType::U16 => each(raw, row, form, |b| f64::from(u16::from_le_bytes(b))),
        DataType::I16 => each(raw, row, form, |b| f64::from(i16::from_le_bytes(b))),
        DataType::U32 => each(raw, row, form, |b| f64::from(u32::from_le_bytes(b))),
        DataType::I32 => each(raw, row, form, |b| f64::from(i32::from_le_bytes(b))),
        DataType::F32 => each(raw, row, form, |b| f64::from(f32::from_le_bytes(b))),
        DataType::U64 => each(raw, row, form, |b| u64::from_le_bytes(b) as f64),
        DataType::I64 => each(raw, row, form, |b| i64::from_le_bytes(b) as f64),
        DataType::F64 => each(raw, row, form, f64::from_le_bytes),
    }
}

/// Converts by way of 64-bit floats, in which values are scaled.
fn each<const N: usize>(
    raw: &[u8],
    row: &mut [f32],
    (big_endian, scaling): (bool, Option<(f64, f64)>),
    number: impl Fn([u8; N]) -> f64,
) {
    let pairs = row.iter_mut().zip(raw.as_chunks::<N>().0);
    let swapped = |mut bytes: [u8; N]| {
        bytes.reverse();
        bytes
    };
    match (big_endian, scaling) {
        (false, None) => pairs.for_each(|(value, b)| *value = number(*b) as f32),
        (true, None) => pairs.for_each(|(value, b)| *value = number(swapped(*b)) as f32),
        (false, Some((slope, inter))) => {
            pairs.for_each(|(value, b)| *value = (number(*b) * slope + inter) as f32);
        }
        (true, Some((slope, inter))) => {
            pairs.for_each(|(value, b)| *value = (number(swapped(*b)) * slope + inter) as f32);
        }
    }
}

/// Independent sums, so that the compiler can keep them in vector registers.
const LANES: usize = 8;

/// Statistics of the values that were added so far.
pub(super) struct RunningStatistics {
    lowest: f32,
    highest: f32,
    sum: f64,
    seen: u64,
    finite: u64,
}

impl RunningStatistics {
    pub fn new() -> Self {
        Self { lowest: f32::INFINITY, highest: f32::NEG_INFINITY, sum: 0.0, seen: 0, finite: 0 }
    }

    pub fn add(&mut self, row: &[f32]) {
        self.seen += row.len() as u64;
        let (lowest, highest, sum) = extremes(row);
        // 32-bit floats do not overflow a 64-bit sum, so a finite sum is one of finite values.
        if sum.is_finite() {
            let count = row.len() as u64;
            self.merge(&Self { lowest, highest, sum, seen: 0, finite: count });
            return;
        }
        for value in row.iter().copied().filter(|value| value.is_finite()) {
            self.merge(&Self { lowest: value, highest: value, sum: value.into(), seen: 0, finite: 1 });
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.lowest = self.lowest.min(other.lowest);
        self.highest = self.highest.max(other.highest);
        self.sum += other.sum;
        self.seen += other.seen;
        self.finite += other.finite;
    }

    /// # Errors
    /// `Malformed` where no value is finite.
    pub fn finish(&self) -> Result<Statistics> {
        if self.finite == 0 {
            return Err(Error::malformed(
                "voxels",
                "no finite value at all",
                "at least one that a 32-bit float can hold",
            ));
        }
        Ok(Statistics {
            min: self.lowest.into(),
            max: self.highest.into(),
            mean: self.sum / self.finite as f64,
            nonfinite: self.seen - self.finite,
        })
    }
}

/// Smallest and largest value and the sum of a row; of no meaning where the sum is not finite.
fn extremes(row: &[f32]) -> (f32, f32, f64) {
    let (mut low, mut high, mut sum) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES], [0.0; LANES]);
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            let value = chunk[lane];
            low[lane] = if value < low[lane] { value } else { low[lane] };
            high[lane] = if value > high[lane] { value } else { high[lane] };
            sum[lane] += f64::from(value);
        }
    }
    for &value in rest {
        (low[0], high[0], sum[0]) = (low[0].min(value), high[0].max(value), sum[0] + f64::from(value));
    }
    let lowest = low.into_iter().fold(f32::INFINITY, f32::min);
    (lowest, high.into_iter().fold(f32::NEG_INFINITY, f32::max), sum.into_iter().sum())
}
