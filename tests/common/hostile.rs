//! Hostile inputs by the million: files that were right, then changed where it hurts.

use super::mgh::MadeMgh;
use super::nifti::Made;
use proptest::prelude::*;

/// One change of a file's bytes; places are taken modulo its length.
#[derive(Debug, Clone)]
pub enum Change {
    Flip(u32, u8),
    Byte(u32, u8),
    /// A header field of NIfTI-1, NIfTI-2 or MGH, set to a value that breaks readers.
    Field(u16, Value),
    Cut(u32),
    Grow(u16, u8),
}

/// Values that break readers, in the widths that headers have.
#[derive(Debug, Clone)]
pub enum Value {
    Short(i16),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
}

/// How the changed bytes are handed over.
#[derive(Debug, Clone, Copy)]
pub enum Packing {
    Plain,
    /// Whole in itself, with a right checksum.
    Gzip,
    /// Gzip, then changed.
    Damaged,
}

/// An input: which file, what is done to it.
#[derive(Debug, Clone)]
pub struct Input {
    pub seed: usize,
    pub changes: Vec<Change>,
    pub packing: Packing,
    pub big_endian: bool,
}

/// A file: header, and voxels where it is a pair.
pub type Seed = (Vec<u8>, Option<Vec<u8>>);

const FIELDS: [u16; 70] = [
    0, 2, 4, 8, 12, 14, 16, 20, 24, 28, 30, 32, 34, 38, 40, 42, 44, 46, 48, 50, 54, 58, 62, 68, 70, 72, 76,
    78, 80, 82, 84, 86, 88, 92, 104, 108, 112, 116, 120, 123, 128, 136, 148, 168, 176, 184, 252, 254, 256,
    260, 264, 268, 280, 284, 288, 292, 296, 312, 328, 344, 346, 348, 352, 356, 360, 376, 400, 432, 500, 504,
];

fn value() -> impl Strategy<Value = Value> {
    let shorts =
        [0, 1, 2, 3, 4, 7, 8, 9, -1, 16, 32, 64, 128, 256, 348, 512, 540, 1280, 3001, i16::MAX, i16::MIN];
    let ints = [0, 1, -1, 348, 540, 0x7fff_fff0, i32::MIN, 1 << 20];
    let longs = [0, 1, -1, 544, 1 << 31, 1 << 33, i64::MAX, i64::MIN, 1_000_000];
    let floats =
        [0.0, -0.0, 1.0, -1.0, 0.5, 352.0, 353.0, 1e30, -1e30, 1e-30, f32::NAN, f32::INFINITY, 0.70710677];
    let doubles = [0.0, 1.0, -1.0, 1e300, 1e-300, f64::NAN, f64::NEG_INFINITY, 0.5];
    prop_oneof![
        proptest::sample::select(shorts.to_vec()).prop_map(Value::Short),
        any::<i16>().prop_map(Value::Short),
        proptest::sample::select(ints.to_vec()).prop_map(Value::Int),
        proptest::sample::select(longs.to_vec()).prop_map(Value::Long),
        proptest::sample::select(floats.to_vec()).prop_map(Value::Float),
        proptest::sample::select(doubles.to_vec()).prop_map(Value::Double),
    ]
}

