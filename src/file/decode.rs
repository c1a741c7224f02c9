//! Decodes stored values to 32-bit floats, slab by slab, and writes each value to its place in RAS order.
//!
//! Only the decoded volume is held whole. A slab fits the second-level cache, so that bytes are decoded while they are
//! still cached. Where planes of the file are planes of the volume, as in an axial CT, every core decodes slabs of its
//! own. Where the file's third axis becomes the first, a slab holds more planes, whose values share cache lines.

use super::header::Header;
use super::resampled::Resampled;
use super::source::Stream;
use super::values::{RunningStatistics, Statistics, convert};
use super::voxels::{Voxels, check_allocatable};
use crate::error::{Error, Result};
use crate::grid::{Reorientation, Resample};
use std::sync::{Mutex, PoisonError};

/// Bytes of a slab.
const SLAB: usize = 1 << 19;
/// Bytes of a slab where values of neighbouring planes share cache lines.
const DEEP_SLAB: usize = 8 << 20;

/// Values of a row that are decoded at a time. Where they are scattered, each fills a cache line of its own, and all of
/// these lines have to stay cached until the neighbouring planes have filled them.
const BLOCK: usize = 128;

/// Where the voxels of one volume of the file are written: the memory index of the first one, and the stride along each
/// of the file's axes. Axes of one voxel are dropped and contiguous short rows are joined, so that rows are long.
struct VoxelStrides {
    dims: [usize; 3],
    steps: [isize; 3],
    first: usize,
}

impl VoxelStrides {
    fn new(dims: [usize; 3], reorientation: &Reorientation) -> Self {
        let mut axes: Vec<(usize, isize)> =
            dims.into_iter().zip(reorientation.steps()).filter(|axis| axis.0 > 1).collect();
        while let [(n, step), (m, next), ..] = axes[..]
            && n < BLOCK
            && next == step * n as isize
        {
            axes.splice(..2, [(n * m, step)]);
        }
        let whole = dims.iter().product::<usize>() as isize;
        axes.resize(3, (1, whole));
        let [(nx, x), (ny, y), (nz, z)] = [axes[0], axes[1], axes[2]];
        Self { dims: [nx, ny, nz], steps: [x, y, z], first: reorientation.index_of([0; 3]) }
    }

    fn index_of(&self, at: [usize; 3]) -> usize {
        let moved: isize = (0..3).map(|axis| self.steps[axis] * at[axis] as isize).sum();
        (self.first as isize + moved) as usize
    }

    /// Whether planes of the file are planes of the volume: each then fills a contiguous range of memory, in rising or in
    /// falling order.
    fn axial(&self) -> bool {
        self.steps[2].unsigned_abs() == self.dims[0] * self.dims[1]
    }

    /// Splits a volume into ranges of `depth` planes each, in the file's order.
    fn cut<'v>(&self, voxels: &'v mut [f32], depth: usize) -> Vec<Part<'v>> {
        let plane = self.dims[0] * self.dims[1];
        let backwards = self.axial() && self.steps[2] < 0;
        let stretches: Vec<&mut [f32]> = if backwards {
            voxels.rchunks_mut(plane * depth).collect()
        } else {
            voxels.chunks_mut(plane * depth).collect()
        };
        let part = |(n, voxels): (usize, &'v mut [f32])| {
            let (first, planes) = (n * depth, voxels.len() / plane);
            let start = match (self.axial(), backwards) {
                (false, _) => 0,
                (_, false) => first * plane,
                (_, true) => (self.dims[2] - first - planes) * plane,
            };
            Part { first, planes, start, voxels }
        };
        stretches.into_iter().enumerate().map(part).collect()
    }
}

/// The voxels in RAS order, channel after channel; values that are not finite become the smallest finite one.
/// No statistics are taken of integer types, whose values are all finite: they would cost a third of the time.
pub(super) fn decode(
    source: &mut Stream,
    header: &Header,
    reorientation: &Reorientation,
) -> Result<(Voxels, Option<Statistics>)> {
    let count = header.grid.len();
    let mut voxels = Voxels::zeros(count * header.channels)?;
    let strides = VoxelStrides::new(header.grid.dims, reorientation);
    let deep = strides.steps[2].abs() == 1;
    let bytes = if deep { DEEP_SLAB.min(4 * count / 16) } else { SLAB };
    let slab = slab_shape(strides.dims, bytes, header);
    let whole_planes = slab[..2] == strides.dims[..2];
    let depth = if strides.axial() && whole_planes { slab[2] } else { strides.dims[2] };
    let parts = voxels.chunks_mut(count).flat_map(|voxels| strides.cut(voxels, depth)).collect();
    let counted = !header.exact();
    let job = DecodeJob { header, dims: strides.dims, slab, counted };
    let running = job.run(source, parts, &|part, at, piece| {
        scatter(piece, part.voxels, strides.index_of(at) - part.start, strides.steps[0]);
    })?;
    let statistics = if counted { Some(running.finish()?) } else { None };
    fill_nonfinite(&mut voxels, statistics.as_ref());
    Ok((voxels, statistics))
}

