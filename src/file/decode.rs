//! Stored values to 32-bit floats, slab by slab, each value straight to its place in RAS order.
//!
//! Only the volume itself is ever held whole, and speed is a matter of caches. A slab fits the second level, so
//! that bytes are decoded where they were just read to; where the file's planes stay planes, as in an axial CT,
//! every core reads and decodes slabs of its own. Only where the file's third axis becomes the first one a slab
//! holds more planes: their values fall into the same cache lines.

use super::Statistics;
use super::header::Header;
use super::source::Stream;
use super::values::{Tally, convert};
use super::voxels::Voxels;
use crate::error::{Error, Result};
use crate::grid::Turn;
use std::sync::{Mutex, PoisonError};

/// Bytes of stored values that are held at a time.
const SLAB: usize = 1 << 19;
/// The same where values of neighbouring planes lie side by side.
const DEEP_SLAB: usize = 8 << 20;

/// Values of a row that are decoded at a time: where they are scattered, as many cache lines stay at hand until the
/// neighbouring planes have filled them.
const BLOCK: usize = 128;

/// The voxels in RAS order, channel after channel; values that are not finite become the smallest finite one.
/// Where all of them are finite by their type nothing is counted: that would take a third of the time.
pub(super) fn decode(
    source: &mut Stream,
    header: &Header,
    turn: &Turn,
) -> Result<(Voxels, Option<Statistics>)> {
    let count = header.grid.len();
    let mut voxels = Voxels::zeros(count * header.channels)?;
    let steps = turn.steps();
    let plane = header.grid.dims[0] * header.grid.dims[1];
    let axial = steps[2].unsigned_abs() == plane;
    let bytes = if steps[2].abs() == 1 { DEEP_SLAB.min(count / 4) } else { SLAB };
    let shape = slab_shape(header, bytes);
    let depth = if axial && shape[0] * shape[1] == plane { shape[2] } else { header.grid.dims[2] };
    let mut parts = Vec::new();
    for voxels in voxels.chunks_mut(count) {
        // The first planes of the file are the last ones of a stretch that runs the other way.
        let stretches: Vec<&mut [f32]> = match steps[2] {
            ..0 if axial => voxels.rchunks_mut(plane * depth).collect(),
            _ => voxels.chunks_mut(plane * depth).collect(),
        };
        for (n, voxels) in stretches.into_iter().enumerate() {
            let (first, planes) = (n * depth, voxels.len() / plane);
            let low = if steps[2] < 0 { first + planes - 1 } else { first };
            let start = if axial { turn.index_of([0, 0, low]) / plane * plane } else { 0 };
            parts.push(Part { first, planes, start, voxels });
        }
    }
    let counted = !header.exact();
    let tally = work(source, header, shape, counted, parts, |part, at, piece| {
        let (voxels, at) = (&mut *part.voxels, turn.index_of(at) - part.start);
        match steps[0] {
            1 => voxels[at..at + piece.len()].copy_from_slice(piece),
            -1 => voxels[at + 1 - piece.len()..=at].iter_mut().rev().zip(piece).for_each(|(v, p)| *v = *p),
            step if step > 0 => {
                let places = voxels[at..].iter_mut().step_by(step.unsigned_abs());
                places.zip(piece).for_each(|(v, p)| *v = *p);
            }
            step => {
                let places = voxels[..=at].iter_mut().rev().step_by(step.unsigned_abs());
                places.zip(piece).for_each(|(v, p)| *v = *p);
            }
        }
    })?;
    if !counted {
        return Ok((voxels, None));
    }
    let statistics = tally.close()?;
    if statistics.nonfinite > 0 {
        let lowest = statistics.min as f32;
        voxels.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = lowest);
    }
    Ok((voxels, Some(statistics)))
}

/// The statistics alone; no voxel is kept.
pub(super) fn survey(source: &mut Stream, header: &Header) -> Result<Statistics> {
    let shape = slab_shape(header, SLAB);
    let planes = header.grid.dims[2];
    let whole = || Part { first: 0, planes, start: 0, voxels: &mut [] };
    let parts = (0..header.channels).map(|_| whole()).collect();
    work(source, header, shape, true, parts, |_, _, _| {})?.close()
}

/// Planes of the file with the stretch of the volume that they fill; whole volumes where planes do not stay planes.
struct Part<'v> {
    first: usize,
    planes: usize,
    /// The memory index at which the stretch begins, in its volume.
    start: usize,
    voxels: &'v mut [f32],
}

/// Voxels along x, y, z of a slab of so many bytes: whole planes, or whole rows of one plane, or a part of one row.
fn slab_shape(header: &Header, bytes: usize) -> [usize; 3] {
    let [nx, ny, nz] = header.grid.dims;
    let fits = bytes.max(1 << 16) / header.datatype.bytes();
    let x = nx.min(fits);
    let y = if x == nx { ny.min((fits / nx).max(1)) } else { 1 };
    let z = if y == ny { nz.min((fits / (nx * ny)).max(1)) } else { 1 };
    [x, y, z]
}

/// Parts in the file's order and the source that they are read from, one worker at a time.
struct Queue<'a, 'v, 's> {
    source: &'a mut Stream<'s>,
    parts: std::vec::IntoIter<Part<'v>>,
}

/// Decodes all parts, on every core where there are many, and hands them over in pieces of rows: part, first voxel,
/// values along x.
fn work<'v>(
    source: &mut Stream,
    header: &Header,
    shape: [usize; 3],
    counted: bool,
    parts: Vec<Part<'v>>,
    visit: impl Fn(&mut Part<'v>, [usize; 3], &[f32]) + Sync,
) -> Result<Tally> {
    let many = parts.len() > 8;
    let queue = Mutex::new(Queue { source, parts: parts.into_iter() });
    let one = || worker(&queue, header, shape, counted, &visit);
    if many { on_every_core(one) } else { one() }
}

/// In a browser there is one.
#[cfg(target_arch = "wasm32")]
fn on_every_core(one: impl Fn() -> Result<Tally>) -> Result<Tally> {
    one()
}

#[cfg(not(target_arch = "wasm32"))]
fn on_every_core(one: impl Fn() -> Result<Tally> + Sync) -> Result<Tally> {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|_| scope.spawn(&one)).collect();
        let mut tally = one()?;
        for other in others {
            // A thread that panicked panics here too, as it would have without threads.
            tally.merge(&other.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))?);
        }
        Ok(tally)
    })
}

/// Takes part after part from the queue. The source is held while a slab is read, and given up before the last slab
/// of a part is decoded, so that the next worker reads meanwhile.
fn worker<'v>(
    queue: &Mutex<Queue<'_, 'v, '_>>,
    header: &Header,
    [sx, sy, sz]: [usize; 3],
    counted: bool,
    visit: &impl Fn(&mut Part<'v>, [usize; 3], &[f32]),
) -> Result<Tally> {
    let [nx, ny, _] = header.grid.dims;
    let width = header.datatype.bytes();
    let mut raw = vec![0; sx * sy * sz * width];
    let mut tally = Tally::new();
    loop {
        let mut held = Some(queue.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(mut part) = held.as_mut().and_then(|queue| queue.parts.next()) else { return Ok(tally) };
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
                return Err(truncated(header));
            }
            if firsts.peek().is_none() {
                held = None;
            }
            slab(raw, size, header, |[x, y, z], piece| {
                if counted {
                    tally.add(piece);
                }
                visit(&mut part, [i + x, j + y, k + z], piece);
            });
        }
    }
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
