//! Millions of hostile inputs: no panic, none that takes long beside the others, memory within bounds, and what is read is sound.
//!
//! `INSITU_FUZZ_SECONDS` sets how long (5 by default), `INSITU_FUZZ_SEED` where it begins: every batch of inputs
//! is made from one number, so a failure comes again. `INSITU_CORPUS` names a file for the inputs and answers that
//! the wasm tests repeat.
#![cfg(not(feature = "net"))] // of the pure core, and run there
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::hostile::{Seed, inputs, seeds};
use common::not_run::{Need, not_run};
use insitu_seg::file::ByteSource;
use insitu_seg::{Limits, Result, Volume, VolumeFile, read_volume, write_labels};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::cell::Cell;
use std::time::{Duration, Instant};

const BATCH: u32 = 20_000;
/// The most that one input may take of the time of the whole run.
const SLOWEST: f64 = 0.25;

fn open((header, voxels): &Seed) -> Result<VolumeFile<'_>> {
    VolumeFile::open(ByteSource::of(header), voxels.as_deref().map(ByteSource::of), &Limits::default())
}

fn runner(seed: u64) -> TestRunner {
    let config =
        Config { cases: BATCH, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let bytes: [u8; 16] =
        std::array::from_fn(|i| (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (4 * i)) as u8 | 1);
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::XorShift, &bytes))
}

/// What is read must be whole, finite and writable again on the same grid.
fn sound(volume: &Volume) -> std::result::Result<(), &'static str> {
    let count = volume.grid.len();
    let claims = [
        (volume.voxels.len() == count * volume.channels, "the number of voxels"),
        (volume.voxels.iter().all(|v| v.is_finite()), "finite voxels"),
        (volume.grid.affine.iter().flatten().all(|v| v.is_finite()), "a finite affine"),
        (volume.grid.spacing().iter().all(|v| *v > 0.0), "positive spacings"),
        (volume.reorientation.ras_dims().iter().product::<usize>() == count, "the turned size"),
    ];
    if let Some((_, claim)) = claims.iter().find(|(holds, _)| !holds) {
        return Err(claim);
    }
    let labels: Vec<u8> = (0..count).map(|i| (i % 5) as u8).collect();
    let back = write_labels(&labels, volume, false).and_then(|bytes| read_volume(&bytes, &Limits::default()));
    match back {
        Ok(back)
            if back.grid == volume.grid
                && back.labels().is_ok_and(|l| back.reorientation.undo(&l) == labels) =>
        {
            Ok(())
        }
        _ => Err("a mask that comes back"),
    }
}

/// Reads an input both ways and checks what comes of it: whether it is read, and how long that took.
fn probe(seed: &Seed) -> std::result::Result<(bool, Duration), TestCaseError> {
    let started = Instant::now();
    let read = open(seed).and_then(VolumeFile::read);
    let read_statistics = open(seed).and_then(VolumeFile::read_statistics);
    let took = started.elapsed();
    let fail = |words: String| Err(TestCaseError::fail(words));
    match (read, read_statistics) {
        (Ok(volume), Ok((_, statistics, _))) => {
            if volume.nonfinite != statistics.nonfinite {
                return fail("reading and surveying differ".to_owned());
            }
            sound(&volume).map_err(|claim| TestCaseError::fail(format!("not there: {claim}")))?;
            Ok((true, took))
        }
        (Err(a), Err(b)) if a == b && !a.to_string().contains('\n') => Ok((false, took)),
        (a, b) => fail(format!("{:?} and {:?}", a.map(|_| ()), b.map(|_| ()))),
    }
}

/// Most memory that this process ever held, in MiB, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? >> 10)
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn no_input_breaks_the_reader() {
    let seeds = seeds();
    let seconds = number("INSITU_FUZZ_SECONDS", 5);
    let first = number("INSITU_FUZZ_SEED", 1);
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let work = |thread: u64| {
        let (mut batch, mut read, slowest) = (0, 0u64, Cell::new(Duration::ZERO));
        while batch == 0 || started.elapsed().as_secs() < seconds {
            let seed = first + batch * threads + thread;
            let strategy = inputs(seeds.len());
            let count = Cell::new(0u64);
            let run = runner(seed).run(&strategy, |input| {
                let (is_read, took) = probe(&input.bytes(&seeds))?;
                count.set(count.get() + u64::from(is_read));
                slowest.set(slowest.get().max(took));
                Ok(())
            });
            run.unwrap_or_else(|error| panic!("INSITU_FUZZ_SEED={seed}: {error}"));
            (batch, read) = (batch + 1, read + count.get());
        }
        (batch * u64::from(BATCH), read, slowest.get())
    };
    let (tried, read, slowest) = std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        let done = running.into_iter().map(|thread| thread.join().unwrap());
        done.fold((0, 0, Duration::ZERO), |a, b| (a.0 + b.0, a.1 + b.1, a.2.max(b.2)))
    });
    let took = started.elapsed();
    println!(
        "{tried} inputs from {} files in {:.0} s: {read} read, the rest refused, none broke; the slowest took \
         {slowest:.1?}",
        seeds.len(),
        took.as_secs_f64()
    );
    assert!(slowest.as_secs_f64() < SLOWEST * took.as_secs_f64(), "one input took {slowest:?} of {took:?}");
    assert!(read > tried / 50 && read < tried / 2, "{read} of {tried} are read: the inputs test little");
    match peak_mib() {
        Some(peak) => {
            println!("at most {peak} MiB in memory");
            assert!(peak < 512, "{peak} MiB");
        }
        None => not_run(Need::Machine, &"this system does not tell how much memory was taken"),
    }
}

/// What the wasm module must answer as well.
fn answer(seed: &Seed) -> String {
    match open(seed).and_then(VolumeFile::read_statistics) {
        Err(error) => format!("error {}", error.code()),
        Ok((header, found, _)) => {
            let dims: Vec<String> = header.shape.iter().map(usize::to_string).collect();
            format!("ok {} {} {} {}", dims.join("x"), found.min, found.max, found.nonfinite)
        }
    }
}

#[test]
fn inputs_and_answers_are_kept_for_wasm() {
    let seeds = seeds();
    let mut corpus = Vec::new();
    let mut write = |bytes: Option<&[u8]>| {
        corpus.extend(bytes.map_or(u32::MAX, |bytes| bytes.len() as u32).to_le_bytes());
        corpus.extend(bytes.unwrap_or_default());
    };
    let mut keep = |seed: &Seed| {
        write(Some(&seed.0));
        write(seed.1.as_deref());
        write(Some(answer(seed).as_bytes()));
    };
    seeds.iter().for_each(&mut keep);
    let keep = std::cell::RefCell::new(keep);
    let run = runner(0).run(&inputs(seeds.len()), |input| {
        keep.borrow_mut()(&input.bytes(&seeds));
        Ok(())
    });
    run.unwrap();
    // Every input has an answer: header, voxels and answer, each behind its length.
    assert!(corpus.len() > 12 * (BATCH as usize + seeds.len()));
    if let Ok(path) = std::env::var("INSITU_CORPUS") {
        std::fs::write(path, &corpus).unwrap();
    }
}