/// Inputs made of `seeds` files.
pub fn inputs(seeds: usize) -> impl Strategy<Value = Input> {
    let change = prop_oneof![
        2 => (any::<u32>(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => (any::<u32>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        4 => (proptest::sample::select(FIELDS.to_vec()), value()).prop_map(|(at, value)| Change::Field(at, value)),
        1 => any::<u32>().prop_map(Change::Cut),
        1 => (0..2000u16, any::<u8>()).prop_map(|(count, byte)| Change::Grow(count, byte)),
    ];
    let packing = prop_oneof![
        8 => Just(Packing::Plain),
        1 => Just(Packing::Gzip),
        1 => Just(Packing::Damaged),
    ];
    (0..seeds, proptest::collection::vec(change, 0..8), packing, any::<bool>())
        .prop_map(|(seed, changes, packing, big_endian)| Input { seed, changes, packing, big_endian })
}

impl Input {
    /// The bytes to be read.
    pub fn bytes(&self, seeds: &[Seed]) -> Seed {
        let (header, voxels) = &seeds[self.seed];
        let change = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            self.changes.iter().for_each(|change| change.apply(&mut bytes, self.big_endian));
            bytes
        };
        let header = match self.packing {
            Packing::Plain => change(header),
            Packing::Gzip => stored(&change(header)),
            Packing::Damaged => change(&stored(header)),
        };
        (header, voxels.clone())
    }
}

/// As a gzip member of stored blocks: a compressor would take most of the time.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = bytes.chunks(0xffff).count();
    for (n, block) in bytes.chunks(0xffff).enumerate() {
        let length = block.len() as u16;
        out.push(u8::from(n + 1 == blocks));
        out.extend(length.to_le_bytes().into_iter().chain((!length).to_le_bytes()));
        out.extend(block);
    }
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    out.extend(sum.sum().to_le_bytes().into_iter().chain(sum.amount().to_le_bytes()));
    out
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, big_endian: bool) {
        if bytes.is_empty() {
            return;
        }
        let place = |at: u32| at as usize % bytes.len();
        match self {
            Self::Flip(at, bit) => {
                let at = place(*at);
                bytes[at] ^= 1 << bit;
            }
            Self::Byte(at, byte) => {
                let at = place(*at);
                bytes[at] = *byte;
            }
            Self::Field(at, value) => {
                let mut raw = match value {
                    Value::Short(v) => v.to_le_bytes().to_vec(),
                    Value::Int(v) => v.to_le_bytes().to_vec(),
                    Value::Long(v) => v.to_le_bytes().to_vec(),
                    Value::Float(v) => v.to_le_bytes().to_vec(),
                    Value::Double(v) => v.to_le_bytes().to_vec(),
                };
                if big_endian {
                    raw.reverse();
                }
                for (byte, value) in bytes.iter_mut().skip(usize::from(*at)).zip(raw) {
                    *byte = value;
                }
            }
            Self::Cut(at) => bytes.truncate(place(*at)),
            Self::Grow(count, byte) => bytes.resize(bytes.len() + usize::from(*count), *byte),
        }
    }
}

/// Small right files of every kind, then the hostile ones beside the checkout that are at most 4 KiB.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (code, bits) in
        [(2, 8), (4, 16), (8, 32), (16, 32), (64, 64), (256, 8), (512, 16), (768, 32), (1024, 64), (1280, 64)]
    {
        for version in [1, 2] {
            for (big_endian, pair) in [(false, false), (true, false), (false, true)] {
                let mut made = Made::new([3, 2, 4], |i| i as i16);
                (made.version, made.big_endian, made.pair) = (version, big_endian, pair);
                (made.datatype, made.bitpix) = (code, bits);
                (made.qform_code, made.quatern[1]) = (1, 1.0);
                made.vox_offset = if pair { 0.0 } else { 352.0 + 192.0 * f64::from(version - 1) };
                made.voxels = (0..24 * bits as usize / 8).map(|i| (i * 37 % 61) as u8).collect();
                seeds.push(if pair { (made.header(), Some(made.voxels)) } else { (made.bytes(), None) });
            }
        }
    }
    for (kind, width) in [(0, 1), (1, 4), (3, 4), (4, 2), (10, 2)] {
        for (good_ras, frames) in [(1, 1), (0, 1), (1, 2)] {
            let mut made = MadeMgh::new([3, 2, 4], |_| 0);
            (made.kind, made.good_ras, made.dims[3]) = (kind, good_ras, frames);
            made.voxels = (0..24 * width * frames).map(|i| (i * 37 % 61) as u8).collect();
            seeds.push((made.bytes(), None));
        }
    }
    let Some(folder) = super::shared("nifti-cases") else { return seeds };
    let folders =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut files: Vec<_> = folders
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let small = files.iter().map(|path| std::fs::read(path).unwrap()).filter(|bytes| bytes.len() <= 4096);
    seeds.extend(small.map(|bytes| (bytes, None)));
    seeds
}