/// The values on another size, in the order of each of the reorientations and one after the other, channel after channel; else
/// as [`decode`]. No voxel that is not read by the new size is kept.
pub(super) fn decode_resampled(
    source: &mut Stream,
    header: &Header,
    step: &Resample,
    orders: &[Reorientation],
) -> Result<(Vec<f32>, Option<Statistics>)> {
    let (dims, count) = (header.grid.dims, step.to.iter().product::<usize>());
    check_allocatable(count * orders.len() * header.channels)?;
    let mut values = vec![0.0; count * orders.len() * header.channels];
    let whole = |voxels| Part { first: 0, planes: dims[2], start: 0, voxels };
    let parts = values.chunks_mut(count * orders.len()).map(whole).collect();
    let ways: Vec<Resampled> = orders.iter().map(|order| Resampled::new(step, order)).collect();
    let job = DecodeJob { header, dims, slab: slab_shape(dims, SLAB, header), counted: !header.exact() };
    let running = job.run(source, parts, &|part, at, piece| {
        part.voxels.chunks_mut(count).zip(&ways).for_each(|(to, way)| way.write(at, piece, to));
    })?;
    let statistics = if job.counted { Some(running.finish()?) } else { None };
    fill_nonfinite(&mut values, statistics.as_ref());
    Ok((values, statistics))
}

/// Values that are not finite become the smallest finite one.
fn fill_nonfinite(values: &mut [f32], statistics: Option<&Statistics>) {
    let Some(lowest) = statistics.filter(|found| found.nonfinite > 0).map(|found| found.min as f32) else {
        return;
    };
    values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = lowest);
}

/// The statistics alone; no voxel is kept. The file is read as one long row, as the order does not matter.
pub(super) fn read_statistics(source: &mut Stream, header: &Header) -> Result<Statistics> {
    let dims = [header.grid.len() * header.channels, 1, 1];
    let job = DecodeJob { header, dims, slab: slab_shape(dims, SLAB, header), counted: true };
    let whole = Part { first: 0, planes: 1, start: 0, voxels: &mut [] };
    job.run(source, vec![whole], &|_, _, _| {})?.finish()
}

/// Writes values from the memory index `at` on, `step` apart.
fn scatter(values: &[f32], voxels: &mut [f32], at: usize, step: isize) {
    let stride = step.unsigned_abs();
    match step {
        1 => voxels[at..at + values.len()].copy_from_slice(values),
        -1 => voxels[at + 1 - values.len()..=at].iter_mut().rev().zip(values).for_each(|(v, p)| *v = *p),
        0.. => voxels[at..].iter_mut().step_by(stride).zip(values).for_each(|(v, p)| *v = *p),
        _ => voxels[..=at].iter_mut().rev().step_by(stride).zip(values).for_each(|(v, p)| *v = *p),
    }
}

/// Planes of the file with the range of memory that they fill; a whole volume where planes do not stay planes.
struct Part<'v> {
    first: usize,
    planes: usize,
    /// The index within the volume at which the range begins.
    start: usize,
    voxels: &'v mut [f32],
}

/// Voxels along x, y, z of a slab of `bytes` bytes: whole planes, or whole rows of one plane, or a part of one row.
fn slab_shape([nx, ny, nz]: [usize; 3], bytes: usize, header: &Header) -> [usize; 3] {
    let fits = bytes.max(1 << 16) / header.datatype.bytes();
    let x = nx.min(fits);
    let y = if x == nx { ny.min((fits / nx).max(1)) } else { 1 };
    let z = if y == ny { nz.min((fits / (nx * ny)).max(1)) } else { 1 };
    [x, y, z]
}

/// What every worker does.
struct DecodeJob<'h> {
    header: &'h Header,
    /// Voxels along the joined axes.
    dims: [usize; 3],
    /// Voxels of a slab, at most.
    slab: [usize; 3],
    /// Whether statistics are wanted.
    counted: bool,
}

