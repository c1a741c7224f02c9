//! Stored values to 32-bit floats, slab by slab, each value straight to its place in RAS order.
//!
//! Only the volume itself is ever held whole. A slab is a few planes: where the file's third axis becomes the
//! first one, values of neighbouring planes fall into the same cache line, so rows are written plane by plane
//! inside a slab. With one plane at a time a sagittal volume takes three times as long.

use super::Statistics;
use super::header::{DataType, Header};
use super::source::Stream;
use crate::error::{Error, Result};
use crate::grid::Turn;

/// Bytes of stored values that are held at a time.
const SLAB: usize = 2 << 20;

/// What is counted while values pass by.
pub(super) struct Tally {
    lowest: [f32; LANES],
    highest: [f32; LANES],
    sum: [f64; LANES],
    finite: [u32; LANES],
    seen: u64,
    found: u64,
}

/// Independent sums, so that the compiler can keep them in vector registers.
const LANES: usize = 16;

impl Tally {
    fn new() -> Self {
        let (lowest, highest) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        Self { lowest, highest, sum: [0.0; LANES], finite: [0; LANES], seen: 0, found: 0 }
    }

    fn add(&mut self, row: &[f32]) {
        let (chunks, rest) = row.as_chunks::<LANES>();
        chunks.iter().for_each(|chunk| self.lanes(chunk));
        for &value in rest {
            let mut padded = [f32::NAN; LANES];
            padded[0] = value;
            self.lanes(&padded);
        }
        self.seen += row.len() as u64;
        self.found += self.finite.iter().map(|&n| u64::from(n)).sum::<u64>();
        self.finite = [0; LANES];
    }

    fn lanes(&mut self, values: &[f32; LANES]) {
        for (lane, &value) in values.iter().enumerate() {
            let finite = value.abs() <= f32::MAX;
            let low = if finite { value } else { f32::INFINITY };
            let high = if finite { value } else { f32::NEG_INFINITY };
            self.lowest[lane] = if low < self.lowest[lane] { low } else { self.lowest[lane] };
            self.highest[lane] = if high > self.highest[lane] { high } else { self.highest[lane] };
            self.sum[lane] += f64::from(if finite { value } else { 0.0 });
            self.finite[lane] += u32::from(finite);
        }
    }

    /// # Errors
    /// `Malformed` where no value is finite.
    fn close(&self) -> Result<Statistics> {
        if self.found == 0 {
            return Err(Error::malformed("voxels", "no finite value at all", "at least one finite value"));
        }
        Ok(Statistics {
            min: self.lowest.iter().copied().fold(f32::INFINITY, f32::min).into(),
            max: self.highest.iter().copied().fold(f32::NEG_INFINITY, f32::max).into(),
            mean: self.sum.iter().sum::<f64>() / self.found as f64,
            nonfinite: self.seen - self.found,
        })
    }
}

/// The voxels in RAS order, channel after channel; values that are not finite become the smallest finite one.
pub(super) fn decode(source: &mut Stream, header: &Header, turn: &Turn) -> Result<(Vec<f32>, Statistics)> {
    let count = header.grid.len();
    let mut voxels = reserve(count * header.channels)?;
    let (start, step) = (turn.first(), turn.steps());
    let statistics = rows(source, header, |channel, [i, j, k], row| {
        let along = |axis: usize, index: usize| step[axis] * index as isize;
        let at = (start as isize + along(0, i) + along(1, j) + along(2, k)) as usize;
        let voxels = &mut voxels[channel * count..][..count];
        match step[0] {
            1 => voxels[at..at + row.len()].copy_from_slice(row),
            -1 => voxels[at + 1 - row.len()..=at].iter_mut().rev().zip(row).for_each(|(v, r)| *v = *r),
            stride => {
                let mut at = at as isize;
                for value in row {
                    voxels[at as usize] = *value;
                    at += stride;
                }
            }
        }
    })?;
    if statistics.nonfinite > 0 {
        let lowest = statistics.min as f32;
        voxels.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = lowest);
    }
    Ok((voxels, statistics))
}

/// The statistics alone; no voxel is kept.
pub(super) fn survey(source: &mut Stream, header: &Header) -> Result<Statistics> {
    rows(source, header, |_, _, _| {})
}

/// Zeros; refused where there is no such memory, which `vec!` would not survive.
fn reserve(count: usize) -> Result<Vec<f32>> {
    let mut probe: Vec<f32> = Vec::new();
    probe.try_reserve_exact(count).map_err(|_| {
        let found = format!("{} MiB, which this machine refuses", count >> 18);
        Error::limit("memory", found, "a volume that fits; crop it")
    })?;
    drop(probe);
    Ok(vec![0.0; count])
}

/// Reads all values and hands them over row by row: channel, first voxel of the row, values along x.
fn rows(
    source: &mut Stream,
    header: &Header,
    mut visit: impl FnMut(usize, [usize; 3], &[f32]),
) -> Result<Statistics> {
    let [nx, ny, nz] = header.grid.dims;
    let width = header.datatype.bytes();
    let fits = SLAB / width;
    // Whole planes, or whole rows of one plane, or a part of one row: always the file's own order.
    let si = nx.min(fits);
    let sj = if si == nx { ny.min((fits / nx).max(1)) } else { 1 };
    let sk = if sj == ny { nz.min((fits / (nx * ny)).max(1)) } else { 1 };
    let mut raw = vec![0; si * sj * sk * width];
    let mut row = vec![0.0; si];
    let mut tally = Tally::new();
    for channel in 0..header.channels {
        for k in (0..nz).step_by(sk) {
            for j in (0..ny).step_by(sj) {
                for i in (0..nx).step_by(si) {
                    let [ni, nj, nk] = [si.min(nx - i), sj.min(ny - j), sk.min(nz - k)];
                    let raw = &mut raw[..ni * nj * nk * width];
                    if source.fill(raw)? < raw.len() {
                        return Err(truncated(header));
                    }
                    for (y, z) in (0..nj).flat_map(|y| (0..nk).map(move |z| (y, z))) {
                        let row = &mut row[..ni];
                        convert(&raw[(z * nj + y) * ni * width..][..ni * width], header, row);
                        tally.add(row);
                        visit(channel, [i, j + y, k + z], row);
                    }
                }
            }
        }
    }
    tally.close()
}

fn truncated(header: &Header) -> Error {
    let expected = format!("{} bytes of voxels, as the sizes say", header.stored_bytes());
    Error::malformed("voxels", "a truncated file", expected)
}

/// Decodes a row of stored values.
fn convert(raw: &[u8], header: &Header, row: &mut [f32]) {
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

/// By way of 64-bit floats, scaled there.
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
