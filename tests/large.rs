//! A large CT: read and turned to RAS in the memory of its own voxels, in no more time than nibabel takes to read it.
//! The one test of this binary, so that the process's peak is its own.
#![cfg(not(feature = "net"))] // of the pure core, and run there
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::nifti::Made;
use common::not_run::{Need, not_run};
use insitu_seg::{Limits, VolumeFile, open_path};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const DIMS: [usize; 3] = [512, 512, 600];
const VOXELS: usize = DIMS[0] * DIMS[1] * DIMS[2];

/// Hounsfield units: air, tissue, a ramp through the slices.
fn write(path: &Path) {
    let mut made = Made::new([1, 1, 1], |_| 0);
    made.dim = [3, 512, 512, 600, 1, 1, 1, 1];
    let mut file = BufWriter::with_capacity(1 << 20, std::fs::File::create(path).unwrap());
    file.write_all(&made.header()).unwrap();
    let mut row = vec![0u8; 2 * DIMS[0]];
    for y in 0..DIMS[1] * DIMS[2] {
        for (x, value) in row.chunks_exact_mut(2).enumerate() {
            let unit = ((x * 7 + y * 13) % 2000) as i16 - 1000;
            value.copy_from_slice(&unit.to_le_bytes());
        }
        file.write_all(&row).unwrap();
    }
    file.flush().unwrap();
}

/// Lays the same voxels along other axes.
fn orient(path: &Path, rows: [[f32; 4]; 3]) {
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(280)).unwrap();
    rows.iter().flatten().for_each(|value| file.write_all(&value.to_le_bytes()).unwrap());
}

/// A line of `/proc/self/status` in bytes.
fn memory(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

/// Seconds that nibabel takes to read, and to read and turn: the same array that we make.
fn nibabel(python: &Path, path: &Path) -> [f64; 2] {
    let script = "import sys, time, numpy, nibabel\n\
        t = time.perf_counter(); nibabel.load(sys.argv[1]).get_fdata(dtype=numpy.float32)\n\
        print(time.perf_counter() - t)\n\
        t = time.perf_counter(); image = nibabel.as_closest_canonical(nibabel.load(sys.argv[1]))\n\
        numpy.asfortranarray(image.get_fdata(dtype=numpy.float32)); print(time.perf_counter() - t)";
    let run = Command::new(python).args(["-c", script]).arg(path).output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    let mut seconds = text.lines().map(|line| line.trim().parse().unwrap());
    [seconds.next().unwrap(), seconds.next().unwrap()]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn a_large_ct_is_turned_in_its_own_memory_and_as_fast_as_nibabel_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ct.nii");
    write(&path);
    let python = common::python(&["nibabel"]);
    let output = 4 * VOXELS as u64;
    for (name, rows) in [
        ("LPS", [[-0.75, 0.0, 0.0, 190.0], [0.0, -0.75, 0.0, 190.0], [0.0, 0.0, 1.0, -300.0]]),
        ("PSR", [[0.0, 0.0, 1.0, -300.0], [-0.75, 0.0, 0.0, 190.0], [0.0, 0.75, 0.0, -190.0]]),
    ] {
        orient(&path, rows);
        // "5" forgets the peak so far.
        let forgotten = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let before = memory("VmRSS:");
        for _ in 0..5 {
            let started = Instant::now();
            let volume = open_path(&path, &Limits::default()).and_then(VolumeFile::read).unwrap();
            ours.push(started.elapsed().as_secs_f64());
            assert_eq!((volume.voxels.len(), volume.grid.orientation().as_str()), (VOXELS, name));
            drop(volume);
            theirs.extend(python.as_ref().map(|python| nibabel(python, &path)));
        }
        match (forgotten, before, memory("VmHWM:")) {
            (true, Some(before), Some(peak)) => {
                let share = (peak - before) as f64 / output as f64;
                println!("{name}: peak {:.1} % of the {} MiB of voxels", 100.0 * share, output >> 20);
                assert!(share <= 1.1, "{name}: {share}");
            }
            _ => not_run(Need::Machine, &"this system does not tell how much memory was taken"),
        }
        let ours = median(ours);
        if theirs.is_empty() {
            println!("{name}: {ours:.2} s");
            continue;
        }
        let [reading, turning] = [0, 1].map(|n| median(theirs.iter().map(|seconds| seconds[n]).collect()));
        println!(
            "{name}: {ours:.2} s, {:.2} of nibabel's {reading:.2} s to read, {:.2} of its {turning:.2} s to read and turn",
            ours / reading,
            ours / turning
        );
        // nibabel maps the file and turns nothing. Half its speed is allowed: the times of a busy machine swing so far.
        let bound = if name == "LPS" { 2.0 * reading } else { turning };
        assert!(ours <= bound, "{name}: {ours} s");
    }
}
