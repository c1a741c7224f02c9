//! A header and its voxels in two files. The first two bytes of the input say where the header ends.
#![no_main]

use insitu_seg::file::ByteSource;
use insitu_seg::{Limits, VolumeFile};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { bytes: 64 << 20 };

fuzz_target!(|bytes: &[u8]| {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return };
    let (header, voxels) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes(*length))));
    let open = || VolumeFile::open(ByteSource::of(header), Some(ByteSource::of(voxels)), &LIMITS);
    // Reading and only looking answer alike.
    match (open().and_then(VolumeFile::read), open().and_then(VolumeFile::read_statistics)) {
        (Ok(volume), Ok((_, statistics, _))) => assert_eq!(volume.nonfinite, statistics.nonfinite),
        (Err(read), Err(statistics)) => assert_eq!(read, statistics),
        (read, statistics) => panic!("{:?} and {:?}", read.map(drop), statistics.map(drop)),
    }
});
