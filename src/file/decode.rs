//! Stored values to 32-bit floats, slab by slab, each value straight to its place in RAS order.
//!
//! Only the volume itself is ever held whole. A slab is a few planes: where the file's third axis becomes the
//! first one, values of neighbouring planes fall into the same cache line, so rows are written plane by plane
//! inside a slab. With one plane at a time a volume of sagittal slices
//! takes three times as long.

use super::Statistics;
use super::header::{DataType, Header};
use super::source::Stream;
use crate::error::{Error, Result};
use crate::grid::Turn;

/// Most bytes of stored values that are held at a time.
const SLAB: usize = 8 << 20;

/// Independent sums, so that the compiler can keep them in vector registers.
const LANES: usize = 8;

/// What is counted while values pass by.
struct Tally {
    lowest: f32,
    highest: f32,
    sum: f64,
    seen: u64,
    finite: u64,
}

impl Tally {
    fn new() -> Self {
        Self { lowest: f32::INFINITY, highest: f32::NEG_INFINITY, sum: 0.0, seen: 0, finite: 0 }
    }

    fn add(&mut self, row: &[f32]) {
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

    fn merge(&mut self, other: &Self) {
        self.lowest = self.lowest.min(other.lowest);
        self.highest = self.highest.max(other.highest);
        self.sum += other.sum;
        self.seen += other.seen;
        self.finite += other.finite;
    }

    /// # Errors
    /// `Malformed` where no value is finite.
    fn close(&self) -> Result<Statistics> {
        if self.finite == 0 {
            return Err(Error::malformed("voxels", "no finite value at all", "at least one finite value"));
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

/// The voxels in RAS order, channel after channel; values that are not finite become the smallest finite one.
pub(super) fn decode(source: &mut Stream, header: &Header, turn: &Turn) -> Result<(Vec<f32>, Statistics)> {
    let count = header.grid.len();
    let mut voxels = reserve(count * header.channels)?;
    let [nx, ny, _] = turn.turned_dims();
    let last = turn.from_axis()[2];
    let mut tally = Tally::new();
    slabs(source, header, |channel, slab, raw| {
        // Parts of a slab that differ in the last RAS axis fall into stretches of their own.
        let mut parts = slab.split(last, threads(slab.len()));
        if turn.flipped()[2] {
            parts.reverse();
        }
        let mut rest = &mut voxels[channel * count..][..count];
        let mut passed = 0;
        let jobs = parts.into_iter().map(|part| {
            let from = turn.index_of(if turn.flipped()[2] { part.end() } else { part.first }) / (nx * ny);
            let (start, end) = (from * nx * ny, (from + part.size[last]) * nx * ny);
            let (stretch, behind) = std::mem::take(&mut rest)[start - passed..].split_at_mut(end - start);
            (rest, passed) = (behind, end);
            move || place(raw, header, turn, (slab, &part), stretch, start)
        });
        together(jobs.collect()).iter().for_each(|part| tally.merge(part));
    })?;
    let statistics = tally.close()?;
    if statistics.nonfinite > 0 {
        let lowest = statistics.min as f32;
        voxels.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = lowest);
    }
    Ok((voxels, statistics))
}

/// The statistics alone; no voxel is kept.
pub(super) fn survey(source: &mut Stream, header: &Header) -> Result<Statistics> {
    let mut tally = Tally::new();
    slabs(source, header, |_, slab, raw| {
        let parts = slab.split(slab.longest(), threads(slab.len()));
        let jobs = parts.into_iter().map(|part| move || rows(raw, header, (slab, &part), |_, _| {}));
        together(jobs.collect()).iter().for_each(|part| tally.merge(part));
    })?;
    tally.close()
}

/// Writes a part of a slab to its stretch of the volume, which begins at the memory index `start`.
fn place(
    raw: &[u8],
    header: &Header,
    turn: &Turn,
    part: (&Slab, &Slab),
    stretch: &mut [f32],
    start: usize,
) -> Tally {
    let step = turn.steps()[0];
    rows(raw, header, part, |at, row| {
        let at = turn.index_of(at) - start;
        match step {
            1 => stretch[at..at + row.len()].copy_from_slice(row),
            -1 => stretch[at + 1 - row.len()..=at].iter_mut().rev().zip(row).for_each(|(v, r)| *v = *r),
            _ => {
                let mut at = at as isize;
                for value in row {
                    stretch[at as usize] = *value;
                    at += step;
                }
            }
        }
    })
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

/// A box of voxels in the file's own axes: whole planes, or whole rows of one plane, or a part of one row.
struct Slab {
    first: [usize; 3],
    size: [usize; 3],
}

impl Slab {
    fn len(&self) -> usize {
        self.size.iter().product()
    }

    /// The last voxel.
    fn end(&self) -> [usize; 3] {
        std::array::from_fn(|axis| self.first[axis] + self.size[axis] - 1)
    }

    fn longest(&self) -> usize {
        if self.size[2] > 1 { 2 } else { usize::from(self.size[1] > 1) }
    }

    /// At most `count` boxes of about the same size, one after the other along an axis.
    fn split(&self, axis: usize, count: usize) -> Vec<Self> {
        let step = self.size[axis].div_ceil(count.max(1));
        let part = |at: usize| {
            let (mut first, mut size) = (self.first, self.size);
            (first[axis], size[axis]) = (first[axis] + at, step.min(size[axis] - at));
            Self { first, size }
        };
        (0..self.size[axis]).step_by(step).map(part).collect()
    }
}

/// Reads all stored values, slab by slab in the file's order: channel, box, bytes.
fn slabs(source: &mut Stream, header: &Header, mut visit: impl FnMut(usize, &Slab, &[u8])) -> Result<()> {
    let [nx, ny, nz] = header.grid.dims;
    let width = header.datatype.bytes();
    // A sixteenth of the volume, so that a slab is no burden beside it.
    let fits = (header.grid.len() * 4 / 16).clamp(1 << 16, SLAB) / width;
    let si = nx.min(fits);
    let sj = if si == nx { ny.min((fits / nx).max(1)) } else { 1 };
    let sk = if sj == ny { nz.min((fits / (nx * ny)).max(1)) } else { 1 };
    let mut raw = vec![0; si * sj * sk * width];
    for channel in 0..header.channels {
        for k in (0..nz).step_by(sk) {
            for j in (0..ny).step_by(sj) {
                for i in (0..nx).step_by(si) {
                    let slab =
                        Slab { first: [i, j, k], size: [si.min(nx - i), sj.min(ny - j), sk.min(nz - k)] };
                    let raw = &mut raw[..slab.len() * width];
                    if source.fill(raw)? < raw.len() {
                        return Err(truncated(header));
                    }
                    visit(channel, &slab, raw);
                }
            }
        }
    }
    Ok(())
}

/// Decodes a part of a slab and hands it over row by row: first voxel, values along x.
fn rows(
    raw: &[u8],
    header: &Header,
    (slab, part): (&Slab, &Slab),
    mut visit: impl FnMut([usize; 3], &[f32]),
) -> Tally {
    let width = header.datatype.bytes();
    let [ni, nj, nk] = part.size;
    let [i, j, k]: [usize; 3] = std::array::from_fn(|axis| part.first[axis] - slab.first[axis]);
    let mut row = vec![0.0; ni];
    let mut tally = Tally::new();
    for (y, z) in (0..nj).flat_map(|y| (0..nk).map(move |z| (y, z))) {
        let at = i + slab.size[0] * (j + y + slab.size[1] * (k + z));
        convert(&raw[at * width..][..ni * width], header, &mut row);
        tally.add(&row);
        visit([part.first[0], part.first[1] + y, part.first[2] + z], &row);
    }
    tally
}

/// Threads worth starting for so many voxels; one in a browser.
fn threads(voxels: usize) -> usize {
    if cfg!(target_arch = "wasm32") || voxels < 1 << 18 {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, |n| n.get().min(8))
}

/// Does all jobs at the same time.
fn together<F: FnOnce() -> Tally + Send>(mut jobs: Vec<F>) -> Vec<Tally> {
    let Some(own) = jobs.pop() else { return Vec::new() };
    if jobs.is_empty() {
        return vec![own()];
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = jobs.into_iter().map(|job| scope.spawn(job)).collect();
        let mut done = vec![own()];
        // A thread that panicked panics here too, as it would have without threads.
        done.extend(
            running
                .into_iter()
                .map(|job| job.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))),
        );
        done
    })
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