/// Takes a piece of a row: part, first voxel, values along x. Behind a pointer, as all that decodes would else be compiled
/// once for each of them.
#[cfg(not(target_arch = "wasm32"))]
type Visit<'f> = &'f (dyn Fn(&mut Part<'_>, [usize; 3], &[f32]) + Sync);
#[cfg(target_arch = "wasm32")]
type Visit<'f> = &'f dyn Fn(&mut Part<'_>, [usize; 3], &[f32]);

/// Parts in the file's order and the source that they are read from, one worker at a time.
struct Queue<'a, 'v, 's> {
    source: &'a mut Stream<'s>,
    parts: std::vec::IntoIter<Part<'v>>,
}

impl DecodeJob<'_> {
    /// Decodes all parts, on every core where there are many, and hands them over in pieces of rows.
    fn run(&self, source: &mut Stream, parts: Vec<Part<'_>>, visit: Visit<'_>) -> Result<RunningStatistics> {
        let many = parts.len() > 8;
        let queue = Mutex::new(Queue { source, parts: parts.into_iter() });
        let one = || self.work(&queue, visit);
        if many { on_every_core(one) } else { one() }
    }

    /// Takes part after part from the queue. The source is held while a slab is read, and given up before the last
    /// slab of a part is decoded, so that the next worker reads meanwhile.
    fn work(&self, queue: &Mutex<Queue<'_, '_, '_>>, visit: Visit<'_>) -> Result<RunningStatistics> {
        let ([nx, ny, _], [sx, sy, sz]) = (self.dims, self.slab);
        let width = self.header.datatype.bytes();
        let mut raw = vec![0; sx * sy * sz * width];
        let mut running = RunningStatistics::new();
        loop {
            let mut held = Some(queue.lock().unwrap_or_else(PoisonError::into_inner));
            let Some(mut part) = held.as_mut().and_then(|queue| queue.parts.next()) else {
                return Ok(running);
            };
            let end = part.first + part.planes;
            let planes = (part.first..end).step_by(sz);
            let rows = planes.flat_map(|k| (0..ny).step_by(sy).map(move |j| (k, j)));
            let mut firsts = rows.flat_map(|(k, j)| (0..nx).step_by(sx).map(move |i| [i, j, k])).peekable();
            while let Some([i, j, k]) = firsts.next() {
                let size = [sx.min(nx - i), sy.min(ny - j), sz.min(end - k)];
                let raw = &mut raw[..size.iter().product::<usize>() * width];
                if let Some(queue) = &mut held
                    && queue.source.fill(raw)? < raw.len()
                {
                    return Err(truncated(self.header));
                }
                if firsts.peek().is_none() {
                    held = None;
                }
                slab(raw, size, self.header, |[x, y, z], piece| {
                    if self.counted {
                        running.add(piece);
                    }
                    visit(&mut part, [i + x, j + y, k + z], piece);
                });
            }
        }
    }
}

/// A browser has one thread.
#[cfg(target_arch = "wasm32")]
fn on_every_core(one: impl Fn() -> Result<RunningStatistics>) -> Result<RunningStatistics> {
    one()
}

/// Runs on every core for which a thread can be started.
#[cfg(not(target_arch = "wasm32"))]
fn on_every_core(one: impl Fn() -> Result<RunningStatistics> + Sync) -> Result<RunningStatistics> {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    std::thread::scope(|scope| {
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, &one).ok();
        let others: Vec<_> = (1..cores).filter_map(start).collect();
        let mut running = one()?;
        for other in others {
            // A thread that panicked panics here too, as it would have without threads.
            running.merge(&other.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))?);
        }
        Ok(running)
    })
}

/// Decodes a slab and hands it over in pieces of rows.
fn slab(raw: &[u8], [nx, ny, nz]: [usize; 3], header: &Header, mut visit: impl FnMut([usize; 3], &[f32])) {
    let width = header.datatype.bytes();
    let mut block = [0.0; BLOCK];
    for y in 0..ny {
        for x in (0..nx).step_by(BLOCK) {
            let block = &mut block[..BLOCK.min(nx - x)];
            for z in 0..nz {
                let at = x + nx * (y + ny * z);
                convert(&raw[at * width..][..block.len() * width], header, block);
                visit([x, y, z], block);
            }
        }
    }
}

fn truncated(header: &Header) -> Error {
    let expected = format!("{} bytes of voxels, as the sizes say", header.stored_bytes());
    Error::malformed("voxels", "a truncated file", expected)
}
